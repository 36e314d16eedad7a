#include "delivery/http/connection.h"

#include <algorithm>
#include <array>
#include <cerrno>

#include <boost/asio/buffer.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/ssl/error.hpp>
#include <boost/asio/write.hpp>
#include <sys/socket.h>

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

PushConnection::PushConnection(asio::io_context& loop, Events& events, TlsContext tls)
    : loop_(loop), events_(&events), socket_(loop), tls_context_(std::move(tls)), deadline_([this] {
        on_deadline();
      }) {}

PushConnection::~PushConnection() = default;

void PushConnection::connect(std::vector<tcp::endpoint> endpoints, const std::string& host,
                             Deadlines& next, Deadlines& each) {
  CARILLON_CHECK(state_ == State::starting);
  host_ = host;
  each_ = &each;
  state_ = State::connecting;
  dial_ = std::make_shared<Dial>(
      loop_, std::move(endpoints), next, each,
      [self = shared_from_this()](bool connected) { self->dialled(connected); });
  dial_->start();
}

void PushConnection::dialled(bool connected) {
  if (!connected) {
    unreachable_ = dial_->unreachable();
    lacked_descriptor_ = dial_->lacked_descriptor();
    return fail(dial_->problem());
  }
  tls_.reset();
  socket_ = dial_->take_socket();
  if (!tunnel_request_.empty()) return open_tunnel();
  if (tls_context_) return shake_hands();
  established();
}

void PushConnection::open_tunnel() {
  state_ = State::tunnelling;
  each_->arm(deadline_);
  in_.resize(kInputBytesFirst);
  in_size_ = 0;
  asio::async_write(socket_, asio::buffer(tunnel_request_),
                    [self = shared_from_this()](Error failed, std::size_t) {
                      if (self->state_ != State::tunnelling) return;
                      if (failed) return self->tunnel_answered(failed, 0);
                      self->read_tunnel_answer_on();
                    });
}

void PushConnection::read_tunnel_answer_on() {
  if (in_size_ == in_.size()) in_.resize(std::min(in_.size() * 4, kInputBytesMax));
  socket_.async_read_some(asio::buffer(in_.data() + in_size_, in_.size() - in_size_),
                          [self = shared_from_this()](Error failed, std::size_t size) {
                            if (self->state_ != State::tunnelling) return;
                            self->tunnel_answered(failed, size);
                          });
}

void PushConnection::tunnel_answered(Error failed, std::size_t size) {
  in_size_ += size;
  const TunnelAnswer tunnel = read_tunnel_answer({in_.data(), in_size_});
  if (!failed && tunnel.progress == TunnelAnswer::Progress::need_more) {
    return read_tunnel_answer_on();
  }
  deadline_.disarm();
  if (!failed && tunnel.progress == TunnelAnswer::Progress::open) {
    in_size_ = 0;
    return shake_hands();
  }
  const bool late = std::exchange(is_late_, false);
  try_next_address("the proxy opened no tunnel: " + (late     ? "no answer in time"
                                                     : failed ? failed.message()
                                                              : tunnel.why));
}

void PushConnection::shake_hands() {
  state_ = State::shaking_hands;
  each_->arm(deadline_);
  tls_.emplace(socket_, *tls_context_);
  if (Result<> ok = expect_tls_host(tls_->native_handle(), host_); !ok) {
    return fail(ok.error().detail);
  }
  tls_->async_handshake(TlsStream::client, [self = shared_from_this()](Error failed) {
    if (self->state_ == State::shaking_hands) self->handshake_over(failed);
  });
}

/// What one address cannot do another one may.
void PushConnection::handshake_over(Error failed) {
  deadline_.disarm();
  if (!failed) return established();
  const std::string refused = tls_verify_failure(tls_->native_handle());
  const bool late = std::exchange(is_late_, false);
  try_next_address("TLS: " + (late              ? "no handshake in time"
                              : refused.empty() ? failed.message()
                                                : refused));
}

void PushConnection::try_next_address(const std::string& why) {
  Error ignored;
  socket_.close(ignored);
  state_ = State::connecting;
  dial_->go_on(why);
}

void PushConnection::established() {
  endpoint_ = dial_->endpoint();
  unreachable_ = dial_->unreachable();
  dial_->close();
  dial_.reset();
  in_.resize(kInputBytesFirst);
  opened_at_ = std::chrono::steady_clock::now();
  state_ = State::idle;
  read_more();
  events_->connected(*this);
}

