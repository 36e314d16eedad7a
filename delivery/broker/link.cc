#include "delivery/broker/link.h"

#include <utility>
#include <vector>

#include <boost/asio/buffer.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/ssl/error.hpp>
#include <boost/asio/write.hpp>

#include "base/check.h"
#include "delivery/errors.h"

namespace carillon {
namespace {

namespace asio = boost::asio;

constexpr std::size_t kEndpointsMax = 16;

}  // namespace

BrokerNetwork::BrokerNetwork(const SinkOptions& options)
    : loop(options.loop),
      urls(options.urls),
      resolver(options.loop, options.resolving, options.lookup),
      next_address(options.loop, Millis(250)),
      each_address(options.loop, std::chrono::seconds(5)) {}

BrokerLink::BrokerLink(BrokerNetwork& network, Events& events, const Url& url, ClientTls tls,
                       TlsBegins begins)
    : network_(network),
      events_(&events),
      url_(url),
      tls_files_(std::move(tls)),
      tls_begins_(begins),
      socket_(network.loop),
      handshake_deadline_([this] {
        // The handler under way hears of it, and only then may what it uses go.
        Code ignored;
        socket_.close(ignored);
      }) {}

void BrokerLink::open() {
  CARILLON_CHECK(state_ == State::starting);
  state_ = State::dialling;
  if (Result<> allowed = network_.urls.egress().check_host(url_.host); !allowed) {
    return fail_later(allowed.error());
  }
  if (url_.tls) {
    Result<TlsContext> context = network_.tls_contexts.context(tls_files_);
    if (!context) return fail_later(context.error());
    tls_context_ = *std::move(context);
  }
  network_.resolver.resolve(url_.lookup_name(), Resolver::Vouched::yes,
                            [self = shared_from_this()](const Result<Resolver::Addresses>& found) {
                              if (self->state_ == State::dialling) self->resolved(found);
                            });
}

/// Dials the addresses that the rules allow, and no other.
void BrokerLink::resolved(const Result<Resolver::Addresses>& found) {
  if (!found) return fail(found.error());
  std::vector<tcp::endpoint> allowed;
  Error refused = network_error(url_.host + " has no address");
  for (const asio::ip::address& address : *found) {
    const tcp::endpoint endpoint(address, url_.port_number());
    if (const Result<> ok = network_.urls.egress().check_endpoint(url_.host, endpoint); !ok) {
      refused = ok.error();
    } else if (allowed.size() < kEndpointsMax) {
      allowed.push_back(endpoint);
    }
  }
  if (allowed.empty()) return fail(std::move(refused));
  rules_ = network_.urls.edition();
  dial_ = std::make_shared<Dial>(
      network_.loop, std::move(allowed), network_.next_address, network_.each_address,
      [self = shared_from_this()](bool connected) { self->dialled(connected); });
  dial_->start();
}

void BrokerLink::dialled(bool connected) {
  if (!connected) return fail(network_error(dial_->problem()));
  tls_.reset();
  socket_ = dial_->take_socket();
  if (!tls_context_) return established();
  if (tls_begins_ == TlsBegins::at_once) return shake_hands();
  hear_first_line();
}

void BrokerLink::hear_first_line() {
  state_ = State::shaking_hands;
  network_.each_address.arm(handshake_deadline_);
  first_line_.clear();
  asio::async_read_until(
      socket_, asio::dynamic_buffer(first_line_, in_.size()), '\n',
      [self = shared_from_this()](Code failed, std::size_t size) {
        if (self->state_ != State::shaking_hands) return;
        if (failed) {
          const bool late = !self->handshake_deadline_.armed();
          return self->try_next_address("no greeting" +
                                        (late ? " in time" : ": " + failed.message()));
        }
        // What anybody could have put behind it must not pass for what came over TLS.
        if (size < self->first_line_.size()) {
          return self->try_next_address("the broker says more than its greeting before TLS");
        }
        self->shake_hands();
      });
}

void BrokerLink::shake_hands() {
  state_ = State::shaking_hands;
  network_.each_address.arm(handshake_deadline_);
  tls_.emplace(socket_, *tls_context_);
  if (Result<> ok = expect_tls_host(tls_->native_handle(), url_.host); !ok) return fail(ok.error());
  tls_->async_handshake(TlsStream::client, [self = shared_from_this()](Code failed) {
    if (self->state_ == State::shaking_hands) self->handshake_over(failed);
  });
}

void BrokerLink::handshake_over(Code failed) {
  const bool late = !handshake_deadline_.armed();
  if (!failed) return established();
  const std::string refused = tls_verify_failure(tls_->native_handle());
  try_next_address("TLS: " + (late              ? "no handshake in time"
                              : refused.empty() ? failed.message()
                                                : refused));
}

/// What one cannot do another one may.
void BrokerLink::try_next_address(const std::string& why) {
  handshake_deadline_.disarm();
  Code ignored;
  socket_.close(ignored);
  state_ = State::dialling;
  dial_->go_on(why);
}

void BrokerLink::established() {
  handshake_deadline_.disarm();
  endpoint_ = dial_->endpoint();
  dial_->close();
  dial_.reset();
  // Closing it from now on drops what the kernel has not sent.
  Code ignored;
  socket_.set_option(tcp::socket::linger(true, 0), ignored);
  state_ = State::open;
  read_more();
  events_->opened();
  if (state_ == State::open && !first_line_.empty()) events_->received(first_line_);
}

void BrokerLink::read_more() {
  auto handler = [self = shared_from_this()](Code failed, std::size_t size) {
    if (self->state_ != State::open) return;
    const bool ended = failed == asio::error::eof || failed == asio::ssl::error::stream_truncated;
    if (ended) return self->fail(network_error("the broker closed the connection"));
    if (failed) return self->fail(network_error("read: " + failed.message()));
    self->events_->received({self->in_.data(), size});
    if (self->state_ == State::open) self->read_more();
  };
  if (tls_) {
    tls_->async_read_some(asio::buffer(in_), std::move(handler));
  } else {
    socket_.async_read_some(asio::buffer(in_), std::move(handler));
  }
}

void BrokerLink::write(std::string& bytes) {
  CARILLON_CHECK(state_ == State::open && !writing_);
  writing_ = true;
  out_.clear();
  out_.swap(bytes);
  auto handler = [self = shared_from_this()](Code failed, std::size_t) {
    self->write_over(failed);
  };
  if (tls_) {
    asio::async_write(*tls_, asio::buffer(out_), std::move(handler));
  } else {
    asio::async_write(socket_, asio::buffer(out_), std::move(handler));
  }
}

void BrokerLink::write_over(Code failed) {
  writing_ = false;
  if (state_ != State::open) return;
  if (failed) return fail(network_error("send: " + failed.message()));
  events_->written();
}

Result<> BrokerLink::check_rules() {
  if (state_ != State::open || rules_ == network_.urls.edition()) return {};
  Result<> ok = network_.urls.egress().check_endpoint(url_.host, endpoint_);
  if (ok) rules_ = network_.urls.edition();
  return ok;
}

void BrokerLink::fail(Error error) {
  if (state_ == State::closed) return;
  const auto keep = shared_from_this();
  Events& events = *events_;
  close();
  events.failed(std::move(error));
}

void BrokerLink::fail_later(Error error) {
  asio::post(network_.loop, [self = shared_from_this(), error = std::move(error)]() mutable {
    self->fail(std::move(error));
  });
}

void BrokerLink::close() {
  state_ = State::closed;
  handshake_deadline_.disarm();
  if (dial_) dial_->close();
  Code ignored;
  socket_.close(ignored);
}

}  // namespace carillon
