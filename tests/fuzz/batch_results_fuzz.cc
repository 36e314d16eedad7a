// What a receiver says of single tasks of a push: each task has one result, and a text that cannot
// be relied on delivers none.
//
// The first byte of the input says whether the text came whole.

#include <array>

#include "delivery/batch.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace carillon;
  using Kind = PushResult::Kind;
  constexpr std::array<std::string_view, 3> kIds = {"msg_1", "msg_2", "msg_3"};
  static JsonReader reader;
  fuzz::Input input(data, size);
  PushResult whole;
  whole.kind = Kind::delivered;
  whole.status = 200;
  whole.answer_type = "application/json";
  whole.answer_is_whole = (input.u8() & 1) == 0;
  whole.answer_body = input.rest();
  const std::vector<PushResult> results = batch_results(reader, whole, kIds);
  CARILLON_CHECK(results.size() == kIds.size());
  for (const PushResult& result : results) {
    CARILLON_CHECK(result.status >= 100 && result.status < 600);
    CARILLON_CHECK((result.kind == Kind::delivered) == result.error.empty());
    CARILLON_CHECK(result.kind != Kind::delivered || whole.answer_is_whole);
    CARILLON_CHECK(!result.retry_after || *result.retry_after >= Millis(0));
    CARILLON_CHECK(result.answer_body.empty());
  }
  return 0;
}