void PushConnection::send(std::string_view body, std::size_t answer_body_bytes) {
  CARILLON_CHECK(state_ == State::idle && !sending_);
  deadline_.disarm();
  state_ = State::busy;
  answer_.reset(answer_body_bytes);
  sending_ = true;
  may_be_seen_ = false;
  written_ = 0;
  body_ = body;
  if (!tls_) return write_rest();
  // One record of its own, in a buffer that outlives a push that is given up.
  out_.append(body);
  may_be_seen_ = true;
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
  may_be_seen_ = written_ > 0;
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
  if (state_ != State::busy && state_ != State::draining) {
    // Nothing was asked: whatever came, it ends the connection.
    return fail(is_end(failed) ? "closed while idle" : "broken while idle");
  }
  const AnswerReader::Progress progress = take_input(failed, size);
  if (state_ == State::draining) {
    if (failed) return fail("broken in the rest of an answer");
    return finish_draining(progress);
  }
  if (is_end(failed)) answer_.end();
  const bool is_all = failed || progress != AnswerReader::Progress::need_more;
  if (answer_.is_decided() && (is_all || !answer_.wants_body())) {
    return report_answer(failed ? AnswerReader::Progress::broken : progress);
  }
  if (is_end(failed)) return fail("read the answer: the connection was closed before its end");
  if (failed) return fail("read the answer: " + failed.message());
  if (progress == AnswerReader::Progress::broken) {
    return fail("read the answer: " + answer_.problem());
  }
  read_more();
}

AnswerReader::Progress PushConnection::take_input(Error failed, std::size_t size) {
  if (failed) return AnswerReader::Progress::need_more;
  in_size_ += size;
  std::size_t consumed = 0;
  const AnswerReader::Progress progress = answer_.feed({in_.data(), in_size_}, consumed);
  std::copy(in_.begin() + static_cast<std::ptrdiff_t>(consumed),
            in_.begin() + static_cast<std::ptrdiff_t>(in_size_), in_.begin());
  in_size_ -= consumed;
  return progress;
}

/// Of a whole answer: nothing came behind it, and the receiver does not end the connection.
bool PushConnection::is_reusable(AnswerReader::Progress progress) const {
  return progress == AnswerReader::Progress::complete && answer_.keep_alive() && in_size_ == 0 &&
         !sending_ && socket_.is_open();
}

void PushConnection::report_answer(AnswerReader::Progress progress) {
  Events& events = *events_;
  if (is_reusable(progress)) {
    become_idle();
    return events.answered(*this, After::idle);
  }
  if (progress == AnswerReader::Progress::need_more && answer_.keep_alive() && !sending_) {
    // The body that was sent is the owner's again.
    out_.clear();
    body_ = {};
    state_ = State::draining;
    read_more();
    return events.answered(*this, After::draining);
  }
  close();
  events.answered(*this, After::closed);
}

void PushConnection::finish_draining(AnswerReader::Progress progress) {
  if (progress == AnswerReader::Progress::need_more) return read_more();
  if (!is_reusable(progress)) return fail("the rest of an answer ends the connection");
  become_idle();
  events_->drained(*this);
}

void PushConnection::become_idle() {
  state_ = State::idle;
  out_.clear();
  body_ = {};
  if (in_.size() > kInputBytesFirst) {
    in_.resize(kInputBytesFirst);
    in_.shrink_to_fit();
  }
  read_more();
}

bool PushConnection::is_quiet() {
  if (state_ != State::idle) return false;
  char ignored = 0;
  return ::recv(socket_.native_handle(), &ignored, 1, MSG_PEEK | MSG_DONTWAIT) < 0 &&
         (errno == EAGAIN || errno == EWOULDBLOCK);
}

void PushConnection::expect_use(Deadlines& patience) {
  patience.arm(deadline_);
}

void PushConnection::on_deadline() {
  const auto keep = shared_from_this();
  if (state_ != State::shaking_hands && state_ != State::tunnelling) return fail("idle for long");
  // The handler under way hears of it, and only then may what it uses go.
  is_late_ = true;
  Error ignored;
  socket_.close(ignored);
}

void PushConnection::fail(std::string why) {
  Events& events = *events_;
  close();
  events.failed(*this, std::move(why));
}

void PushConnection::close() {
  state_ = State::closed;
  deadline_.disarm();
  if (dial_) dial_->close();
  Error ignored;
  socket_.close(ignored);
}

}  // namespace carillon
