// What was set, fitted to what this machine and this process have.
#pragma once

#include "http/options.h"
#include "server/options.h"

namespace carillon {

/// With no more connections than the process may have open beside all else. Where tokens are asked
/// for, the host makes no difference.
[[nodiscard]] HttpOptions http_options(const Options& all);

/// `capacity.pushes_in_flight`, but no more than open files allow.
[[nodiscard]] std::uint64_t pushes_in_flight_max(const Options& options);

/// Bounds tasks and buffers by what memory there is. A buffer of less than a MiB would hold up even
/// a client that is alone.
[[nodiscard]] Options within_memory(Options options);

}  // namespace carillon
