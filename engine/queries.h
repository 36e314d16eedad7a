// Questions about single tasks and groups.
//
// Operation: where a task stands, memory says; what it is, its row in the log. A task may be
// replaced between the two looks; then it is looked up again.
//
// Concurrency: the loop's thread only.
#pragma once

#include <string_view>

#include <boost/asio/io_context.hpp>

#include "engine/async.h"
#include "engine/local_shard.h"
#include "engine/requests.h"

namespace carillon {

/// Entries looked at before a long look lets other work run: some 100 us.
inline constexpr std::uint32_t kSlice = 8192;

/// Makes `view` what is known of the task. False: its content is gone.
[[nodiscard]] bool fill_view(const Lanes& lanes, const Statement& task, Fetched& fetched,
                             TaskView& view);

class Queries {
 public:
  /// All must outlive it. `turns`: of long looks.
  Queries(boost::asio::io_context& loop, LocalShard& local, Allowance& turns)
      : loop_(loop), local_(local), turns_(turns) {}

  [[nodiscard]] Async<Answer<TaskView>> get(std::string_view id);
  /// The task as the statement has it.
  [[nodiscard]] Async<Answer<TaskView>> view(Statement task);
  [[nodiscard]] Answer<Explanation> explain(std::string_view id);
  [[nodiscard]] Async<Answer<GroupView>> group(std::string_view name);

 private:
  boost::asio::io_context& loop_;
  LocalShard& local_;
  Allowance& turns_;
};

}  // namespace carillon
