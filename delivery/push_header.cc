#include "delivery/push_header.h"

#include <algorithm>
#include <array>
#include <string>

#include "base/text.h"

namespace carillon {
namespace {

constexpr std::size_t kHeadersMax = 64;
constexpr std::size_t kHeadersBytesMax = 16 * 1024;
constexpr std::size_t kNameBytesMax = 256;
constexpr std::size_t kValueBytesMax = 8 * 1024;

/// What says where a message ends, where it goes or who vouches for it is not the client's to set.
constexpr std::array<std::string_view, 10> kReservedNames = {
    "host",    "content-length", "transfer-encoding", "connection", "keep-alive", "upgrade", "te",
    "trailer", "expect",         "http2-settings"};
constexpr std::array<std::string_view, 3> kReservedPrefixes = {"proxy-", "webhook-", "carillon-"};

bool is_value_char(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return c == '\t' || (byte >= 0x20 && byte != 0x7f);
}

/// Programs that hand headers on as variables (CGI, WSGI, Rack and others) write `-` as `_`, so a
/// receiver behind one takes `webhook_id` for `webhook-id`.
bool is_reserved(std::string_view as_sent) {
  std::string name(as_sent);
  std::ranges::replace(name, '_', '-');
  return std::ranges::any_of(kReservedNames,
                             [&](auto reserved) { return same_in_any_case(name, reserved); }) ||
         std::ranges::any_of(kReservedPrefixes, [&](auto prefix) {
           return same_in_any_case(std::string_view(name).substr(0, prefix.size()), prefix);
         });
}

Error bad_header(std::string detail) {
  return {.slug = "bad_header", .detail = std::move(detail), .field = "headers"};
}

Error of_headers(std::string slug, std::string detail) {
  return {.slug = std::move(slug), .detail = std::move(detail), .field = "headers"};
}

}  // namespace

Result<> PushHeaderRules::take(std::string_view name, std::string_view value) {
  if (names_.size() == kHeadersMax)
    return of_headers("bad_value", "There may be at most 64 headers");
  if (Result<> ok = check_push_header(name, value); !ok) return ok;
  const auto same = [name](std::string_view other) { return same_in_any_case(name, other); };
  if (std::ranges::any_of(names_, same))
    return of_headers("duplicate_field",
                      "The header `" + std::string(name) + "` stands there twice");
  bytes_ += name.size() + value.size();
  if (bytes_ > kHeadersBytesMax)
    return of_headers("bad_value", "The headers may have at most 16 KiB in all");
  names_.push_back(name);
  return {};
}

Result<> check_push_header(std::string_view name, std::string_view value) {
  if (name.empty() || name.size() > kNameBytesMax || !std::ranges::all_of(name, is_token_char)) {
    return bad_header("a header's name has 1 to 256 of the characters that RFC 9110 calls a token");
  }
  const std::string shown(name);
  if (is_reserved(name)) return bad_header("the header " + shown + " may not be set");
  if (value.size() > kValueBytesMax) {
    return bad_header("the value of " + shown + " is longer than 8 KiB");
  }
  if (!std::ranges::all_of(value, is_value_char)) {
    return bad_header("the value of " + shown + " has a control character");
  }
  if (!value.empty() && (value.front() == ' ' || value.front() == '\t' || value.back() == ' ' ||
                         value.back() == '\t')) {
    return bad_header("the value of " + shown + " begins or ends with white space");
  }
  return {};
}

}  // namespace carillon
