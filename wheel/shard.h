#pragma once
#include <cstdint>
#include <vector>

#include "wheel/record.h"
namespace carillon {
struct ShardOptions {
  Millis retain_finished{std::chrono::hours(1)};
  std::uint64_t pending_max = 200'000'000;
  std::uint32_t url_concurrency = 64;
  std::uint32_t catch_up_per_second = 5'000;
};
struct WheelLevel {
  Millis slot_width{};
  std::uint32_t slots = 0;
  std::uint32_t occupied = 0;
  std::uint64_t tasks = 0;
};
class Shard {};
}  // namespace carillon
