// Reading a receiver's answer: the status, and of the headers those that say when to come again
// and whether the connection may be used again. All else is passed over, so that an answer costs
// no memory of its own.
//
// Operation: lenient about the status, strict about the connection. A status line is taken as curl,
// Go and Node take it: without a space behind the code, or ended by a bare line feed. What comes
// after it cannot change what it says; it can only cost the connection, which is used again only
// where it is beyond doubt where the answer ended: one Content-Length, or chunks to the letter, and
// nothing behind them. Otherwise a receiver's leftovers would be taken for the next answer.
//
// Concurrency: none. Limitations: HTTP/1 only; at most 16 KiB of a head and 64 KiB of a body are
// read, or as much of a body as is to be kept.
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/time.h"
#include "delivery/sink.h"

namespace carillon {

inline constexpr std::size_t kAnswerHeadBytesMax = 16 * 1024;
inline constexpr std::uint64_t kAnswerBodyBytesMax = 64 * 1024;

/// Reads one answer after the other, fed by hand with what came in.
class AnswerReader {
 public:
  enum class Progress {
    need_more,
    complete,  // up to its last byte
    broken,    // its end cannot be told, or is not worth reading; see `problem`
  };

  /// Makes ready for the next answer, of whose body the first `body_bytes` are kept.
  void reset(std::size_t body_bytes = 0) {
    *this = AnswerReader();
    kept_max_ = body_bytes;
    // Chunks may take as much again.
    body_bytes_max_ = std::max<std::uint64_t>(kAnswerBodyBytesMax, 2 * body_bytes);
  }

  /// Takes what it can from `bytes`; `consumed` says how much, the rest is to be given again with
  /// more behind it.
  [[nodiscard]] Progress feed(std::string_view bytes, std::size_t& consumed);

  /// Of the final answer (1xx ones but 101 are passed over); 0 until its status line is read.
  [[nodiscard]] std::uint32_t status() const { return status_; }
  /// Whether all that decides about the push has come: the status line of a 2xx or a 410, else the
  /// whole head.
  [[nodiscard]] bool is_decided() const;
  /// The beginning of the body, as far as it is to be kept and has come.
  [[nodiscard]] const std::string& body() const { return body_; }
  /// Its content type, where the body is kept, once the head has come.
  [[nodiscard]] std::optional<std::string> content_type() const {
    return in_head() ? std::nullopt : std::optional(content_type_);
  }
  /// The connection has ended, which may be the end of the body.
  void end() { is_whole_ = is_whole_ || ends_with_connection_; }
  /// Whether the body came to its end, where it is kept.
  [[nodiscard]] bool is_whole() const { return is_whole_; }
  /// Whether more of it is to be kept.
  [[nodiscard]] bool wants_body() const { return body_.size() < kept_max_; }
  /// The header's value, empty where there was none or it was too long to mean anything.
  [[nodiscard]] const std::string& retry_after() const { return retry_after_; }
  /// Whether another request may follow on the connection; after `complete`.
  [[nodiscard]] bool keep_alive() const { return keep_alive_; }
  /// How long the receiver said that it keeps an idle connection ("Keep-Alive: timeout=5").
  [[nodiscard]] std::optional<std::chrono::seconds> idle_timeout() const { return idle_timeout_; }
  [[nodiscard]] const std::string& problem() const { return problem_; }

 private:
  enum class Part { status_line, headers, body, chunk_size, chunk, chunk_end, trailers, over };

  [[nodiscard]] Progress read_line(std::string_view line, bool ends_in_crlf);
  [[nodiscard]] Progress read_status_line(std::string_view line);
  [[nodiscard]] Progress read_header(std::string_view line);
  [[nodiscard]] Progress end_head();
  [[nodiscard]] Progress read_chunk_size(std::string_view line);
  void keep_body(std::string_view bytes);
  void read_content_length(std::string_view value);
  void read_connection(std::string_view value);
  [[nodiscard]] Progress broken(std::string problem);
  [[nodiscard]] bool in_head() const { return part_ <= Part::headers; }

  Part part_ = Part::status_line;
  std::uint32_t status_ = 0;
  int interim_ = 0;  // 1xx answers passed over
  bool is_interim_ = false;
  bool keep_alive_ = true;
  bool is_chunked_ = false;
  std::uint64_t head_bytes_ = 0;
  std::uint64_t body_bytes_ = 0;  // of chunks, framing included
  std::uint64_t left_ = 0;        // of the body, or of the chunk
  std::optional<std::uint64_t> content_length_;
  std::optional<std::chrono::seconds> idle_timeout_;
  std::string retry_after_;
  std::size_t kept_max_ = 0;  // of the body
  std::uint64_t body_bytes_max_ = kAnswerBodyBytesMax;
  std::string body_;
  std::string content_type_;
  bool is_whole_ = false;
  bool ends_with_connection_ = false;
  std::string problem_;
};

/// Retry-After (RFC 9110, 10.2.3): seconds, or a date in any of HTTP's three forms, as a pause from
/// `now`; a date that is past is no pause. Nothing where it is neither.
[[nodiscard]] std::optional<Millis> parse_retry_after(std::string_view value, WallTime now);

inline constexpr std::uint32_t kTooManyRequests = 429;
/// What a push has come to whose answer that is.
[[nodiscard]] PushResult result_of(std::uint32_t status, std::optional<Millis> retry_after);

}  // namespace carillon
