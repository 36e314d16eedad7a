// A blocking HTTP/1.1 client for tests: one connection, plain or unix, and raw bytes where a test
// wants to misbehave. Nothing here waits longer than `patience`.
#pragma once

#include <chrono>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/string_body.hpp>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

namespace carillon::test {

struct HttpAnswer {
  int status = 0;  // 0: no answer, the connection ended or nothing came in time
  std::string body;
  std::vector<std::pair<std::string, std::string>> headers;
  bool keep_alive = false;

  /// The header's value, or empty.
  [[nodiscard]] std::string header(std::string_view name) const {
    for (const auto& [key, value] : headers) {
      if (boost::beast::iequals(key, std::string(name))) return value;
    }
    return {};
  }
};

class HttpClient {
 public:
  using Headers = std::vector<std::pair<std::string, std::string>>;

  /// `where` as HttpServer::listen answers it: "http://127.0.0.1:43123" or "unix:/run/x".
  explicit HttpClient(std::string where, std::chrono::seconds patience = std::chrono::seconds(20))
      : where_(std::move(where)), patience_(patience) {}
  ~HttpClient() { close(); }
  HttpClient(const HttpClient&) = delete;
  HttpClient& operator=(const HttpClient&) = delete;

  /// Sends one request, connecting where that is needed, and reads its answer.
  HttpAnswer request(const std::string& method, const std::string& target,
                     const std::string& body = "", const Headers& headers = {}) {
    std::string text = method + " " + target + " HTTP/1.1\r\nhost: localhost\r\n";
    bool typed = false;
    for (const auto& [name, value] : headers) {
      text += name + ": " + value + "\r\n";
      typed = typed || boost::beast::iequals(name, std::string("content-type"));
    }
    if (!body.empty() && !typed) text += "content-type: application/json\r\n";
    if (!body.empty() || method == "POST" || method == "PUT" || method == "PATCH")
      text += "content-length: " + std::to_string(body.size()) + "\r\n";
    text += "\r\n" + body;
    // A server may refuse a request before it has read all of it.
    if (!send(text) && socket_ < 0) return {};
    return read_answer(method == "HEAD");
  }
  HttpAnswer get(const std::string& target, const Headers& headers = {}) {
    return request("GET", target, "", headers);
  }
  HttpAnswer post(const std::string& target, const std::string& body, const Headers& headers = {}) {
    return request("POST", target, body, headers);
  }

  /// Sends bytes as they are; false where the connection is gone.
  bool send(std::string_view bytes) {
    if (socket_ < 0 && !connect()) return false;
    while (!bytes.empty()) {
      const ssize_t n = ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (n <= 0) return false;
      bytes.remove_prefix(static_cast<std::size_t>(n));
    }
    return true;
  }

  /// Reads the next answer; `head_only` where the request was HEAD.
  HttpAnswer read_answer(bool head_only = false) {
    namespace http = boost::beast::http;
    http::response_parser<http::string_body> parser;
    parser.body_limit(std::uint64_t{1} << 30);
    parser.header_limit(1 << 20);
    parser.skip(head_only);
    parser.eager(true);
    for (;;) {
      boost::system::error_code ec = http::error::need_more;
      if (!left_.empty()) {
        left_.erase(0, parser.put(boost::asio::buffer(left_), ec));
        if (parser.is_done()) return answer_of(parser.get(), parser.keep_alive());
        if (ec && ec != http::error::need_more) return {};
      }
      if (receive()) continue;
      ec = {};
      if (parser.got_some()) parser.put_eof(ec);
      if (ec || !parser.is_done()) return {};
      return answer_of(parser.get(), false);
    }
  }

  /// All that comes until the peer closes; nothing where it did not within `patience`.
  std::optional<std::string> read_to_end() {
    while (receive()) {
    }
    return ended_ ? std::optional(std::exchange(left_, {})) : std::nullopt;
  }
  /// Whether the peer closes the connection within `patience`.
  bool closed_by_peer() { return read_to_end().has_value(); }

  /// Says that nothing more will be sent.
  void finish_sending() { ::shutdown(socket_, SHUT_WR); }
  bool connect() {
    close();
    ended_ = false;
    socket_ = where_.starts_with("unix:") ? connect_unix(where_.substr(5)) : connect_tcp();
    if (socket_ < 0) return false;
    const timeval limit{patience_.count(), 0};
    ::setsockopt(socket_, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    ::setsockopt(socket_, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
    return true;
  }
  void close() {
    if (socket_ >= 0) ::close(socket_);
    socket_ = -1;
    left_.clear();
  }
  [[nodiscard]] int native_handle() const { return socket_; }

 private:
  template <typename Message>
  static HttpAnswer answer_of(const Message& message, bool keep_alive) {
    HttpAnswer answer{static_cast<int>(message.result_int()), message.body(), {}, keep_alive};
    for (const auto& field : message)
      answer.headers.emplace_back(field.name_string(), field.value());
    return answer;
  }

  bool receive() {
    char bytes[16384];
    const ssize_t n = ::recv(socket_, bytes, sizeof bytes, 0);
    ended_ = n == 0 || (n < 0 && errno == ECONNRESET);
    if (n <= 0) return false;
    left_.append(bytes, static_cast<std::size_t>(n));
    return true;
  }

  static int connect_unix(const std::string& path) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::strncpy(address.sun_path, path.c_str(), sizeof address.sun_path - 1);
    return connected(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0),
                     reinterpret_cast<const sockaddr*>(&address), sizeof address);
  }
  [[nodiscard]] int connect_tcp() const {
    const std::string authority = where_.substr(where_.find("//") + 2);
    const std::size_t colon = authority.rfind(':');
    addrinfo hints{};
    hints.ai_socktype = SOCK_STREAM;
    hints.ai_flags = AI_NUMERICHOST;
    addrinfo* found = nullptr;
    std::string host = authority.substr(0, colon);
    if (host.starts_with('[')) host = host.substr(1, host.size() - 2);
    if (::getaddrinfo(host.c_str(), authority.substr(colon + 1).c_str(), &hints, &found) != 0)
      return -1;
    const int made = connected(::socket(found->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0),
                               found->ai_addr, found->ai_addrlen);
    ::freeaddrinfo(found);
    const int on = 1;
    if (made >= 0) ::setsockopt(made, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    return made;
  }
  static int connected(int socket, const sockaddr* address, socklen_t length) {
    if (socket >= 0 && ::connect(socket, address, length) == 0) return socket;
    if (socket >= 0) ::close(socket);
    return -1;
  }

  std::string where_;
  std::chrono::seconds patience_;
  int socket_ = -1;
  bool ended_ = false;
  std::string left_;
};

}  // namespace carillon::test
