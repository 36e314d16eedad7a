// RESP2, the protocol of Redis, as far as the benchmarks need it.
//
// https://redis.io/docs/reference/protocol-spec: a reply is a line whose first byte says its type;
// a bulk string is followed by its bytes, an array by that many replies.
#pragma once

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>

#include "tools/load/push_parser.h"

namespace carillon::bench {

using load::Parsed;

/// Appends the head of a command of `words` words, which the caller appends next.
void append_command(std::string& out, std::size_t words);
void append_word(std::string& out, std::string_view word);
void append_command(std::string& out, std::initializer_list<std::string_view> words);

/// One line of a reply, and a bulk string's bytes.
struct Token {
  char type = 0;            // + - : $ *
  std::int64_t number = 0;  // of : $ and *; -1: null
  std::string_view text{};  // of + - and $
};
/// Reads the token at `at`, which is moved behind it.
[[nodiscard]] Parsed next_token(std::string_view bytes, std::size_t& at, Token& token);

/// What some replies add up to.
struct Replies {
  std::size_t bytes = 0;
  std::uint64_t errors = 0;
  std::uint64_t zeros = 0;  // integers that are 0: nothing was added or removed
  std::int64_t last_integer = 0;
};
/// Reads `count` replies, with all that is in their arrays.
[[nodiscard]] Parsed parse_replies(std::string_view bytes, std::uint64_t count, Replies& replies);

}  // namespace carillon::bench
