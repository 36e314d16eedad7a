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

/// A whole answer, in whatever protocol.
struct Answer {
  unsigned status = 0;       // HTTP's, or what comes nearest
  std::size_t bytes = 0;     // how long the answer is
  std::uint64_t failed = 0;  // tasks of the request that were refused though the status is good
  bool close = false;        // the server ends the connection after it
};

/// Reads the head of an HTTP/1.1 answer with Content-Length at the front of `bytes`.
[[nodiscard]] Parsed parse_answer_head(std::string_view bytes, AnswerHead& head);

/// Reads the HTTP/1.1 answer to a request about `tasks` tasks at the front of `bytes`.
[[nodiscard]] Parsed parse_http_answer(std::string_view bytes, std::uint64_t tasks, Answer& answer);

/// The number after the last `"name":` in a batch's answer; 0 where there is none.
[[nodiscard]] std::uint64_t trailing_count(std::string_view body, std::string_view name);

}  // namespace carillon::load
