#include "tests/support/ledger.h"

#include <algorithm>
#include <ostream>

#include "base/check.h"

namespace carillon::test {

constexpr std::size_t kDescribedMax = 20;
constexpr std::size_t kDuesMax = 8;

/// Gathers the verdict, one entry after the other.
class Ledger::Judge {
 public:
  Judge(const Rules& rules, const std::vector<GroupCancel>& group_cancels)
      : rules_(rules), group_cancels_(group_cancels), touched_(group_cancels.size()) {}

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
    for (std::size_t i = 0; i < group_cancels_.size(); ++i) {
      const GroupCancel& cancel = group_cancels_[i];
      if (!cancel.answered) continue;
      const std::string group = "group " + std::to_string(cancel.group);
      if (touched_[i].pushed_later > cancel.firing) {
        fault(group, "cancelled with " + std::to_string(cancel.firing) + " firing, yet " +
                         std::to_string(touched_[i].pushed_later) + " tasks were pushed later");
      }
      if (touched_[i].gone > cancel.cancelled) {
        fault(group, std::to_string(cancel.cancelled) + " cancelled, yet " +
                         std::to_string(touched_[i].gone) + " tasks are lost");
      }
    }
  }

  void fault(std::string_view id, std::string_view what) {
    ++verdict.faults;
    if (verdict.described.size() >= kDescribedMax) return;
    verdict.described.push_back(std::string(id) + ": " + std::string(what));
  }

  Verdict verdict;

 private:
  struct Touched {
    std::uint64_t pushed_later = 0, gone = 0;
  };

  void judge_pushes(const Entry& entry) {
    if (entry.early) fault(entry.id, "pushed before it was due");
    if (entry.wrong_due) fault(entry.id, "pushed with another due than was asked for");
    if (entry.other_webhook) fault(entry.id, "two pushes of it had different webhook-ids");
    if (entry.accepted > 1 && !rules_.may_repeat) fault(entry.id, "delivered more than once");
    if (entry.pushes > 0 && entry.add == Outcome::no) fault(entry.id, "refused, yet pushed");
    if (entry.two_answers) fault(entry.id, "accepted, and later refused");
  }

  void judge_cancel(const Entry& entry) {
    if (entry.group_cancel != kNone && entry.last_push > group_cancels_[entry.group_cancel].at) {
      ++touched_[entry.group_cancel].pushed_later;
    }
    if (entry.cancel != Outcome::yes) return;
    // Of two tasks that one request made, it is not known which was cancelled after how many.
    if (entry.asks == 1 && entry.attempt_max > entry.cancel_attempts) {
      fault(entry.id, "cancelled after " + std::to_string(entry.cancel_attempts) +
                          " attempts, yet attempt " + std::to_string(entry.attempt_max) + " came");
    }
    if (entry.last_push > entry.cancelled_at) fault(entry.id, "cancelled, yet pushed later");
  }

  void judge_sayings(const Entry& entry) {
    const bool cancelled = entry.cancel == Outcome::yes;
    if (entry.said_pending && (cancelled || entry.add == Outcome::no)) {
      fault(entry.id, cancelled ? "cancelled, yet pending" : "refused, yet pending");
    }
    if (entry.said_pending && entry.accepted > 0 && !rules_.may_repeat) {
      fault(entry.id, "delivered, yet pending");
    }
    if (entry.said_dead && cancelled) fault(entry.id, "cancelled, yet dead");
    if (entry.said_delivered && entry.accepted == 0) {
      fault(entry.id, "said to be delivered, and no receiver accepted it");
    }
    if (entry.said_cancelled && entry.cancel != Outcome::yes && entry.cancel != Outcome::unknown &&
        entry.group_cancel == kNone) {
      fault(entry.id, "said to be cancelled, which nobody asked for");
    }
    if (entry.said_expired && !entry.may_expire) fault(entry.id, "expired, which it must not");
  }

