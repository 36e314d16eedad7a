#include "tests/simulation/server.h"

#include "storage/record_codec.h"
#include "tests/shard/hand_driver.h"

namespace carillon::simulation {
namespace {

constexpr Moment kDownAtLeast = 50 * kMillisecond;  // longer than anything takes to arrive
constexpr Moment kDown = kSecond / 2;
constexpr Millis kStuck = std::chrono::seconds(30);

}  // namespace

Server::Server(World& world, const Swarm& swarm, Coverage& coverage,
               std::vector<std::string>& faults, test::Ledger& ledger)
    : world_(world),
      swarm_(swarm),
      coverage_(coverage),
      faults_(faults),
      ledger_(ledger),
      facts_(world, coverage, faults),
      clock_(world) {
  facts_.set_server_rate(swarm.options.pushes_per_second);
}

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
  facts_.expect_held(shard());
  shard().check_invariants();
  for (std::uint64_t target = 1; target <= kNamedTargets; ++target) {
    if (!facts_.was_put(target_key(target))) requests_->put_target(target, false);
  }
  if (healed_) requests_->resume_targets();
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
                        .coverage = coverage_,
                        .after = after,
                        .task_of = [this](const SimContent& content, std::uint32_t attempt) {
                          return pushed_task(content, attempt);
                        }});
  EngineOptions options;
  options.shard = swarm_.options;
  options.url_defaults = target_settings(swarm_);
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
  requests_ = std::make_unique<Requests>(
      Requests::Around{.world = world_,
                       .swarm = swarm_,
                       .coverage = coverage_,
                       .faults = faults_,
                       .local = *local_,
                       .webhooks = webhooks_,
                       .after = after,
                       .content_of = [this](TaskNumber number) { return content_of(number); },
                       .shown =
                           [this](const Statement& task) {
                             // What is committed and not yet acknowledged is in the log, and not
                             // yet shown.
                             if (local_->driver().committing() && durable_) return;
                             facts_.expect_true(task);
                           },
                       .capacity_set =
                           [this](std::uint32_t per_second) {
                             facts_.set_server_rate(per_second);
                             swarm_.options.pushes_per_second = per_second;
                           }});
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
  requests_.reset();
  guarded_after(kDownAtLeast + world_.pause(kDown), [this] { start(); });
}

void Server::clock_was_stepped() {
  facts_.clock_was_stepped();
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
    guarded_after(world_.pause(swarm_.sync), [this] {
      facts_.start(under_way_);
      log_->ack_next();
    });
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

void Server::heal() {
  healed_ = true;
  swarm_.refused = swarm_.failed = swarm_.hangs = swarm_.gone = swarm_.lost_answer =
      swarm_.throttled = swarm_.rated = 0;
  if (!up()) return;
  requests_->resume_targets();
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
  for (const std::string& name : requests_->unanswered()) {
    faults_.push_back("a " + name + " was never answered");
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

}  // namespace carillon::simulation
