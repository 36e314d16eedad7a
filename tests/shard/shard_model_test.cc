// Random commands, commits, crashes, clock steps and outcomes against a map that says what must be
// true.

#include <algorithm>
#include <map>
#include <random>
#include <set>

#include <gtest/gtest.h>

#include "tests/shard/hand_driver.h"
#include "tests/shard/naive_log.h"

namespace carillon {
namespace {

constexpr std::uint64_t kIds = 300;
constexpr std::uint64_t kGroups = 4;
constexpr std::uint64_t kTargets = 3;
constexpr std::uint64_t kLanes = 3;

struct Asked {
  enum class Kind { add, replace, move, cancel, group_cancel, group_shift } kind = Kind::add;
  std::uint64_t id = 0;  // of a task or a group
  ModelTask task;
  Millis by{};
  std::uint64_t name = 0;  // of a group's operation; 0: none
};

class Model : private NaiveLog {
 public:
  explicit Model(std::uint64_t seed) : random_(seed), driver_(options(seed)) {
    if (seed % 4 == 1) driver_.set_bytes_max(1000);
    for (std::uint64_t id = 1; id <= kIds; ++id) ids_[fingerprint(id).low] = id;
    for (std::uint64_t target = 1; target <= kTargets; ++target) driver_.put_target(target, 5);
    // Without reserved slots: `settle` knows only whether a target is full.
    for (std::uint64_t lane = 1; lane < kLanes; ++lane) {
      driver_.shard().submit(
          command::LanePut{"lane" + std::to_string(lane), static_cast<std::uint32_t>(lane), 0}, 0);
      settle();
    }
    settle();
  }

  void step() {
    const std::uint64_t what = random_() % 1000;
    if (what < 350) {
      ask_random();
    } else if (what < 550) {
      tick_forward();
    } else if (what < 700) {
      driver_.seal();
    } else if (what < 880) {
      commit();
    } else if (what < 960) {
      finish_a_push();
    } else if (what < 975) {
      settle();
      check_all();
    } else if (what < 981) {
      step_back();
    } else if (what < 987) {
      clean_log();
    } else if (what < 993) {
      toggle_pause();
    } else {
      crash();
    }
  }

  /// Lets everything come to rest: nothing that is due, free to go and not paused may be left
  /// waiting.
  void settle() {
    commit();
    driver_.run([this] { take(); });
    for (const auto& [id, task] : tasks_) {
      if (!waits(task.state) || task.due > driver_.now() || paused_.contains(task.target)) continue;
      const TargetState& target = *driver_const().target(target_key(task.target));
      if (!target.hold.admits(driver_.now(), target.in_flight)) continue;
      ASSERT_GE(target.in_flight, target.window()) << "task " << id << " is due and was not fired";
    }
  }

  void check_all() {
    driver_.shard().check_invariants();
    std::array<std::uint64_t, kStates> counts{};
    for (const auto& [id, task] : tasks_) {
      ++counts[static_cast<std::size_t>(task.state)];
      if (finished(task.state)) continue;
      const auto found = driver_.shard().find(fingerprint(id));
      ASSERT_TRUE(found.has_value()) << "lost task " << id;
      ASSERT_EQ(found->state, task.state) << "task " << id;
      ASSERT_EQ(found->due, task.due) << "task " << id;
      ASSERT_EQ(found->attempt, task.attempt) << "task " << id;
      ASSERT_EQ(found->lane, id % kLanes) << "task " << id;
      ASSERT_EQ(found->retries_cancelled, task.retries_cancelled) << "task " << id;
    }
    for (const State state : {State::scheduled, State::firing, State::retrying}) {
      const auto index = static_cast<std::size_t>(state);
      ASSERT_EQ(driver_.shard().counts()[index], counts[index]) << name_of(state);
    }
  }

  [[nodiscard]] std::uint64_t fired() const { return fired_; }
  [[nodiscard]] std::uint64_t crashes() const { return crashes_; }
  [[nodiscard]] std::uint64_t trims() const { return trims_; }
  [[nodiscard]] std::uint64_t last_attempts() const { return last_attempts_; }
  [[nodiscard]] std::uint64_t throttled() const { return throttled_; }
  [[nodiscard]] std::uint64_t repeated() const { return repeated_; }

