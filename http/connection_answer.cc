// How a connection sends an answer: in one piece, a large body from where it is, or a stream.
#include <algorithm>

#include "base/check.h"
#include "base/failpoint.h"
#include "base/text.h"
#include "http/connection.h"

namespace carillon {
namespace {

// An answer's body that is larger is not copied behind its head.
constexpr std::size_t kSmallBody = std::size_t{64} << 10;

}  // namespace

/// The head, and the body where it is small; `send_answer` sends a large one from where it is.
void HttpConnection::format_answer() {
  const auto digit = static_cast<std::size_t>(response_.status / 100);
  ++hub_->by_status[std::min(digit, hub_->by_status.size() - 1)];
  if (hub_->server->draining) close_after_ = true;
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
  constexpr int kDigits = 8;
  std::string& piece = response_.body;
  for (Streamed streamed = Streamed::more; streamed == Streamed::more;) {
    deadline_.disarm();
    piece = chunked ? kSize : std::string_view();
    streamed = co_await response_.stream(piece);
    if (streamed == Streamed::broken) co_return false;
    const std::size_t size = piece.size() - (chunked ? kSize.size() : 0);
    if (chunked && size > 0) {
      CARILLON_CHECK(write_hex(piece.data(), size, kDigits) == 0);
      piece += "\r\n";
    } else if (chunked) {
      piece.clear();
    }
    if (chunked && streamed == Streamed::last) piece += "0\r\n\r\n";
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

}  // namespace carillon
