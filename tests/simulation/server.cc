#include "tests/simulation/server.h"

#include <sstream>

#include "storage/record_codec.h"
#include "tests/shard/hand_driver.h"

namespace carillon::simulation {
namespace {

constexpr std::uint64_t kNamedTargets = 2;
constexpr std::uint64_t kUrlTarget = 3;
constexpr Moment kArrivesWithin = 20 * kMillisecond;
constexpr Moment kPushTimeout = 200 * kMillisecond;
constexpr Moment kDownAtLeast = 50 * kMillisecond;  // longer than anything takes to arrive
constexpr Moment kDown = kSecond / 2;
constexpr int kLooksMax = 10;
constexpr Moment kLookAgain = 10 * kMillisecond;
constexpr Millis kHoldMax = std::chrono::seconds(10);
constexpr Millis kStuck = std::chrono::seconds(30);
constexpr const char* kDeedNames[kDeeds] = {
    "add",     "add keeping", "add replacing", "add earliest", "add latest",     "add once",
    "change",  "change due",  "move",          "cancel",       "cancel retries", "get",
    "redrive", "remove dead", "group cancel",  "group shift"};

/// Each task goes to one target, so that a version needs no place to say it.
std::uint64_t target_of(const Request& request) {
  return request.by_url ? kUrlTarget : 1 + request.version % kNamedTargets;
}

OperationName name_of_operation(const Request& request) {
  return {{request.name, request.name == 0 ? 0U : 1U}, 0};
}

}  // namespace

std::string SimContent::text() const {
  return std::to_string(id) + ' ' + std::to_string(version) + ' ' + std::to_string(webhook) + ' ' +
         std::to_string(attempts_before);
}

SimContent SimContent::parse(const std::string& text) {
  SimContent content;
  std::istringstream(text) >> content.id >> content.version >> content.webhook >>
      content.attempts_before;
  return content;
}

Server::Server(World& world, const Swarm& swarm, Coverage& coverage,
               std::vector<std::string>& faults, test::Ledger& ledger)
    : world_(world),
      swarm_(swarm),
      coverage_(coverage),
      faults_(faults),
      ledger_(ledger),
      facts_(world, coverage, faults) {}

std::string Server::name_of_id(std::uint64_t id) {
  return "t" + std::to_string(id);
}

/// What this incarnation plans dies with it.
void Server::guarded_after(Moment pause, std::function<void()> happen) {
  world_.after(pause, [this, incarnation = incarnation_, happen = std::move(happen)] {
    if (incarnation == incarnation_) happen();
  });
}

void Server::start() {
  ++incarnation_;
  const Post post = [this](std::function<void()> happen) { guarded_after(0, std::move(happen)); };
  log_ = std::make_unique<MemoryLog>(post, AutoAck::no, disk_);
  shard_ = std::make_unique<Shard>(swarm_.options);
  const auto read = log_->read(1, [this](Batch&& batch) { shard_->replay(batch); }, {});
  if (!read) faults_.push_back("recovery: " + read.error().detail);
  shard_->start(world_.wall());
  world_.trace("server up, ", shard_->tasks(), " tasks, ", disk_->batches.size(), " batches");
  facts_.expect_same(*shard_);
  shard_->check_invariants();
  for (std::uint64_t target = 1; target <= kNamedTargets; ++target) {
    if (!facts_.was_put(target_key(target))) put_target(target, false);
  }
  if (healed_) resume_targets();
  work();
}

void Server::crash() {
  if (!up()) return;
  if (!log_busy_ && !healed_ && world_.chance(700)) {
    armed_ = true;
    return;
  }
  armed_ = false;
  const char* fate = "nothing under way";
  if (log_busy_ && durable_) {
    fate = "durable and not acknowledged";
  } else if (log_busy_) {
    const std::uint64_t how = world_.below(3);
    if (how == 0) {
      fate = "lost";
    } else if (how == 1 && !under_way_.records.empty()) {
      fate = "torn";
      std::string row;
      encode_batch(under_way_, row);
      if (decode_batch(row.substr(0, world_.below(row.size())))) {
        faults_.push_back("a torn row was taken for a batch");
      }
    } else {
      fate = "durable and not known to be";
      make_durable();
    }
  }
  world_.trace("CRASH, batch ", fate);
  ++coverage_[std::string("crash: batch ") + fate];
  ++incarnation_;
  shard_.reset();
  log_.reset();
  waiters_.clear();
  log_busy_ = commit_planned_ = cleaning_ = trimming_ = touching_group_ = false;
  guarded_after(kDownAtLeast + world_.pause(kDown), [this] { start(); });
}

void Server::clock_was_stepped() {
  if (up()) tick();
}

void Server::tick() {
  shard_->tick(world_.wall());
  work();
}

void Server::work() {
  while (!shard_->effects().empty()) {
    Effects effects = std::exchange(shard_->effects(), {});
    for (const Fired& fired : effects.fired) begin_push(fired);
    for (Reply& reply : effects.replies) {
      recognise(reply);
      const auto waiter = waiters_.extract(reply.ticket);
      if (waiter.empty()) continue;
      ++coverage_[waiter.mapped().name + ": " + verdict_name(reply.verdict)];
      waiter.mapped().answered(reply);
    }
  }
  if (!log_busy_ && !commit_planned_ && shard_->wants_commit()) {
    commit_planned_ = true;
    guarded_after(world_.pause(kMillisecond / 4), [this] {
      commit_planned_ = false;
      begin_commit();
    });
  }
  set_timer();
}

void Server::set_timer() {
  const auto next = shard_->next_wakeup();
  const std::uint64_t timer = ++timer_;
  if (!next) return;
  const Moment moment =
      shard_->has_work() ? world_.now() : std::max(world_.moment_of(*next), world_.now() + 1);
  guarded_after(moment - world_.now(), [this, timer] {
    if (timer == timer_) tick();
  });
}

void Server::begin_commit() {
  if (log_busy_ || !shard_->wants_commit()) return;
  log_busy_ = true;
  durable_ = false;
  under_way_ = shard_->seal(world_.wall(), {}, swarm_.batch_bytes_max);
  trimming_ = under_way_.trim_before != 0;
  world_.trace("commit of ", under_way_.records.size(), " from ", under_way_.first,
               trimming_ ? ", trims before " : "",
               trimming_ ? std::to_string(under_way_.trim_before) : "");
  if (armed_) guarded_after(world_.pause(swarm_.sync), [this] { crash(); });
  log_->append(Batch(under_way_), [this](Appended, Batch&& batch) { commit_done(batch); });
  guarded_after(world_.pause(swarm_.sync), [this] {
    make_durable();
    guarded_after(world_.pause(swarm_.sync), [this] { log_->ack_next(); });
  });
}

void Server::make_durable() {
  log_->sync_next();
  durable_ = true;
  facts_.follow(under_way_);
}

void Server::commit_done(const Batch& batch) {
  log_busy_ = false;
  if (std::exchange(trimming_, false)) cleaning_ = false;
  shard_->committed(batch);
  work();
}

void Server::clean_log() {
  if (!up() || cleaning_) return;
  cleaning_ = true;
  log_->read_oldest(1 + world_.magnitude(12), [this](std::vector<Batch> oldest) {
    cleaning_ = !oldest.empty();
    world_.trace("restates ", oldest.size(), " batches");
    shard_->restate(oldest);
    work();
  });
}

void Server::put_target(std::uint64_t target, bool paused) {
  record::TargetPut put;
  put.key = target_key(target);
  put.name = "target" + std::to_string(target);
  put.concurrency = swarm_.concurrency;
  put.paused = paused;
  shard_->submit(put, 0);
}

/// Those that were deleted stay so: what waits for one must end without it.
void Server::resume_targets() {
  for (std::uint64_t target = 1; target <= kNamedTargets; ++target) {
    const auto* known = shard_->target(target_key(target));
    if (known != nullptr && !known->deleted && known->settings.paused) put_target(target, false);
  }
}

void Server::operate() {
  if (!up()) return;
  const std::uint64_t target = 1 + world_.below(kNamedTargets);
  const std::uint64_t what = world_.below(4);
  if (what < 3) {
    world_.trace("operator: target ", target, what == 0 ? " is paused" : " is put");
    put_target(target, what == 0);
  } else {
    world_.trace("operator: target ", target, " is deleted");
    submit("target delete", command::TargetDelete{target_key(target), world_.chance(500)},
           [](const Reply&) {});
  }
  work();
}

void Server::touch() {
  if (!up() || shard_->positions() == 0) return;
  const auto task = shard_->at(static_cast<std::uint32_t>(world_.below(shard_->positions())));
  if (!task || finished(task->state)) return;
  const auto content = content_of(task->number);
  if (!content) return;
  world_.trace("touches ", name_of_id(content->id), " v", content->version);
  command::Change change;
  change.task = *task;
  change.expected = task->number;
  change.content = content->text();
  submit("touch", std::move(change), [](const Reply&) {});
  // One at a time: each takes a commit, and the clients' would wait behind all that pile up.
  if (!up() || task->group == GroupKey{} || std::exchange(touching_group_, true)) return;
  submit("touch group", command::GroupShift{task->group, Millis(0)},
         [this](const Reply&) { touching_group_ = false; });
}

void Server::heal() {
  healed_ = true;
  swarm_.refused = swarm_.failed = swarm_.hangs = swarm_.gone = swarm_.lost_answer =
      swarm_.throttled = 0;
  if (!up()) return;
  resume_targets();
  work();
}

void Server::tell_all() {
  shard_->check_invariants();
  facts_.expect_same(*shard_);
  for (std::uint32_t position = 0; position < shard_->positions(); ++position) {
    const auto task = shard_->at(position);
    if (!task) continue;
    const auto content = content_of(task->number);
    if (!content) {
      // Its time to be kept was over before the crash, and its rows were deleted then.
      if (finished(task->state) && task->state != State::dead) continue;
      faults_.push_back("the content of task " + std::to_string(task->number) + " is missing");
      continue;
    }
    ledger_.found(name_of_id(content->id), content->version, task->state);
  }
  for (const auto& [ticket, waiter] : waiters_) {
    faults_.push_back("a " + waiter.name + " was never answered");
  }
  for (const TaskNumber number : facts_.waiting_since(world_.wall() - kStuck)) {
    faults_.push_back("task " + std::to_string(number) + " was due long ago and still waits");
  }
}

std::optional<SimContent> Server::content_of(TaskNumber number) const {
  const auto row = disk_->contents.find(number);
  if (row == disk_->contents.end()) return std::nullopt;
  return SimContent::parse(row->second);
}

std::optional<std::pair<TaskNumber, std::uint64_t>> Server::dead_letter(std::uint64_t id) {
  if (!up()) return std::nullopt;
  const auto dead = shard_->find_dead(fingerprint(id));
  if (!dead) return std::nullopt;
  facts_.expect_true(*dead);
  const auto content = content_of(dead->number);
  if (!content) return std::nullopt;
  return std::pair(dead->number, content->version);
}

/// As the engine does it: an add that found its very task is told so.
void Server::recognise(Reply& reply) const {
  if (reply.content.empty()) return;
  const auto there = content_of(reply.task.number);
  if (!there) {
    reply.verdict = Verdict::content_moved;
  } else if (there->version == SimContent::parse(reply.content).version) {
    reply.verdict = Verdict::same;
  }
}

// --- Requests.

void Server::submit(std::string name, Command command, Answered answered) {
  const Ticket ticket = ++last_ticket_;
  waiters_.emplace(ticket, Waiter{name, std::move(answered)});
  const std::uint64_t open = shard_->open_bytes();
  const std::size_t replies = shard_->effects().replies.size();
  shard_->submit(std::move(command), ticket);
  if (shard_->open_bytes() == open && shard_->effects().replies.size() == replies) {
    ++coverage_[name + ": had to wait"];
  }
  work();
}

void Server::handle(const Request& request, Answered answered) {
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
      return submit(deed_name(request.deed), command::Move{task, request.due}, std::move(answered));
    case Deed::cancel:
    case Deed::cancel_retries:
      return submit(deed_name(request.deed),
                    command::Cancel{task, request.deed == Deed::cancel_retries},
                    std::move(answered));
    case Deed::get:
      return get(request, answered);
    case Deed::redrive:
      return redrive(request, answered);
    case Deed::remove_dead:
      return submit(deed_name(request.deed), command::RemoveDead{task, request.number},
                    std::move(answered));
    case Deed::group_cancel:
      return submit(deed_name(request.deed),
                    command::GroupCancel{group_key(request.group), name_of_operation(request)},
                    std::move(answered));
    case Deed::group_shift:
      return submit(
          deed_name(request.deed),
          command::GroupShift{group_key(request.group), request.by, name_of_operation(request)},
          std::move(answered));
  }
}

