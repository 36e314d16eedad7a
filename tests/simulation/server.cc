#include "tests/simulation/server.h"

#include "storage/record_codec.h"
#include "tests/delivery/http_target.h"
#include "tests/shard/hand_driver.h"

namespace carillon::simulation {
namespace {

constexpr std::uint64_t kNamedTargets = 2;
constexpr std::uint64_t kNamedLanes = 3;
constexpr std::uint64_t kUrlTarget = 3;
constexpr Moment kDownAtLeast = 50 * kMillisecond;  // longer than anything takes to arrive
constexpr Moment kDown = kSecond / 2;
constexpr int kLooksMax = 10;
constexpr Moment kLookAgain = 10 * kMillisecond;
constexpr Millis kHoldMax = std::chrono::seconds(10);
constexpr Millis kBackoffMax = std::chrono::seconds(4);
constexpr Millis kStuck = std::chrono::seconds(30);
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

Server::Server(World& world, const Swarm& swarm, Coverage& coverage,
               std::vector<std::string>& faults, test::Ledger& ledger)
    : world_(world),
      swarm_(swarm),
      coverage_(coverage),
      faults_(faults),
      ledger_(ledger),
      facts_(world, coverage, faults),
      clock_(world) {}

/// What this incarnation plans dies with it.
void Server::guarded_after(Moment pause, std::function<void()> happen) {
  world_.after(pause, [this, incarnation = incarnation_, happen = std::move(happen)] {
    if (incarnation == incarnation_) happen();
  });
}

void Server::start() {
  ++incarnation_;
  make_local_shard();
  ShardDriver& driver = local_->driver();
  if (const auto read = driver.recover([](auto, auto) {}); !read) {
    faults_.push_back("recovery: " + read.error().detail);
  }
  driver.start();
  world_.trace("server up, ", shard().tasks(), " tasks, ", disk_->batches.size(), " batches");
  facts_.expect_same(shard());
  shard().check_invariants();
  for (std::uint64_t target = 1; target <= kNamedTargets; ++target) {
    if (!facts_.was_put(target_key(target))) put_target(target, false);
  }
  if (healed_) resume_targets();
}

void Server::make_local_shard() {
  const auto after = [this](Moment pause, std::function<void()> happen) {
    guarded_after(pause, std::move(happen));
  };
  log_ = std::make_unique<SlowLog>(world_, after, disk_,
                                   [this](const Batch& batch) { appended(batch); });
  receivers_ = std::make_unique<Receivers>(
      Receivers::Around{.world = world_,
                        .swarm = swarm_,
                        .ledger = ledger_,
                        .facts = facts_,
                        .after = after,
                        .task_of = [this](const SimContent& content, std::uint32_t attempt) {
                          return pushed_task(content, attempt);
                        }});
  EngineOptions options;
  options.shard = swarm_.options;
  options.url_defaults = target_settings();
  options.batch_bytes_max = swarm_.batch_bytes_max;
  const auto turn_soon = [this] {
    guarded_after(world_.pause(kMillisecond / 4), [this] { local_->driver().turn(); });
  };
  local_ = std::make_unique<LocalShard>(
      LocalShard::Place{
          .loop = {.turn_soon = turn_soon,
                   .wake_at = [this](std::optional<WallTime> moment) { wake_at(moment); }},
          .clock = clock_,
          .log = *log_,
          .sink = *receivers_,
          .random = std::mt19937_64(world_.below(1U << 30)),
          .settled = [] {},
          .fenced = [] {}},
      std::move(options));
}

void Server::wake_at(std::optional<WallTime> moment) {
  const std::uint64_t timer = ++timer_;
  if (!moment) return;
  const Moment at = std::max(world_.moment_of(*moment), world_.now() + 1);
  guarded_after(at - world_.now(), [this, timer] {
    if (timer == timer_) local_->driver().tick();
  });
}

void Server::crash() {
  if (!up()) return;
  if (!local_->driver().committing() && !healed_ && world_.chance(700)) {
    armed_ = true;
    return;
  }
  armed_ = false;
  const bool committing = local_->driver().committing();
  const char* fate = "nothing under way";
  if (committing && durable_) {
    fate = "durable and not acknowledged";
  } else if (committing) {
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
  local_.reset();
  receivers_.reset();
  log_.reset();
  waiters_.clear();
  touching_group_ = false;
  guarded_after(kDownAtLeast + world_.pause(kDown), [this] { start(); });
}

void Server::clock_was_stepped() {
  if (up()) local_->driver().tick();
}

/// A batch was handed to the log.
void Server::appended(const Batch& batch) {
  durable_ = false;
  under_way_ = batch;
  const bool trims = batch.trim_before != 0;
  world_.trace("commit of ", batch.records.size(), " from ", batch.first,
               trims ? ", trims before " : "", trims ? std::to_string(batch.trim_before) : "");
  for (const NoteRow& note : batch.notes) {
    if (note.note.error.find("content") == std::string::npos) continue;
    faults_.push_back("task " + std::to_string(note.number) + " died: " + note.note.error);
  }
  if (armed_) guarded_after(world_.pause(swarm_.sync), [this] { crash(); });
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

void Server::clean_log() {
  if (!up()) return;
  world_.trace("cleans");
  local_->driver().clean(1 + world_.magnitude(12));
}

TargetSettings Server::target_settings() const {
  TargetSettings settings = http_target("", "http://receiver/");
  settings.concurrency = swarm_.concurrency;
  settings.hold_max = kHoldMax;
  settings.retry.max_attempts = static_cast<int>(swarm_.attempts_max);
  settings.retry.backoff_min = Millis(1);
  settings.retry.backoff_max = kBackoffMax;
  return settings;
}

void Server::put_target(std::uint64_t target, bool paused) {
  record::TargetPut put;
  put.key = target_key(target);
  put.name = "target" + std::to_string(target);
  put.concurrency = swarm_.concurrency;
  put.paused = paused;
  put.settings = format_target(target_settings(), Secrets::stored);
  local_->driver().submit(put);
}

/// Those that were deleted stay so: what waits for one must end without it.
void Server::resume_targets() {
  for (std::uint64_t target = 1; target <= kNamedTargets; ++target) {
    const auto* known = shard().target(target_key(target));
    if (known != nullptr && !known->deleted && known->settings.paused) put_target(target, false);
  }
}

void Server::operate() {
  if (!up()) return;
  const std::uint64_t target = 1 + world_.below(kNamedTargets);
  const std::uint64_t what = world_.below(6);
  if (what >= 4) return operate_lanes();
  if (what < 3) {
    world_.trace("operator: target ", target, what == 0 ? " is paused" : " is put");
    put_target(target, what == 0);
  } else {
    world_.trace("operator: target ", target, " is deleted");
    submit("target delete", command::TargetDelete{target_key(target), world_.chance(500)},
           [](const Reply&) {});
  }
}

void Server::operate_lanes() {
  const std::string lane = lane_name(world_.below(kNamedLanes));
  if (world_.chance(300)) {
    world_.trace("operator: ", lane, " is deleted");
    return submit("lane delete", command::LaneDelete{lane}, [](const Reply&) {});
  }
  world_.trace("operator: ", lane, " is put");
  const auto weight = static_cast<std::uint32_t>(1 + world_.below(8));
  const auto reserved = static_cast<std::uint32_t>(world_.below(5) * 100);
  submit("lane put", command::LanePut{lane, weight, reserved}, [](const Reply&) {});
}

void Server::touch() {
  if (!up() || shard().positions() == 0) return;
  const auto task = shard().at(static_cast<std::uint32_t>(world_.below(shard().positions())));
  if (!task || finished(task->state)) return;
  const auto content = content_of(task->number);
  if (!content) return;
  world_.trace("touches ", name_of_id(content->id), " v", content->version);
  command::Change change;
  change.task = *task;
  change.expected = task->number;
  change.content = content->row();
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
}

void Server::tell_all() {
  shard().check_invariants();
  facts_.expect_same(shard());
  for (std::uint32_t position = 0; position < shard().positions(); ++position) {
    const auto task = shard().at(position);
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
    faults_.push_back("a " + waiter->name + " was never answered");
  }
  for (const TaskNumber number : facts_.waiting_since(world_.wall() - kStuck)) {
    faults_.push_back("task " + std::to_string(number) + " was due long ago and still waits");
  }
}

/// The number of the task that is pushed; it must be firing, by that attempt.
std::optional<TaskNumber> Server::pushed_task(const SimContent& content, std::uint32_t attempt) {
  const auto task = shard().find(fingerprint(content.id));
  if (!task || task->state != State::firing || task->attempt != attempt) {
    faults_.push_back(name_of_id(content.id) + " is pushed and does not fire");
    return std::nullopt;
  }
  const Fact& fact = facts_.at(task->number);
  if (fact.state != State::firing || fact.attempt != attempt) {
    faults_.push_back("task " + std::to_string(task->number) + " is pushed and the log says " +
                      std::string(name_of(fact.state)));
  }
  return task->number;
}

std::optional<SimContent> Server::content_of(TaskNumber number) const {
  const auto row = disk_->contents.find(number);
  if (row == disk_->contents.end()) return std::nullopt;
  return SimContent::of_row(row->second);
}

std::optional<std::pair<TaskNumber, std::uint64_t>> Server::dead_letter(std::uint64_t id) {
  if (!up()) return std::nullopt;
  const auto dead = shard().find_dead(fingerprint(id));
  if (!dead) return std::nullopt;
  facts_.expect_true(*dead);
  const auto content = content_of(dead->number);
  if (!content) return std::nullopt;
  return std::pair(dead->number, content->version);
}

/// As Commands does it: an add that found its very task is told so.
void Server::recognise(Reply& reply) const {
  if (reply.content.empty()) return;
  const auto there = content_of(reply.task.number);
  if (!there) {
    reply.verdict = Verdict::content_moved;
  } else if (there->version == SimContent::of_row(reply.content).version) {
    reply.verdict = Verdict::same;
  }
}

// --- Requests.

void Server::submit(std::string name, Command command, Answered answered) {
  auto made = std::make_unique<Waiter>(*this, name, std::move(answered));
  Waiter& waiter = *made;
  waiters_.emplace(&waiter, std::move(made));
  const std::uint64_t open = shard().open_bytes();
  local_->driver().submit(std::span(&command, 1), waiter);
  if (waiters_.contains(&waiter) && shard().open_bytes() == open) {
    ++coverage_[name + ": had to wait"];
  }
}

void Server::Waiter::answered() {
  const auto its = server.waiters_.extract(this);
  server.recognise(reply);
  ++server.coverage_[name + ": " + verdict_name(reply.verdict)];
  answered_to(reply);
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
  // By name; where there is no such lane, in the default one, so that most adds are taken.
  const auto lane = shard().lanes().find(lane_name(request.version % (kNamedLanes + 2)));
  add.task.lane = lane.value_or(kDefaultLane);
  add.if_exists = static_cast<IfExists>(request.deed);
  add.content = SimContent{request.id, request.version, ++last_webhook_, 0}.row();
  submit(deed_name(request.deed), std::move(add), answered);
}

/// As Commands does it: look, read the content, ask for the change of exactly that content, and
/// look again where it was changed meanwhile.
void Server::change(const Request& request, const Answered& answered, int looks) {
  const auto task = shard().find(fingerprint(request.id));
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

void Server::redrive(const Request& request, const Answered& answered) {
  const auto dead = shard().find_dead(fingerprint(request.id));
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
    change.content = again.row();
  }
  change.task.due = world_.wall();
  submit(deed_name(request.deed), std::move(change), answered);
}

void Server::get(const Request& request, const Answered& answered) {
  Reply reply;
  const auto task = shard().find(fingerprint(request.id));
  reply.verdict = task ? Verdict::done : Verdict::not_found;
  if (task) {
    reply.task = *task;
    // What is committed and not yet acknowledged is in the log, and not yet shown.
    if (!local_->driver().committing() || !durable_) facts_.expect_true(*task);
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
                                    "unknown lane",
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
                                    "outcome unknown"};
  return kNames[static_cast<int>(verdict)];
}

}  // namespace carillon::simulation
