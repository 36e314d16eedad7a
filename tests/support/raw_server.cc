#include "tests/support/raw_server.h"

#include <utility>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/check.h"

namespace carillon::test {

RawServer::RawServer(std::string answer, std::chrono::milliseconds trickle)
    : answer_(std::move(answer)), trickle_(trickle) {
  listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  CARILLON_CHECK(::bind(listener_, reinterpret_cast<sockaddr*>(&address), size) == 0);
  CARILLON_CHECK(::listen(listener_, 16) == 0);
  CARILLON_CHECK(::getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size) == 0);
  port_ = ntohs(address.sin_port);
  thread_ = std::thread([this] { serve(); });
}

RawServer::~RawServer() {
  stopping_ = true;
  ::shutdown(listener_, SHUT_RDWR);
  thread_.join();
  ::close(listener_);
}

void RawServer::serve() {
  for (int client = 0; (client = ::accept(listener_, nullptr, nullptr)) >= 0;) {
    answer_one(client);
    ::close(client);
  }
}

void RawServer::answer_one(int client) const {
  std::string request;
  char piece[4096];
  while (request.find("\r\n\r\n") == std::string::npos) {
    const ssize_t bytes = ::recv(client, piece, sizeof piece, 0);
    if (bytes <= 0) return;
    request.append(piece, static_cast<std::size_t>(bytes));
  }
  ssize_t sent = ::send(client, answer_.data(), answer_.size(), MSG_NOSIGNAL);
  while (trickle_.count() > 0 && sent > 0 && !stopping_) {
    pollfd left{client, POLLRDHUP, 0};
    ::poll(&left, 1, static_cast<int>(trickle_.count()));
    sent = left.revents != 0 ? 0 : ::send(client, "x", 1, MSG_NOSIGNAL);
  }
  // The rest of the request is read, so that closing does not reset the connection.
  ::shutdown(client, SHUT_WR);
  while (!stopping_ && trickle_.count() == 0 && ::recv(client, piece, sizeof piece, 0) > 0) {
  }
}

std::string http_answer(int status, std::string_view content_type, std::string_view body) {
  return "HTTP/1.1 " + std::to_string(status) + " X\r\ncontent-type: " + std::string(content_type) +
         "\r\ncontent-length: " + std::to_string(body.size()) + "\r\nconnection: close\r\n\r\n" +
         std::string(body);
}

}  // namespace carillon::test
