#include "tests/simulation/node.h"

#include <algorithm>
#include <utility>

#include "tests/shard/hand_driver.h"

namespace carillon::simulation {
namespace {

constexpr Moment kWatch = 250 * kMillisecond;
constexpr Moment kSilence = 3 * kSecond;            // of an owner, before it is overthrown
constexpr Moment kRankPause = kSecond / 2;          // so much later for each node before this one
constexpr Moment kAnswerWait = 100 * kMillisecond;  // for an answer of the stream, or for news
constexpr Moment kLate = 3 * kSecond;
constexpr Moment kSlowRead = 3 * kSecond;
constexpr Moment kRead = kMillisecond / 8;
constexpr Moment kNetwork = kMillisecond;
constexpr Moment kHandOver = kSecond / 4;
constexpr Millis kFiringStays{2000};
constexpr std::uint64_t kAllBytes = UINT64_MAX;

}  // namespace

Node::Node(Around around, std::uint64_t index, Millis clock_ahead)
    : its_(std::move(around)),
      index_(index),
      clock_ahead_(clock_ahead),
      clock_(its_.world, clock_ahead) {}

// --- What happens at it.

void Node::after(Moment pause, std::function<void()> happen) {
  its_.world.after(pause, [this, incarnation = incarnation_, happen = std::move(happen)]() mutable {
    arrive(incarnation, std::move(happen));
  });
}

void Node::arrive(std::uint64_t incarnation, std::function<void()> happen) {
  if (incarnation != incarnation_) return;
  if (paused_) {
    late_.push_back(std::move(happen));
  } else {
    happen();
  }
}

void Node::pause(Moment time) {
  if (paused_ || phase_ == Phase::down) return;
  const bool pushing = local_->shard().in_flight() > 0;
  its_.world.trace("node ", index_, " is paused for ", time / kMillisecond, " ms");
  if (owns()) ++its_.coverage[pushing ? "pause: of an owner that pushes" : "pause: of an owner"];
  paused_ = true;
  its_.world.after(time, [this, incarnation = incarnation_] {
    if (incarnation != incarnation_) return;
    its_.world.trace("node ", index_, " goes on");
    paused_ = false;
    for (auto& happen : std::exchange(late_, {})) after(0, std::move(happen));
  });
}

void Node::cut_off(Moment time) {
  its_.world.trace("node ", index_, " is cut off for ", time / kMillisecond, " ms");
  cut_off_until_ = its_.world.now() + time;
}

void Node::isolate(Moment time) {
  its_.world.trace("node ", index_, " is isolated for ", time / kMillisecond, " ms");
  isolated_until_ = its_.world.now() + time;
}

/// To the stream, or back from there.
void Node::carry(ModelLog::Step step) {
  World& world = its_.world;
  const auto is_lost = [this] {
    return its_.world.now() < cut_off_until_ || its_.world.chance(its_.troubles.lost);
  };
  const int copies = world.chance(its_.troubles.twice) ? 2 : 1;
  for (int i = 0; i < copies; ++i) {
    if (is_lost()) continue;
    const Moment way = world.pause(its_.troubles.network) +
                       (world.chance(its_.troubles.late) ? world.pause(kLate) : 0);
    if (at_stream_) {
      after(way, [this, step] {
        if (its_.world.now() >= cut_off_until_) step();
      });
    } else {
      world.after(way, [this, step] {
        at_stream_ = true;
        step();
        at_stream_ = false;
      });
    }
  }
}

void Node::wait(ModelLog::Step step) {
  after(kAnswerWait, [this, step = std::move(step)]() mutable {
    if (its_.world.now() < cut_off_until_) return wait(std::move(step));
    step();
  });
}

void Node::wake_at(std::optional<WallTime> moment) {
  const std::uint64_t timer = ++timer_;
  if (!moment) return;
  const Moment at = std::max(its_.world.moment_of(*moment - clock_ahead_), its_.world.now() + 1);
  after(at - its_.world.now(), [this, timer] {
    if (timer == timer_) local_->driver().tick();
  });
}

// --- Its life.

void Node::start() {
  if (its_.world.now() < cut_off_until_) return after(kSecond / 2, [this] { start(); });
  make_local_shard();
  if (const auto read = local_->driver().recover([](auto, auto) {}); !read) {
    its_.faults.push_back("recovery: " + read.error().detail);
  }
  phase_ = Phase::following;
  heard_at_ = its_.world.now();
  its_.world.trace("node ", index_, " follows, ", shard().tasks(), " tasks");
  follow();
  watch();
}

void Node::make_local_shard() {
  const auto soon = [this](Moment pause, std::function<void()> happen) {
    after(pause, std::move(happen));
  };
  const auto read = [this](std::function<void()> work) {
    const bool slow = its_.world.chance(its_.troubles.slow_read);
    after(its_.world.pause(slow ? kSlowRead : kRead), std::move(work));
  };
  log_ = std::make_unique<ModelLog>(
      ModelLog::Options{.post = read,
                        .carry = [this](ModelLog::Step step) { carry(std::move(step)); },
                        .wait = [this](ModelLog::Step step) { wait(std::move(step)); },
                        .number = index_},
      its_.stream);
  receivers_ = std::make_unique<Receivers>(Receivers::Around{
      .world = its_.world,
      .swarm = its_.swarm,
      .ledger = its_.ledger,
      .facts = its_.facts,
      .coverage = its_.coverage,
      .after = soon,
      .task_of = [this](const SimContent& content,
                        std::uint32_t attempt) { return pushed_task(content, attempt); },
      .clock_ahead = clock_ahead_});
  EngineOptions options;
  options.shard = its_.swarm.options;
  options.url_defaults = target_settings(its_.swarm);
  options.batch_bytes_max = its_.swarm.batch_bytes_max;
  options.shared_log = true;
  const auto turn_soon = [this] {
    after(its_.world.pause(kMillisecond / 4), [this] { local_->driver().turn(); });
  };
  local_ = std::make_unique<LocalShard>(
      LocalShard::Place{
          .loop = {.turn_soon = turn_soon,
                   .wake_at = [this](std::optional<WallTime> moment) { wake_at(moment); }},
          .clock = clock_,
          .log = *log_,
          .sink = *receivers_,
          .random = std::mt19937_64(its_.world.below(1U << 30)),
          .settled = [] {},
          .fenced = [this] { fenced(); }},
      std::move(options));
  requests_ = std::make_unique<Requests>(
      Requests::Around{.world = its_.world,
                       .swarm = its_.swarm,
                       .coverage = its_.coverage,
                       .faults = its_.faults,
                       .local = *local_,
                       .webhooks = its_.webhooks,
                       .after = soon,
                       .content_of = [this](TaskNumber number) { return content_of(number); },
                       .shown = [](const Statement&) {},
                       .capacity_set = [](std::uint32_t) {}});
}

/// Whether the owner is silent, or that this one is it.
void Node::watch() {
  after(kWatch, [this] {
    const Moment silence = its_.world.now() - heard_at_;
    const Moment rank = static_cast<Moment>(index_) * kRankPause;
    if (owns()) its_.heartbeat(*this);
    if (follows() && silence > kSilence + rank) take_over();
    watch();
  });
}

void Node::hear_owner() {
  after(0, [this] { heard_at_ = its_.world.now(); });
}

void Node::follow() {
  const Sequence next = shard().last_sequence() + 1;
  asked_for_news_ = true;
  log_->follow(next, kAllBytes, [this](const Result<std::vector<Batch>>& batches) {
    asked_for_news_ = false;
    if (!follows()) return;
    if (!batches) {
      ++its_.coverage["node: was trimmed past"];
      return discard(Verdict::moved, 0);
    }
    heard_at_ = its_.world.now();
    for (const Batch& batch : *batches) local_->driver().follow(batch);
    follow();
  });
}

void Node::take_over() {
  if (!follows()) return;
  its_.world.trace("node ", index_, " would take over");
  phase_ = Phase::taking;
  log_->take_over([this](Appended how) {
    if (how == Appended::committed) return own();
    ++its_.coverage["take over: another was first"];
    phase_ = Phase::following;
    heard_at_ = its_.world.now();
    if (!asked_for_news_) follow();
  });
}

void Node::own() {
  const auto& counts = shard().counts();
  its_.world.trace("node ", index_, " owns the shard, ", shard().tasks(), " tasks");
  ++its_.coverage["take over: done"];
  if (counts[static_cast<std::size_t>(State::firing)] > 0) ++its_.coverage["take over: of firing"];
  phase_ = Phase::owning;
  its_.became_owner(*this);
  // Unless the next owner has appended already.
  if (shard().last_sequence() == its_.last_sequence) its_.facts.expect_same(shard());
  local_->driver().start(kFiringStays);
  shard().check_invariants();
  for (std::uint64_t target = 1; target <= kNamedTargets; ++target) {
    if (!its_.facts.was_put(target_key(target))) requests_->put_target(target, false);
  }
}

void Node::fenced() {
  its_.world.trace("node ", index_, " is fenced");
  ++its_.coverage["fenced: at all"];
  if (shard().in_flight() > 0) ++its_.coverage["fenced: while it pushes"];
  if (phase_ == Phase::handing_over) ++its_.coverage["fenced: while it hands over"];
  phase_ = Phase::down;
  after(0, [this] { discard(Verdict::moved, kSecond + its_.world.pause(2 * kSecond)); });
}

void Node::crash() {
  if (phase_ == Phase::down) return;
  its_.world.trace("node ", index_, " CRASHES");
  if (owns()) ++its_.coverage["crash: of the owner"];
  discard(Verdict::outcome_unknown, its_.world.pause(4 * kSecond));
}

/// Whoever waits hears that.
void Node::discard(Verdict answer, Moment down) {
  phase_ = Phase::down;
  ++incarnation_;
  late_.clear();
  paused_ = false;
  local_.reset();
  receivers_.reset();
  requests_.reset();
  log_.reset();
  Reply reply;
  reply.verdict = answer;
  for (const auto& [number, answered] : std::exchange(open_, {})) {
    its_.world.after(its_.world.pause(kNetwork), [answered, reply] { answered(reply); });
  }
  after(down, [this] { start(); });
}

void Node::hand_over() {
  if (!owns() || paused_) return;
  its_.world.trace("node ", index_, " hands over");
  phase_ = Phase::handing_over;
  local_->driver().hand_over();
  wait_until_drained(its_.world.now() + kHandOver);
}

void Node::wait_until_drained(Moment until) {
  ShardDriver& driver = local_->driver();
  if (its_.world.now() >= until) driver.let_go();
  if (!driver.drained()) {
    return after(kMillisecond, [this, until] {
      if (phase_ == Phase::handing_over) wait_until_drained(until);
    });
  }
  const bool pushing = shard().in_flight() > 0;
  ++its_.coverage[pushing ? "hand over: with a push under way" : "hand over: all over"];
  its_.handed_over(*this);
  discard(Verdict::moved, kSecond);
}

void Node::clean_log() {
  if (!owns()) return;
  its_.world.trace("node ", index_, " cleans");
  local_->driver().clean(1 + its_.world.magnitude(12));
}

// --- Requests and pushes.

void Node::request(const Request& request, Answered answered) {
  if (phase_ == Phase::down) {
    Reply reply;
    reply.verdict = Verdict::moved;  // the connection is refused
    return its_.world.after(its_.world.pause(kNetwork), [answered, reply] { answered(reply); });
  }
  const std::uint64_t number = ++requested_;
  open_.emplace(number, std::move(answered));
  const auto finish = [this, number](const Reply& reply) {
    const auto open = open_.extract(number);
    if (!open.empty()) open.mapped()(reply);
  };
  after(its_.world.pause(kNetwork), [this, request, finish] {
    if (owns()) return requests_->handle(request, finish);
    Reply reply;
    reply.verdict = Verdict::moved;
    finish(reply);
  });
}

std::optional<SimContent> Node::content_of(TaskNumber number) const {
  const auto& contents = log_->mirror().contents;
  const auto row = contents.find(number);
  if (row == contents.end()) return std::nullopt;
  return SimContent::of_row(row->second);
}

/// The number of the task that is pushed: it must be firing, by that attempt, whoever owns the
/// shard by now.
std::optional<TaskNumber> Node::pushed_task(const SimContent& content, std::uint32_t attempt) {
  const auto task = shard().find(fingerprint(content.id));
  if (!task || task->state != State::firing || task->attempt != attempt) {
    its_.faults.push_back(name_of_id(content.id) + " is pushed and does not fire");
    return std::nullopt;
  }
  const Fact& fact = its_.facts.at(task->number);
  if (fact.state != State::firing || fact.attempt != attempt) {
    its_.faults.push_back("task " + std::to_string(task->number) + " is pushed and the log says " +
                          std::string(name_of(fact.state)));
  }
  const auto fired_at = its_.fired_at(task->number);
  if (fired_at && its_.world.now() - *fired_at > kSecond)
    ++its_.coverage["push: waited for a commit"];
  return task->number;
}

}  // namespace carillon::simulation
