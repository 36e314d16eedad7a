// What the receiver makes of each task that arrives: whether it is early or came before, and what
// it is answered.
//
// Concurrency: `take` on the receiver's thread; what it is set to, by any.
#pragma once

#include <atomic>
#include <cstdint>
#include <random>
#include <utility>
#include <vector>

#include <boost/unordered/unordered_flat_set.hpp>

#include "tools/load/arrival.h"

namespace carillon::load {

struct Judge {
  // What it is set to.
  std::atomic<double> fail_share{0};
  std::atomic<std::uint32_t> fail_attempts{0};
  std::atomic<std::uint16_t> fail_status{503};
  std::atomic<std::int64_t> clock_ms{-1};  // under 0: the machine's

  // What was taken and is not published yet.
  std::vector<Arrival> round;
  std::uint64_t early = 0, duplicates = 0;

  /// The status that it is answered.
  [[nodiscard]] std::uint16_t take(Arrival arrival) {
    const std::int64_t clock = clock_ms;
    const WallMicros judged_at = clock < 0 ? arrival.at : WallMicros(WallTime(Millis(clock)));
    if (judged_at < arrival.due) ++early;
    if (accepted_.contains(arrival.webhook_hash)) ++duplicates;
    const double share = fail_share;
    const std::uint32_t attempts = fail_attempts;
    const bool fails = (attempts > 0 && arrival.attempt <= attempts) ||
                       (share > 0 && std::uniform_real_distribution<>()(random_) < share);
    arrival.answered = fails ? fail_status.load() : std::uint16_t{200};
    if (!fails) accepted_.insert(arrival.webhook_hash);
    round.push_back(std::move(arrival));
    return round.back().answered;
  }

 private:
  std::mt19937_64 random_{1};
  boost::unordered_flat_set<std::uint64_t> accepted_;  // webhook ids, hashed
};

}  // namespace carillon::load
