// Lanes: what is asked to be done to them, and what there is to see.
//
// Operation: changes are made one after the other, so that each can answer what it has made.
//
// Concurrency: the loop's thread only.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "engine/allowance.h"
#include "engine/async.h"
#include "engine/local_shard.h"
#include "engine/refusals.h"
#include "engine/requests.h"

namespace carillon {

class LaneChanges {
 public:
  struct Parts {
    LocalShard& local;
    Refusals& refusals;
    Allowance& changes;
  };
  /// All must outlive it.
  explicit LaneChanges(Parts parts) : its_(parts) {}

  [[nodiscard]] Async<Answer<PutAnswer<LaneView>>> put(std::string name, LaneSettings settings);
  [[nodiscard]] Async<Answer<>> remove(std::string name);
  /// In the order of their numbers, `default` first.
  [[nodiscard]] std::vector<LaneView> views() const;

 private:
  [[nodiscard]] LaneView view_of(const LaneState& lane) const;

  Parts its_;
};

/// Makes `content` name the lane in which its task is: `default` where the one that it names was
/// not defined when the task came, or is not any more. The first time it does so the log says it.
void name_true_lane(const Lanes& lanes, const Statement& task, TaskContent& content);

}  // namespace carillon
