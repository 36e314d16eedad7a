#include "tests/support/ledger.h"

#include <algorithm>
#include <map>
#include <ostream>

#include "base/check.h"

namespace carillon::test {

constexpr std::size_t kDescribedMax = 20;
constexpr std::size_t kDuesMax = 8;

/// Gathers the verdict, one entry after the other.
class Ledger::Judge {
 public:
  Judge(const Rules& rules, const std::vector<GroupCancel>& group_cancels)
      : rules_(rules), group_cancels_(group_cancels), pushed_later_(group_cancels.size()) {}

  void take(const Entry& entry) {
    ++verdict.tasks;
    if (entry.add == Outcome::yes) ++verdict.added;
    if (entry.cancel == Outcome::yes) ++verdict.cancelled;
    if (entry.add == Outcome::unknown || entry.cancel == Outcome::unknown) ++verdict.unknown;
    if (entry.accepted > 0) ++verdict.delivered;
    if (entry.accepted > 1) verdict.repeats += entry.accepted - 1;
    if (entry.said_pending) ++verdict.pending;
    if (entry.said_dead) ++verdict.dead;
    judge_pushes(entry);
    judge_cancel(entry);
    judge_sayings(entry);
    judge_presence(entry);
  }

  void judge_group_cancels() {
    std::unordered_map<std::uint64_t, std::uint64_t> cancelled;  // by group
    for (std::size_t i = 0; i < group_cancels_.size(); ++i) {
      const GroupCancel& cancel = group_cancels_[i];
      if (!cancel.answered) continue;
      cancelled[cancel.group] += cancel.cancelled + cancel.firing;
      if (pushed_later_[i] > cancel.firing) {
        fault("group " + std::to_string(cancel.group),
              "cancelled with " + std::to_string(cancel.firing) + " firing, yet " +
                  std::to_string(pushed_later_[i]) + " tasks were pushed later");
      }
    }
    for (const auto& [group, gone] : gone_) {
      if (gone <= cancelled[group]) continue;
      fault("group " + std::to_string(group), std::to_string(cancelled[group]) +
                                                  " cancelled, yet " + std::to_string(gone) +
                                                  " tasks are lost");
    }
  }

  void fault(const Entry& entry, const std::string& what) {
    fault(entry.id, "(body " + std::to_string(entry.body) + ") " + what);
  }

  void fault(std::string_view id, std::string_view what) {
    ++verdict.faults;
    if (verdict.described.size() >= kDescribedMax) return;
    verdict.described.push_back(std::string(id) + ": " + std::string(what));
  }

  Verdict verdict;

 private:
  void judge_pushes(const Entry& entry) {
    if (entry.early) fault(entry, "pushed before it was due");
    if (entry.wrong_due) {
      fault(entry, "pushed with another due than was asked for: " +
                       std::to_string(entry.wrong_due->time_since_epoch().count()));
    }
    if (entry.other_webhook) fault(entry, "two pushes of it had different webhook-ids");
    if (entry.accepted > 1 && !rules_.may_repeat) fault(entry, "delivered more than once");
    if (entry.pushes > 0 && entry.add == Outcome::no) fault(entry, "refused, yet pushed");
    if (entry.two_answers) fault(entry, "accepted, and later refused");
  }

  void judge_cancel(const Entry& entry) {
    if (entry.group_cancel != kNone && !entry.maybe_redriven &&
        entry.last_push > group_cancels_[entry.group_cancel].at) {
      ++pushed_later_[entry.group_cancel];
    }
    if (entry.group_cancel != kNone && !entry.maybe_redriven && entry.asks == 1 &&
        entry.pushes_after_group_cancel > 1) {
      fault(entry, "pushed again after its group was cancelled");
    }
    if (entry.asks == 1 && !entry.maybe_redriven && entry.attempt_max > entry.last_attempt) {
      fault(entry, "its retries were cancelled at attempt " + std::to_string(entry.last_attempt) +
                       ", yet attempt " + std::to_string(entry.attempt_max) + " came");
    }
    if (entry.cancel != Outcome::yes) return;
    // Of two tasks that one request made, it is not known which was cancelled after how many.
    if (entry.asks == 1 && entry.attempt_max > entry.cancel_attempts) {
      fault(entry, "cancelled after " + std::to_string(entry.cancel_attempts) +
                       " attempts, yet attempt " + std::to_string(entry.attempt_max) + " came");
    }
    if (!may_be_two(entry) && entry.last_push > entry.cancelled_at)
      fault(entry, "cancelled, yet pushed later");
  }

