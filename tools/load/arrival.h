// A push as the receiver saw it.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/time.h"

namespace carillon::load {

/// The system's wall clock at the precision lateness is measured in. The receiver is the outside
/// observer, so this is the machine's clock and no injected one.
using WallMicros = std::chrono::sys_time<std::chrono::microseconds>;
[[nodiscard]] WallMicros wall_now();

/// The decimal number at the end of `id`; 0 where there is none.
[[nodiscard]] std::uint64_t trailing_number(std::string_view id);

/// One push that was received.
struct Arrival {
  std::string task_id;  // decoded
  std::uint64_t webhook_hash = 0;
  std::uint64_t body_hash = 0;
  WallTime due{};
  WallMicros at{};
  std::uint32_t attempt = 0;
  std::uint16_t answered = 0;  // the status it was given
};

/// What `Arrival::body_hash` and `webhook_hash` are made with.
[[nodiscard]] std::uint64_t hash_of(std::string_view bytes);

}  // namespace carillon::load
