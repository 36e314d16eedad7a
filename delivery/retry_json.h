// A retry policy in JSON, as targets and tasks have it.
#pragma once

#include <simdjson.h>

#include "base/result.h"
#include "wheel/task.h"

namespace carillon {

/// Reads and checks the object. Slugs: those of base/json.h and of check_retry (delivery/retry.h).
[[nodiscard]] Result<RetryChoice> read_retry(simdjson::ondemand::value from);

}  // namespace carillon