void Server::add(const Request& request, const Answered& answered) {
  command::Add add;
  add.task.task = fingerprint(request.id);
  add.task.due = request.due;
  add.task.group = group_key(request.group);
  add.task.target = target_key(target_of(request));
  add.task.target_is_url = request.by_url;
  add.task.expire_after = request.expire_after;
  add.if_exists = static_cast<IfExists>(request.deed);
  add.content = SimContent{request.id, request.version, ++last_webhook_, 0}.text();
  submit(deed_name(request.deed), std::move(add), answered);
}

/// As the engine does it: look, read the content, ask for the change of exactly that content, and
/// look again where it was changed meanwhile.
void Server::change(const Request& request, const Answered& answered, int looks) {
  const auto task = shard_->find(fingerprint(request.id));
  if (!task || finished(task->state)) {
    Reply reply;
    reply.verdict = task ? Verdict::task_finished : Verdict::not_found;
    if (task) reply.task = *task;
    ++coverage_[deed_name(request.deed) + ": " + verdict_name(reply.verdict)];
    return answered(reply);
  }
  auto content = content_of(task->number);
  guarded_after(world_.pause(kMillisecond) + looks * kLookAgain, [this, request, answered, looks,
                                                                  task = *task,
                                                                  content = std::move(content)] {
    // Replaced by what is committed and not yet acknowledged.
    if (!content && looks < kLooksMax) return change(request, answered, looks + 1);
    if (!content) {
      faults_.push_back("the content of task " + std::to_string(task.number) + " is missing");
      return;
    }
    command::Change command;
    command.task = task;
    command.task.due = request.due;
    command.expected = task.number;
    command.due_given = request.deed == Deed::change_due_too;
    command.content =
        SimContent{request.id, request.version, content->webhook, content->attempts_before}.text();
    submit(deed_name(request.deed), std::move(command),
           [this, request, answered, looks](const Reply& reply) {
             if (reply.verdict == Verdict::content_moved && looks < kLooksMax) {
               return change(request, answered, looks + 1);
             }
             answered(reply);
           });
  });
}

