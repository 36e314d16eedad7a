// What befalls the nodes of a simulated cluster in one run: drawn anew for each seed, as a swarm
// is.
#pragma once

#include <cstdint>

#include "tests/simulation/world.h"

namespace carillon::simulation {

struct Troubles {
  std::uint64_t nodes = 2;
  Millis clocks_apart{0};  // at most
  // Of a thousand.
  std::uint32_t lost = 0, twice = 0, late = 0;  // messages
  std::uint32_t slow_read = 0;
  Moment network = 0;  // the mean way of a message
  // Mean pauses; 0: never happens.
  Moment crash = 0, pause = 0, cut_off = 0, isolate = 0, away = 0, hand_over = 0;

  static Troubles draw(World& world);
  static constexpr Millis kApartMax = std::chrono::seconds(2);
};

}  // namespace carillon::simulation
