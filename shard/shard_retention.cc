// Finished tasks: kept for a while, and forgotten in the order in which they finished.

#include <algorithm>

#include "shard/shard.h"

namespace carillon {
namespace {

constexpr std::uint32_t kForgottenBeyond = 4096;  // per tick, where there are too many
/// Of the rows that another owner forgot, more than it may not have deleted yet.
constexpr std::ptrdiff_t kLeftoverOfOthers = 65'536;

}  // namespace

/// So many finished tasks may be kept at present: what pending ones need is theirs.
std::uint64_t Shard::retained_max() const {
  if (retain_none_) return 0;
  return std::min(options_.retained_max,
                  options_.tasks_max - std::min(options_.tasks_max, pending()));
}

/// Each task that comes pays for two that go, so whatever the rate, no more are kept than may be.
void Shard::make_room() {
  for (int i = 0; i < 2 && retained_.there() > retained_max(); ++i) {
    static_cast<void>(forget_oldest(WallTime::max(), /*forget_rows=*/true));
  }
}

void Shard::retain(EntryRef ref) {
  if (!forgettable(arena_[ref].current())) return;
  if (started_ && options_.retain_finished == Millis(0)) {
    forget(ref);
    retained_.note_had_none();
    return;
  }
  retained_.push_back(ref, arena_[ref].number);
  retained_.tidy([this](const Retained::Record& its) { return is_retained(its); });
}

/// Whether the task that finished there is still there.
bool Shard::is_retained(const Retained::Record& its) const {
  if (!arena_.in_use(its.where())) return false;
  const Entry& entry = arena_[its.where()];
  return forgettable(entry.current()) && its.is(entry.number);
}

/// Forgets the task that finished first, if that was before then; false: it was not.
bool Shard::forget_oldest(WallTime finished_before, bool forget_rows) {
  if (retained_.empty()) return false;
  const Retained::Record oldest = retained_.front();
  const bool there = is_retained(oldest);
  if (there && arena_[oldest.where()].finished_at() > finished_before) return false;
  if (there) forget(oldest.where(), forget_rows);
  retained_.pop_front();
  return true;
}

/// During a replay: forgets the tasks that finished first until no more are kept than may be. Rows
/// of most were deleted in the process that first forgot them, but nobody knows what its bound was.
void Shard::bound_replayed() {
  if (retained_.there() <= retained_max()) return;
  order_retained();
  while (retained_.there() > retained_max()) {
    const Retained::Record oldest = retained_.front();
    if (is_retained(oldest)) leftover_rows_.push_back(arena_[oldest.where()].number);
    static_cast<void>(forget_oldest(WallTime::max(), /*forget_rows=*/false));
  }
}

void Shard::follow(const Batch& batch) {
  replay(batch);
  operations_.forget_old(now_);
  if (leftover_rows_.size() <= 2 * kLeftoverOfOthers) return;
  leftover_rows_.erase(leftover_rows_.begin(), leftover_rows_.end() - kLeftoverOfOthers);
}

/// Restated ones were appended out of order, and some more than once.
void Shard::order_retained() {
  std::vector<std::pair<WallTime, EntryRef>> finished_ones;
  finished_ones.reserve(retained_.size());
  retained_.for_each([&](const Retained::Record& its) {
    if (!is_retained(its)) return;
    finished_ones.emplace_back(arena_[its.where()].finished_at(), its.where());
  });
  std::ranges::sort(finished_ones);
  const auto twice = std::ranges::unique(finished_ones);
  finished_ones.erase(twice.begin(), twice.end());
  retained_ = Retained();
  for (const auto& [at, ref] : finished_ones) retained_.push_back(ref, arena_[ref].number);
}

void Shard::forget_old(std::uint32_t budget) {
  const WallTime before = now_ - options_.retain_finished;
  while (budget > 0 && forget_oldest(before, /*forget_rows=*/true)) --budget;
  for (budget += kForgottenBeyond; budget > 0 && retained_.there() > retained_max(); --budget) {
    static_cast<void>(forget_oldest(WallTime::max(), /*forget_rows=*/true));
  }
}

}  // namespace carillon
