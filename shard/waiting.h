// What a task waits for: why it has not been pushed yet.
//
// Concurrency: none; values.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "shard/record.h"

namespace carillon {

enum class WaitsFor : std::uint8_t {
  due,
  retry,               // its next attempt's moment
  target_paused,       // that somebody resumes its target
  target_held,         // that its target may be pushed to again
  target_concurrency,  // a slot of its target
  target_rate,         // that its target's rate lets it begin
  lane,                // its lane's turn at its target, or a slot that no other lane has reserved
  capacity,            // what the server as a whole lets begin
  catch_up,            // its turn among what is overdue
  commit,              // a record about it is on its way to the log
  batch,               // a moment, for others that are pushed with it
  merge,               // the moment of another task, with which it is pushed
};
inline constexpr int kWaitsFor = 12;
inline constexpr std::string_view kWaitsForNames[kWaitsFor] = {
    "due",         "retry", "target_paused", "target_held", "target_concurrency",
    "target_rate", "lane",  "capacity",      "catch_up",    "commit",
    "batch",       "merge"};
[[nodiscard]] constexpr std::string_view name_of(WaitsFor what) {
  return kWaitsForNames[static_cast<int>(what)];
}

struct Waiting {
  WaitsFor what = WaitsFor::due;
  std::optional<WallTime> until;  // where it can be told: about when it goes, as things go now
  std::uint64_t ahead = 0;        // due tasks of its target and lane before it
  std::optional<HoldReason> hold_reason;  // of its target, where that is held or ramps up
};

}  // namespace carillon
