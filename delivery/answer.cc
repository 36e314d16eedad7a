#include "delivery/answer.h"

#include <algorithm>
#include <ctime>

#include <boost/beast/http/error.hpp>

namespace carillon {
namespace {

namespace http = boost::beast::http;

constexpr int kInterimAnswersMax = 16;
constexpr std::size_t kRetryAfterBytesMax = 64;

bool is_interim(int status) {
  return status >= 100 && status < 200 && status != 101;
}

}  // namespace

AnswerReader::Parser::Parser(AnswerReader& reader) : reader_(reader) {
  eager(true);
  header_limit(kAnswerHeadBytesMax);
  body_limit(kAnswerBodyBytesMax);
}

void AnswerReader::Parser::on_response_impl(int status, string_view, int, error_code&) {
  reader_.status_ = status;
}

void AnswerReader::Parser::on_field_impl(http::field name, string_view, string_view value,
                                         error_code&) {
  if (name == http::field::retry_after && value.size() <= kRetryAfterBytesMax) {
    reader_.retry_after_.assign(value.data(), value.size());
  }
}

void AnswerReader::reset() {
  parser_.emplace(*this);
  status_ = 0;
  interim_ = 0;
  retry_after_.clear();
  problem_.clear();
}

std::uint32_t AnswerReader::status() const {
  return static_cast<std::uint32_t>(status_);
}

AnswerReader::Progress AnswerReader::feed(std::string_view bytes, std::size_t& consumed) {
  constexpr std::string_view kLastChunk = "0\r\n\r\n";
  consumed = 0;
  // Beast 1.81 asserts that the last chunk is not shown to it in pieces of fewer bytes than it has.
  if (parser_->is_header_done() && parser_->chunked() && bytes.starts_with('0') &&
      bytes.size() < kLastChunk.size()) {
    return Progress::need_more;
  }
  while (true) {
    boost::beast::error_code error;
    consumed += parser_->put({bytes.data() + consumed, bytes.size() - consumed}, error);
    if (error == http::error::need_more) return Progress::need_more;
    if (error == http::error::body_limit) return Progress::too_long;
    if (error) {
      problem_ = error.message();
      return Progress::broken;
    }
    if (!parser_->is_done()) return Progress::need_more;
    if (!is_interim(status_)) return Progress::complete;
    if (++interim_ > kInterimAnswersMax) {
      problem_ = "more than 16 interim answers";
      return Progress::broken;
    }
    parser_.emplace(*this);
    status_ = 0;
    if (consumed == bytes.size()) return Progress::need_more;
  }
}

AnswerReader::Progress AnswerReader::feed_end() {
  boost::beast::error_code error;
  if (parser_->got_some()) {
    parser_->put_eof(error);
  } else {
    error = http::error::end_of_stream;
  }
  if (!error) return Progress::complete;
  problem_ = "the connection was closed before the answer's end";
  return Progress::broken;
}

std::optional<Millis> parse_retry_after(std::string_view value, WallTime now) {
  constexpr std::size_t kDigitsMax = 9;  // some 30 years; more is capped to that
  if (value.empty()) return std::nullopt;
  if (std::ranges::all_of(value, [](char c) { return c >= '0' && c <= '9'; })) {
    value.remove_prefix(std::min(value.find_first_not_of('0'), value.size()));
    std::int64_t seconds = 0;
    for (const char c : value.size() > kDigitsMax ? std::string_view("999999999") : value) {
      seconds = seconds * 10 + (c - '0');
    }
    return Millis(std::chrono::seconds(seconds));
  }
  const std::string text(value);
  for (const char* form :
       {"%a, %d %b %Y %H:%M:%S GMT", "%A, %d-%b-%y %H:%M:%S GMT", "%a %b %e %H:%M:%S %Y"}) {
    std::tm parts{};
    const char* end = strptime(text.c_str(), form, &parts);
    if (end == nullptr || *end != '\0') continue;
    const WallTime date{std::chrono::seconds(timegm(&parts))};
    return std::max(Millis(0), std::chrono::duration_cast<Millis>(date - now));
  }
  return std::nullopt;
}

}  // namespace carillon
