// Reading a receiver's answer: the status and Retry-After are kept, all else is measured and
// dropped, so that an answer costs no memory of its own.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include <boost/beast/http/basic_parser.hpp>

#include "base/time.h"

namespace carillon {

inline constexpr std::uint32_t kAnswerHeadBytesMax = 16 * 1024;
inline constexpr std::uint64_t kAnswerBodyBytesMax = 64 * 1024;

/// Parses one answer after the other, fed by hand with what came in.
class AnswerReader {
 public:
  enum class Progress {
    need_more,
    complete,
    too_long,  // its head is whole, its body over the limit: the status counts, no more is read
    broken,    // not HTTP, or over a limit; see `problem`
  };

  /// Makes ready for the next answer.
  void reset();
  /// Takes what it can from `bytes`; `consumed` says how much, the rest is to be given again with
  /// more behind it.
  [[nodiscard]] Progress feed(std::string_view bytes, std::size_t& consumed);
  /// The receiver closed: complete where that is how the answer ends, else broken.
  [[nodiscard]] Progress feed_end();

  [[nodiscard]] std::uint32_t status() const;
  /// The header's value, empty where there was none or it was too long to mean anything.
  [[nodiscard]] const std::string& retry_after() const { return retry_after_; }
  /// Whether another request may follow on the connection; after `complete`.
  [[nodiscard]] bool keep_alive() const { return parser_ && parser_->keep_alive(); }
  [[nodiscard]] const std::string& problem() const { return problem_; }

 private:
  class Parser final : public boost::beast::http::basic_parser<false> {
   public:
    explicit Parser(AnswerReader& reader);

   private:
    using string_view = boost::beast::string_view;
    using error_code = boost::beast::error_code;
    void on_request_impl(boost::beast::http::verb, string_view, string_view, int,
                         error_code&) override {}
    void on_response_impl(int status, string_view, int, error_code&) override;
    void on_field_impl(boost::beast::http::field name, string_view, string_view value,
                       error_code&) override;
    void on_header_impl(error_code&) override {}
    void on_body_init_impl(const boost::optional<std::uint64_t>&, error_code&) override {}
    std::size_t on_body_impl(string_view body, error_code&) override { return body.size(); }
    void on_chunk_header_impl(std::uint64_t, string_view, error_code&) override {}
    std::size_t on_chunk_body_impl(std::uint64_t, string_view body, error_code&) override {
      return body.size();
    }
    void on_finish_impl(error_code&) override {}
    AnswerReader& reader_;
  };

  std::optional<Parser> parser_;
  int status_ = 0;
  int interim_ = 0;  // 1xx answers seen before this one
  std::string retry_after_;
  std::string problem_;
};

/// Retry-After (RFC 9110, 10.2.3): seconds, or a date in any of HTTP's three forms, as a pause from
/// `now`; a date that is past is no pause. Nothing where it is neither.
[[nodiscard]] std::optional<Millis> parse_retry_after(std::string_view value, WallTime now);

}  // namespace carillon
