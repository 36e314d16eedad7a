// Moments and durations as text.

#include "base/time.h"
#include "tests/fuzz/fuzz.h"

namespace carillon {
namespace {

void check_moment(std::string_view text) {
  const Result<WallTime> moment = parse_moment(text);
  if (!moment) return;
  const Result<WallTime> again = parse_moment(format_moment(*moment));
  CARILLON_CHECK(again && *again == *moment);
}

void check_duration(std::string_view text, bool allow_negative) {
  const Result<Millis> duration = parse_duration(text, allow_negative);
  if (!duration) return;
  CARILLON_CHECK(allow_negative || *duration >= Millis(0));
  const Result<Millis> again = parse_duration(format_duration(*duration), true);
  CARILLON_CHECK(again && *again == *duration);
}

}  // namespace
}  // namespace carillon

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text = carillon::fuzz::text_of(data, size);
  carillon::check_moment(text);
  carillon::check_duration(text, false);
  carillon::check_duration(text, true);
  return 0;
}
