// A receiver's answer: read the same however it is cut into pieces, and Retry-After is a pause.
//
// The first byte of the input says how the rest is cut.

#include <algorithm>
#include <optional>

#include "delivery/http/answer.h"
#include "tests/fuzz/fuzz.h"

namespace carillon {
namespace {

constexpr WallTime kNow{std::chrono::sys_days(std::chrono::year(2026) / 11 / 21)};

struct Outcome {
  AnswerReader::Progress progress = AnswerReader::Progress::need_more;
  std::uint32_t status = 0;
  bool decided = false;
  bool keep_alive = false;
  std::string retry_after;
  std::size_t consumed = 0;
  friend bool operator==(const Outcome&, const Outcome&) = default;
};

/// Feeds `bytes`, `piece` at a time (0: all at once), as a connection does, to the answer's end.
Outcome read_answer(std::string_view bytes, std::size_t piece) {
  AnswerReader reader;
  Outcome outcome;
  std::size_t held = piece == 0 ? bytes.size() : 0;
  while (outcome.progress == AnswerReader::Progress::need_more) {
    held = std::min(bytes.size(), std::max(held, outcome.consumed) + piece);
    std::size_t consumed = 0;
    outcome.progress =
        reader.feed(bytes.substr(outcome.consumed, held - outcome.consumed), consumed);
    CARILLON_CHECK(consumed <= held - outcome.consumed);
    outcome.consumed += consumed;
    if (held == bytes.size()) break;
  }
  const bool is_broken = outcome.progress == AnswerReader::Progress::broken;
  CARILLON_CHECK(is_broken == !reader.problem().empty());
  outcome.status = reader.status();
  outcome.decided = reader.is_decided();
  outcome.keep_alive = reader.keep_alive();
  outcome.retry_after = reader.retry_after();
  CARILLON_CHECK(outcome.status <= 999);
  CARILLON_CHECK(!is_broken || !outcome.keep_alive);
  return outcome;
}

void check_retry_after(std::string_view value) {
  const std::optional<Millis> pause = parse_retry_after(value, kNow);
  CARILLON_CHECK(!pause || *pause >= Millis(0));
}

}  // namespace
}  // namespace carillon

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const carillon::fuzz::InPieces input(data, size);
  const carillon::Outcome whole = carillon::read_answer(input.bytes, 0);
  const carillon::Outcome pieces = carillon::read_answer(input.bytes, input.piece_bytes);
  CARILLON_CHECK(pieces == whole);
  carillon::check_retry_after(whole.retry_after);
  carillon::check_retry_after(input.bytes);
  return 0;
}
