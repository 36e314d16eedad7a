#include "http/connection.h"

#include <algorithm>
#include <charconv>

#include <boost/asio/post.hpp>

#include "base/failpoint.h"
#include "http/framing.h"
#include "http/problem.h"

namespace carillon {
namespace {

FramingLimits framing_limits(const HttpLimits& limits) {
  return {limits.header_bytes_max, limits.header_fields_max, limits.uri_bytes_max};
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
Error request_timeout() {
  return {"request_timeout", "the rest of the request did not come in time", ""};
}

}  // namespace

HttpConnection::HttpConnection(std::shared_ptr<ConnectionHub> hub, Transport::Socket socket,
                               Door door, std::shared_ptr<boost::asio::ssl::context> tls)
    : hub_(std::move(hub)),
      settings_(hub_->settings),
      transport_(std::move(socket), std::move(tls)),
      door_(door),
      deadline_([this] {
        timed_out_ = true;
        transport_.cancel();
      }) {
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

void HttpConnection::arm(Deadlines& deadlines) {
  timed_out_ = false;
  deadlines.arm(deadline_);
}

Async<void> HttpConnection::serve(std::shared_ptr<HttpConnection> self) {
  self->arm(self->settings_->header);
  if (co_await self->transport_.handshake()) co_return;
  for (bool more = true; more;) {
    more = co_await self->one_request();
    // Its client cannot have asked again yet: the answers of the same commit go out before the next
    // look, which would find nothing now.
    if (more && self->input_.size() == 0) co_await boost::asio::post(boost::asio::use_awaitable);
  }
  if (self->sent_all_) co_await self->linger();
}

Async<void> HttpConnection::turn_away(std::shared_ptr<HttpConnection> self) {
  self->refuse(too_many_connections());
  self->format_answer();
  const bool sent = co_await self->send_answer();
  if (sent) co_await self->linger();
}

HttpConnection::Step HttpConnection::refuse(Error error) {
  response_.reset();
  set_problem(response_, error);
  close_after_ = true;
  return Step::answered;
}

/// Receives something under the deadline that is armed; 0: the connection ended or time is up.
Async<std::size_t> HttpConnection::receive(boost::asio::mutable_buffer into) {
  const auto [ec, count] = co_await transport_.read_some(into);
  co_return ec || timed_out_ ? 0 : count;
}

Async<HttpConnection::Step> HttpConnection::receive_head() {
  const FramingLimits limits = framing_limits(settings_->limits);
  std::size_t looked = 0;
  arm(input_.size() == 0 ? settings_->idle : settings_->header);
  while ((head_size_ = find_head_end(input_.view(), looked)) == std::string_view::npos) {
    if (const auto checked = check_partial_head(input_.view(), limits); !checked)
      co_return refuse(checked.error());
    looked = input_.size();
    idle_ = looked == 0;
    if (idle_ && hub_->draining) co_return Step::ended;
    const std::span<char> space = input_.space();
    const auto [ec, count] =
        co_await transport_.read_some(boost::asio::buffer(space.data(), space.size()));
    if (timed_out_ && !idle_) co_return refuse(request_timeout());
    if (ec || timed_out_) co_return Step::ended;
    input_.received(count);
    if (idle_) arm(settings_->header);
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

Async<HttpConnection::Step> HttpConnection::receive_sized_body(std::size_t length) {
  const std::string_view here = input_.view().substr(head_size_);
  constexpr std::size_t kPiece = std::size_t{64} << 10;
  arm(settings_->body);
  body_.assign(here);
  used_ = input_.size();
  std::size_t filled = here.size();
  while (filled < length) {
    // Memory follows what has come, not what was announced.
    if (filled == body_.size())
      body_.resize(std::min(length, std::max(filled * 2, filled + kPiece)));
    const std::size_t count =
        co_await receive(boost::asio::buffer(body_.data() + filled, body_.size() - filled));
    if (count == 0) co_return timed_out_ ? refuse(request_timeout()) : Step::ended;
    filled += count;
  }
  request_.body = body_;
  co_return Step::go_on;
}

Async<HttpConnection::Step> HttpConnection::receive_chunked_body() {
  constexpr std::size_t kPiece = std::size_t{16} << 10;
  // A chunk's head, or the trailers, without an end in sight.
  constexpr std::size_t kUnusedMax = std::size_t{16} << 10;
  arm(settings_->body);
  wire_.assign(input_.view().substr(head_size_));
  used_ = input_.size();
  for (;;) {
    const auto progress = parser_->feed(wire_, body_bytes_max_);
    if (!progress) co_return refuse(progress.error());
    wire_.erase(0, progress->consumed);
    if (progress->done) break;
    const std::size_t held = wire_.size();
    if (held > kUnusedMax) co_return refuse({"bad_request", "a chunk's head is too long", ""});
    wire_.resize(held + kPiece);
    const std::size_t count = co_await receive(boost::asio::buffer(wire_.data() + held, kPiece));
    wire_.resize(held + count);
    if (count == 0) co_return timed_out_ ? refuse(request_timeout()) : Step::ended;
  }
  request_.body = body_;
  co_return Step::go_on;
}

Async<bool> HttpConnection::one_request() {
  settings_ = hub_->settings;
  response_.reset();
  body_.clear();
  wire_.clear();
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
  if (step == Step::go_on) co_await hub_->service->answer(request_, response_);
  if (step == Step::ended) co_return false;
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
  if (!response_.stream && request_.method != "HEAD") output_ += response_.body;
}

/// Formats the answer and sends it if the kernel takes it whole, as it nearly always does. False:
/// the rest, which `output_` then is, has to wait. One that sends request upon request without
/// reading takes its turn with the others.
bool HttpConnection::send_answer_now() {
  format_answer();
  CARILLON_FAILPOINT("answer.before");
  if (response_.stream || input_.size() > used_) return false;
  output_.erase(0, transport_.write_now(output_));
  if (!output_.empty()) return false;
  CARILLON_FAILPOINT("answer.after");
  return true;
}

Async<bool> HttpConnection::send_answer() {
  arm(settings_->body);
  if (!co_await send(output_)) co_return false;
  CARILLON_FAILPOINT("answer.after");
  const bool http_1_0 = parser_ && parser_->http_1_0();
  if (response_.stream && request_.method != "HEAD" && !co_await send_stream(!http_1_0))
    co_return false;
  deadline_.disarm();
  co_return true;
}

Async<bool> HttpConnection::send_stream(bool chunked) {
  std::string piece;
  for (bool more = true; more;) {
    deadline_.disarm();
    piece.clear();
    more = co_await response_.stream(piece);
    output_.clear();
    if (chunked && !piece.empty()) {
      std::array<char, 16> size;
      const auto end = std::to_chars(size.data(), size.data() + size.size(), piece.size(), 16).ptr;
      output_.append(size.data(), static_cast<std::size_t>(end - size.data()));
      output_ += "\r\n";
    }
    output_ += piece;
    if (chunked && !piece.empty()) output_ += "\r\n";
    if (chunked && !more) output_ += "0\r\n\r\n";
    arm(settings_->body);
    if (!co_await send(output_)) co_return false;
  }
  co_return true;
}

/// Under the deadline that is armed; false: the connection is of no use any more.
Async<bool> HttpConnection::send(std::string_view bytes) {
  const auto [ec, count] =
      co_await transport_.write(boost::asio::buffer(bytes.data(), bytes.size()));
  co_return !ec && !timed_out_;
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

void HttpConnection::release_large_buffers() {
  constexpr std::size_t kKept = std::size_t{64} << 10;
  for (std::string* buffer : {&wire_, &body_, &output_, &response_.body}) {
    if (buffer->capacity() > kKept) std::string().swap(*buffer);
  }
}

}  // namespace carillon
