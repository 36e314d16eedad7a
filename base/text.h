// Text that several layers take apart or put together: letters, blanks, hex digits,
// percent-encoding, numbers. ASCII only; no locale has a say.
#pragma once

#include <array>
#include <charconv>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>

namespace carillon {

inline constexpr std::string_view kBlanks = " \t";

[[nodiscard]] constexpr bool is_digit(char c) {
  return c >= '0' && c <= '9';
}
[[nodiscard]] constexpr bool is_alphanumeric(char c) {
  return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}
/// What a name in HTTP is made of: `tchar` of RFC 9110, 5.6.2.
[[nodiscard]] constexpr bool is_token_char(char c) {
  return is_alphanumeric(c) ||
         std::string_view("!#$%&'*+-.^_`|~").find(c) != std::string_view::npos;
}

[[nodiscard]] constexpr char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}
[[nodiscard]] constexpr char upper(char c) {
  return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
}
[[nodiscard]] std::string lower_case(std::string_view text);
[[nodiscard]] std::string upper_case(std::string_view text);
/// As names of headers, media types and hosts are compared: letter case makes no difference.
[[nodiscard]] bool same_in_any_case(std::string_view a, std::string_view b);

/// Without the `blanks` at its ends.
[[nodiscard]] std::string_view trimmed(std::string_view text, std::string_view blanks = kBlanks);

/// What a hex digit of either letter case stands for; -1 where it is none.
[[nodiscard]] constexpr int hex_digit(char c) {
  if (is_digit(c)) return c - '0';
  const char letter = lower(c);
  return letter >= 'a' && letter <= 'f' ? letter - 'a' + 10 : -1;
}
/// Writes the low `digits` hex digits of `value` from `at` on, in lower case. What is left of it.
std::uint64_t write_hex(char* at, std::uint64_t value, int digits);

/// "a%2Fb" as "a/b"; nothing where a "%" is not followed by two hex digits.
[[nodiscard]] std::optional<std::string> percent_decode(std::string_view text);
/// Appends `text` with what is not `plain` as "%2F".
template <typename Plain>
void append_percent_encoded(std::string& out, std::string_view text, Plain plain) {
  constexpr std::string_view kHex = "0123456789ABCDEF";
  for (const char c : text) {
    if (plain(c)) {
      out += c;
      continue;
    }
    const auto byte = static_cast<unsigned char>(c);
    out += '%';
    out += kHex[byte >> 4];
    out += kHex[byte & 15];
  }
}

/// 1234567 as "1,234,567".
[[nodiscard]] std::string grouped(std::uint64_t number);

/// In decimal, a real number in as many digits as tell it apart.
template <typename Number>
  requires std::is_arithmetic_v<Number>
void append_number(std::string& out, Number number) {
  std::array<char, 32> digits;
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), number).ptr;
  out.append(digits.data(), static_cast<std::size_t>(end - digits.data()));
}

}  // namespace carillon
