#include "api/names.h"

#include <algorithm>
#include <string>

#include <simdjson.h>

#include "net/url.h"

namespace carillon {

Result<> check_name(std::string_view name, std::string_view field) {
  constexpr std::size_t kBytesMax = 255;
  const auto is_control = [](char c) { return (c >= 0 && c < 0x20) || c == 0x7f; };
  // U+0080 to U+009F are control characters too: in UTF-8 0xC2 and a byte below 0xA0.
  const auto is_c1 = [](char first, char second) {
    return static_cast<unsigned char>(first) == 0xc2 && static_cast<unsigned char>(second) < 0xa0;
  };
  const auto bad = [field](std::string detail) {
    return Error{"bad_id", std::move(detail), std::string(field)};
  };
  // Clients that follow the URL standard take these segments out of a path, however encoded.
  if (name == "." || name == "..")
    return bad("`.` and `..` cannot stand in a path; choose another name");
  if (!name.empty() && name.size() <= kBytesMax && std::ranges::none_of(name, is_control) &&
      std::ranges::adjacent_find(name, is_c1) == name.end() &&
      simdjson::validate_utf8(name.data(), name.size()))
    return {};
  return bad("A name has 1 to 255 bytes of UTF-8 without control characters");
}

Result<> check_target_name(std::string_view name, std::string_view field) {
  if (!is_url(name)) return check_name(name, field);
  return Error{"bad_id", "The name of a target must not look like a URL", std::string(field)};
}

}  // namespace carillon