void Server::redrive(const Request& request, const Answered& answered) {
  const auto dead = shard_->find_dead(fingerprint(request.id));
  const auto content = dead ? content_of(dead->number) : std::nullopt;
  command::Change change;
  change.task.task = fingerprint(request.id);
  change.expected = request.number;
  change.redrive = true;
  change.operation = name_of_operation(request);
  if (dead && content && dead->number == request.number) {
    change.task = *dead;
    SimContent again = *content;
    again.attempts_before = dead->attempt;
    change.content = again.text();
  }
  change.task.due = world_.wall();
  submit(deed_name(request.deed), std::move(change), answered);
}

void Server::get(const Request& request, const Answered& answered) {
  Reply reply;
  const auto task = shard_->find(fingerprint(request.id));
  reply.verdict = task ? Verdict::done : Verdict::not_found;
  if (task) {
    reply.task = *task;
    // What is committed and not yet acknowledged is in the log, and not yet shown.
    if (!log_busy_ || !durable_) facts_.expect_true(*task);
  }
  ++coverage_["get: " + verdict_name(reply.verdict)];
  answered(reply);
}

std::string Server::deed_name(Deed deed) {
  return kDeedNames[static_cast<int>(deed)];
}

std::string Server::verdict_name(Verdict verdict) {
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
                                    "target in use",
                                    "too many targets",
                                    "full",
                                    "repeated",
                                    "operation reused",
                                    "too many operations",
                                    "beyond horizon"};
  return kNames[static_cast<int>(verdict)];
}

