// A receiver to push to, as friendly or hostile as a test wants it. On the test's own loop, over
// real sockets on a free port of 127.0.0.1.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>

#include "net/tls.h"

namespace carillon {

struct ReceivedRequest {
  std::string head;  // with the blank line
  std::string body;
  std::size_t connection = 0;  // which one it came on, from 0

  /// The value of the header, empty where it is missing. `name` in the case it was sent in.
  [[nodiscard]] std::string header(const std::string& name) const;
};

/// What a receiver does with one request.
struct Reaction {
  enum class Then { keep, close, reset, hang };
  std::string bytes;  // as they go out
  Then then = Then::keep;
  std::chrono::milliseconds pause{0};  // before each piece
  std::size_t piece_bytes = std::string::npos;
  bool for_ever = false;  // the last piece again and again
};
/// "HTTP/1.1 200 OK" with `extra` header lines (each with CRLF) and a body.
[[nodiscard]] std::string http_answer(const std::string& status, const std::string& body = "",
                                      const std::string& extra = "");

class Receiver {
 public:
  using React = std::function<Reaction(const ReceivedRequest&)>;
  using Endpoint = boost::asio::ip::tcp::endpoint;
  Receiver(boost::asio::io_context& loop, React react, TlsContext tls = {},
           const Endpoint& at = {boost::asio::ip::address_v4::loopback(), 0});
  /// Answers 200 to all.
  explicit Receiver(boost::asio::io_context& loop);
  ~Receiver();
  Receiver(const Receiver&) = delete;
  Receiver& operator=(const Receiver&) = delete;

  [[nodiscard]] std::string url(const std::string& path = "/") const;
  [[nodiscard]] unsigned short port() const;
  [[nodiscard]] const std::vector<ReceivedRequest>& requests() const;
  [[nodiscard]] std::size_t connections() const;
  /// Bytes of answers that went out.
  [[nodiscard]] std::size_t bytes_sent() const;
  /// Closes the connections that are open, and goes on accepting.
  void close_connections();
  /// Stops accepting: from now on connecting is refused.
  void refuse();

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace carillon
