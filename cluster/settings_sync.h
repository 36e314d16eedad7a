// Brings a shard's targets and lanes in line with the cluster's.
//
// Operation: the control stream says what is to be (cluster/control.h); a shard has targets and
// lanes in its own log, so that it fires without asking anybody. What differs is put, what is not
// wanted is deleted. What is to be let go is deleted if no task of the shard names it; if one does,
// the caller hears of it, who takes it back for the whole cluster.
//
// Limits of a target are divided among the shards (cluster/shares.h).
//
// Concurrency: coroutines on the loop of the shard.
#pragma once

#include <cstdint>
#include <vector>

#include "cluster/control.h"
#include "cluster/shard_of.h"
#include "engine/task_service.h"

namespace carillon {

struct InLine {
  bool whole = true;                  // false: something was refused; it is to be tried again
  std::vector<control::Change> kept;  // by which what is let go is kept
};
/// `tasks` must outlive it.
[[nodiscard]] Async<InLine> bring_in_line(TaskService& tasks,
                                          std::shared_ptr<const ControlState> wanted,
                                          ShardNumber shard, ShardNumber shards);

}  // namespace carillon
