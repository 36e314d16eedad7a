#include "tests/simulation/swarm.h"

namespace carillon::simulation {
namespace {

std::uint32_t weight(World& world) {
  constexpr std::uint32_t kWeights[] = {0, 1, 3, 10};
  return kWeights[world.below(4)];
}

/// Mostly never or now and then, sometimes often.
std::uint32_t rate(World& world) {
  constexpr std::uint32_t kRates[] = {0, 0, 20, 100, 400};
  return kRates[world.below(5)];
}

Moment period(World& world) {
  constexpr Moment kPeriods[] = {0, 0, 10 * kSecond, 3 * kSecond, kSecond};
  return kPeriods[world.below(5)];
}

}  // namespace

Swarm Swarm::draw(World& world) {
  Swarm swarm;
  for (std::uint32_t& deed : swarm.deeds) deed = weight(world);
  // Without adds there is nothing to do.
  swarm.deeds[static_cast<std::size_t>(Deed::add)] += 3;
  for (std::uint32_t* some :
       {&swarm.request_lost, &swarm.answer_lost, &swarm.gives_up, &swarm.refused, &swarm.failed,
        &swarm.hangs, &swarm.gone, &swarm.lost_answer, &swarm.throttled, &swarm.named,
        &swarm.grouped, &swarm.expiring, &swarm.merging, &swarm.by_url}) {
    *some = rate(world);
  }
  swarm.grouped *= 2;
  swarm.merging *= 2;
  swarm.rated = static_cast<std::uint32_t>(500 * world.below(3));
  swarm.batched = static_cast<std::uint32_t>(500 * world.below(3));
  for (Moment* some : {&swarm.crash, &swarm.clock_step, &swarm.clean, &swarm.operate}) {
    *some = period(world);
  }
  swarm.touch = period(world) / 50;
  swarm.think = Moment{1} << (10 + world.below(9));  // 1 ms to 0.26 s
  swarm.sync = Moment{1} << (6 + world.below(10));   // 64 us to 33 ms
  swarm.push = Moment{1} << (8 + world.below(7));    // 256 us to 16 ms
  swarm.due_bits = static_cast<int>(4 + world.below(14));
  swarm.clients = 1 + world.below(4);
  swarm.ids_each = 1 + world.below(6);
  swarm.concurrency = static_cast<std::uint32_t>(1 + world.below(8));
  swarm.attempts_max = static_cast<std::uint32_t>(1 + world.below(4));

  constexpr std::uint32_t kFailures[] = {0, 1, 2, 5, 20};
  swarm.breaker = {kFailures[world.below(5)],
                   Millis(static_cast<std::int64_t>(100 + world.magnitude(11))),
                   std::chrono::seconds(8)};

  ShardOptions& options = swarm.options;
  constexpr Millis kRetained[] = {Millis(0), Millis(2'000), Millis(3'600'000)};
  options.retain_finished = kRetained[world.below(3)];
  if (world.chance(200)) options.retained_max = world.below(10);
  if (world.chance(100)) options.pending_max = 1 + world.below(10);
  if (world.chance(100)) options.in_flight_max = 1 + world.below(4);
  if (world.chance(200)) {
    options.pushes_per_second = static_cast<std::uint32_t>(10 + world.magnitude(9));
  }
  options.url_concurrency = swarm.concurrency;
  constexpr std::uint32_t kCatchUp[] = {0, 10, 1000};
  options.catch_up_per_second = kCatchUp[world.below(3)];
  // Where commits are fast: else what was decided would be old when it is durable.
  if (swarm.sync <= 2 * kMillisecond && world.chance(500)) {
    swarm.batch_bytes_max = 512 + world.below(1024);
  }
  return swarm;
}

}  // namespace carillon::simulation
