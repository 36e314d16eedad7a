// The load generator's two readers of heads: what follows a head does not change it, and it ends
// within what was read.

#include "tests/fuzz/fuzz.h"
#include "tools/load/answer_parser.h"
#include "tools/load/push_parser.h"

namespace carillon::load {
namespace {

void check_answer(std::string_view bytes) {
  AnswerHead head;
  const Parsed parsed = parse_answer_head(bytes, head);
  if (parsed == Parsed::incomplete) return;
  AnswerHead again;
  CARILLON_CHECK(parse_answer_head(std::string(bytes) + "\r\n\r\n", again) == parsed);
  if (parsed == Parsed::bad) return;
  CARILLON_CHECK(head.head_bytes <= bytes.size() && head.status <= 999);
  CARILLON_CHECK(again.head_bytes == head.head_bytes && again.body_bytes == head.body_bytes);
}

void check_push(std::string_view bytes) {
  PushHead head;
  const Parsed parsed = parse_push_head(bytes, head);
  if (parsed == Parsed::incomplete) return;
  const std::string longer = std::string(bytes) + "\r\n\r\n";
  PushHead again;
  CARILLON_CHECK(parse_push_head(longer, again) == parsed);
  if (parsed == Parsed::bad) return;
  CARILLON_CHECK(head.head_bytes <= bytes.size());
  CARILLON_CHECK(again.head_bytes == head.head_bytes && again.body_bytes == head.body_bytes &&
                 again.task_id == head.task_id && again.attempt == head.attempt);
}

}  // namespace
}  // namespace carillon::load

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes = carillon::fuzz::text_of(data, size);
  carillon::load::check_answer(bytes);
  carillon::load::check_push(bytes);
  static_cast<void>(carillon::load::trailing_count(bytes, "failed"));
  return 0;
}
