#include "delivery/http/answer.h"

#include <algorithm>
#include <charconv>
#include <ctime>

#include "base/text.h"

namespace carillon {
namespace {

constexpr int kInterimAnswersMax = 16;
constexpr std::size_t kRetryAfterBytesMax = 64;
constexpr std::uint32_t kGone = 410;

bool is_blank(char c) {
  return c == ' ' || c == '\t';
}

/// The whole text as a number; nothing where it is none.
std::optional<std::uint64_t> parse_number(std::string_view text, int base) {
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number, base);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

/// The status of a line such as "HTTP/1.1 200 OK", also one whose end has not come; 0: none.
std::uint32_t parse_status_line(std::string_view line) {
  constexpr std::string_view kVersion = "HTTP/1.";
  constexpr std::size_t kDigits = 3;
  if (!line.starts_with(kVersion)) return 0;
  line.remove_prefix(kVersion.size());
  if (line.size() < 2 || !is_digit(line[0]) || !is_blank(line[1])) return 0;
  line.remove_prefix(1);
  while (!line.empty() && is_blank(line.front())) line.remove_prefix(1);
  if (line.size() > kDigits && !is_blank(line[kDigits])) return 0;
  if (line.size() < kDigits || line.front() == '0') return 0;
  return static_cast<std::uint32_t>(parse_number(line.substr(0, kDigits), 10).value_or(0));
}

/// Calls `visit` with each element of a header's list.
template <typename Visit>
void for_each_element(std::string_view list, const Visit& visit) {
  while (!list.empty()) {
    const std::size_t comma = std::min(list.find(','), list.size());
    visit(trimmed(list.substr(0, comma)));
    list.remove_prefix(std::min(comma + 1, list.size()));
  }
}

}  // namespace

AnswerReader::Progress AnswerReader::broken(std::string problem) {
  problem_ = std::move(problem);
  part_ = Part::over;
  keep_alive_ = false;
  return Progress::broken;
}

bool AnswerReader::is_decided() const {
  if (status_ == 0) return false;
  return (status_ >= 200 && status_ < 300) || status_ == kGone || !in_head();
}

AnswerReader::Progress AnswerReader::feed(std::string_view bytes, std::size_t& consumed) {
  consumed = 0;
  while (true) {
    const std::string_view rest = bytes.substr(consumed);
    if (part_ == Part::body || part_ == Part::chunk) {
      const std::uint64_t taken = std::min<std::uint64_t>(left_, rest.size());
      keep_body(rest.substr(0, taken));
      left_ -= taken;
      consumed += taken;
      if (left_ > 0) return Progress::need_more;
      if (part_ == Part::body) {
        is_whole_ = content_length_.has_value() && *content_length_ <= body_bytes_max_;
        return Progress::complete;
      }
      part_ = Part::chunk_end;
      continue;
    }
    const std::uint64_t budget =
        in_head() ? kAnswerHeadBytesMax - head_bytes_ : body_bytes_max_ - body_bytes_;
    const std::size_t end = rest.substr(0, budget).find('\n');
    if (end == std::string_view::npos) {
      if (rest.size() < budget) return Progress::need_more;
      // The status counts, however long the phrase behind it is.
      if (part_ == Part::status_line) status_ = parse_status_line(rest.substr(0, budget));
      return broken(in_head() ? "its head is over 16 KiB" : "its body is too long");
    }
    (in_head() ? head_bytes_ : body_bytes_) += end + 1;
    consumed += end + 1;
    const bool ends_in_crlf = end > 0 && rest[end - 1] == '\r';
    const Progress progress = read_line(rest.substr(0, end - (ends_in_crlf ? 1 : 0)), ends_in_crlf);
    if (progress != Progress::need_more) return progress;
  }
}

AnswerReader::Progress AnswerReader::read_line(std::string_view line, bool ends_in_crlf) {
  if (!in_head() && !ends_in_crlf) return broken("a line of a chunk has no CR");
  switch (part_) {
    case Part::status_line:
      return read_status_line(line);
    case Part::headers:
      return line.empty() ? end_head() : read_header(line);
    case Part::chunk_size:
      return read_chunk_size(line);
    case Part::chunk_end:
      part_ = Part::chunk_size;
      return line.empty() ? Progress::need_more : broken("a chunk is longer than its size");
    default:  // trailers
      is_whole_ = line.empty();
      return line.empty() ? Progress::complete : Progress::need_more;
  }
}

AnswerReader::Progress AnswerReader::read_status_line(std::string_view line) {
  if (line.empty() && head_bytes_ <= 2) return Progress::need_more;  // as Node passes it over
  const std::uint32_t status = parse_status_line(line);
  if (status == 0) return broken("it does not begin with an HTTP/1 status line");
  is_interim_ = status < 200 && status != 101;
  if (!is_interim_) status_ = status;
  // HTTP/1.0 closes unless it says otherwise.
  keep_alive_ = !line.starts_with("HTTP/1.0");
  part_ = Part::headers;
  return Progress::need_more;
}

AnswerReader::Progress AnswerReader::read_header(std::string_view line) {
  if (is_interim_) return Progress::need_more;
  const std::size_t colon = line.find(':');
  // A folded line, or none at all: it is not known what a stricter or laxer reader makes of it.
  if (colon == std::string_view::npos || colon == 0 || is_blank(line.front()) ||
      is_blank(line[colon - 1])) {
    return broken("a header line cannot be read");
  }
  const std::string_view name = line.substr(0, colon);
  const std::string_view value = trimmed(line.substr(colon + 1));
  if (kept_max_ > 0 && same_in_any_case(name, "content-type")) {
    content_type_ = value;
  } else if (same_in_any_case(name, "retry-after")) {
    if (value.size() <= kRetryAfterBytesMax) retry_after_ = value;
  } else if (same_in_any_case(name, "content-length")) {
    read_content_length(value);
  } else if (same_in_any_case(name, "transfer-encoding")) {
    if (is_chunked_ || !same_in_any_case(value, "chunked")) keep_alive_ = false;
    is_chunked_ = true;
  } else if (same_in_any_case(name, "connection")) {
    read_connection(value);
  } else if (same_in_any_case(name, "keep-alive")) {
    for_each_element(value, [&](std::string_view element) {
      constexpr std::string_view kTimeout = "timeout=";
      if (!same_in_any_case(element.substr(0, kTimeout.size()), kTimeout)) return;
      const auto seconds = parse_number(element.substr(kTimeout.size()), 10);
      if (seconds) idle_timeout_ = std::chrono::seconds(std::min<std::uint64_t>(*seconds, 3600));
    });
  }
  return Progress::need_more;
}

void AnswerReader::read_content_length(std::string_view value) {
  const auto length = parse_number(value, 10);
  if (!length || (content_length_ && *content_length_ != *length)) keep_alive_ = false;
  content_length_ = length.value_or(0);
}

void AnswerReader::read_connection(std::string_view value) {
  for_each_element(value, [&](std::string_view option) {
    if (same_in_any_case(option, "close")) keep_alive_ = false;
  });
}

AnswerReader::Progress AnswerReader::end_head() {
  if (is_interim_) {
    if (++interim_ > kInterimAnswersMax) return broken("more than 16 interim answers");
    part_ = Part::status_line;
    head_bytes_ = 0;
    return Progress::need_more;
  }
  part_ = Part::over;
  const bool is_bare = status_ == 204 || status_ == 304 || status_ == 101;
  if (is_bare) {
    // These have no body. One that announces a body may send it all the same.
    const bool announces = is_chunked_ || content_length_.value_or(0) > 0;
    keep_alive_ = keep_alive_ && !announces && status_ != 101;
    is_whole_ = true;
    return Progress::complete;
  }
  const bool is_wanted = kept_max_ > 0;
  if (!keep_alive_ && !is_wanted) return broken("the connection is not kept");
  if (is_chunked_) {
    if (content_length_) return broken("it has both a length and chunks");
    part_ = Part::chunk_size;
    return Progress::need_more;
  }
  ends_with_connection_ = !content_length_;
  if (!content_length_ || *content_length_ > body_bytes_max_) {
    if (!is_wanted) {
      return broken(content_length_ ? "its body is over 64 KiB"
                                    : "its body ends with the connection");
    }
    keep_alive_ = false;
  }
  left_ = std::min(content_length_.value_or(body_bytes_max_), body_bytes_max_);
  part_ = Part::body;
  return Progress::need_more;
}

void AnswerReader::keep_body(std::string_view bytes) {
  if (wants_body()) body_.append(bytes.substr(0, kept_max_ - body_.size()));
}

AnswerReader::Progress AnswerReader::read_chunk_size(std::string_view line) {
  const std::string_view digits = trimmed(line.substr(0, line.find(';')));
  const auto size = parse_number(digits, 16);
  if (!size) return broken("a chunk's size cannot be read");
  if (*size > body_bytes_max_ - body_bytes_) return broken("its body is too long");
  body_bytes_ += *size;
  left_ = *size;
  part_ = *size == 0 ? Part::trailers : Part::chunk;
  return Progress::need_more;
}

PushResult result_of(std::uint32_t status, std::optional<Millis> retry_after) {
  using Kind = PushResult::Kind;
  constexpr std::uint32_t kUnavailable = 503;
  PushResult result{.status = status};
  if (status >= 200 && status < 300) {
    result.kind = Kind::delivered;
    return result;
  }
  if (status == kGone) result.kind = Kind::refused_for_good;
  result.retry_after = retry_after;
  if (status == kTooManyRequests) result.not_now = NotNow::too_many_requests;
  if (status == kUnavailable && retry_after) result.not_now = NotNow::unavailable;
  result.error = "answered " + std::to_string(status);
  return result;
}

std::optional<Millis> parse_retry_after(std::string_view value, WallTime now) {
  constexpr std::size_t kDigitsMax = 9;  // some 30 years; more is capped to that
  if (value.empty()) return std::nullopt;
  if (std::ranges::all_of(value, is_digit)) {
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
