// carillon-replay export and post: the pending tasks as NDJSON, into a file or another server.
#pragma once

#include <string>

#include "tools/replay/inspection.h"

namespace carillon::replay {

/// Writes every pending task as a line that tasks:batchCreate takes, to `output` (empty: stdout),
/// which has its name only once it is whole. Returns kDone, kLost or kFailed.
[[nodiscard]] int export_tasks(Inspection& inspection, const std::string& output,
                               ProgressLine& progress);

struct PostOptions {
  std::string url;
  std::string token_file;
  std::string ca_file;
};

/// Sends every pending task to the server at `url`, a thousand a call, with `if_exists: keep`, so
/// that it may be done again after an interruption. Returns kDone, kLost or kFailed (also where the
/// server refused a task).
[[nodiscard]] int post_tasks(Inspection& inspection, const PostOptions& options,
                             ProgressLine& progress);

}  // namespace carillon::replay