// --- Pushes.

void Server::begin_push(const Fired& fired) {
  const Fact& fact = facts_.at(fired.number);
  if (fact.state != State::firing || fact.attempt != fired.attempt) {
    faults_.push_back("task " + std::to_string(fired.number) + " is pushed and the log says " +
                      std::string(name_of(fact.state)));
  }
  const auto content = content_of(fired.number);
  if (!content) {
    faults_.push_back("task " + std::to_string(fired.number) + " is pushed without its content");
    return;
  }
  const WallTime at = world_.recent_wall();
  world_.trace("push ", name_of_id(content->id), " v", content->version, " attempt ", fired.attempt,
               " due ", fired.asked_due);
  const Moment way = std::min(world_.pause(swarm_.push), kArrivesWithin);
  const auto over = [this, fired, before = content->attempts_before](Moment pause, Ending ending) {
    guarded_after(pause, [=, this] { finish_push(fired, before, ending); });
  };
  const auto reach = [this, way, fired, at, content = *content](bool accepted) {
    world_.after(way, [=, this] { arrive(fired, content, at, accepted); });
  };
  if (world_.chance(swarm_.refused)) {
    over(way, {});
  } else if (world_.chance(swarm_.failed)) {
    reach(false);
    over(way * 2, {});
  } else if (world_.chance(swarm_.gone)) {
    reach(false);
    over(way * 2, {.gone = true});
  } else if (world_.chance(swarm_.throttled)) {
    reach(false);
    over(way * 2, {.throttled = true});
  } else if (world_.chance(swarm_.hangs)) {
    reach(world_.chance(500));
    over(kPushTimeout, {});
  } else if (world_.chance(swarm_.lost_answer)) {
    reach(true);
    over(way * 2, {});
  } else {
    reach(true);
    over(way * 2, {.accepted = true});
  }
}

