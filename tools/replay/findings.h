// carillon-replay verify and summary: what a data directory holds, and whether it is whole.
#pragma once

#include "tools/replay/inspection.h"

namespace carillon::replay {

enum class OutputForm { text, json };

/// Checks every row and says what it found on stdout. Returns kDone where nothing is lost and
/// carillond would start, else kLost.
[[nodiscard]] int verify(Inspection& inspection, OutputForm form, ProgressLine& progress);

/// Says what is in it: states, targets, times, records. Returns kDone, or kLost where the log has
/// holes.
[[nodiscard]] int summarize(Inspection& inspection, OutputForm form);

}  // namespace carillon::replay
