// What one run does, and how often: drawn anew for each seed.
//
// Swarm testing: a run in which everything is possible at its average rate seldom gets anywhere
// unusual. Each run leaves some things out and does others far too often, so that over many seeds
// every combination is tried (Groce et al., "Swarm Testing", ISSTA 2012).
#pragma once

#include <array>
#include <cstdint>

#include "shard/shard.h"
#include "tests/simulation/world.h"

namespace carillon::simulation {

/// What clients do.
enum class Deed : std::uint8_t {
  // Adds, in the order of IfExists.
  add,
  add_keeping,
  add_replacing,
  add_earliest,
  add_latest,
  add_once,
  change,
  change_due_too,
  move,
  cancel,
  cancel_retries,
  get,
  redrive,
  remove_dead,
  group_cancel,
  group_shift,
};
inline constexpr int kDeeds = 16;

struct Swarm {
  std::array<std::uint32_t, kDeeds> deeds{};  // weights
  // Of a thousand.
  std::uint32_t request_lost = 0, answer_lost = 0, gives_up = 0;
  std::uint32_t refused = 0, failed = 0, hangs = 0, gone = 0, lost_answer = 0,
                throttled = 0;  // receivers
  std::uint32_t named = 0;      // operations on groups, and redrives
  std::uint32_t grouped = 0, expiring = 0, merging = 0, by_url = 0;
  std::uint32_t rated = 0, batched = 0;  // of changes of targets
  // Mean pauses; 0: never happens.
  Moment crash = 0, clock_step = 0, clean = 0, operate = 0, touch = 0;
  Moment think = 0, sync = 0, push = 0;
  int due_bits = 0;  // dues reach 2^due_bits ms ahead
  std::uint64_t clients = 1, ids_each = 1;
  Moment patience = kSecond / 2;  // of a client without an answer
  Millis clocks_ahead{0};         // servers' clocks are ahead by so much at most
  std::uint32_t concurrency = 1;
  std::uint32_t attempts_max = 1;
  Breaker breaker;
  ShardOptions options;
  std::uint64_t batch_bytes_max = OpenBatch::kNoLimit;

  static Swarm draw(World& world);
};

}  // namespace carillon::simulation
