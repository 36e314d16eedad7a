// The lanes of a shard: what each is set to, and what of it waits and is under way.
//
// A task is in one lane, by number; `default`, number 0, exists always. The engine knows lanes by
// name and asks here for the number. A number is given again once the deletion of the lane that had
// it is durable, which needs that no unfinished task is in it.
//
// Concurrency: none; pure. Limitations: 16 lanes.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "shard/lane_shares.h"
#include "shard/record.h"

namespace carillon {

struct LaneState {
  record::LanePut settings;  // without a name: there is no such lane
  bool leaving = false;      // its deletion is on its way to the log
  LaneShare share;           // of the limit on all pushes
  std::uint64_t queued = 0;  // due tasks that wait for a slot

  [[nodiscard]] bool stands() const { return !settings.name.empty() && !leaving; }
};

class Lanes {
 public:
  Lanes() {
    for (std::uint32_t number = 0; number < kLanesMax; ++number) {
      lanes_[number].settings.number = static_cast<LaneNumber>(number);
    }
    lanes_[kDefaultLane].settings.name = kDefaultLaneName;
  }

  [[nodiscard]] const LaneState& operator[](std::size_t number) const { return lanes_[number]; }
  [[nodiscard]] LaneState& operator[](std::size_t number) { return lanes_[number]; }
  [[nodiscard]] std::span<const LaneState> all() const { return lanes_; }

  /// The number of the lane of that name; empty: there is none.
  [[nodiscard]] std::optional<LaneNumber> find(std::string_view name) const {
    for (const LaneState& lane : lanes_) {
      if (lane.stands() && lane.settings.name == name) return lane.settings.number;
    }
    return std::nullopt;
  }
  /// The number of the lane that a task names, or of the default one where it names none. No lane
  /// has the number where there is none of that name: the shard refuses the task.
  [[nodiscard]] LaneNumber named_by(std::string_view task_lane) const {
    if (task_lane.empty()) return kDefaultLane;
    return find(task_lane).value_or(LaneNumber{kLanesMax});
  }
  /// A number that no lane has.
  [[nodiscard]] std::optional<LaneNumber> unused() const {
    for (const LaneState& lane : lanes_) {
      if (lane.settings.name.empty()) return lane.settings.number;
    }
    return std::nullopt;
  }
  /// What all lanes but that one have reserved, in thousandths.
  [[nodiscard]] std::uint32_t reserved_beside(std::string_view name) const {
    std::uint32_t sum = 0;
    for (const LaneState& lane : lanes_) {
      if (lane.settings.name != name) sum += lane.settings.reserved;
    }
    return sum;
  }

  void put(const record::LanePut& settings) { lanes_[settings.number].settings = settings; }
  /// No unfinished task may be in it; on recovery, one may until all is read.
  void remove(LaneNumber number) {
    lanes_[number].settings = record::LanePut();
    lanes_[number].settings.number = number;
    lanes_[number].leaving = false;
  }

 private:
  std::array<LaneState, kLanesMax> lanes_;
};

}  // namespace carillon
