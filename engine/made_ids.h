// Ids that are made here: of tasks whose client sent none, and of pushes.
#pragma once

#include <random>
#include <string>

#include "base/time.h"

namespace carillon {

/// A generator that nobody can foresee.
[[nodiscard]] std::mt19937_64 make_random();

/// UUIDv7 (RFC 9562): the Unix time in milliseconds, then random bits.
[[nodiscard]] std::string make_task_id(WallTime now, std::mt19937_64& random);
/// A webhook-id that no other push has.
[[nodiscard]] std::string make_webhook_id(std::mt19937_64& random);

}  // namespace carillon
