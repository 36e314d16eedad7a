#include "tests/delivery/kafka/gate.h"

#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>

namespace carillon {
namespace {

namespace asio = boost::asio;
using asio::use_awaitable;
using asio::ip::tcp;

std::string be32(std::uint32_t number) {
  std::string bytes;
  for (const int shift : {24, 16, 8, 0}) bytes.push_back(static_cast<char>(number >> shift));
  return bytes;
}

/// With its length in front.
template <typename Stream>
asio::awaitable<std::string> read_frame(Stream& from) {
  std::string frame(4, '\0');
  co_await asio::async_read(from, asio::buffer(frame), use_awaitable);
  std::uint32_t size = 0;
  for (const char c : frame) size = size << 8 | static_cast<unsigned char>(c);
  frame.resize(4 + size);
  co_await asio::async_read(from, asio::buffer(frame.data() + 4, size), use_awaitable);
  co_return frame;
}

template <typename Stream>
struct Session {
  Session(Stream from_client, tcp::socket to_broker)
      : client(std::move(from_client)), broker(std::move(to_broker)) {}
  void close() {
    boost::system::error_code ignored;
    client.lowest_layer().close(ignored);
    broker.close(ignored);
  }
  Stream client;
  tcp::socket broker;
  bool is_in = false;  // the client has logged in, or need not
};

constexpr char kHandshake = 17;
constexpr char kVersions = 18;

/// An answer to "which versions", with the handshake of SASL among them.
std::string with_handshake(std::string frame) {
  constexpr std::size_t kCountAt = 10;
  const bool is_good = frame.size() > kCountAt + 4 && frame[8] == 0 && frame[9] == 0;
  if (!is_good) return frame;
  const auto count = static_cast<unsigned char>(frame[kCountAt + 3]);
  frame.replace(kCountAt, 4, be32(count + 1U));
  frame += std::string("\0\x11\0\0\0\0", 6);
  frame.replace(0, 4, be32(static_cast<std::uint32_t>(frame.size() - 4)));
  return frame;
}

template <typename Stream, typename Options>
asio::awaitable<void> pass_requests(std::shared_ptr<Session<Stream>> session,
                                    std::shared_ptr<const Options> options) {
  session->is_in = options->username.empty();
  try {
    for (;;) {
      const std::string frame = co_await read_frame(session->client);
      if (session->is_in || frame[5] == kVersions) {
        co_await asio::async_write(session->broker, asio::buffer(frame), use_awaitable);
        continue;
      }
      std::string answer = be32(0);
      if (frame[5] == kHandshake) {
        const std::string body =
            frame.substr(8, 4) + std::string(2, '\0') + be32(1) + std::string("\0\5PLAIN", 7);
        answer = be32(static_cast<std::uint32_t>(body.size())) + body;
      } else {
        const std::string nul(1, '\0');
        session->is_in = frame.substr(4) == nul + options->username + nul + options->password;
        if (!session->is_in) break;
      }
      co_await asio::async_write(session->client, asio::buffer(answer), use_awaitable);
    }
  } catch (const boost::system::system_error&) {
    // One of the two has gone.
  }
  session->close();
}

template <typename Stream>
asio::awaitable<void> pass_answers(std::shared_ptr<Session<Stream>> session, std::string its_port,
                                   std::string our_port) {
  try {
    for (;;) {
      std::string frame = co_await read_frame(session->broker);
      if (!session->is_in) frame = with_handshake(std::move(frame));
      for (std::size_t at = 4; (at = frame.find(its_port, at)) != std::string::npos; at += 4) {
        frame.replace(at, 4, our_port);
      }
      co_await asio::async_write(session->client, asio::buffer(frame), use_awaitable);
    }
  } catch (const boost::system::system_error&) {
    // One of the two has gone.
  }
  session->close();
}

}  // namespace

struct KafkaGate::State {
  State(asio::io_context& loop, std::uint16_t to, Options its)
      : broker_port(to), options(std::move(its)), acceptor(loop) {
    acceptor.open(tcp::v4());
    acceptor.bind({asio::ip::address_v4::loopback(), 0});
    acceptor.listen();
    port = acceptor.local_endpoint().port();
    if (!options.tls) return;
    context.use_certificate_chain_file(options.tls->certificate);
    context.use_private_key_file(options.tls->private_key, asio::ssl::context::pem);
  }
  template <typename Stream>
  static asio::awaitable<void> serve(std::shared_ptr<State> state, Stream client) {
    const auto executor = co_await asio::this_coro::executor;
    tcp::socket broker(executor);
    const tcp::endpoint to(asio::ip::address_v4::loopback(), state->broker_port);
    try {
      if constexpr (!std::is_same_v<Stream, tcp::socket>) {
        co_await client.async_handshake(asio::ssl::stream_base::server, use_awaitable);
      }
      co_await broker.async_connect(to, use_awaitable);
    } catch (const boost::system::system_error&) {
      co_return;
    }
    auto session = std::make_shared<Session<Stream>>(std::move(client), std::move(broker));
    std::shared_ptr<const Options> options(state, &state->options);
    asio::co_spawn(executor, pass_requests(session, options), asio::detached);
    asio::co_spawn(executor, pass_answers(session, be32(state->broker_port), be32(state->port)),
                   asio::detached);
  }
  static asio::awaitable<void> accept(std::shared_ptr<State> state) {
    const auto executor = co_await asio::this_coro::executor;
    try {
      for (;;) {
        tcp::socket client = co_await state->acceptor.async_accept(use_awaitable);
        if (state->options.tls) {
          asio::ssl::stream<tcp::socket> stream(std::move(client), state->context);
          asio::co_spawn(executor, serve(state, std::move(stream)), asio::detached);
        } else {
          asio::co_spawn(executor, serve(state, std::move(client)), asio::detached);
        }
      }
    } catch (const boost::system::system_error&) {
      // It is closed.
    }
  }

  std::uint16_t broker_port;
  std::uint16_t port = 0;
  Options options;
  tcp::acceptor acceptor;
  asio::ssl::context context{asio::ssl::context::tls_server};
};

KafkaGate::KafkaGate(asio::io_context& loop, const std::string& broker, Options options)
    : state_(std::make_shared<State>(
          loop, static_cast<std::uint16_t>(std::stoi(broker.substr(broker.find(':') + 1))),
          std::move(options))) {
  asio::co_spawn(loop, State::accept(state_), asio::detached);
}

KafkaGate::~KafkaGate() {
  boost::system::error_code ignored;
  state_->acceptor.close(ignored);
}

std::string KafkaGate::broker() const {
  return "127.0.0.1:" + std::to_string(state_->port);
}

void KafkaGate::set_password(const std::string& password) {
  state_->options.password = password;
}

}  // namespace carillon