 private:
  static ShardOptions options(std::uint64_t seed) {
    ShardOptions options;
    options.retain_finished = seed % 2 == 0 ? Millis(0) : Millis(20'000);
    options.catch_up_per_second = seed % 3 == 0 ? 1000 : 0;
    return options;
  }

  std::uint64_t any(std::uint64_t bound) { return 1 + random_() % bound; }
  WallTime any_due() {
    return driver_.now() +
           Millis(static_cast<std::int64_t>(random_() % (1ULL << (random_() % 20))));
  }

  void submit(Asked asked, Command command) {
    const Ticket ticket = ++last_ticket_;
    asked_[ticket] = asked;
    driver_.shard().submit(std::move(command), ticket);
    take();
  }

  void ask_random() {
    const std::uint64_t what = random_() % 100;
    Asked asked;
    asked.id = any(kIds);
    if (what < 50) {
      asked.task = {State::scheduled, any_due(), random_() % (kGroups + 1), any(kTargets), 0, 0};
      command::Add add = driver_.add(asked.id, asked.task.due, asked.task.group, asked.task.target);
      add.task.lane = static_cast<LaneNumber>(asked.id % kLanes);
      if (random_() % 4 == 0) {
        asked.kind = Asked::Kind::replace;
        add.if_exists = IfExists::replace;
      }
      submit(asked, add);
    } else if (what < 65) {
      asked.kind = Asked::Kind::move;
      asked.task.due = any_due();
      submit(asked, command::Move{fingerprint(asked.id), asked.task.due});
    } else if (what < 90) {
      asked.kind = Asked::Kind::cancel;
      submit(asked, command::Cancel{fingerprint(asked.id), random_() % 2 == 0});
    } else if (what < 93) {
      asked.kind = Asked::Kind::group_cancel;
      asked.id = any(kGroups);
      submit(asked, command::GroupCancel{group_key(asked.id), name_of_operation(asked, 1)});
    } else {
      asked.kind = Asked::Kind::group_shift;
      asked.id = any(kGroups);
      asked.by = Millis(static_cast<std::int64_t>(random_() % 20'000) - 10'000);
      submit(asked,
             command::GroupShift{group_key(asked.id), asked.by, name_of_operation(asked, 2)});
    }
  }

  /// Now and then one of a few for each call and group, so that some are said again.
  OperationName name_of_operation(Asked& asked, std::uint64_t call) {
    if (random_() % 3 != 0) return {};
    asked.name = 1 + random_() % 20 + 100 * asked.id + 1000 * call;
    return {{asked.name, 3}, 0};
  }

  void tick_forward() {
    const std::uint64_t reach = 1ULL << (random_() % 14);
    driver_.set_now(driver_.now() + Millis(static_cast<std::int64_t>(random_() % reach)));
    latest_ = std::max(latest_, driver_.now());
    driver_.shard().tick(driver_.now());
    take();
  }

  void step_back() {
    // A hold that is not in the log yet would be shortened unseen.
    for (int i = 0; i < 2; ++i) {
      commit();
      driver_.seal();
    }
    commit();
    const Millis step(static_cast<std::int64_t>(random_() % 5000));
    driver_.set_now(driver_.now() - step);
    for (auto& [target, until] : held_) until -= step;
    driver_.shard().tick(driver_.now());
    take();
  }

  void commit() {
    driver_.commit();
    take();
  }

  void finish_a_push() {
    if (pushes_.empty()) return;
    const std::size_t index = random_() % pushes_.size();
    const Fired push = pushes_[index];
    pushes_.erase(pushes_.begin() + static_cast<std::ptrdiff_t>(index));
    std::erase_if(probes_, [&](const auto& probe) { return probe.second == push.number; });
    const std::uint64_t how = random_() % 10;
    const State state = how < 6 ? State::delivered : how < 9 ? State::retrying : State::dead;
    const WallTime retry_at = driver_.now() + Millis(static_cast<std::int64_t>(random_() % 4000));
    std::optional<Trouble> trouble;
    if (state == State::retrying && random_() % 4 == 0) {
      trouble = Trouble{.at = driver_.now(), .hold_max = Millis(3000)};
      if (random_() % 2 == 0) trouble->asked = Millis(static_cast<std::int64_t>(random_() % 5000));
      ++throttled_;
    } else if (state == State::retrying) {
      trouble = Trouble{.at = driver_.now(), .reason = HoldReason::failing};
      trouble->breaker = {2, Millis(500), Millis(3000)};
    }
    driver_.shard().outcome(push, state, retry_at, {}, trouble);
  }

  void toggle_pause() {
    const std::uint64_t target = any(kTargets);
    settle();
    if (paused_.erase(target) == 0) paused_.insert(target);
    driver_.put_target(target, 5, paused_.contains(target));
    settle();
  }

  void clean_log() {
    if (driver_.log().size() < 4) return;
    const auto count = static_cast<std::ptrdiff_t>(1 + random_() % (driver_.log().size() / 2));
    driver_.shard().restate({driver_.log().begin(), driver_.log().begin() + count});
    ++trims_;
  }

  void crash() {
    ++crashes_;
    if (driver_.sealed() && random_() % 2 == 0) commit();
    asked_.clear();
    pushes_.clear();
    group_counts_.clear();
    probes_.clear();
    // Done, and perhaps never answered: what a recovery counts is as good an answer.
    for (const std::uint64_t name : unanswered_) answers_.erase(name);
    unanswered_.clear();
    driver_.shard().effects() = {};
    driver_.restart();
    settle();
    check_all();
  }

  [[nodiscard]] Shard& driver_const() const { return const_cast<HandDriver&>(driver_).shard(); }

  /// Follows the log, naively, then checks what the shard said and did.
  void take() {
    for (const Batch& batch : driver_.log()) {
      if (batch.first < next_sequence_) continue;
      next_sequence_ = batch.last() + 1;
      for (std::size_t i = 0; i < batch.records.size(); ++i) {
        std::visit([&](const auto& fact) { follow(fact, batch.first + i, batch.at); },
                   batch.records[i]);
      }
    }
    const Effects effects = driver_.take();
    for (const Reply& reply : effects.replies) {
      const auto asked = asked_.extract(reply.ticket);
      ASSERT_FALSE(asked.empty());
      answered(asked.mapped(), reply);
    }
    for (const Fired& fired : effects.fired) {
      ++fired_;
      const ModelTask& task = tasks_.at(ids_.at(fired.task.low));
      ASSERT_EQ(task.number, fired.number) << "an old content was fired";
      ASSERT_EQ(task.state, State::firing) << "pushed without a durable record";
      ASSERT_EQ(task.attempt, fired.attempt);
      pushes_.push_back(fired);
    }
  }

  void answered(const Asked& asked, const Reply& reply) {
    const auto found = tasks_.find(asked.id);
    const bool done = reply.verdict == Verdict::done || reply.verdict == Verdict::replaced;
    if (asked.kind == Asked::Kind::group_cancel || asked.kind == Asked::Kind::group_shift) {
      if (reply.verdict == Verdict::repeated || (done && asked.name != 0)) {
        const auto answer = answers_.find(asked.name);
        if (answer != answers_.end()) {
          ASSERT_EQ(reply.count, answer->second);
        }
        if (reply.verdict == Verdict::repeated) ++repeated_;
      }
      if (!done || asked.name != 0) return;
      ASSERT_FALSE(group_counts_.empty());
      ASSERT_EQ(reply.count, group_counts_.front());
      group_counts_.erase(group_counts_.begin());
    } else if (done && asked.kind == Asked::Kind::cancel && reply.task.state == State::firing) {
      ASSERT_EQ(found->second.state, State::firing);
      ASSERT_TRUE(found->second.retries_cancelled);
    } else if (done && asked.kind == Asked::Kind::cancel) {
      ASSERT_EQ(found->second.state, State::cancelled);
      ASSERT_EQ(found->second.attempt, reply.task.attempt);
    } else if (done && asked.kind == Asked::Kind::move) {
      ASSERT_EQ(reply.task.due, asked.task.due);
    } else if (done) {
      ASSERT_EQ(found->second.number, reply.task.number);
    } else if (reply.verdict == Verdict::task_firing) {
      ASSERT_EQ(found->second.state, State::firing);
    } else if (asked.kind == Asked::Kind::cancel || asked.kind == Asked::Kind::move) {
      ASSERT_TRUE(found == tasks_.end() || finished(found->second.state)) << "a task was denied";
    } else {
      ASSERT_TRUE(found != tasks_.end() && !finished(found->second.state)) << "an add was denied";
    }
  }

  std::mt19937_64 random_;
  HandDriver driver_;
  std::map<Ticket, Asked> asked_;
  std::set<std::uint64_t> paused_;
  std::vector<Fired> pushes_;
  Sequence next_sequence_ = 1;
  Ticket last_ticket_ = 0;
  std::uint64_t fired_ = 0;
  std::uint64_t crashes_ = 0;
  std::uint64_t trims_ = 0;
  std::uint64_t throttled_ = 0;
  std::uint64_t repeated_ = 0;
};

class ShardRandom : public testing::TestWithParam<std::uint64_t> {};

TEST_P(ShardRandom, keeps_every_promise_over_random_steps) {
  Model model(GetParam());
  for (int step = 0; step < 40'000; ++step) {
    model.step();
    if (HasFatalFailure()) FAIL() << "seed " << GetParam() << " step " << step;
  }
  EXPECT_GT(model.fired(), 100U);
  EXPECT_GT(model.crashes(), 100U);
  EXPECT_GT(model.trims(), 100U);
  EXPECT_GT(model.last_attempts(), 100U);
  EXPECT_GT(model.throttled(), 20U);
  EXPECT_GT(model.repeated(), 20U);
}

INSTANTIATE_TEST_SUITE_P(seeds, ShardRandom, testing::Range<std::uint64_t>(1, 13));

}  // namespace
}  // namespace carillon
