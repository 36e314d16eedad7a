// A receiver's answer: read the same however it is cut into pieces, and Retry-After is a pause.
//
// The first byte of the input says how the rest is cut.

#include <algorithm>
#include <optional>

#include "delivery/answer.h"
#include "tests/fuzz/fuzz.h"

namespace carillon {
namespace {

constexpr WallTime kNow{std::chrono::sys_days(std::chrono::year(2026) / 11 / 21)};

struct Outcome {
  AnswerReader::Progress progress = AnswerReader::Progress::need_more;
  std::uint32_t status = 0;
  std::string retry_after;
  std::size_t consumed = 0;
  friend bool operator==(const Outcome&, const Outcome&) = default;
};

/// Feeds `bytes`, `piece` at a time (0: all at once), as a connection does, to the answer's end.
Outcome read_answer(std::string_view bytes, std::size_t piece) {
  AnswerReader reader;
  reader.reset();
  Outcome outcome;
  std::size_t held = piece == 0 ? bytes.size() : 0;
  while (outcome.progress == AnswerReader::Progress::need_more) {
    held = std::min(bytes.size(), std::max(held, outcome.consumed) + piece);
    std::size_t consumed = 0;
    outcome.progress =
        reader.feed(bytes.substr(outcome.consumed, held - outcome.consumed), consumed);
    CARILLON_CHECK(consumed <= held - outcome.consumed);
    outcome.consumed += consumed;
    if (outcome.progress != AnswerReader::Progress::need_more || held < bytes.size()) continue;
    outcome.progress = reader.feed_end();
    CARILLON_CHECK(outcome.progress != AnswerReader::Progress::need_more);
  }
  if (outcome.progress == AnswerReader::Progress::broken) {
    CARILLON_CHECK(!reader.problem().empty());
    // What was seen before the fault depends on the pieces, and means nothing.
    return {outcome.progress, 0, {}, 0};
  }
  outcome.status = reader.status();
  outcome.retry_after = reader.retry_after();
  CARILLON_CHECK(outcome.status <= 999);
  static_cast<void>(reader.keep_alive());
  return outcome;
}

void check_retry_after(std::string_view value) {
  const std::optional<Millis> pause = parse_retry_after(value, kNow);
  CARILLON_CHECK(!pause || *pause >= Millis(0));
}

}  // namespace
}  // namespace carillon

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  carillon::fuzz::Input input(data, size);
  const std::size_t piece = input.u8() + std::size_t{1};
  const std::string_view bytes = input.rest();
  const carillon::Outcome whole = carillon::read_answer(bytes, 0);
  const carillon::Outcome pieces = carillon::read_answer(bytes, piece);
  // Where a quote in a chunk's head has no end, Beast 1.81 counts the chunk again with each piece,
  // until the answer is too long before it is seen to be broken.
  const bool open_quote = bytes.find('"') != std::string_view::npos;
  CARILLON_CHECK(pieces == whole ||
                 (open_quote && whole.progress == carillon::AnswerReader::Progress::broken &&
                  pieces.progress == carillon::AnswerReader::Progress::too_long));
  carillon::check_retry_after(whole.retry_after);
  carillon::check_retry_after(bytes);
  return 0;
}
