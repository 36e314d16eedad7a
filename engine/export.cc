#include "engine/export.h"

#include <utility>

#include "engine/queries.h"

namespace carillon {
namespace {

constexpr std::size_t kExportedAtOnce = 1000;
constexpr std::uint64_t kExportedBytes = std::uint64_t{256} << 10;

}  // namespace

/// The next pending tasks from there on.
Async<void> PendingExport::collect() {
  for (std::uint32_t slice = 0;
       position_ < its_.local.shard().positions() && rest_.size() < kExportedAtOnce; ++position_) {
    if (++slice % (kSlice / 4) == 0) co_await yield(its_.loop);
    std::optional<Statement> task = its_.local.shard().at(position_);
    if (task && !finished(task->state)) rest_.push_back(std::move(*task));
  }
}

Async<Answer<std::vector<TaskView>>> PendingExport::read_on() {
  if (position_ == 0) held = co_await its_.bytes.take(2 * kExportedBytes);
  const Allowance::Share turn = co_await its_.turns.take(1);
  std::vector<TaskView> shown;
  while (shown.empty()) {
    if (rest_.empty()) co_await collect();
    if (rest_.empty()) break;
    Fetch wanted{.numbers = {}, .bytes_max = kExportedBytes, .in_background = true};
    for (const Statement& task : rest_) wanted.numbers.push_back(task.number);
    std::vector<Fetched> fetched = co_await fetch(its_.local.log(), std::move(wanted));
    std::vector<Statement> rest;
    for (std::size_t i = 0; i < fetched.size(); ++i) {
      const Statement& task = rest_[i];
      TaskView view;
      if (fetched[i].left_out) {
        rest.push_back(task);
      } else if (fill_view(its_.local.shard().lanes(), task, fetched[i], view)) {
        shown.push_back(std::move(view));
      } else if (const auto now = its_.local.shard().find(task.task);
                 now && !finished(now->state) && now->number != task.number) {
        rest.push_back(*now);  // replaced between look-up and read
      }
    }
    rest_ = std::move(rest);
  }
  co_return shown;
}

}  // namespace carillon
