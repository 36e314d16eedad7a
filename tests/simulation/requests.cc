#include "tests/simulation/requests.h"

#include <utility>

#include "tests/delivery/http_target.h"
#include "tests/shard/hand_driver.h"

namespace carillon::simulation {
namespace {

constexpr std::uint64_t kNamedLanes = 3;
constexpr std::uint64_t kUrlTarget = 3;
constexpr int kLooksMax = 10;
constexpr Moment kLookAgain = 10 * kMillisecond;
constexpr Millis kHoldMax = std::chrono::seconds(10);
constexpr Millis kBackoffMax = std::chrono::seconds(4);
constexpr const char* kDeedNames[kDeeds] = {
    "add",     "add keeping", "add replacing", "add earliest", "add latest",     "add once",
    "change",  "change due",  "move",          "cancel",       "cancel retries", "get",
    "redrive", "remove dead", "group cancel",  "group shift"};

std::string lane_name(std::uint64_t lane) {
  return "lane" + std::to_string(lane);
}

/// Each task goes to one target, so that a version needs no place to say it.
std::uint64_t target_of(const Request& request) {
  return request.by_url ? kUrlTarget : 1 + request.version % kNamedTargets;
}

OperationName name_of_operation(const Request& request) {
  return {{request.name, request.name == 0 ? 0U : 1U}, 0};
}

}  // namespace

TargetSettings target_settings(const Swarm& swarm) {
  TargetSettings settings = http_target("", "http://receiver/");
  settings.concurrency = swarm.concurrency;
  settings.hold_max = kHoldMax;
  settings.breaker = swarm.breaker;
  settings.retry.max_attempts = static_cast<int>(swarm.attempts_max);
  settings.retry.backoff_min = Millis(1);
  settings.retry.backoff_max = kBackoffMax;
  return settings;
}

/// Fast enough for all tasks of a run to be pushed in the time that they have.
RateLimit Requests::any_rate() {
  World& world = its_.world;
  if (!world.chance(its_.swarm.rated)) return {};
  constexpr Millis kPer[] = {Millis(100), Millis(1000), Millis(3000)};
  RateLimit rate;
  rate.per = kPer[world.below(3)];
  rate.limit = static_cast<std::uint32_t>(2 + world.magnitude(6));
  rate.limit *= static_cast<std::uint32_t>(1 + rate.per.count() / 300);
  rate.burst = static_cast<std::uint32_t>(world.below(5));
  return rate;
}

BatchLimit Requests::any_batch() {
  World& world = its_.world;
  if (!world.chance(its_.swarm.batched)) return {};
  BatchLimit batch;
  batch.tasks_max = static_cast<std::uint32_t>(1 + world.magnitude(4));
  if (world.chance(500)) batch.bytes_max = 1024;
  batch.wait_max = Millis(static_cast<std::int64_t>(world.magnitude(5)));
  return batch;
}

void Requests::set_capacity() {
  TargetLimits limits = its_.swarm.options;
  limits.pushes_per_second =
      its_.world.chance(500) ? 0 : static_cast<std::uint32_t>(10 + its_.world.magnitude(9));
  its_.world.trace("operator: ", limits.pushes_per_second, " pushes a second");
  ++its_.coverage["capacity: set"];
  its_.capacity_set(limits.pushes_per_second);
  shard().set_limits(limits);
  its_.local.driver().tick();
}

void Requests::put_target(std::uint64_t target, bool paused) {
  record::TargetPut put;
  put.key = target_key(target);
  put.name = "target" + std::to_string(target);
  put.concurrency = its_.swarm.concurrency;
  put.paused = paused;
  put.takes_one = its_.world.chance(100);
  put.rate = any_rate();
  const BatchLimit batch = any_batch();
  put.batch_tasks = batch.tasks_max;
  put.batch_wait = batch.tasks_max > 0 ? batch.wait_max : Millis(0);
  TargetSettings settings = target_settings(its_.swarm);
  http_of(settings).batched = batch;
  put.settings = format_target(settings, Secrets::stored);
  its_.local.driver().submit(put);
}

/// Those that were deleted stay so: what waits for one must end without it.
void Requests::resume_targets() {
  for (std::uint64_t target = 1; target <= kNamedTargets; ++target) {
    const auto* known = shard().target(target_key(target));
    if (known != nullptr && !known->deleted && known->settings.paused) put_target(target, false);
  }
}

void Requests::operate() {
  const std::uint64_t target = 1 + its_.world.below(kNamedTargets);
  const std::uint64_t what = its_.world.below(8);
  if (what == 6) return set_capacity();
  if (what == 7) {
    its_.world.trace("operator: target ", target, " is not to be held");
    return submit("target release", command::TargetRelease{target_key(target)},
                  [](const Reply&) {});
  }
  if (what >= 4) return operate_lanes();
  if (what < 3) {
    its_.world.trace("operator: target ", target, what == 0 ? " is paused" : " is put");
    put_target(target, what == 0);
  } else {
    its_.world.trace("operator: target ", target, " is deleted");
    submit("target delete", command::TargetDelete{target_key(target), its_.world.chance(500)},
           [](const Reply&) {});
  }
}

void Requests::operate_lanes() {
  const std::string lane = lane_name(its_.world.below(kNamedLanes));
  if (its_.world.chance(300)) {
    its_.world.trace("operator: ", lane, " is deleted");
    return submit("lane delete", command::LaneDelete{lane}, [](const Reply&) {});
  }
  its_.world.trace("operator: ", lane, " is put");
  const auto weight = static_cast<std::uint32_t>(1 + its_.world.below(8));
  const auto reserved = static_cast<std::uint32_t>(its_.world.below(5) * 100);
  submit("lane put", command::LanePut{lane, weight, reserved}, [](const Reply&) {});
}

void Requests::touch() {
  if (shard().positions() == 0) return;
  const auto task = shard().at(static_cast<std::uint32_t>(its_.world.below(shard().positions())));
  if (!task || finished(task->state)) return;
  const auto content = its_.content_of(task->number);
  if (!content) return;
  its_.world.trace("touches ", name_of_id(content->id), " v", content->version);
  command::Change change;
  change.task = *task;
  change.expected = task->number;
  change.content = content->row();
  submit("touch", std::move(change), [](const Reply&) {});
  // One at a time: each takes a commit, and the clients' would wait behind all that pile up.
  if (task->group == GroupKey{} || std::exchange(touching_group_, true)) return;
  submit("touch group", command::GroupShift{task->group, Millis(0)},
         [this](const Reply&) { touching_group_ = false; });
}

/// As Commands does it: an add that found its very task is told so.
void Requests::recognise(Reply& reply) const {
  if (reply.content.empty()) return;
  const auto there = its_.content_of(reply.task.number);
  if (!there) {
    reply.verdict = Verdict::content_moved;
  } else if (there->version == SimContent::of_row(reply.content).version) {
    reply.verdict = Verdict::same;
  }
}

Requests::Waiter& Requests::wait(std::string name, Answered answered) {
  auto made = std::make_unique<Waiter>(*this, std::move(name), std::move(answered));
  Waiter& waiter = *made;
  waiters_.emplace(&waiter, std::move(made));
  return waiter;
}

void Requests::submit(const std::string& name, Command command, Answered answered) {
  Waiter& waiter = wait(name, std::move(answered));
  const std::uint64_t open = shard().open_bytes();
  its_.local.driver().submit(std::span(&command, 1), waiter);
  if (is_waiting(waiter) && shard().open_bytes() == open) {
    ++its_.coverage[name + ": had to wait"];
  }
}

/// Whom the driver did not take has his reply, and hears of it here.
bool Requests::is_waiting(Waiter& waiter) {
  if (!waiters_.contains(&waiter)) return false;
  if (waiter.waits()) return true;
  waiter.answered();
  return false;
}

/// As Refusals does it: what memory alone says is confirmed first.
void Requests::confirmed(Reply reply, const Answered& answered) {
  if (!its_.local.options().shared_log) return answered(reply);
  Waiter& waiter = wait("confirm", [reply = std::move(reply), answered](const Reply& confirmed) {
    answered(confirmed.verdict == Verdict::done ? reply : confirmed);
  });
  its_.local.driver().confirm(waiter);
  is_waiting(waiter);
}

std::vector<std::string> Requests::unanswered() const {
  std::vector<std::string> names;
  for (const auto& [key, waiter] : waiters_) names.push_back(waiter->name);
  return names;
}

void Requests::Waiter::answered() {
  const auto its = requests.waiters_.extract(this);
  requests.recognise(reply);
  ++requests.its_.coverage[name + ": " + verdict_name(reply.verdict)];
  answered_to(reply);
}

void Requests::handle(const Request& request, const Answered& answered) {
  const Fingerprint task = fingerprint(request.id);
  switch (request.deed) {
    case Deed::add:
    case Deed::add_replacing:
    case Deed::add_keeping:
    case Deed::add_earliest:
    case Deed::add_latest:
    case Deed::add_once:
      return add(request, answered);
    case Deed::change:
    case Deed::change_due_too:
      return change(request, answered, 0);
    case Deed::move:
      return submit(deed_name(request.deed), command::Move{task, request.due}, answered);
    case Deed::cancel:
    case Deed::cancel_retries:
      return submit(deed_name(request.deed),
                    command::Cancel{task, request.deed == Deed::cancel_retries}, answered);
    case Deed::get:
      return get(request, answered);
    case Deed::redrive:
      return redrive(request, answered);
    case Deed::remove_dead:
      return submit(deed_name(request.deed), command::RemoveDead{task, request.number}, answered);
    case Deed::group_cancel:
      return submit(deed_name(request.deed),
                    command::GroupCancel{group_key(request.group), name_of_operation(request)},
                    answered);
    case Deed::group_shift:
      return submit(
          deed_name(request.deed),
          command::GroupShift{group_key(request.group), request.by, name_of_operation(request)},
          answered);
  }
}

void Requests::add(const Request& request, const Answered& answered) {
  command::Add add;
  add.task.task = fingerprint(request.id);
  add.task.due = request.due;
  add.task.group = group_key(request.group);
  add.task.target = target_key(target_of(request));
  add.task.target_is_url = request.by_url;
  add.task.expire_after = request.expire_after;
  add.task.merge = request.merge;
  // By name; where there is no such lane, in the default one, so that most adds are taken.
  const auto lane = shard().lanes().find(lane_name(request.version % (kNamedLanes + 2)));
  add.task.lane = lane.value_or(kDefaultLane);
  add.if_exists = static_cast<IfExists>(request.deed);
  add.content = SimContent{request.id, request.version, ++its_.webhooks, 0}.row();
  submit(deed_name(request.deed), std::move(add), answered);
}

/// As Commands does it: look, read the content, ask for the change of exactly that content, and
/// look again where it was changed meanwhile.
void Requests::change(const Request& request, const Answered& answered, int looks) {
  const auto task = shard().find(fingerprint(request.id));
  if (!task || finished(task->state)) {
    Reply reply;
    reply.verdict = task ? Verdict::task_finished : Verdict::not_found;
    if (task) reply.task = *task;
    ++its_.coverage[deed_name(request.deed) + ": " + verdict_name(reply.verdict)];
    return confirmed(std::move(reply), answered);
  }
  auto content = its_.content_of(task->number);
  its_.after(its_.world.pause(kMillisecond) + looks * kLookAgain, [this, request, answered, looks,
                                                                   task = *task,
                                                                   content = std::move(content)] {
    // Replaced by what is committed and not yet acknowledged.
    if (!content && looks < kLooksMax) return change(request, answered, looks + 1);
    if (!content) {
      its_.faults.push_back("the content of task " + std::to_string(task.number) + " is missing");
      return;
    }
    command::Change command;
    command.task = task;
    command.task.due = request.due;
    command.expected = task.number;
    command.due_given = request.deed == Deed::change_due_too;
    command.content =
        SimContent{request.id, request.version, content->webhook, content->attempts_before}.row();
    submit(deed_name(request.deed), std::move(command),
           [this, request, answered, looks](const Reply& reply) {
             if (reply.verdict == Verdict::content_moved && looks < kLooksMax) {
               return change(request, answered, looks + 1);
             }
             answered(reply);
           });
  });
}

void Requests::redrive(const Request& request, const Answered& answered) {
  const auto dead = shard().find_dead(fingerprint(request.id));
  const auto content = dead ? its_.content_of(dead->number) : std::nullopt;
  command::Change change;
  change.task.task = fingerprint(request.id);
  change.expected = request.number;
  change.redrive = true;
  change.operation = name_of_operation(request);
  if (dead && content && dead->number == request.number) {
    change.task = *dead;
    SimContent again = *content;
    again.attempts_before = dead->attempt;
    change.content = again.row();
  }
  change.task.due = its_.local.clock().wall();
  submit(deed_name(request.deed), std::move(change), answered);
}

void Requests::get(const Request& request, const Answered& answered) {
  if (its_.local.driver().is_fresh()) return answer_get(request, answered);
  confirmed({}, [this, request, answered](const Reply& reply) {
    if (reply.verdict != Verdict::done) return answered(reply);
    answer_get(request, answered);
  });
}

void Requests::answer_get(const Request& request, const Answered& answered) {
  Reply reply;
  const auto task = shard().find(fingerprint(request.id));
  reply.verdict = task ? Verdict::done : Verdict::not_found;
  if (task) {
    reply.task = *task;
    its_.shown(*task);
  }
  ++its_.coverage["get: " + verdict_name(reply.verdict)];
  answered(reply);
}

std::string deed_name(Deed deed) {
  return kDeedNames[static_cast<int>(deed)];
}

std::string verdict_name(Verdict verdict) {
  constexpr const char* kNames[] = {"done",
                                    "same",
                                    "kept",
                                    "replaced",
                                    "task exists",
                                    "task firing",
                                    "task finished",
                                    "not found",
                                    "content moved",
                                    "unknown target",
                                    "unknown lane",
                                    "unmergeable",
                                    "key not allowed",
                                    "target in use",
                                    "lane in use",
                                    "too many targets",
                                    "too many lanes",
                                    "too much reserved",
                                    "full",
                                    "repeated",
                                    "operation reused",
                                    "too many operations",
                                    "beyond horizon",
                                    "moved",
                                    "log away",
                                    "outcome unknown"};
  static_assert(std::size(kNames) == static_cast<std::size_t>(Verdict::outcome_unknown) + 1);
  return kNames[static_cast<int>(verdict)];
}

}  // namespace carillon::simulation
