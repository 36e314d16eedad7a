// What the bytes of a record are, for both who writes and who reads them: kinds, flags, and what an
// encoding depends on. docs/on-disk-format.md shows every byte.
//
// Concurrency: pure functions and values.
#pragma once

#include <cstdint>

#include "shard/record.h"

namespace carillon::record_format {

/// The byte that opens a record. Numbers are for ever; a new kind gets a new one.
enum class Kind : std::uint8_t {
  put = 1,
  keep = 2,
  move = 3,
  cancel = 4,
  fire = 5,
  outcome = 6,
  remove = 7,
  group_cancel = 8,
  group_shift = 9,
  target_put = 10,
  target_delete = 11,
  // Since version 3.
  cancel_retries = 12,
  named_group_cancel = 13,
  named_group_shift = 14,
  operation = 15,
  target_hold = 16,
  target_release = 17,
  // Since version 4.
  lane_put = 18,
  lane_delete = 19,
  // Since version 5.
  full_target_put = 20,
};
/// Whether `target_put` says all that there is to say.
[[nodiscard]] inline bool says_no_more(const record::TargetPut& target) {
  return target.rate == RateLimit() && target.batch_tasks == 0 && target.batch_wait == Millis(0) &&
         !target.takes_one && !target.paused && target.paused_for == Millis(0);
}
/// The last kind that a row of that version may have.
[[nodiscard]] constexpr Kind last_kind(std::uint8_t version) {
  if (version < 3) return Kind::target_delete;
  if (version < 5) return version == 3 ? Kind::target_release : Kind::lane_delete;
  return Kind::full_target_put;
}

/// What a statement has beyond its fixed part. The seven that ordinary tasks have come first, so
/// that their flags are one byte.
enum Flag : std::uint32_t {
  kOwnNumber = 1 << 0,      // its number is this record's sequence
  kTargetRepeats = 1 << 1,  // the target of the statement before it in the row
  kTargetIsUrl = 1 << 2,
  kGroup = 1 << 3,
  kGroupRepeats = 1 << 4,  // the group of the last statement in the row that had one
  kExpireAfter = 1 << 5,
  kAttempt = 1 << 6,
  kPrevious = 1 << 7,
  kAskedDue = 1 << 8,  // differs from due
  kState = 1 << 9,     // is not scheduled
  kFinishedAt = 1 << 10,
  kFlagsOfVersion2 = (1 << 11) - 1,
  // Since version 3.
  kRedrivenAt = 1 << 11,
  kRetriesCancelled = 1 << 12,
  kFlagsOfVersion3 = (1 << 13) - 1,
  // Since version 4.
  kLane = 1 << 13,
  kDiesLate = 1 << 14,
  kFlagsOfVersion4 = (1 << 15) - 1,
  // Since version 5.
  kDeliveringPush = 1 << 15,
  kMerge = 1 << 16,
  kAllFlags = (1 << 17) - 1,
};
[[nodiscard]] constexpr std::uint32_t known_flags(std::uint8_t version) {
  if (version < 3) return kFlagsOfVersion2;
  if (version < 5) return version == 3 ? kFlagsOfVersion3 : kFlagsOfVersion4;
  return kAllFlags;
}

/// Before the due of a statement of version 1; it says nothing that is needed.
inline constexpr int kDigestBytes = 6;
inline constexpr int kFingerprintBytes = 10;
/// The shortest record: its kind and the number of a lane.
inline constexpr std::size_t kRecordBytesMin = 2;
/// In the byte that is an outcome's state.
inline constexpr std::uint8_t kHasRetryAt = 0x80;
inline constexpr std::uint8_t kHasDeliveringPush = 0x40;  // since version 5

/// `a` - `b` and `a` + `b` of any two values: what the codec is given may be nonsense, but must
/// come back the same.
inline std::int64_t wrapping_difference(std::int64_t a, std::int64_t b) {
  return static_cast<std::int64_t>(static_cast<std::uint64_t>(a) - static_cast<std::uint64_t>(b));
}
inline std::int64_t wrapping_sum(std::int64_t a, std::int64_t b) {
  return static_cast<std::int64_t>(static_cast<std::uint64_t>(a) + static_cast<std::uint64_t>(b));
}
inline std::int64_t count_of(WallTime moment) {
  return moment.time_since_epoch().count();
}

/// What a record's encoding depends on: where it stands in its row, and what stood before it.
struct Context {
  WallTime at{};
  Sequence sequence = 0;
  Hash128 target;  // all zero: none yet
  Hash128 group;

  void after(const Statement& task) {
    target = task.target;
    if (task.group != GroupKey{}) group = task.group;
  }
};

}  // namespace carillon::record_format
