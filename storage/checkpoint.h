// A consistent copy of a running store, which is itself a data directory.
//
// Operation: everything is made in `DIR.incomplete` beside the goal, synced, and renamed at the
// end, so what bears the goal's name is whole, whenever the process was killed. Files that no
// longer change are hard links where the file system allows it.
#pragma once

#include "base/result.h"
#include "storage/store.h"

namespace carillon {

/// Copies `store` to `to`, which must not exist (its parent must). `synced` is durable in the store
/// at the time of the call, and becomes the copy's mark. Blocks; any thread.
[[nodiscard]] Result<> write_checkpoint(Store& store, DataDir to, Sequence synced);

}  // namespace carillon
