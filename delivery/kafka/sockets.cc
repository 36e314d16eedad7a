#include "delivery/kafka/sockets.h"

#include <cerrno>
#include <utility>

#include <boost/asio/post.hpp>
#include <netdb.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

namespace carillon {
namespace {

/// What a name is looked up as: one address, to which nothing is ever sent.
int resolve(const char* node, const char* /*service*/, const addrinfo* /*hints*/, addrinfo** found,
            void* /*opaque*/) {
  static sockaddr_in address = [] {
    sockaddr_in any{};
    any.sin_family = AF_INET;
    any.sin_port = htons(9);  // "discard"
    any.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return any;
  }();
  static addrinfo one = [] {
    addrinfo info{};
    info.ai_family = AF_INET;
    info.ai_socktype = SOCK_STREAM;
    info.ai_addrlen = sizeof address;
    info.ai_addr = reinterpret_cast<sockaddr*>(&address);
    return info;
  }();
  if (node != nullptr) *found = &one;  // without a name it is given back
  return 0;
}

}  // namespace

KafkaSockets::KafkaSockets(boost::asio::io_context& loop, Wanted wanted)
    : loop_(loop), wanted_(std::make_shared<const Wanted>(std::move(wanted))) {}

KafkaSockets::~KafkaSockets() {
  for (const auto& [theirs, ours] : ours_) ::close(ours);
}

void KafkaSockets::serve(rd_kafka_conf_t* conf) {
  rd_kafka_conf_set_opaque(conf, this);
  rd_kafka_conf_set_resolve_cb(conf, resolve);
  rd_kafka_conf_set_socket_cb(
      conf, [](int, int, int, void* self) { return static_cast<KafkaSockets*>(self)->open(); });
  rd_kafka_conf_set_connect_cb(
      conf, [](int theirs, const sockaddr*, int, const char* broker, void* self) {
        return static_cast<KafkaSockets*>(self)->connect(theirs, broker);
      });
  rd_kafka_conf_set_closesocket_cb(conf, [](int theirs, void* self) {
    return static_cast<KafkaSockets*>(self)->close_end(theirs);
  });
}

void KafkaSockets::close() {
  const std::lock_guard lock(mutex_);
  wanted_.reset();
}

int KafkaSockets::open() {
  int ends[2];
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends) != 0) return -1;
  const std::lock_guard lock(mutex_);
  ours_[ends[0]] = ends[1];
  return ends[0];
}

int KafkaSockets::connect(int theirs, const char* broker) {
  std::unique_lock lock(mutex_);
  const auto pair = ours_.extract(theirs);
  const std::weak_ptr<const Wanted> wanted = wanted_;
  lock.unlock();
  if (pair.empty()) return EBADF;
  boost::system::error_code failed;
  Socket ours(loop_);
  ours.assign(boost::asio::local::stream_protocol(), pair.mapped(), failed);
  if (failed) {
    ::close(pair.mapped());
    return failed.value();
  }
  boost::asio::post(loop_, [wanted, ours = std::move(ours), name = std::string(broker)]() mutable {
    if (const auto tell = wanted.lock()) (*tell)(std::move(ours), name);
  });
  return 0;
}

int KafkaSockets::close_end(int theirs) {
  const std::lock_guard lock(mutex_);
  if (const auto pair = ours_.extract(theirs); !pair.empty()) ::close(pair.mapped());
  return ::close(theirs);
}

std::string kafka_host_and_port(std::string_view broker) {
  if (const auto scheme = broker.find("://"); scheme != std::string_view::npos) {
    broker.remove_prefix(scheme + 3);
  }
  broker = broker.substr(0, broker.rfind('/'));
  const auto colon = broker.rfind(':');
  const std::string_view host = broker.substr(0, colon);
  // An IPv6 address that a broker named stands there without brackets.
  const bool is_bare = host.find(':') != std::string_view::npos && !host.starts_with('[');
  if (!is_bare) return std::string(broker);
  return "[" + std::string(host) + "]" + std::string(broker.substr(colon));
}

}  // namespace carillon