  /// Sent twice, a request may have made two tasks; of these a dead one may have been removed, or
  /// another redriven, while the other lives.
  static bool may_be_two(const Entry& entry) {
    return entry.asks > 1 && (entry.maybe_redriven || entry.cancel_attempts == kAttemptsUntold);
  }

  void judge_sayings(const Entry& entry) {
    const bool cancelled = entry.cancel == Outcome::yes;
    if (entry.said_pending && !may_be_two(entry) && (cancelled || entry.add == Outcome::no)) {
      fault(entry, cancelled ? "cancelled, yet pending" : "refused, yet pending");
    }
    if (entry.said_pending && entry.accepted > 0 && !rules_.may_repeat) {
      fault(entry, "delivered, yet pending");
    }
    if (entry.said_dead && cancelled && entry.asks == 1) fault(entry, "cancelled, yet dead");
    if (entry.said_delivered && entry.accepted == 0) {
      fault(entry, "said to be delivered, and no receiver accepted it");
    }
    if (entry.said_cancelled && entry.cancel != Outcome::yes && entry.cancel != Outcome::unknown &&
        entry.group_cancel == kNone) {
      fault(entry, "said to be cancelled, which nobody asked for");
    }
    if (entry.said_expired && !entry.may_expire) fault(entry, "expired, which it must not");
  }

  void judge_presence(const Entry& entry) {
    const bool cancelled = entry.cancel == Outcome::yes || entry.cancel == Outcome::unknown;
    const bool somewhere = entry.accepted > 0 || entry.said_pending || entry.said_dead ||
                           entry.may_expire;  // expired tasks are forgotten after a while
    if (entry.add != Outcome::yes || cancelled || somewhere) return;
    if (entry.group_cancel == kNone) {
      fault(entry, "lost: acknowledged, not cancelled, not delivered, not pending");
    } else if (!entry.maybe_group_cancelled && group_cancels_[entry.group_cancel].answered) {
      ++gone_[group_cancels_[entry.group_cancel].group];
    }
  }