  void judge_presence(const Entry& entry) {
    const bool cancelled = entry.cancel == Outcome::yes || entry.cancel == Outcome::unknown;
    const bool somewhere = entry.accepted > 0 || entry.said_pending || entry.said_dead ||
                           (entry.said_expired && entry.may_expire);
    if (entry.add != Outcome::yes || cancelled || somewhere) return;
    if (entry.maybe_group_cancelled) return;
    if (entry.group_cancel == kNone) {
      fault(entry.id, "lost: acknowledged, not cancelled, not delivered, not pending");
    } else {
      ++touched_[entry.group_cancel].gone;
    }
  }

  Rules rules_;
  const std::vector<GroupCancel>& group_cancels_;
  std::vector<Touched> touched_;  // for each group cancel
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
  entry.dues.push_back({asked.due, asked.due});
  if (asked.due_of) {
    entry.dues = entries_[*asked.due_of].dues;
    std::erase_if(entry.dues, [](const Due& due) { return due.until != kNever; });
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

void Ledger::cancel_asked(Task task) {
  record("cancel_asked", task);
  if (entries_[task].cancel != Outcome::yes) entries_[task].cancel = Outcome::unknown;
}

void Ledger::cancel_answered(Task task, bool cancelled, std::uint32_t attempts, Moment at) {
  record("cancel_answered", task, cancelled, attempts, at);
  Entry& entry = entries_[task];
  entry.cancel = cancelled ? Outcome::yes : Outcome::no;
  entry.cancel_attempts = attempts;
  if (cancelled && at != 0) entry.cancelled_at = at;
}

void Ledger::move_asked(Task task, WallTime due, WallTime latest) {
  record("move_asked", task, count(due), count(latest));
  entries_[task].dues.push_back({due, latest});
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

Ledger::Operation Ledger::group_cancel_asked(std::uint64_t group) {
  record("group_cancel_asked", group);
  for (const Task task : members_[group]) {
    Entry& entry = entries_[task];
    if (entry.group_cancel != kNone && !group_cancels_[entry.group_cancel].answered) {
      entry.maybe_group_cancelled = true;
    }
    entry.group_cancel = group_cancels_.size();
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
    std::vector<Due>& dues = entries_[task].dues;
    if (dues.size() > kDuesMax) {
      Due hull = dues.front();
      for (const Due& due : dues) {
        hull = {std::min(hull.low, due.low), std::max(hull.high, due.high), kNever};
      }
      dues.assign(1, hull);
    }
    for (std::size_t i = 0, before = dues.size(); i < before; ++i) {
      if (dues[i].until != kNever) continue;
      const Due old = dues[i];
      dues.push_back({old.low + by, std::max(old.high, old.high + by)});
    }
  }
}

void Ledger::group_shift_answered(std::uint64_t group, Millis by, WallTime wall, Moment at) {
  record("group_shift_answered", group, by.count(), count(wall), at);
  for (const Task task : members_[group]) {
    Entry& entry = entries_[task];
    if (entry.add != Outcome::yes) continue;
    // The dues that stood when it was asked for come first, then the shifted twin of each.
    std::vector<Due*> standing;
    for (Due& due : entry.dues) {
      if (due.until == kNever) standing.push_back(&due);
    }
    for (std::size_t i = 0; i < standing.size() / 2; ++i) {
      Due& old = *standing[i];
      if (old.low <= wall) continue;
      Due& shifted = *standing[standing.size() / 2 + i];
      shifted.high = old.low + by > wall ? old.high + by : std::max(old.high + by, wall);
      old.until = at;
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
  if (push.accepted) ++entry->accepted;
  entry->attempt_max = std::max(entry->attempt_max, push.attempt);
  entry->last_push = std::max(entry->last_push, push.seen);
  if (push.at < push.due) entry->early = true;
  const bool asked_for = std::ranges::any_of(entry->dues, [&](const Due& due) {
    return due.low <= push.due && push.due <= due.high && push.seen <= due.until;
  });
  if (!asked_for) entry->wrong_due = true;
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
