#include "delivery/connection.h"

#include <algorithm>
#include <array>

#include <boost/asio/buffer.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/ssl/error.hpp>
#include <boost/asio/write.hpp>

#include "base/check.h"
#include "base/failpoint.h"

namespace carillon {
namespace {

namespace asio = boost::asio;
namespace error = boost::asio::error;

// Most answers are a few hundred bytes; thousands of connections wait for one at a time.
constexpr std::size_t kInputBytesFirst = 1024;
constexpr std::size_t kInputBytesMax = kAnswerHeadBytesMax + 1024;

bool is_end(const boost::system::error_code& code) {
  // Receivers that end without TLS's own farewell are common, and nothing hangs on the body.
  return code == error::eof || code == asio::ssl::error::stream_truncated;
}

}  // namespace

std::string endpoint_text(const boost::asio::ip::tcp::endpoint& endpoint) {
  const std::string address = endpoint.address().to_string();
  return (endpoint.address().is_v6() ? "[" + address + "]" : address) + ":" +
         std::to_string(endpoint.port());
}

PushConnection::PushConnection(asio::io_context& loop, Events& events, TlsContext tls)
    : loop_(loop), events_(&events), socket_(loop), tls_context_(std::move(tls)), deadline_([this] {
        on_deadline();
      }) {}

PushConnection::~PushConnection() = default;

void PushConnection::connect(std::vector<tcp::endpoint> endpoints, const std::string& host,
                             Deadlines& each) {
  CARILLON_CHECK(state_ == State::starting && !endpoints.empty());
  endpoints_ = std::move(endpoints);
  host_ = host;
  each_ = &each;
  connect_next();
}

void PushConnection::connect_next() {
  const tcp::endpoint& endpoint = endpoints_[tried_++];
  state_ = State::connecting;
  each_->arm(deadline_);
  Error code;
  auto handler = [self = shared_from_this(), tried = tried_](Error failed) {
    if (self->state_ == State::connecting && self->tried_ == tried) self->on_connected(failed);
  };
  socket_.close(code);
  socket_.open(endpoint.protocol(), code);
  if (code) {
    lacked_descriptor_ =
        code == error::no_descriptors || code == boost::system::errc::too_many_files_open_in_system;
    asio::post(loop_, [handler, code] { handler(code); });
    return;
  }
  socket_.set_option(tcp::no_delay(true), code);
  socket_.non_blocking(true, code);
  socket_.async_connect(endpoint, std::move(handler));
}

void PushConnection::on_connected(Error failed) {
  if (failed) return try_next(failed.message());
  if (tls_context_) return shake_hands();
  established();
}

void PushConnection::shake_hands() {
  state_ = State::shaking_hands;
  tls_.emplace(socket_, *tls_context_);
  if (Result<> ok = expect_tls_host(tls_->native_handle(), host_); !ok) {
    return fail(ok.error().detail);
  }
  tls_->async_handshake(TlsStream::client, [self = shared_from_this()](Error failed) {
    if (self->state_ != State::shaking_hands) return;
    if (!failed) return self->established();
    const std::string refused = tls_verify_failure(self->tls_->native_handle());
    self->fail(self->connecting_to() + "TLS: " + (refused.empty() ? failed.message() : refused));
  });
}

std::string PushConnection::connecting_to() const {
  return "connect to " + endpoint_text(endpoints_[tried_ - 1]) + ": ";
}

void PushConnection::try_next(const std::string& why) {
  if (tried_ < endpoints_.size()) return connect_next();
  fail(connecting_to() + why);
}

void PushConnection::established() {
  deadline_.disarm();
  in_.resize(kInputBytesFirst);
  opened_at_ = std::chrono::steady_clock::now();
  state_ = State::idle;
  read_more();
  events_->connected(*this);
}

void PushConnection::send(std::string_view body) {
  CARILLON_CHECK(state_ == State::idle && !sending_);
  deadline_.disarm();
  state_ = State::busy;
  answer_.reset();
  answer_began_ = false;
  sending_ = true;
  written_ = 0;
  body_ = body;
  if (!tls_) return write_rest();
  // One record of its own, in a buffer that outlives a push that is given up.
  out_.append(body);
  asio::async_write(*tls_, asio::buffer(out_),
                    [self = shared_from_this()](Error failed, std::size_t) {
                      if (self->state_ == State::closed) return;
                      if (failed) return self->fail("send: " + failed.message());
                      self->sending_ = false;
                    });
}

void PushConnection::write_rest() {
  const std::size_t head_left = out_.size() - std::min(written_, out_.size());
  const std::size_t body_done = written_ - (out_.size() - head_left);
  const std::array<asio::const_buffer, 2> rest = {
      asio::buffer(out_.data() + out_.size() - head_left, head_left),
      asio::buffer(body_.data() + body_done, body_.size() - body_done)};
  Error code;
  written_ += socket_.write_some(rest, code);
  if (code && code != error::would_block && code != error::try_again) {
    asio::post(loop_, [self = shared_from_this(), code] {
      if (self->state_ != State::closed) self->fail("send: " + code.message());
    });
    return;
  }
  if (written_ == out_.size() + body_.size()) {
    CARILLON_FAILPOINT("push.sent");
    sending_ = false;
    return;
  }
  socket_.async_wait(tcp::socket::wait_write, [self = shared_from_this()](Error failed) {
    if (self->state_ == State::closed) return;
    if (failed) return self->fail("send: " + failed.message());
    self->write_rest();
  });
}

void PushConnection::read_more() {
  if (in_size_ == in_.size()) in_.resize(std::min(in_.size() * 4, kInputBytesMax));
  const asio::mutable_buffer space = asio::buffer(in_.data() + in_size_, in_.size() - in_size_);
  auto handler = [self = shared_from_this()](Error failed, std::size_t size) {
    if (self->state_ != State::closed) self->on_read(failed, size);
  };
  if (tls_) {
    tls_->async_read_some(space, std::move(handler));
  } else {
    socket_.async_read_some(space, std::move(handler));
  }
}

void PushConnection::on_read(Error failed, std::size_t size) {
  if (state_ != State::busy) {
    // Nothing was asked: whatever came, it ends the connection.
    return fail(is_end(failed) ? "closed while idle" : "broken while idle");
  }
  if (size > 0) answer_began_ = true;
  const AnswerReader::Progress progress = take_input(failed, size);
  if (progress != AnswerReader::Progress::need_more) return finish_answer(progress);
  if (failed) return fail("read the answer: " + failed.message());
  if (in_size_ == kInputBytesMax) return fail("read the answer: a line of it is over 16 KiB");
  read_more();
}

AnswerReader::Progress PushConnection::take_input(Error failed, std::size_t size) {
  if (is_end(failed)) return answer_.feed_end();
  if (failed) return AnswerReader::Progress::need_more;
  in_size_ += size;
  std::size_t consumed = 0;
  const AnswerReader::Progress progress = answer_.feed({in_.data(), in_size_}, consumed);
  std::copy(in_.begin() + static_cast<std::ptrdiff_t>(consumed),
            in_.begin() + static_cast<std::ptrdiff_t>(in_size_), in_.begin());
  in_size_ -= consumed;
  return progress;
}

void PushConnection::finish_answer(AnswerReader::Progress progress) {
  if (progress == AnswerReader::Progress::broken) {
    return fail("read the answer: " + answer_.problem());
  }
  Events& events = *events_;
  const bool reusable = progress == AnswerReader::Progress::complete && answer_.keep_alive() &&
                        in_size_ == 0 && !sending_ && socket_.is_open();
  if (reusable) {
    state_ = State::idle;
    out_.clear();
    body_ = {};
    if (in_.size() > kInputBytesFirst) {
      in_.resize(kInputBytesFirst);
      in_.shrink_to_fit();
    }
    read_more();
  } else {
    close();
  }
  events.answered(*this, reusable);
}

void PushConnection::expect_use(Deadlines& patience) {
  patience.arm(deadline_);
}

void PushConnection::on_deadline() {
  const auto keep = shared_from_this();
  switch (state_) {
    case State::connecting:
      return try_next("no connection in time");
    case State::shaking_hands:
      return fail(connecting_to() + "TLS: no handshake in time");
    default:
      return fail("idle for long");
  }
}

void PushConnection::fail(std::string why) {
  Events& events = *events_;
  close();
  events.failed(*this, std::move(why));
}

void PushConnection::close() {
  state_ = State::closed;
  deadline_.disarm();
  Error ignored;
  socket_.close(ignored);
}

}  // namespace carillon
