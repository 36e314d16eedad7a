// A consistent copy of a running store, which is itself a data directory.
//
// Operation: everything is made in a directory beside the goal, `DIR.incomplete-` and a random
// number, synced, and renamed at the end. So what bears the goal's name is whole, whenever the
// process was killed, and nothing is ever deleted but what this checkpoint made. Files that no
// longer change are hard links where the file system allows it.
//
// Limitations: a process that is killed meanwhile leaves the draft behind; the operator removes it.
#pragma once

#include "base/result.h"
#include "storage/store.h"

namespace carillon {

/// Copies `store`, whose data directory is `own`, to `to`, which must not exist (its parent must).
/// `synced` is durable in the store at the time of the call, and becomes the copy's mark. Blocks;
/// any thread. Error slug `bad_value`: `to` lies in, above or at `own`, wherever links lead; it
/// does not go well with a later copy, and would be lost with the original.
[[nodiscard]] Result<> write_checkpoint(Store& store, const DataDir& own, DataDir to,
                                        Sequence synced);

}  // namespace carillon