  Rules rules_;
  const std::vector<GroupCancel>& group_cancels_;
  std::vector<std::uint64_t> pushed_later_;      // members of each group cancel
  std::map<std::uint64_t, std::uint64_t> gone_;  // members of each group, without a trace
};

template <typename... Fields>
void Ledger::record(std::string_view call, const Fields&... fields) {
  if (record_ == nullptr) return;
  *record_ << call;
  ((*record_ << ' ' << fields), ...);
  *record_ << '\n';
}

namespace {

std::int64_t count(WallTime time) {
  return time.time_since_epoch().count();
}

}  // namespace

Ledger::Task Ledger::add_asked(const Asked& asked) {
  record("add_asked", asked.id, asked.body, count(asked.due), asked.group, asked.may_expire,
         asked.due_of ? *asked.due_of + 1 : 0);
  const Task task = entries_.size();
  const bool fresh = by_key_.emplace(Key{std::string(asked.id), asked.body}, task).second;
  CARILLON_CHECK(fresh);
  Entry& entry = entries_.emplace_back();
  entry.id = asked.id;
  entry.body = asked.body;
  entry.dues.push_back({asked.due, asked.due});
  if (asked.due_of) {
    const Entry& base = entries_[*asked.due_of];
    entry.dues = base.dues;
    std::erase_if(entry.dues,
                  [&](const Due& due) { return due.until != kNever && !is_of_two(base); });
    for (Due& due : entry.dues) due = {due.low, due.high};
  }
  entry.may_expire = asked.may_expire;
  if (asked.group != 0) members_[asked.group].push_back(task);
  return task;
}

void Ledger::add_asked_again(Task task) {
  record("add_asked_again", task);
  ++entries_[task].asks;
}

void Ledger::add_answered(Task task, bool accepted) {
  record("add_answered", task, accepted);
  Entry& entry = entries_[task];
  if (entry.add == Outcome::yes && !accepted) entry.two_answers = true;
  entry.add = accepted ? Outcome::yes : Outcome::no;
}

void Ledger::may_be_early(Task task, Millis by) {
  record("may_be_early", task, by.count());
  entries_[task].early_by = by;
}

void Ledger::cancel_asked(Task task) {
  record("cancel_asked", task);
  if (entries_[task].cancel != Outcome::yes) entries_[task].cancel = Outcome::unknown;
}

void Ledger::cancel_answered(Task task, bool cancelled, std::uint32_t attempts, Moment at) {
  record("cancel_answered", task, cancelled, attempts, at);
  Entry& entry = entries_[task];
  // To cancel what is cancelled is refused, and changes nothing.
  if (!cancelled && entry.cancel == Outcome::yes) return;
  entry.cancel = cancelled ? Outcome::yes : Outcome::no;
  entry.cancel_attempts = attempts;
  if (cancelled && at != 0) entry.cancelled_at = at;
}

void Ledger::retries_cancelled(Task task, std::uint32_t attempts) {
  record("retries_cancelled", task, attempts);
  entries_[task].last_attempt = std::min(entries_[task].last_attempt, attempts);
}

void Ledger::move_asked(Task task, WallTime due) {
  record("move_asked", task, count(due));
  entries_[task].dues.push_back({due, due});
}

void Ledger::move_answered(Task task, bool moved, Moment at) {
  record("move_answered", task, moved, at);
  std::vector<Due>& dues = entries_[task].dues;
  if (!moved) {
    dues.pop_back();
    return;
  }
  for (std::size_t i = 0; i + 1 < dues.size(); ++i) dues[i].until = std::min(dues[i].until, at);
}

void Ledger::redrive_asked(Task task) {
  record("redrive_asked", task);
  entries_[task].maybe_redriven = true;
}

void Ledger::redrive_answered(Task task, bool redriven) {
  record("redrive_answered", task, redriven);
  // A dead letter has no part in what was done to its group.
  if (redriven) entries_[task].group_cancel = kNone;
  // Nor in what its retries were.
  if (redriven) entries_[task].last_attempt = kAttemptsUntold;
}

Ledger::Operation Ledger::group_cancel_asked(std::uint64_t group) {
  record("group_cancel_asked", group);
  for (const Task task : members_[group]) {
    Entry& entry = entries_[task];
    if (entry.group_cancel != kNone && !group_cancels_[entry.group_cancel].answered) {
      entry.maybe_group_cancelled = true;
    }
    entry.group_cancel = group_cancels_.size();
    entry.pushes_after_group_cancel = 0;
  }
  group_cancels_.push_back({.group = group});
  return group_cancels_.size() - 1;
}

void Ledger::group_cancel_answered(Operation operation, std::uint64_t cancelled,
                                   std::uint64_t firing, Moment at) {
  record("group_cancel_answered", operation, cancelled, firing, at);
  GroupCancel& cancel = group_cancels_[operation];
  cancel.answered = true;
  cancel.cancelled = cancelled;
  cancel.firing = firing;
  cancel.at = at;
}

// A task that was due already may have been scheduled still, and moved, or not: it keeps both dues,
// and when they become many, the range that spans them.
void Ledger::group_shift_asked(std::uint64_t group, Millis by) {
  record("group_shift_asked", group, by.count());
  for (const Task task : members_[group]) {
    const bool of_two = is_of_two(entries_[task]);
    std::vector<Due>& dues = entries_[task].dues;
    if (dues.size() > kDuesMax) {
      Due hull = dues.front();
      for (const Due& due : dues) {
        hull = {std::min(hull.low, due.low), std::max(hull.high, due.high), kNever};
      }
      dues.assign(1, hull);
    }
    for (std::size_t i = 0, before = dues.size(); i < before; ++i) {
      dues[i].shifted = 0;
      if (dues[i].until != kNever && !of_two) continue;
      const Due old = dues[i];
      if (old.high == WallTime::max()) continue;  // any due, shifted or not
      dues[i].shifted = dues.size();
      dues.push_back({old.low + by, std::max(old.high, old.high + by)});
    }
  }
}

void Ledger::group_shift_answered(std::uint64_t group, Millis by, WallTime wall, Moment at) {
  record("group_shift_answered", group, by.count(), count(wall), at);
  for (const Task task : members_[group]) {
    Entry& entry = entries_[task];
    if (entry.add != Outcome::yes) continue;
    for (Due& old : entry.dues) {
      if (old.shifted == 0 || old.low <= wall) continue;
      Due& shifted = entry.dues[old.shifted];
      shifted.high = old.low + by > wall ? old.high + by : std::max(old.high + by, wall);
      old.until = std::min(old.until, at);
    }
  }
}

void Ledger::pushed(const Push& push) {
  record("pushed", push.id, push.body, push.webhook, count(push.due),
         push.at.time_since_epoch().count(), push.attempt, push.accepted, push.seen);
  Entry* const entry = find(push.id, push.body);
  if (entry == nullptr) return;
  if (std::ranges::find(entry->webhooks, push.webhook) == entry->webhooks.end()) {
    entry->webhooks.push_back(push.webhook);
    if (entry->webhooks.size() > entry->asks) entry->other_webhook = true;
  }
  if (entry->pushes == 0) {
    if (push.due < latest_due_) ++out_of_order_;
    latest_due_ = std::max(latest_due_, push.due);
  }
  ++entry->pushes;
  if (entry->group_cancel != kNone && group_cancels_[entry->group_cancel].answered &&
      push.seen > group_cancels_[entry->group_cancel].at) {
    ++entry->pushes_after_group_cancel;
  }
  if (push.accepted) ++entry->accepted;
  entry->attempt_max = std::max(entry->attempt_max, push.attempt);
  entry->last_push = std::max(entry->last_push, push.seen);
  if (push.at < push.due - entry->early_by) entry->early = true;
  const bool of_two = is_of_two(*entry);
  const bool asked_for = std::ranges::any_of(entry->dues, [&](const Due& due) {
    return due.low <= push.due && push.due <= due.high && (push.seen <= due.until || of_two);
  });
  if (!asked_for && !entry->wrong_due) entry->wrong_due = push.due;
}

void Ledger::found(std::string_view id, std::uint64_t body, State state) {
  record("found", id, body, name_of(state));
  Entry* const entry = find(id, body);
  if (entry == nullptr) return;
  if (!finished(state)) entry->said_pending = true;
  if (state == State::delivered) entry->said_delivered = true;
  if (state == State::dead) entry->said_dead = true;
  if (state == State::cancelled) entry->said_cancelled = true;
  if (state == State::expired) entry->said_expired = true;
}

Ledger::Entry* Ledger::find(std::string_view id, std::uint64_t body) {
  const auto found = by_key_.find({std::string(id), body});
  if (found != by_key_.end()) return &entries_[found->second];
  strangers_.emplace_back(id);
  return nullptr;
}

Ledger::Verdict Ledger::judge(const Rules& rules) const {
  Judge judge(rules, group_cancels_);
  for (const Entry& entry : entries_) judge.take(entry);
  judge.judge_group_cancels();
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
                    " pending, " + std::to_string(dead) + " dead, " + std::to_string(faults) +
                    " faults";
  for (const std::string& fault : described) out += "\n  " + fault;
  return out;
}

}  // namespace carillon::test
