#include "http/framing.h"

#include <algorithm>
#include <array>
#include <string>

#include "base/text.h"

namespace carillon {
namespace {

Error bad(std::string_view why) {
  return {"bad_request", std::string(why), ""};
}
Error uri_too_long(const FramingLimits& limits) {
  return {"uri_too_long",
          "the request target may have " + std::to_string(limits.uri_bytes_max) + " bytes", ""};
}
Error headers_too_large(std::size_t limit, std::string_view unit) {
  return {"headers_too_large",
          "the head may have " + std::to_string(limit) + " " + std::string(unit), ""};
}

/// Which bytes a part of the head may have.
class ByteSet {
 public:
  template <typename Test>
  explicit constexpr ByteSet(Test holds) {
    for (std::size_t i = 0; i < in_.size(); ++i) in_[i] = holds(static_cast<unsigned char>(i));
  }
  [[nodiscard]] bool has_all(std::string_view text) const {
    return std::ranges::all_of(text, [this](char c) { return in_[static_cast<unsigned char>(c)]; });
  }

 private:
  std::array<bool, 256> in_{};
};

constexpr bool is_one_of(std::string_view marks, unsigned char c) {
  return marks.find(static_cast<char>(c)) != std::string_view::npos;
}

constexpr ByteSet kTokenBytes([](unsigned char c) { return is_token_char(static_cast<char>(c)); });
constexpr ByteSet kValueBytes([](unsigned char c) {
  return (c >= 0x20 && c != 0x7f) || c == '\t';
});
constexpr ByteSet kHostBytes([](unsigned char c) {
  return is_alphanumeric(static_cast<char>(c)) || is_one_of("-._~!$&'()*+;=:[]%", c);
});
constexpr ByteSet kTargetBytes([](unsigned char c) { return c > 0x20 && c < 0x7f; });

/// What of the fields decides where the request ends and whom it is for.
struct Fields {
  std::size_t count = 0;
  int hosts = 0;
  int lengths = 0;
  int codings = 0;
};

Result<> check_field(std::string_view line, Fields& fields) {
  if (line.front() == ' ' || line.front() == '\t') return bad("a header is folded");
  const std::size_t colon = line.find(':');
  if (colon == std::string_view::npos) return bad("a header has no colon");
  const std::string_view name = line.substr(0, colon);
  if (name.empty() || !kTokenBytes.has_all(name)) return bad("a header's name is not a token");
  const std::string_view value = trimmed(line.substr(colon + 1));
  if (!kValueBytes.has_all(value)) return bad("a header's value has a control character");

  if (same_in_any_case(name, "host")) {
    if (++fields.hosts > 1) return bad("there is more than one Host");
    if (!kHostBytes.has_all(value)) return bad("Host is not a host and port");
  } else if (same_in_any_case(name, "content-length")) {
    if (++fields.lengths > 1) return bad("there is more than one Content-Length");
    if (value.empty() || value.size() > 18 ||
        value.find_first_not_of("0123456789") != std::string_view::npos)
      return bad("Content-Length is not one number");
  } else if (same_in_any_case(name, "transfer-encoding")) {
    if (++fields.codings > 1 || !same_in_any_case(value, "chunked"))
      return bad("Transfer-Encoding is other than exactly one \"chunked\"");
  }
  return {};
}

Result<> check_request_line(std::string_view line, const FramingLimits& limits) {
  const std::size_t first = line.find(' ');
  const std::size_t last = line.rfind(' ');
  if (first == 0 || first == std::string_view::npos || first == last)
    return bad("the request line is not a method, a target and a version");
  const std::string_view target = line.substr(first + 1, last - first - 1);
  if (target.size() > limits.uri_bytes_max) return uri_too_long(limits);
  if (!kTokenBytes.has_all(line.substr(0, first)) || target.empty() ||
      !kTargetBytes.has_all(target))
    return bad("the request line has a character that it may not have");
  const std::string_view version = line.substr(last + 1);
  if (version != "HTTP/1.1" && version != "HTTP/1.0")
    return bad("the version is neither HTTP/1.1 nor HTTP/1.0");
  return {};
}

}  // namespace

std::size_t find_head_end(std::string_view bytes, std::size_t from) {
  // The mark may have begun in what was looked at before.
  const std::size_t end = bytes.find("\r\n\r\n", from < 3 ? 0 : from - 3);
  return end == std::string_view::npos ? end : end + 4;
}

Result<> check_head(std::string_view head, const FramingLimits& limits) {
  const std::size_t first_end = head.find("\r\n");
  const std::string_view request_line = head.substr(0, first_end);
  if (auto checked = check_request_line(request_line, limits); !checked) return checked;
  if (head.size() > limits.header_bytes_max)
    return headers_too_large(limits.header_bytes_max, "bytes");

  Fields fields;
  for (std::size_t begin = first_end + 2; begin + 2 < head.size();) {
    const std::size_t end = head.find("\r\n", begin);
    if (++fields.count > limits.header_fields_max)
      return headers_too_large(limits.header_fields_max, "fields");
    if (auto checked = check_field(head.substr(begin, end - begin), fields); !checked)
      return checked;
    begin = end + 2;
  }
  const bool http_1_0 = request_line.ends_with("HTTP/1.0");
  if (fields.hosts == 0 && !http_1_0) return bad("there is no Host");
  if (fields.codings > 0 && http_1_0) return bad("HTTP/1.0 knows no Transfer-Encoding");
  if (fields.codings > 0 && fields.lengths > 0)
    return bad("there are both Transfer-Encoding and Content-Length");
  return {};
}

Result<> check_partial_head(std::string_view bytes, const FramingLimits& limits) {
  constexpr std::size_t kMethodAndVersionMax = 64;
  const bool in_request_line = bytes.find('\n') == std::string_view::npos;
  if (in_request_line && bytes.size() > limits.uri_bytes_max + kMethodAndVersionMax)
    return uri_too_long(limits);
  if (bytes.size() > limits.header_bytes_max)
    return headers_too_large(limits.header_bytes_max, "bytes");
  return {};
}

}  // namespace carillon
