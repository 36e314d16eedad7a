// Calls on whole groups.

#include <functional>

#include <gtest/gtest.h>

#include "tests/end_to_end/json_find.h"
#include "tests/faults/writer.h"

namespace carillon::test {
namespace {

constexpr std::size_t kSampled = 4;

}  // namespace

/// A group is cancelled once and not used again.
void Writer::cancel_group() {
  if (groups_.empty()) return;
  std::swap(groups_[up_to(groups_.size()) - 1], groups_.back());
  const Group group = std::move(groups_.back());
  groups_.pop_back();
  const std::string name = new_operation();
  const std::string body = name.empty() ? name : R"({"operation":")" + name + "\"}";
  Ledger::Operation operation = 0;
  Answer answer;
  while (!answer && !caller_.given_up()) {
    operation = ledger_([&](Ledger& ledger) { return ledger.group_cancel_asked(group.number); });
    answer = caller_.call("POST", "/v1/groups/" + group.name + ":cancel", body);
  }
  const Ledger::Moment at = moment_now();

  std::size_t sampled = 0;
  for (Index i = live_.size(); i-- > 0;) {
    if (live_[i].group_number != group.number) continue;
    if (answer && sampled++ < kSampled) {
      const auto waits = [](const client::ApiAnswer& seen) {
        return text_at(seen.body, "/state") == "scheduled";
      };
      const Answer seen = caller_.look("/v1/tasks/" + live_[i].id, std::not_fn(waits));
      EXPECT_FALSE(seen && waits(*seen)) << seen->body;
    }
    drop(i);
  }
  if (!answer || answer->status == 404) return;
  EXPECT_EQ(answer->status, 200U) << answer->body;
  const auto cancelled = static_cast<std::uint64_t>(number_at(answer->body, "/cancelled"));
  const auto firing = static_cast<std::uint64_t>(number_at(answer->body, "/firing"));
  ledger_([&](Ledger& ledger) { ledger.group_cancel_answered(operation, cancelled, firing, at); });
}

/// At a cluster what is done to a group is seen shard by shard, so that looking does not say what a
/// call without an answer has done; but under its name it may be sent again. Empty: it needs none.
std::string Writer::new_operation() {
  if (!options_.served.by_cluster) return {};
  return "w" + std::to_string(options_.number) + "-" + std::to_string(++made_);
}

void Writer::shift_group(const Group& group, Millis by) {
  ledger_([&](Ledger& ledger) { ledger.group_shift_asked(group.number, by); });
  const std::string name = new_operation();
  const std::string body = R"({"by":)" + std::to_string(by.count()) +
                           (name.empty() ? "}" : R"(,"operation":")" + name + "\"}");
  Answer answer;
  do {
    answer = caller_.call("POST", "/v1/groups/" + group.name + ":shift", body);
  } while (!answer && !name.empty() && !caller_.given_up());
  if (!answer) return find_out_shift(group, by);
  const Ledger::Moment at = moment_now();
  const WallTime wall = wall_now_up();
  if (answer->status != 200) {
    EXPECT_EQ(answer->status, 404U) << answer->body;
    return;
  }
  ledger_([&](Ledger& ledger) { ledger.group_shift_answered(group.number, by, wall, at); });
  shifted(group, by, wall);
}

/// Follows a shift that was carried out; tasks due by `certain_after` may have been too late for
/// it.
void Writer::shifted(const Group& group, Millis by, WallTime certain_after) {
  for (Task& task : live_) {
    if (task.group_number != group.number) continue;
    task.due_known = task.due_known && task.due > certain_after && task.due + by > certain_after;
    task.due += by;
  }
}

/// To ask again would shift again. But all that wait far ahead were shifted, or none of them.
void Writer::find_out_shift(const Group& group, Millis by) {
  std::size_t moved = 0, unmoved = 0;
  for (Index i = 0; i < live_.size() && moved + unmoved < kSampled; ++i) {
    const Task& task = live_[i];
    const WallTime sooner = std::min(task.due, task.due + by);
    if (task.group_number != group.number || !task.due_known) continue;
    if (sooner < wall_now_up() + std::chrono::seconds(20)) continue;
    const Answer seen = caller_.call("GET", "/v1/tasks/" + task.id);
    if (!seen) continue;
    const std::string due = text_at(seen->body, "/due_at");
    const bool here = due == format_moment(task.due);
    const bool there = due == format_moment(task.due + by);
    EXPECT_TRUE(here || there) << seen->body;
    (here ? unmoved : moved) += 1;
  }
  EXPECT_TRUE(moved == 0 || unmoved == 0)
      << "half a group was shifted: " << moved << " of " << moved + unmoved;
  // Which of the two, and when, is left open for each member.
  for (Task& task : live_) {
    if (task.group_number != group.number) continue;
    task.due_known = false;
    if (moved > 0) task.due += by;
  }
}

void Writer::bring_near() {
  for (const Group& group : groups_) shift_group(group, -std::chrono::hours(2));
}

}  // namespace carillon::test
