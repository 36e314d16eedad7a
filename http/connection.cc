#include "http/connection.h"

#include <algorithm>

#include <boost/asio/post.hpp>

#include "base/check.h"
#include "base/failpoint.h"
#include "http/framing.h"

namespace carillon {
namespace {

FramingLimits framing_limits(const HttpLimits& limits) {
  return {limits.header_bytes_max, limits.header_fields_max, limits.uri_bytes_max};
}

// A buffer that is larger is freed when its request is done.
constexpr std::size_t kKept = std::size_t{4} << 10;
// An answer's body that is larger is not copied behind its head.
constexpr std::size_t kSmallBody = std::size_t{64} << 10;

void release_large(std::string& buffer) {
  if (buffer.capacity() > kKept) std::string().swap(buffer);
}

/// Writes `number` over the first `digits` characters.
void write_hex(std::string& out, std::size_t number, std::size_t digits) {
  for (std::size_t at = digits; at-- > 0; number >>= 4) out[at] = "0123456789abcdef"[number & 15];
  CARILLON_CHECK(number == 0);
}

Error body_too_large(std::size_t bytes_max) {
  return {"body_too_large", "the body may have " + std::to_string(bytes_max) + " bytes", ""};
}
Error too_many_connections() {
  return {"too_many_connections", "the server has as many connections as it may", ""};
}
Error wrong_host() {
  return {"wrong_host",
          "Send the request to localhost or an IP address, or add the name to http.hosts", ""};
}
Error overloaded() {
  return {"overloaded", "The server holds as much for its clients as it may; retry later", ""};
}
Error request_timeout() {
  return {"request_timeout", "the rest of the request did not come in time", ""};
}

}  // namespace

HttpConnection::HttpConnection(boost::asio::io_context& loop, std::shared_ptr<ConnectionHub> hub,
                               Transport::Socket socket, Door door,
                               std::shared_ptr<boost::asio::ssl::context> tls)
    : hub_(std::move(hub)),
      settings_(hub_->settings),
      transport_(std::move(socket), std::move(tls)),
      door_(door),
      deadline_([this] { interrupt(request_timeout()); }),
      loop_(loop),
      buffers_(hub_->buffers, [this] { interrupt(overloaded()); }) {
  hub_->connections.push_back(*this);
  ++hub_->open;
  if (door_ == Door::probes) ++hub_->probes_open;
}

HttpConnection::~HttpConnection() {
  unlink();
  --hub_->open;
  if (door_ == Door::probes) --hub_->probes_open;
  if (hub_->closed) hub_->closed();
}

void HttpConnection::close_if_idle() {
  if (idle_) transport_.close();
}

void HttpConnection::close() {
  if (handshake_) handshake_->give_up();
  transport_.close();
}

void HttpConnection::interrupt(const Error& because) {
  interrupted_ = because;
  if (handshake_) handshake_->give_up();
  transport_.cancel();
}

/// Starts something that may be interrupted.
void HttpConnection::arm(Deadlines& deadlines) {
  interrupted_.reset();
  deadlines.arm(deadline_);
}

Async<void> HttpConnection::serve(std::shared_ptr<HttpConnection> self) {
  if (self->transport_.is_tls() && !co_await self->shake_hands()) co_return;
  for (bool more = true; more;) {
    more = co_await self->one_request();
    // Its client cannot have asked again yet: the answers of the same commit go out before the next
    // look, which would find nothing now.
    if (more && self->input_.size() == 0) co_await boost::asio::post(boost::asio::use_awaitable);
  }
  if (self->sent_all_) co_await self->linger();
}

/// Until the client has sent something, it has no slot and costs nothing of TLS.
Async<bool> HttpConnection::shake_hands() {
  arm(settings_->header);
  idle_ = true;
  if (co_await transport_.wait_for_input()) co_return false;
  idle_ = false;
  handshake_.emplace(loop_, hub_->handshakes);
  co_await handshake_->wait();
  if (!handshake_->granted() || interrupted_) co_return false;
  arm(settings_->handshake);
  co_await handshake_turn();
  if (interrupted_) co_return false;
  const bool done = !co_await transport_.handshake();
  handshake_.reset();
  co_return done;
}

/// A handshake's first step signs something, which takes a millisecond or two. Where many clients
/// come at once, everything else has its turn after each few of them.
Async<void> HttpConnection::handshake_turn() {
  constexpr std::size_t kBegunPerTurn = 4;
  while (hub_->handshakes_begun >= kBegunPerTurn) {
    co_await boost::asio::post(boost::asio::use_awaitable);
  }
  if (hub_->handshakes_begun++ > 0) co_return;
  boost::asio::post(loop_, [hub = std::weak_ptr(hub_)] {
    if (const auto alive = hub.lock()) alive->handshakes_begun = 0;
  });
}

Async<void> HttpConnection::turn_away(std::shared_ptr<HttpConnection> self) {
  self->refuse(too_many_connections());
  self->format_answer();
  const bool sent = co_await self->send_answer();
  if (sent) co_await self->linger();
}

HttpConnection::Step HttpConnection::refuse(const Error& error) {
  response_.reset();
  if (!head_read_) {
    request_ = {};
    request_.door = door_;
    head_settings_ = nullptr;
  }
  hub_->service->refuse(request_, error, response_);
  close_after_ = true;
  return Step::answered;
}

/// After a receive of nothing: why, or that there is nobody to tell.
HttpConnection::Step HttpConnection::refuse_interrupted() {
  if (!interrupted_) return Step::ended;
  return refuse(*interrupted_);
}

/// Receives something under the deadline that is armed; 0: the connection ended or was interrupted.
Async<std::size_t> HttpConnection::receive(boost::asio::mutable_buffer into) {
  if (interrupted_) co_return 0;
  const auto [ec, count] = co_await transport_.read_some(into);
  co_return ec || interrupted_ ? 0 : count;
}

Async<HttpConnection::Step> HttpConnection::receive_head() {
  std::size_t looked = 0;
  arm(input_.size() == 0 ? settings_->idle : settings_->header);
  while ((head_size_ = find_head_end(input_.view(), looked)) == std::string_view::npos) {
    const FramingLimits limits = framing_limits(settings_->limits);
    if (const auto checked = check_partial_head(input_.view(), limits); !checked)
      co_return refuse(checked.error());
    looked = input_.size();
    idle_ = looked == 0;
    if (idle_ && hub_->draining) co_return Step::ended;
    const std::size_t capacity = input_.capacity();
    const std::span<char> space = input_.space();
    if (capacity > 0 && !buffers_.take(input_.capacity() - capacity))
      co_return refuse(overloaded());
    const auto [ec, count] =
        co_await transport_.read_some(boost::asio::buffer(space.data(), space.size()));
    if (interrupted_ && !idle_) co_return refuse_interrupted();
    if (ec || interrupted_) co_return Step::ended;
    input_.received(count);
    if (idle_) {
      // They may have changed while nothing came.
      settings_ = hub_->settings;
      arm(settings_->header);
    }
    idle_ = false;
  }
  co_return Step::go_on;
}

/// A client that sends one request after the other sends the same head again and again: what came
/// of the last one is kept.
HttpConnection::Step HttpConnection::parse_head() {
  const std::string_view head = input_.view().substr(0, head_size_);
  used_ = head_size_;
  const bool again = head == head_ && head_settings_ == settings_ && !parser_->chunked();
  if (!again) {
    if (const Step step = parse_new_head(head); step != Step::go_on) return step;
  }
  head_read_ = true;
  request_.body = {};
  if (!parser_->keep_alive()) close_after_ = true;
  if (!right_host_) return refuse(wrong_host());
  if (parser_->cross_origin())
    return refuse({"cross_origin", "Pages of other origins may not use this server", ""});
  return Step::go_on;
}

HttpConnection::Step HttpConnection::parse_new_head(std::string_view head) {
  head_settings_ = nullptr;
  if (const auto checked = check_head(head, framing_limits(settings_->limits)); !checked)
    return refuse(checked.error());
  head_ = head;
  request_ = {};
  request_.door = door_;
  parser_.emplace(body_);
  if (const auto parsed = parser_->parse_head(head_, request_); !parsed)
    return refuse(parsed.error());
  right_host_ = is_right_host();
  request_.has_body = parser_->chunked() || parser_->content_length() > 0;
  head_settings_ = settings_;
  return Step::go_on;
}

bool HttpConnection::is_right_host() const {
  if (door_ != Door::tcp) return true;
  // No browser leaves Host out; probes that speak HTTP/1.0 do.
  if (parser_->authority().empty() && parser_->http_1_0()) return true;
  return settings_->hosts.serves(parser_->authority());
}

Async<HttpConnection::Step> HttpConnection::ask_to_continue() {
  const std::string_view expected = parser_->expect();
  if (expected.empty() || parser_->http_1_0()) co_return Step::go_on;
  if (!boost::beast::iequals(expected, "100-continue"))
    co_return refuse({"unsupported_expectation", "only 100-continue is known", ""});
  if (input_.size() > head_size_) co_return Step::go_on;  // it is already coming
  arm(settings_->body);
  co_return co_await send("HTTP/1.1 100 Continue\r\n\r\n") ? Step::go_on : Step::ended;
}

Async<HttpConnection::Step> HttpConnection::receive_body() {
  const std::uint64_t length = parser_->content_length();
  if (length > body_bytes_max_) co_return refuse(body_too_large(body_bytes_max_));
  if (length == 0 && !parser_->chunked()) co_return Step::go_on;
  if (const Step step = co_await ask_to_continue(); step != Step::go_on) co_return step;
  if (parser_->chunked()) co_return co_await receive_chunked_body();
  co_return co_await receive_sized_body(static_cast<std::size_t>(length));
}

/// Takes the body where it came together with the head, as most do.
bool HttpConnection::body_is_here() {
  const std::string_view here = input_.view().substr(head_size_);
  const std::uint64_t length = parser_->content_length();
  if (parser_->chunked() || length > here.size() || length > body_bytes_max_) return false;
  if (!parser_->expect().empty()) return false;
  request_.body = here.substr(0, static_cast<std::size_t>(length));
  used_ = head_size_ + request_.body.size();
  return true;
}

/// False where all connections together hold too much for that.
bool HttpConnection::grow(std::string& buffer, std::size_t size) {
  if (!buffers_.take(size - buffer.size())) return false;
  buffer.resize(size);
  return true;
}

Async<HttpConnection::Step> HttpConnection::receive_sized_body(std::size_t length) {
  const std::string_view here = input_.view().substr(head_size_);
  constexpr std::size_t kPiece = std::size_t{64} << 10;
  arm(settings_->body);
  body_.assign(here);
  used_ = input_.size();
  std::size_t filled = here.size();
  while (filled < length) {
    // Memory follows what has come, not what was announced.
    if (filled == body_.size() &&
        !grow(body_, std::min(length, std::max(filled * 2, filled + kPiece))))
      co_return refuse(overloaded());
    const std::size_t count =
        co_await receive(boost::asio::buffer(body_.data() + filled, body_.size() - filled));
    if (count == 0) co_return refuse_interrupted();
    filled += count;
  }
  request_.body = body_;
  co_return Step::go_on;
}

Async<HttpConnection::Step> HttpConnection::receive_chunked_body() {
  constexpr std::size_t kPiece = std::size_t{16} << 10;
  // A chunk's head, or the trailers, without an end in sight: they are looked at again with each
  // piece that comes.
  constexpr std::size_t kUnusedMax = std::size_t{4} << 10;
  arm(settings_->body);
  if (!buffers_.take(kPiece + kUnusedMax)) co_return refuse(overloaded());
  wire_.assign(input_.view().substr(head_size_));
  used_ = input_.size();
  for (;;) {
    const std::size_t held_before = body_.size();
    const auto progress = parser_->feed(wire_, body_bytes_max_);
    if (!progress) co_return refuse(progress.error());
    if (!buffers_.take(body_.size() - held_before)) co_return refuse(overloaded());
    wire_.erase(0, progress->consumed);
    if (progress->done) break;
    const std::size_t held = wire_.size();
    if (held > kUnusedMax) co_return refuse({"bad_request", "A chunk's head is too long", ""});
    wire_.resize(held + kPiece);
    const std::size_t count = co_await receive(boost::asio::buffer(wire_.data() + held, kPiece));
    wire_.resize(held + count);
    if (count == 0) co_return refuse_interrupted();
  }
  request_.body = body_;
  co_return Step::go_on;
}

Async<bool> HttpConnection::one_request() {
  settings_ = hub_->settings;
  response_.reset();
  body_.clear();
  wire_.clear();
  head_read_ = false;
  Step step = co_await receive_head();
  if (step == Step::go_on) step = parse_head();
  if (step == Step::go_on && !hub_->service->admit(request_, response_, body_bytes_max_)) {
    step = Step::answered;
    const std::size_t here = input_.size() - head_size_;
    // Only where its body is here already can the next request be found behind it.
    if (parser_->chunked() || parser_->content_length() > here)
      close_after_ = true;
    else
      used_ = head_size_ + static_cast<std::size_t>(parser_->content_length());
  }
  if (step == Step::go_on && !body_is_here()) step = co_await receive_body();
  deadline_.disarm();
  buffers_.pin();
  if (step == Step::go_on) co_await hub_->service->answer(request_, response_);
  if (step == Step::ended) co_return false;
  request_.body = {};
  release_large(body_);
  buffers_.give_back();
  if (!send_answer_now() && !co_await send_answer()) co_return false;
  input_.consume(used_);
  used_ = 0;
  // What came behind a chunked body is the start of the next request.
  for (std::string_view rest = wire_; !rest.empty();) {
    const std::span<char> space = input_.space();
    const std::size_t count = std::min(space.size(), rest.size());
    std::copy_n(rest.data(), count, space.data());
    input_.received(count);
    rest.remove_prefix(count);
  }
  release_large_buffers();
  sent_all_ = close_after_;
  co_return !close_after_;
}

/// The head, and the body where it is small; `send_answer` sends a large one from where it is.
void HttpConnection::format_answer() {
  const auto digit = static_cast<std::size_t>(response_.status / 100);
  ++hub_->by_status[std::min(digit, hub_->by_status.size() - 1)];
  if (hub_->draining) close_after_ = true;
  const bool http_1_0 = parser_ && parser_->http_1_0();
  if (response_.stream && http_1_0) close_after_ = true;
  const Persistence persistence = close_after_ ? Persistence::close
                                  : http_1_0   ? Persistence::keep_alive_1_0
                                               : Persistence::keep_alive;
  output_.clear();
  append_response_head(output_, response_, persistence, !http_1_0, hub_->date.now());
  if (request_.method == "HEAD" || !has_body(response_)) {
    response_.stream = nullptr;
    response_.body.clear();
  }
  if (response_.stream || response_.body.size() > kSmallBody) return;
  output_ += response_.body;
  response_.body.clear();
}

/// Formats the answer and sends it if the kernel takes it whole, as it nearly always does. False:
/// the rest, which `output_` and a large body then are, has to wait. One that sends request upon
/// request without reading takes its turn with the others.
bool HttpConnection::send_answer_now() {
  format_answer();
  CARILLON_FAILPOINT("answer.before");
  if (response_.stream || !response_.body.empty() || input_.size() > used_) return false;
  output_.erase(0, transport_.write_now(output_));
  if (!output_.empty()) return false;
  CARILLON_FAILPOINT("answer.after");
  return true;
}

Async<bool> HttpConnection::send_answer() {
  arm(settings_->body);
  if (!buffers_.take(output_.size() + response_.body.size())) co_return false;
  if (!co_await send(output_) || !co_await send(response_.body)) co_return false;
  buffers_.give_back();
  CARILLON_FAILPOINT("answer.after");
  const bool http_1_0 = parser_ && parser_->http_1_0();
  if (response_.stream && !co_await send_stream(!http_1_0)) co_return false;
  deadline_.disarm();
  co_return true;
}

/// Asks for the next piece when the last one is sent, so a slow client costs its own piece.
Async<bool> HttpConnection::send_stream(bool chunked) {
  // A chunk's size in as many digits as there are here, so that it can be written in afterwards.
  constexpr std::string_view kSize = "00000000\r\n";
  std::string& piece = response_.body;
  for (bool more = true; more;) {
    deadline_.disarm();
    piece = chunked ? kSize : std::string_view();
    more = co_await response_.stream(piece);
    const std::size_t size = piece.size() - (chunked ? kSize.size() : 0);
    if (chunked && size > 0) {
      write_hex(piece, size, kSize.size() - 2);
      piece += "\r\n";
    } else if (chunked) {
      piece.clear();
    }
    if (chunked && !more) piece += "0\r\n\r\n";
    arm(settings_->body);
    if (!buffers_.take(piece.size()) || !co_await send(piece)) co_return false;
    release_large(piece);
    buffers_.give_back();
  }
  co_return true;
}

/// Under the deadline that is armed; false: the connection is of no use any more.
Async<bool> HttpConnection::send(std::string_view bytes) {
  if (bytes.empty() || interrupted_) co_return !interrupted_;
  const auto [ec, count] =
      co_await transport_.write(boost::asio::buffer(bytes.data(), bytes.size()));
  co_return !ec && !interrupted_;
}

Async<void> HttpConnection::linger() {
  constexpr std::size_t kDiscardMax = std::size_t{64} << 20;
  arm(settings_->linger);
  co_await transport_.finish_sending();
  std::array<char, 4096> discarded;
  for (std::size_t total = 0; total < kDiscardMax;) {
    const std::size_t count =
        co_await receive(boost::asio::buffer(discarded.data(), discarded.size()));
    if (count == 0) break;
    total += count;
  }
}

/// What a connection keeps from one request to the next is so little that all of them together may
/// wait for their clients.
void HttpConnection::release_large_buffers() {
  for (std::string* buffer : {&wire_, &body_, &output_, &response_.body}) release_large(*buffer);
  input_.release_if_empty();
  if (head_.capacity() <= kKept) return;
  head_settings_ = nullptr;
  request_ = {};
  std::string().swap(head_);
}

}  // namespace carillon
