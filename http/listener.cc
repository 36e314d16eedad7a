#include "http/listener.h"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <unistd.h>

#include "base/log.h"

namespace carillon {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using Generic = asio::generic::stream_protocol;

// What the kernel holds of each connection in either direction, whatever its peer does (it doubles
// the figure); accepted sockets inherit it. Left to itself it holds megabytes for each client that
// sends and does not read, until the whole machine's TCP is short of memory.
constexpr int kKernelBytes = 128 << 10;

Error cannot(const std::string& what, const boost::system::error_code& ec) {
  return {"config", "cannot listen on " + what + ": " + ec.message(), ""};
}

/// Whether a program still answers on the socket.
bool somebody_listens(asio::io_context& loop, const std::string& path) {
  asio::local::stream_protocol::socket probe(loop);
  boost::system::error_code ec;
  probe.connect(asio::local::stream_protocol::endpoint(path), ec);
  return !ec;
}

}  // namespace

Listener::Listener(asio::io_context& loop, ListenAddress address)
    : loop_(loop), address_(std::move(address)), acceptor_(loop), pause_(loop) {}

Listener::~Listener() {
  close();
}

Result<> Listener::bind() {
  auto done = address_.unix_path.empty() ? bind_tcp() : bind_unix();
  bound_ = done.has_value();
  return done;
}

Result<> Listener::bind_unix() {
  const std::string& path = address_.unix_path;
  constexpr std::size_t kPathMax = 107;  // sockaddr_un
  if (path.size() > kPathMax)
    return Error{"config", "cannot listen on unix:" + path + ": the path is too long", ""};
  // A socket left by a process that is gone is in the way of ours.
  if (somebody_listens(loop_, path))
    return Error{"config", "cannot listen on unix:" + path + ": another program does", ""};
  boost::system::error_code ec;
  acceptor_.open(Generic(AF_UNIX, 0), ec);
  if (!ec) {
    const asio::local::stream_protocol::endpoint endpoint(path);
    acceptor_.bind(endpoint, ec);
    if (ec == asio::error::address_in_use && ::unlink(path.c_str()) == 0)
      acceptor_.bind(endpoint, ec);
  }
  if (!ec) acceptor_.listen(asio::socket_base::max_listen_connections, ec);
  if (ec) return cannot("unix:" + path, ec);
  return {};
}

Result<> Listener::bind_tcp() {
  const std::string where = address_.host + ":" + std::to_string(address_.port);
  boost::system::error_code ec;
  tcp::resolver resolver(loop_);
  const auto found =
      resolver.resolve(address_.host, std::to_string(address_.port), tcp::resolver::passive, ec);
  if (ec) return cannot(where, ec);
  const tcp::endpoint endpoint = found.begin()->endpoint();
  acceptor_.open(Generic(endpoint.protocol()), ec);
  if (!ec) acceptor_.set_option(asio::socket_base::reuse_address(true), ec);
  if (!ec) acceptor_.set_option(asio::socket_base::receive_buffer_size(kKernelBytes), ec);
  if (!ec) acceptor_.set_option(asio::socket_base::send_buffer_size(kKernelBytes), ec);
  if (!ec) acceptor_.bind(endpoint, ec);
  if (!ec) acceptor_.listen(asio::socket_base::max_listen_connections, ec);
  if (ec) return cannot(where, ec);
  // The port that was chosen, where any would do.
  const Generic::endpoint bound = acceptor_.local_endpoint(ec);
  if (ec) return cannot(where, ec);
  endpoint_.emplace();
  endpoint_->resize(bound.size());
  std::memcpy(endpoint_->data(), bound.data(), bound.size());
  return {};
}

void Listener::start(Accepted accepted) {
  accepted_ = std::move(accepted);
  asio::co_spawn(loop_, accept(shared_from_this()), asio::detached);
}

Async<void> Listener::accept(std::shared_ptr<Listener> self) {
  constexpr auto kToken = asio::as_tuple(asio::use_awaitable);
  constexpr auto kPause = std::chrono::milliseconds(100);
  bool failing = false;  // told once, not ten times a second
  while (self->acceptor_.is_open()) {
    Socket socket(self->loop_);
    const auto [ec] = co_await self->acceptor_.async_accept(socket, kToken);
    if (!self->acceptor_.is_open()) break;
    if (!ec) {
      boost::system::error_code ignored;
      if (self->endpoint_) socket.set_option(tcp::no_delay(true), ignored);
      if (std::exchange(failing, false))
        log_info("connections are accepted again", {{"on", self->url()}});
      self->accepted_(std::move(socket), self->address_.tls);
      continue;
    }
    if (ec == asio::error::connection_aborted) continue;  // gone before it was accepted
    if (!std::exchange(failing, true))
      log_warning("connections cannot be accepted; trying again",
                  {{"on", self->url()}, {"why", ec.message()}});
    self->pause_.expires_after(kPause);
    co_await self->pause_.async_wait(kToken);
  }
}

void Listener::close() {
  boost::system::error_code ignored;
  acceptor_.close(ignored);
  pause_.cancel();
  if (bound_ && !address_.unix_path.empty()) ::unlink(address_.unix_path.c_str());
  bound_ = false;
}

std::string Listener::url() const {
  if (!address_.unix_path.empty()) return "unix:" + address_.unix_path;
  if (!endpoint_) return address_.host;
  const std::string host = endpoint_->address().is_v6()
                               ? "[" + endpoint_->address().to_string() + "]"
                               : endpoint_->address().to_string();
  return (address_.tls ? "https://" : "http://") + host + ":" + std::to_string(endpoint_->port());
}

std::optional<tcp::endpoint> Listener::endpoint() const {
  return endpoint_;
}

}  // namespace carillon
