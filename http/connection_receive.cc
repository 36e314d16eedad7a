// How a connection gets its next request: head, checks of the head, body.
#include <algorithm>

#include "base/text.h"
#include "http/connection.h"
#include "http/framing.h"

namespace carillon {
namespace {

FramingLimits framing_limits(const HttpLimits& limits) {
  return {limits.header_bytes_max, limits.header_fields_max, limits.uri_bytes_max};
}

Error body_too_large(std::size_t bytes_max) {
  return {"body_too_large", "the body may have " + std::to_string(bytes_max) + " bytes", ""};
}

}  // namespace

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
    if (idle_ && hub_->server->draining) co_return Step::ended;
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
  if (parser_->cross_origin() && !parser_->follows_link()) return refuse_page();
  return Step::go_on;
}

HttpConnection::Step HttpConnection::refuse_page() {
  return refuse({"cross_origin", "Pages of other origins may not use this server", ""});
}

HttpConnection::Step HttpConnection::parse_new_head(std::string_view head) {
  head_settings_ = nullptr;
  if (const auto checked = check_head(head, framing_limits(settings_->limits)); !checked)
    return refuse(checked.error());
  head_ = head;
  request_ = {};
  request_.door = door_;
  head_read_ = true;  // what can be read of it decides how an error is written
  parser_.emplace(body_);
  if (const auto parsed = parser_->parse_head(head_, request_); !parsed)
    return refuse(parsed.error());
  request_.right_host = is_right_host();
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
  if (!same_in_any_case(expected, "100-continue"))
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

}  // namespace carillon
