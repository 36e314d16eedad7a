#include "base/number.h"

#include <algorithm>
#include <charconv>
#include <string>

#include "base/text.h"

namespace carillon {
namespace {

/// Takes the digits at the front of `rest`.
std::string_view take_digits(std::string_view& rest) {
  const auto end = std::ranges::find_if_not(rest, is_digit);
  const std::string_view digits = rest.substr(0, static_cast<std::size_t>(end - rest.begin()));
  rest.remove_prefix(digits.size());
  return digits;
}

bool take(std::string_view& rest, std::string_view any_of) {
  if (rest.empty() || any_of.find(rest.front()) == std::string_view::npos) return false;
  rest.remove_prefix(1);
  return true;
}

/// The exponent's value, held to a bound that no 64-bit number needs; nothing where it is not
/// well-formed.
std::optional<std::int64_t> take_exponent(std::string_view& rest) {
  constexpr std::int64_t kBound = 1'000'000'000'000;
  if (!take(rest, "eE")) return 0;
  const bool negative = rest.starts_with('-');
  take(rest, "+-");
  const std::string_view digits = take_digits(rest);
  if (digits.empty()) return std::nullopt;
  std::int64_t exponent = 0;
  for (const char c : digits) exponent = std::min(exponent * 10 + (c - '0'), kBound);
  return negative ? -exponent : exponent;
}

std::optional<std::int64_t> to_integer(std::string_view digits) {
  std::int64_t number = 0;
  const char* const end = digits.data() + digits.size();
  const auto [rest, error] = std::from_chars(digits.data(), end, number);
  if (error != std::errc() || rest != end) return std::nullopt;
  return number;
}

}  // namespace

std::optional<std::int64_t> whole_number(std::string_view text) {
  constexpr std::int64_t kDigitsMax = 19;
  std::string_view rest = text;
  const bool negative = take(rest, "-");
  const std::string_view whole = take_digits(rest);
  if (whole.empty() || (whole.size() > 1 && whole.front() == '0')) return std::nullopt;
  if (rest.empty()) return to_integer(text);

  std::string_view fraction;
  if (take(rest, ".")) {
    fraction = take_digits(rest);
    if (fraction.empty()) return std::nullopt;
  }
  const auto exponent = take_exponent(rest);
  if (!exponent || !rest.empty()) return std::nullopt;

  // The value is `digits` with `scale` zeros after them, or with digits behind the point.
  std::string digits = std::string(whole).append(fraction);
  std::int64_t scale = *exponent - std::ssize(fraction);
  const std::size_t last = digits.find_last_not_of('0');
  if (last == std::string::npos) return 0;
  scale += std::ssize(digits) - static_cast<std::int64_t>(last) - 1;
  digits.resize(last + 1);
  digits.erase(0, digits.find_first_not_of('0'));
  if (scale < 0 || std::ssize(digits) + scale > kDigitsMax) return std::nullopt;
  digits.append(static_cast<std::size_t>(scale), '0');
  return to_integer(negative ? "-" + digits : digits);
}

}  // namespace carillon
