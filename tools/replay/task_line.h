// A task as the line that a server's export would have of it.
#pragma once

#include <string>

#include "shard/record.h"

namespace carillon::replay {

/// One JSON object, without a line break: what tasks:batchCreate takes.
[[nodiscard]] std::string task_line(const Statement& task, const TaskContent& content);

}  // namespace carillon::replay
