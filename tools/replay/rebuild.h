// carillon-replay rebuild: a new data directory from what is readable of an old one.
//
// Operation: the log is not copied but restated: every target as a TargetPut and every task whose
// content can be read as a Keep, under sequences that go on where the old log ended. So holes of
// the old log are not in the new one. Tasks keep their numbers, contents, notes, states and
// attempts; the directory keeps its secret key, which the tasks' fingerprints depend on.
//
// The mark is written last: a rebuild that was interrupted leaves a directory on which carillond
// does not start.
#pragma once

#include <string>

#include "tools/replay/inspection.h"

namespace carillon::replay {

/// Makes `new_dir`, which must not exist. Returns kDone, kLost or kFailed.
[[nodiscard]] int rebuild(Inspection& inspection, const std::string& new_dir,
                          ProgressLine& progress);

}  // namespace carillon::replay
