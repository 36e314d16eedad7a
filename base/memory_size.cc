#include "base/memory_size.h"

#include <charconv>
#include <limits>

namespace carillon {
namespace {

struct ByteUnit {
  std::string_view name;
  int shift;
};
constexpr ByteUnit kByteUnits[] = {{"GiB", 30}, {"MiB", 20}, {"KiB", 10}, {"B", 0}, {"", 0}};

}  // namespace

Result<std::int64_t> parse_bytes(std::string_view text) {
  const Error bad{.slug = "bad_value",
                  .detail = "an amount of memory is a whole number and B, KiB, MiB or GiB",
                  .field = {}};
  std::int64_t number = 0;
  const char* const end = text.data() + text.size();
  const auto [rest, error] = std::from_chars(text.data(), end, number);
  if (error != std::errc() || number < 0) return bad;
  const std::string_view unit(rest, static_cast<std::size_t>(end - rest));
  for (const auto& [name, shift] : kByteUnits) {
    if (unit != name) continue;
    if (number > std::numeric_limits<std::int64_t>::max() >> shift) return bad;
    return number << shift;
  }
  return bad;
}

std::string format_bytes(std::int64_t bytes) {
  for (const auto& [name, shift] : kByteUnits) {
    if (bytes != 0 && bytes % (std::int64_t{1} << shift) == 0) {
      return std::to_string(bytes >> shift) + std::string(name);
    }
  }
  return "0B";
}

}  // namespace carillon
