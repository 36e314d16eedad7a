#include "tools/load/burst.h"

#include <utility>

#include "base/text.h"

namespace carillon::load {

Result<BurstResult> run_burst(const client::Endpoint& server, const Wire& wire,
                              const BurstPlan& plan, TaskPlan tasks, Receiver& receiver) {
  BurstResult burst;
  burst.due = std::chrono::ceil<Millis>(wall_now()) + plan.in;
  tasks.due_at = burst.due;
  const auto adds = make_adds(wire, std::move(tasks), plan.batch, plan.form, plan.count);
  auto added = run_load(server, {plan.connections, 0, Millis(0)}, *adds);
  if (!added) return added.error();
  burst.adds = std::move(*added);
  burst.expected = burst.adds.tasks;

  const auto until_due = std::chrono::ceil<Millis>(WallMicros(burst.due) - wall_now());
  const Millis patience = std::max(until_due, Millis(0)) + plan.patience;
  const bool all = receiver.wait_for_accepted(burst.expected, patience);
  burst.receiver = receiver.summary();
  if (!all) {
    return Error{"incomplete",
                 grouped(burst.receiver.accepted) + " of " + grouped(burst.expected) +
                     " tasks had arrived " + format_duration(plan.patience) +
                     " after they were due",
                 ""};
  }
  return burst;
}

}  // namespace carillon::load
