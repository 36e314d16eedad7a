// The body of a push that carries several tasks (docs/batches.md), read as far as the receiver
// needs it.
//
// Concurrency: one thread; the parser's memory is used again.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <simdjson.h>

namespace carillon::load {

/// Views are good until the next body is read.
struct BatchedPush {
  std::string_view task_id;
  std::string_view webhook_id;
  std::string_view due_at;  // RFC 3339
  std::uint32_t attempt = 0;
  std::string_view payload;  // as sent
};

class BatchParser {
 public:
  /// The tasks of the body; empty where it is none of a push.
  [[nodiscard]] const std::vector<BatchedPush>& parse(std::string_view body);

 private:
  [[nodiscard]] bool read(std::string_view body);

  simdjson::ondemand::parser parser_;
  std::string copy_;  // with the padding that simdjson may read over the end
  std::vector<BatchedPush> tasks_;
};

}  // namespace carillon::load
