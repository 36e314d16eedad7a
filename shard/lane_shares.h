// How a limit on pushes is shared between lanes.
//
// A lane is a class of importance. The server's limit on pushes under way and each target's
// concurrency are slots, and are shared in the same way:
//
//     limit 10   [ critical, reserved 0.2 ][ the rest, by weights: bulk 8, critical 1, ... ]
//                  ^ set aside for it, as long as it has tasks that are not finished
//
// Of a limit of 2 or more each lane has `reserved` of it, rounded down but at least one slot, set
// aside, and all lanes together at most all but one: where that does not do, the largest shares
// come first. A lane with fewer pushes under way than are set aside for it goes first, and nobody
// else may take those slots. The rest goes by weights: the lane is next that has begun the fewest
// of the rest, divided by its weight.
//
// A single slot cannot be divided, nor can what a rate lets begin (shard/rate.h). There lanes take
// turns: each lane that waits earns `reserved` of each push that begins, and is next once that
// makes one. Where a rate holds lanes up, slots stay set aside as well, but do not say who is next:
// few pushes are under way then, and who has free slots would have all of the rate.
//
// By weights: stride scheduling with start tags (Goyal, Vin and Cheng, start-time fair queueing,
// IEEE/ACM Transactions on Networking 5(5), 1997). A lane's `pass` is when it is next, in virtual
// time; a push of its own moves it on by 1 / weight. Who has not waited for a while comes back at
// the present virtual time, so nobody saves up turns. With sixteen lanes a look at each is enough.
//
// Concurrency: none; pure.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <span>

#include "wheel/task.h"

namespace carillon {

inline constexpr std::uint32_t kLaneWeightMax = 1000;
inline constexpr std::uint32_t kLaneWhole = 1000;        // `reserved` counts thousandths
inline constexpr std::uint32_t kLanesReservedMax = 900;  // of all lanes together

/// What one limit knows of one lane.
struct LaneShare {
  std::uint32_t unfinished = 0;  // of its tasks, those that are not finished
  std::uint32_t in_flight = 0;   // pushes under way
  std::uint64_t pass = 0;        // in virtual time
};

/// A lane with tasks that are not finished at one limit, for one decision.
struct LaneClaim {
  LaneNumber lane = kDefaultLane;
  const LaneShare* share = nullptr;
  std::uint32_t weight = 1;
  std::uint32_t reserved = 0;
  bool waits = false;           // it has a task that may begin
  std::uint64_t set_aside = 0;  // slots
};

class SharedLimit {
 public:
  /// Works out what is set aside for each. The others take claims that have been through here.
  static void set_aside(std::span<LaneClaim> claims, std::uint64_t limit);
  /// Whether one more push of that lane would leave the others what is set aside for them.
  /// `in_flight`: all pushes that count against the limit.
  [[nodiscard]] static bool admits(std::span<const LaneClaim> claims, std::size_t at,
                                   std::uint64_t limit, std::uint64_t in_flight);

  /// Which of those that wait is next; claims.size(): none may begin now. `by_turns`: a rate holds
  /// them up.
  [[nodiscard]] std::size_t next(std::span<const LaneClaim> claims, std::uint64_t limit,
                                 std::uint64_t in_flight, bool by_turns) const;
  /// A push of that lane, whose share this is, begins. True: it has a slot of the rest, which
  /// weights divide.
  bool begin(std::span<const LaneClaim> claims, std::size_t at, std::uint64_t limit, bool by_turns,
             LaneShare& share);
  /// One more task of a lane of that weight goes with a push that has a slot of the rest.
  static void join(std::uint32_t weight, LaneShare& share);
  /// The lane waits again after it did not.
  void enter(LaneShare& share) const { share.pass = std::max(share.pass, now_); }

 private:
  std::uint64_t now_ = 0;                           // virtual time
  std::array<std::uint16_t, kLanesMax> credits_{};  // for turns: thousandths of a push
};

}  // namespace carillon
