#include "tests/support/ledger.h"

#include <algorithm>

#include "base/check.h"

namespace carillon::test {

constexpr std::size_t kDescribedMax = 20;

/// Gathers the verdict, one entry after the other.
class Ledger::Judge {
 public:
  explicit Judge(const Rules& rules) : rules_(rules) {}

  void take(const Entry& entry) {
    ++verdict.tasks;
    if (entry.add == Outcome::yes) ++verdict.added;
    if (entry.cancel == Outcome::yes) ++verdict.cancelled;
    if (entry.add == Outcome::unknown || entry.cancel == Outcome::unknown) ++verdict.unknown;
    if (entry.accepted > 0) ++verdict.delivered;
    if (entry.accepted > 1) verdict.repeats += entry.accepted - 1;
    if (entry.pending) ++verdict.pending;
    judge_pushes(entry);
    judge_promises(entry);
  }

  void fault(std::string_view id, std::string_view what) {
    ++verdict.faults;
    if (verdict.described.size() >= kDescribedMax) return;
    verdict.described.push_back(std::string(id) + ": " + std::string(what));
  }

  Verdict verdict;

 private:
  void judge_pushes(const Entry& entry) {
    if (entry.early) fault(entry.id, "pushed before it was due");
    if (entry.wrong_due) fault(entry.id, "pushed with another due than was asked for");
    if (entry.other_webhook) fault(entry.id, "two pushes of it had different webhook-ids");
    if (entry.accepted > 1 && !rules_.may_repeat) fault(entry.id, "delivered more than once");
    if (entry.pushes > 0 && entry.add == Outcome::no) fault(entry.id, "refused, yet pushed");
  }

  void judge_promises(const Entry& entry) {
    const bool cancelled = entry.cancel == Outcome::yes;
    if (cancelled && entry.attempt_max > entry.cancel_attempts) {
      fault(entry.id, "cancelled after " + std::to_string(entry.cancel_attempts) +
                          " attempts, yet attempt " + std::to_string(entry.attempt_max) + " came");
    }
    if (entry.pending && (cancelled || entry.add == Outcome::no)) {
      fault(entry.id, cancelled ? "cancelled, yet pending" : "refused, yet pending");
    }
    if (entry.pending && entry.accepted > 0 && !rules_.may_repeat) {
      fault(entry.id, "delivered, yet pending");
    }
    const bool may_be_gone = cancelled || entry.cancel == Outcome::unknown;
    if (entry.add == Outcome::yes && !may_be_gone && entry.accepted == 0 && !entry.pending) {
      fault(entry.id, "lost: acknowledged, not cancelled, not delivered, not pending");
    }
  }

  Rules rules_;
};

Ledger::Task Ledger::add_asked(std::string_view id, std::uint64_t body, WallTime due) {
  const Task task = entries_.size();
  const bool fresh = by_key_.emplace(Key{std::string(id), body}, task).second;
  CARILLON_CHECK(fresh);
  entries_.push_back({.id = std::string(id), .due = due});
  return task;
}

void Ledger::add_answered(Task task, bool accepted) {
  entries_[task].add = accepted ? Outcome::yes : Outcome::no;
}

void Ledger::cancel_asked(Task task) {
  entries_[task].cancel = Outcome::unknown;
}

void Ledger::cancel_answered(Task task, bool cancelled, std::uint32_t attempts) {
  entries_[task].cancel = cancelled ? Outcome::yes : Outcome::no;
  entries_[task].cancel_attempts = attempts;
}

void Ledger::moved(Task task, WallTime due) {
  entries_[task].due = due;
}

void Ledger::pushed(const Push& push) {
  const auto found = by_key_.find({std::string(push.id), push.body});
  if (found == by_key_.end()) {
    strangers_.push_back(std::string(push.id));
    return;
  }
  Entry& entry = entries_[found->second];
  if (entry.pushes > 0 && entry.webhook != push.webhook) entry.other_webhook = true;
  if (entry.pushes == 0) {
    if (push.due < latest_due_) ++out_of_order_;
    latest_due_ = std::max(latest_due_, push.due);
  }
  ++entry.pushes;
  if (push.accepted) ++entry.accepted;
  entry.webhook = push.webhook;
  entry.attempt_max = std::max(entry.attempt_max, push.attempt);
  if (push.at < entry.due) entry.early = true;
  if (push.due != entry.due) entry.wrong_due = true;
}

void Ledger::found_pending(std::string_view id, std::uint64_t body) {
  const auto found = by_key_.find({std::string(id), body});
  if (found == by_key_.end()) {
    strangers_.push_back(std::string(id));
    return;
  }
  entries_[found->second].pending = true;
}

Ledger::Verdict Ledger::judge(const Rules& rules) const {
  Judge judge(rules);
  for (const Entry& entry : entries_) judge.take(entry);
  for (const std::string& id : strangers_) {
    judge.fault(id, "never asked for, or its body was altered");
  }
  if (rules.in_due_order && out_of_order_ > 0) {
    judge.fault("order", std::to_string(out_of_order_) + " pushes came after a later due");
  }
  return judge.verdict;
}

std::string Ledger::Verdict::text() const {
  std::string out = std::to_string(tasks) + " tasks: " + std::to_string(added) + " added, " +
                    std::to_string(cancelled) + " cancelled, " + std::to_string(unknown) +
                    " unknown, " + std::to_string(delivered) + " delivered (" +
                    std::to_string(repeats) + " repeats), " + std::to_string(pending) +
                    " pending, " + std::to_string(faults) + " faults";
  for (const std::string& fault : described) out += "\n  " + fault;
  return out;
}

}  // namespace carillon::test