void Server::arrive(const Fired& fired, const SimContent& content, WallTime at, bool accepted) {
  world_.trace("receiver ", accepted ? "accepts " : "rejects ", name_of_id(content.id), " v",
               content.version, " attempt ", fired.attempt);
  ledger_.pushed({.id = name_of_id(content.id),
                  .body = content.version,
                  .webhook = content.webhook,
                  .due = fired.asked_due,
                  .at = at,
                  .attempt = fired.attempt,
                  .accepted = accepted,
                  .seen = world_.now()});
}

void Server::finish_push(const Fired& fired, std::uint32_t attempts_before, Ending ending) {
  const bool last =
      fired.attempt - std::min(fired.attempt - 1, attempts_before) >= swarm_.attempts_max;
  const bool dead = ending.gone || (last && !healed_ && !ending.throttled);
  const State state = ending.accepted ? State::delivered : dead ? State::dead : State::retrying;
  const auto pause = Millis(static_cast<std::int64_t>(world_.magnitude(12)));
  std::optional<Throttle> throttle;
  if (ending.throttled) {
    throttle = {world_.wall(), HoldReason::too_many_requests, std::nullopt, kHoldMax};
    if (world_.chance(500)) throttle->asked = pause * 4;
  }
  facts_.push_ended(fired.number);
  world_.trace("outcome of ", fired.number, ": ", name_of(state), throttle ? ", not now" : "");
  shard_->outcome(fired.task, fired.number, state, world_.wall() + pause,
                  ending.accepted ? Note{} : Note{world_.wall(), fired.attempt, 0, "failed", {}, 0},
                  throttle);
  work();
}

}  // namespace carillon::simulation
