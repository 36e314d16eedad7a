#include "tools/client/terminal.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <iostream>
#include <iterator>

#include <fmt/format.h>
#include <simdjson.h>
#include <unistd.h>

namespace carillon::client {
namespace {

struct Range {
  char32_t first;
  char32_t last;
};
// Controls; marks of direction, embeddings, overrides and isolates; separators of lines; the byte
// order mark; tags.
constexpr Range kEscaped[] = {{0, 0x1f},        {0x7f, 0x9f},     {0x61c, 0x61c},
                              {0x200e, 0x200f}, {0x2028, 0x202e}, {0x2066, 0x2069},
                              {0xfeff, 0xfeff}, {0xfff9, 0xfffb}, {0xe0000, 0xe007f}};

/// How many bytes the character at the front of `text` has; 0 where they are no UTF-8.
std::size_t character_bytes(std::string_view text) {
  const auto lead = static_cast<unsigned char>(text.front());
  const std::size_t bytes = lead < 0x80 ? 1 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
  const bool whole = bytes <= text.size() && simdjson::validate_utf8(text.data(), bytes);
  return whole ? bytes : 0;
}

char32_t code_point(std::string_view character) {
  constexpr unsigned kLeadBits[] = {0x7f, 0x1f, 0x0f, 0x07};
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(character[i]); };
  char32_t code = byte(0) & kLeadBits[character.size() - 1];
  for (std::size_t i = 1; i < character.size(); ++i) code = code << 6 | (byte(i) & 0x3f);
  return code;
}

bool is_escaped(char32_t code) {
  return std::ranges::any_of(kEscaped,
                             [code](const Range& r) { return code >= r.first && code <= r.last; });
}

std::string escaped(std::string_view text, std::string_view kept) {
  std::string out;
  out.reserve(text.size());
  while (!text.empty()) {
    const std::size_t bytes = character_bytes(text);
    const std::string_view character = text.substr(0, std::max<std::size_t>(bytes, 1));
    text.remove_prefix(character.size());
    if (bytes == 0) {
      out += fmt::format("\\x{:02x}", static_cast<unsigned char>(character.front()));
      continue;
    }
    const char32_t code = code_point(character);
    if (!is_escaped(code) || kept.find(character) != std::string_view::npos) {
      out += character;
    } else {
      const auto number = static_cast<unsigned>(code);
      out += number < 0x100 ? fmt::format("\\x{:02x}", number) : fmt::format("\\u{:04x}", number);
    }
  }
  return out;
}

}  // namespace

std::string printable(std::string_view text) {
  return escaped(text, "");
}

std::string printable_lines(std::string_view text) {
  return escaped(text, "\n");
}

void print_raw(std::string_view text) {
  static const bool terminal = ::isatty(STDOUT_FILENO) == 1;
  if (terminal) {
    std::cout << printable_lines(text);
  } else {
    std::cout.write(text.data(), static_cast<std::streamsize>(text.size()));
  }
}

int finish_output(std::string_view program, int exit_code, int failed) {
  errno = 0;
  std::cout.flush();
  if (std::cout) return exit_code;
  std::cerr << program << ": cannot write standard output";
  if (errno != 0) std::cerr << ": " << std::strerror(errno);
  std::cerr << '\n';
  return failed;
}

}  // namespace carillon::client
