// The past of a data directory, replayed: every batch that can be read goes through the shard, as
// on a start, and what is missing between them is noted.
//
// Limitations: what follows a hole is replayed as if nothing had happened in it. A task whose Put
// lay there is gone, and one whose Cancel lay there is pending again; the lost sequences say so.
#pragma once

#include <array>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "base/result.h"
#include "shard/shard.h"
#include "tools/replay/salvage.h"

namespace carillon::replay {

/// Where to stop; nothing set: at the end.
struct Until {
  std::optional<Sequence> sequence;  // the last one to replay
  std::optional<WallTime> time;      // batches sealed later are left out
  [[nodiscard]] bool given() const { return sequence || time; }
};
/// A whole number is a sequence, anything else an RFC 3339 time. Error slug: bad_time.
[[nodiscard]] Result<Until> parse_until(const std::string& text);

/// Sequences of which nothing is left, both ends included.
struct LostRange {
  Sequence first = 0;
  Sequence last = 0;
};

inline constexpr std::size_t kRecordKinds = std::variant_size_v<Record>;
/// Names of Record's alternatives, in their order.
inline constexpr std::array<std::string_view, kRecordKinds> kRecordNames = {
    "put",       "keep",         "move",           "cancel",     "fire",          "outcome",
    "remove",    "group_cancel", "group_shift",    "target_put", "target_delete", "cancel_retries",
    "operation", "target_hold",  "target_release", "lane_put",   "lane_delete"};
static_assert(!kRecordNames.back().empty());

class History {
 public:
  History();

  /// Replays the log rows of `salvage` up to `until`. `synced`: the mark, if it can be read. Error:
  /// `until` is before everything that is kept.
  [[nodiscard]] Result<> replay(Salvage& salvage, const Until& until,
                                std::optional<Sequence> synced, const Progress& progress);

  [[nodiscard]] Shard& shard() { return shard_; }
  [[nodiscard]] const Shard& shard() const { return shard_; }
  [[nodiscard]] const std::vector<LostRange>& lost() const { return lost_; }
  /// Rows of the log that do not decode: which, and why.
  [[nodiscard]] const std::vector<std::string>& bad_rows() const { return bad_rows_; }
  [[nodiscard]] Sequence first() const { return first_; }
  [[nodiscard]] Sequence last() const { return last_; }
  [[nodiscard]] WallTime first_at() const { return first_at_; }
  [[nodiscard]] WallTime last_at() const { return last_at_; }
  [[nodiscard]] std::uint64_t batches() const { return batches_; }
  [[nodiscard]] std::uint64_t bytes() const { return bytes_; }
  [[nodiscard]] const std::array<std::uint64_t, kRecordKinds>& records() const { return records_; }

 private:
  bool take(std::span<const Row> rows, Sequence oldest, const Until& until);
  bool replay_batch(Batch& batch, const Until& until);

  Shard shard_;
  std::vector<LostRange> lost_;
  std::vector<std::string> bad_rows_;
  Sequence expected_ = 0;
  Sequence first_ = 0;
  Sequence last_ = 0;
  WallTime first_at_{};
  WallTime last_at_{};
  std::uint64_t batches_ = 0;
  std::uint64_t bytes_ = 0;
  std::array<std::uint64_t, kRecordKinds> records_{};
};

}  // namespace carillon::replay
