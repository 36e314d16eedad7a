#include "tests/delivery/receiver.h"

#include <algorithm>
#include <map>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>

namespace carillon {

namespace asio = boost::asio;
using asio::ip::tcp;

namespace {

constexpr auto use_tuple = asio::as_tuple(asio::use_awaitable);

std::size_t content_length(const std::string& head) {
  const std::size_t at = head.find("Content-Length: ");
  return at == std::string::npos ? 0 : std::stoul(head.substr(at + 16));
}

}  // namespace

struct Receiver::State {
  State(asio::io_context& the_loop, React the_react, TlsContext the_tls)
      : loop(the_loop), react(std::move(the_react)), tls(std::move(the_tls)), acceptor(the_loop) {}

  asio::io_context& loop;
  React react;
  TlsContext tls;
  tcp::acceptor acceptor;
  std::map<std::size_t, tcp::socket*> open;
  std::size_t connections = 0;
  std::size_t bytes_sent = 0;
  std::vector<ReceivedRequest> requests;
  bool ended = false;

  static asio::awaitable<void> accept(std::shared_ptr<State> self);
  static asio::awaitable<void> serve(std::shared_ptr<State> self, tcp::socket socket);
  template <typename Stream>
  static asio::awaitable<void> talk(std::shared_ptr<State> self, Stream& stream,
                                    std::size_t connection);
  template <typename Stream>
  static asio::awaitable<bool> answer(std::shared_ptr<State> self, Stream& stream,
                                      Reaction reaction);
  static asio::awaitable<void> pause(std::shared_ptr<State> self, std::chrono::milliseconds time);
};

asio::awaitable<void> Receiver::State::accept(std::shared_ptr<State> self) {
  while (!self->ended) {
    auto [error, socket] = co_await self->acceptor.async_accept(use_tuple);
    if (error) co_return;
    asio::co_spawn(self->loop, serve(self, std::move(socket)), asio::detached);
  }
}

asio::awaitable<void> Receiver::State::serve(std::shared_ptr<State> self, tcp::socket socket) {
  const std::size_t connection = self->connections++;
  // So that a small piece does not wait for the other side's acknowledgement of the one before.
  boost::system::error_code ignored;
  socket.set_option(tcp::no_delay(true), ignored);
  self->open.emplace(connection, &socket);
  if (self->tls) {
    asio::ssl::stream<tcp::socket&> stream(socket, *self->tls);
    auto [error] = co_await stream.async_handshake(asio::ssl::stream_base::server, use_tuple);
    if (!error) co_await talk(self, stream, connection);
  } else {
    co_await talk(self, socket, connection);
  }
  self->open.erase(connection);
}

template <typename Stream>
asio::awaitable<void> Receiver::State::talk(std::shared_ptr<State> self, Stream& stream,
                                            std::size_t connection) {
  std::string in;
  while (!self->ended) {
    auto [error, size] =
        co_await asio::async_read_until(stream, asio::dynamic_buffer(in), "\r\n\r\n", use_tuple);
    if (error) co_return;
    ReceivedRequest request{.head = in.substr(0, size), .body = {}, .connection = connection};
    const std::size_t whole = size + content_length(request.head);
    while (in.size() < whole) {
      std::array<char, 65536> piece;
      auto [broken, got] = co_await stream.async_read_some(asio::buffer(piece), use_tuple);
      if (broken) co_return;
      in.append(piece.data(), got);
    }
    request.body = in.substr(size, whole - size);
    in.erase(0, whole);
    self->requests.push_back(request);
    Reaction reaction = self->react(request);
    if (!co_await answer(self, stream, std::move(reaction))) co_return;
  }
}

/// Whether the connection lives on.
template <typename Stream>
asio::awaitable<bool> Receiver::State::answer(std::shared_ptr<State> self, Stream& stream,
                                              Reaction reaction) {
  std::size_t done = 0;
  while (!self->ended && (done < reaction.bytes.size() || reaction.for_ever)) {
    if (reaction.pause.count() > 0) co_await pause(self, reaction.pause);
    if (done == reaction.bytes.size()) {
      done -= std::min(reaction.piece_bytes, reaction.bytes.size());
    }
    const std::size_t size = std::min(reaction.piece_bytes, reaction.bytes.size() - done);
    auto [error, sent] = co_await asio::async_write(
        stream, asio::buffer(reaction.bytes.data() + done, size), use_tuple);
    if (error) co_return false;
    self->bytes_sent += sent;
    done += size;
  }
  if (reaction.then == Reaction::Then::keep) co_return true;
  if (reaction.then == Reaction::Then::reset) {
    stream.lowest_layer().set_option(asio::socket_base::linger(true, 0));
  }
  if (reaction.then == Reaction::Then::hang) {
    char ignored = 0;
    (void)co_await stream.async_read_some(asio::buffer(&ignored, 1), use_tuple);
  }
  co_return false;
}

asio::awaitable<void> Receiver::State::pause(std::shared_ptr<State> self,
                                             std::chrono::milliseconds time) {
  asio::steady_timer timer(self->loop, time);
  (void)co_await timer.async_wait(use_tuple);
}

std::string ReceivedRequest::header(const std::string& name) const {
  const std::size_t at = head.find("\r\n" + name + ": ");
  if (at == std::string::npos) return {};
  const std::size_t begin = at + name.size() + 4;
  return head.substr(begin, head.find("\r\n", begin) - begin);
}

std::string http_answer(const std::string& status, const std::string& body,
                        const std::string& extra) {
  return "HTTP/1.1 " + status + "\r\nContent-Length: " + std::to_string(body.size()) + "\r\n" +
         extra + "\r\n" + body;
}

Receiver::Receiver(asio::io_context& loop, React react, TlsContext tls, const Endpoint& at)
    : state_(std::make_shared<State>(loop, std::move(react), std::move(tls))) {
  state_->acceptor.open(tcp::v4());
  state_->acceptor.set_option(asio::socket_base::reuse_address(true));
  state_->acceptor.bind(at);
  state_->acceptor.listen(16'384);
  asio::co_spawn(loop, State::accept(state_), asio::detached);
}

Receiver::Receiver(asio::io_context& loop)
    : Receiver(loop,
               [](const ReceivedRequest&) { return Reaction{.bytes = http_answer("200 OK")}; }) {}

Receiver::~Receiver() {
  state_->ended = true;
  refuse();
  close_connections();
}

std::string Receiver::url(const std::string& path) const {
  return (state_->tls ? "https://127.0.0.1:" : "http://127.0.0.1:") + std::to_string(port()) + path;
}

unsigned short Receiver::port() const {
  return state_->acceptor.local_endpoint().port();
}
const std::vector<ReceivedRequest>& Receiver::requests() const {
  return state_->requests;
}
std::size_t Receiver::connections() const {
  return state_->connections;
}
std::size_t Receiver::bytes_sent() const {
  return state_->bytes_sent;
}

void Receiver::close_connections() {
  for (const auto& [number, socket] : state_->open) {
    boost::system::error_code ignored;
    socket->close(ignored);
  }
}

void Receiver::refuse() {
  boost::system::error_code ignored;
  state_->acceptor.close(ignored);
}

}  // namespace carillon
