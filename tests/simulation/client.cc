#include "tests/simulation/client.h"

#include <algorithm>
#include <numeric>

#include "base/check.h"
#include "tests/simulation/content.h"

namespace carillon::simulation {
namespace {

constexpr Moment kNetwork = kMillisecond;
constexpr Moment kElsewhere = 50 * kMillisecond;
constexpr std::uint64_t kParts = 3;

bool adds(Deed deed) {
  return deed <= Deed::add_once;
}
bool changes(Deed deed) {
  return deed == Deed::change || deed == Deed::change_due_too;
}
/// Takes the place of a task that waits.
bool replaces(Deed deed) {
  return deed == Deed::add_replacing || deed == Deed::add_earliest || deed == Deed::add_latest;
}

}  // namespace

Client::Client(World& world, const Swarm& swarm, Service& service, test::Ledger& ledger,
               std::vector<std::string>& faults, std::uint64_t index)
    : world_(world),
      swarm_(swarm),
      service_(service),
      ledger_(ledger),
      faults_(faults),
      index_(index),
      group_(index + 1) {
  for (std::uint64_t i = 0; i < swarm.ids_each; ++i) {
    ids_.emplace_back().id = (index + 1) * 100 + i;
  }
  versions_.emplace_back();
}

void Client::think() {
  world_.after(world_.pause(swarm_.think), [this] {
    if (!finishing_) act();
  });
}

Deed Client::choose() {
  const auto& weights = swarm_.deeds;
  std::uint64_t at =
      world_.below(std::accumulate(weights.begin(), weights.end(), std::uint64_t{0}));
  for (std::size_t deed = 0;; ++deed) {
    if (at < weights[deed]) return static_cast<Deed>(deed);
    at -= weights[deed];
  }
}

WallTime Client::any_due() {
  return world_.wall() + Millis(static_cast<std::int64_t>(world_.magnitude(swarm_.due_bits)));
}

void Client::act() {
  Id& id = world_.one_of(ids_);
  if (id.given_up) return think();
  ++deeds_;
  Asking asking;
  asking.id = &id;
  asking.request.deed = choose();
  asking.request.id = id.id;
  prepare(asking);
  asking_ = asking;
  ask();
}

void Client::prepare(Asking& asking) {
  Request& request = asking.request;
  asking.old = asking.id->task;
  request.due = any_due();
  request.group = group_;
  const bool may_be_named = request.deed == Deed::group_cancel ||
                            request.deed == Deed::group_shift || request.deed == Deed::redrive;
  if (may_be_named && world_.chance(swarm_.named)) request.name = (index_ + 1) * 100'000 + ++names_;
  if (adds(request.deed) || changes(request.deed)) {
    prepare_add(asking);
  } else if (request.deed == Deed::redrive || request.deed == Deed::remove_dead) {
    const auto dead = service_.dead_letter(request.id);
    request.number = dead ? dead->first : ~TaskNumber{0};
    asking.old = dead ? std::optional(versions_.at(dead->second).task) : std::nullopt;
    asking.old_group = dead ? versions_.at(dead->second).group : 0;
  } else if (request.deed == Deed::group_shift) {
    request.by = Millis(static_cast<std::int64_t>(world_.below(8000)) - 4000);
  }
}

void Client::prepare_add(Asking& asking) {
  Request& request = asking.request;
  request.version = versions_.size();
  if (changes(request.deed)) {
    request.group = asking.id->group;
  } else {
    if (!world_.chance(swarm_.grouped)) request.group = 0;
    request.by_url = world_.chance(swarm_.by_url);
    if (world_.chance(swarm_.expiring)) {
      request.expire_after = Millis(static_cast<std::int64_t>(world_.magnitude(12)));
    }
    if (!request.by_url && world_.chance(swarm_.merging)) {
      request.merge = {1 + world_.below(kParts),
                       Millis(1 + static_cast<std::int64_t>(world_.magnitude(12)))};
    }
  }
  // A change leaves the group as it is, and whether the task may expire.
  asking.task =
      ledger_.add_asked({.id = name_of_id(request.id),
                         .body = request.version,
                         .due = request.due,
                         .group = request.group,
                         .may_expire = request.expire_after.has_value() || changes(request.deed),
                         .due_of = request.deed == Deed::change ? asking.old : std::nullopt});
  // A change leaves that as it is, too.
  asking.early_by = changes(request.deed) ? asking.id->early_by : request.merge.within;
  if (asking.early_by > Millis(0)) ledger_.may_be_early(*asking.task, asking.early_by);
  versions_.push_back({*asking.task, request.group});
}

/// What is about to be asked, into the ledger.
void Client::write_down(Asking& asking) {
  const Request& request = asking.request;
  const bool again = asking.times > 0;
  if (again && asking.task) ledger_.add_asked_again(*asking.task);
  if (!again && asking.old && asking.id->live &&
      (replaces(request.deed) || changes(request.deed))) {
    ledger_.cancel_asked(*asking.old);
  }
  switch (request.deed) {
    case Deed::cancel:
    case Deed::cancel_retries:
    case Deed::remove_dead:
      if (asking.old) ledger_.cancel_asked(*asking.old);
      break;
    case Deed::move:
      if (asking.old && !again) ledger_.move_asked(*asking.old, request.due);
      break;
    case Deed::redrive:
      if (asking.old) ledger_.redrive_asked(*asking.old);
      break;
    case Deed::group_cancel:
      // Of the same name it is the same again.
      if (!again || request.name == 0) {
        asking.operation = ledger_.group_cancel_asked(request.group);
      }
      break;
    case Deed::group_shift:
      if (!again || request.name == 0) ledger_.group_shift_asked(request.group, request.by);
      break;
    default:
      break;
  }
}

void Client::ask() {
  Asking& asking = *asking_;
  write_down(asking);
  const Request& request = asking.request;
  world_.trace("client ", index_,
               asking.times == 0 ? " asks: " : " asks again: ", deed_name(request.deed), " ",
               name_of_id(request.id), " v", request.version, " due ", request.due);
  ++asking.times;
  send();
}

void Client::send() {
  const Request& request = asking_->request;
  const std::uint64_t asked = ++asked_;
  if (finishing_ || !world_.chance(swarm_.request_lost)) {
    world_.after(world_.pause(kNetwork), [this, asked, request] {
      if (!service_.up()) return;
      service_.handle(request, [this, asked](const Reply& reply) {
        if (!finishing_ && world_.chance(swarm_.answer_lost)) return;
        world_.after(world_.pause(kNetwork), [this, asked, reply] {
          if (asked == asked_ && asking_) answered(reply);
        });
      });
    });
  }
  world_.after(swarm_.patience, [this, asked] { no_answer(asked); });
}

void Client::go_on_elsewhere(Verdict why) {
  world_.trace("client ", index_, " hears: ", verdict_name(why));
  world_.after(world_.pause(kElsewhere), [this, asked = ++asked_, why] {
    if (asked != asked_) return;
    why == Verdict::outcome_unknown ? ask() : send();
  });
}

void Client::no_answer(std::uint64_t asked) {
  if (asked != asked_ || !asking_) return;
  world_.trace("client ", index_, " has no answer");
  if (!finishing_ && world_.chance(swarm_.gives_up)) {
    give_up(*asking_->id);
    // A copy that is still on its way may reach tasks that join the group later.
    if (asking_->request.deed == Deed::group_cancel || asking_->request.deed == Deed::group_shift) {
      group_ += swarm_.clients;
    }
    asking_.reset();
    think();
  } else {
    ask();
  }
}

/// What became of it is not known: nothing is said of this id any more.
void Client::give_up(Id& id) {
  id.given_up = true;
}

void Client::answered(const Reply& reply) {
  if (reply.verdict == Verdict::moved || reply.verdict == Verdict::log_away ||
      reply.verdict == Verdict::outcome_unknown)
    return go_on_elsewhere(reply.verdict);
  const Asking asking = *asking_;
  asking_.reset();
  world_.trace("client ", index_, " hears: ", verdict_name(reply.verdict));
  const Deed deed = asking.request.deed;
  if (adds(deed)) {
    added(asking, reply);
  } else if (changes(deed)) {
    changed(asking, reply);
  } else if (deed == Deed::move) {
    moved(asking, reply);
  } else if (deed == Deed::cancel || deed == Deed::cancel_retries || deed == Deed::remove_dead) {
    cancelled(asking, reply);
  } else if (deed == Deed::redrive) {
    if (!asking.old) {
      // There was none to redrive.
    } else if (reply.verdict == Verdict::replaced || reply.verdict == Verdict::repeated) {
      ledger_.redrive_answered(*asking.old, true);
      asking.id->task = asking.old;
      asking.id->group = asking.old_group;
      asking.id->live = true;
    } else if (asking.times > 1) {
      give_up(*asking.id);
    }
  } else if (deed == Deed::group_cancel) {
    // Without a group there was nothing to cancel; after a lost answer, nothing more.
    ledger_.group_cancel_answered(asking.operation, reply.count, reply.firing, world_.now());
  } else if (deed == Deed::group_shift &&
             (reply.verdict == Verdict::done || reply.verdict == Verdict::repeated)) {
    ledger_.group_shift_answered(asking.request.group, asking.request.by,
                                 world_.latest_wall() + swarm_.clocks_ahead, world_.now());
  }
  if (!finishing_) think();
}

void Client::added(const Asking& asking, const Reply& reply) {
  Id& id = *asking.id;
  const bool again = asking.times > 1;
  const bool takes_over = replaces(asking.request.deed) && asking.old && id.live;
  switch (reply.verdict) {
    case Verdict::replaced:
    case Verdict::done:
      ledger_.add_answered(*asking.task, true);
      // Asked again, it may be the first of the two that took the old one's place, or gave way.
      if (takes_over && !again) {
        ledger_.cancel_answered(*asking.old, reply.verdict == Verdict::replaced,
                                test::Ledger::kAttemptsUntold, world_.now());
      }
      break;
    case Verdict::same:
      if (!again) faults_.push_back("a new task is said to be the same as an old one");
      ledger_.add_answered(*asking.task, true);
      break;
    default:
      if (again) return give_up(id);
      ledger_.add_answered(*asking.task, false);
      if (takes_over) ledger_.cancel_answered(*asking.old, false, 0);
      return;
  }
  id.task = asking.task;
  id.group = asking.request.group;
  id.early_by = asking.early_by;
  id.live = true;
}

void Client::changed(const Asking& asking, const Reply& reply) {
  Id& id = *asking.id;
  // The copy that was not answered may still be looking again, and change whatever it finds.
  if (asking.times > 1) give_up(id);
  if (reply.verdict == Verdict::replaced) {
    ledger_.add_answered(*asking.task, true);
    if (asking.old && id.live) {
      ledger_.cancel_answered(*asking.old, true, test::Ledger::kAttemptsUntold, world_.now());
    }
    id.task = asking.task;
    id.live = true;
  } else if (asking.times == 1) {
    ledger_.add_answered(*asking.task, false);
    if (asking.old && id.live) {
      const bool gone =
          reply.verdict == Verdict::task_finished && reply.task.state == State::cancelled;
      ledger_.cancel_answered(*asking.old, gone, test::Ledger::kAttemptsUntold);
    }
  }
}

void Client::moved(const Asking& asking, const Reply& reply) {
  if (!asking.old) return;
  const bool done = reply.verdict == Verdict::done;
  if (done || asking.times == 1) ledger_.move_answered(*asking.old, done, world_.now());
}

void Client::cancelled(const Asking& asking, const Reply& reply) {
  if (!asking.old) return;
  const bool removal = asking.request.deed == Deed::remove_dead;
  const bool found_cancelled =
      reply.verdict == Verdict::task_finished && reply.task.state == State::cancelled;
  if (reply.verdict == Verdict::done && reply.task.state == State::firing) {
    ledger_.retries_cancelled(*asking.old, reply.task.attempt);
    // How that attempt ends, no later cancel can tell.
    asking.id->task.reset();
    asking.id->live = false;
  } else if (reply.verdict == Verdict::done || found_cancelled) {
    ledger_.cancel_answered(*asking.old, true,
                            removal ? test::Ledger::kAttemptsUntold : reply.task.attempt,
                            world_.now());
    if (!removal) asking.id->live = false;
  } else if (asking.times == 1 || (reply.verdict == Verdict::task_firing && !removal)) {
    ledger_.cancel_answered(*asking.old, false, 0);
  } else if (removal) {
    // The letter is gone. Its add may have been sent twice, and the second task still wait: the
    // client cannot tell whether a later call is about that one.
    give_up(*asking.id);
  } else if (asking.id->task == asking.old) {
    // Whether the call before this one did it or it was finished already, nobody will ever know.
    asking.id->task.reset();
    asking.id->live = false;
  }
}

}  // namespace carillon::simulation
