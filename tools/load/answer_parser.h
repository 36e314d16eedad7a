// The server's answers, read with as little work as will do: status, length, and the two counts of
// a batch.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "tools/load/push_parser.h"

namespace carillon::load {

struct AnswerHead {
  unsigned status = 0;
  std::size_t head_bytes = 0;
  std::size_t body_bytes = 0;
  bool close = false;
};

/// Reads the head of an HTTP/1.1 answer with Content-Length at the front of `bytes`.
[[nodiscard]] Parsed parse_answer_head(std::string_view bytes, AnswerHead& head);

/// The number after the last `"name":` in a batch's answer; 0 where there is none.
[[nodiscard]] std::uint64_t trailing_count(std::string_view body, std::string_view name);

}  // namespace carillon::load
