// What of a task's push is wanted when it ends.
#pragma once

#include <cstdint>

#include "base/time.h"
#include "engine/target_registry.h"
#include "shard/command.h"

namespace carillon {

struct Pushing {
  Fired fired;
  std::uint64_t bytes = 0;  // of its content, which are counted until it ends
  RetryPolicy retry;
  TargetRegistry::Settings target;
  WallTime late_from{};  // when it should have begun
  WallTime began{};
  std::uint32_t attempts = 1;  // since it was added or redriven, this one included
};

}  // namespace carillon
