#include "engine/list_cursor.h"

#include <charconv>

#include <fmt/format.h>

namespace carillon {

std::string format_cursor(const ListKey& key) {
  return fmt::format("{}-{:x}-{}", key.due_ms, key.id, key.number);
}

std::optional<ListKey> parse_cursor(std::string_view text) {
  ListKey key;
  const char* at = text.data();
  const char* const end = text.data() + text.size();
  const auto read = [&](auto& number, int base, bool last) {
    const auto [stop, failed] = std::from_chars(at, end, number, base);
    if (failed != std::errc() || (last ? stop != end : stop == end || *stop != '-')) return false;
    at = last ? stop : stop + 1;
    return true;
  };
  if (!read(key.due_ms, 10, false) || !read(key.id, 16, false) || !read(key.number, 10, true)) {
    return std::nullopt;
  }
  return key;
}

Error bad_cursor() {
  return {"bad_cursor", "`cursor` is not one that this server gave out; start without it.",
          "cursor"};
}

}  // namespace carillon
