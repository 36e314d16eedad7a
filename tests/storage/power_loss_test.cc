// The power goes at any change to the disk, in the middle of random work of the real shard on the
// real log: what was acknowledged is there afterwards, whole and in order, what was cancelled stays
// so, and nothing is there that nobody asked for. CARILLON_SEED repeats one run; threads of
// RocksDB's own run along, so a seed gives the same work and nearly the same cut.
#include <deque>
#include <iostream>

#include <gtest/gtest.h>

#include "base/log.h"
#include "tests/shard/hand_driver.h"
#include "tests/storage/log_fixture.h"
#include "tests/storage/simulated_env.h"
#include "tests/storage/task_truth.h"
#include "tests/support/sized.h"

namespace carillon {
namespace {

constexpr const char* kDir = "/simulated/data";
constexpr std::uint64_t kIds = 200;
constexpr std::uint64_t kGroups = 3;
constexpr std::uint64_t kTargets = 2;
constexpr std::uint64_t kSeed = 1;
constexpr int kCutsPerDisk = 8;
/// So little that commits run over its end, too, and that it takes few changes.
constexpr std::uint64_t kAheadBytes = 16 << 10;

/// What all runs did, for a person and to see that the test tests something.
struct Totals {
  std::uint64_t cuts = 0, while_opening = 0, commits = 0, in_doubt = 0, in_doubt_kept = 0,
                trims = 0, checkpoints = 0, reopened = 0;
};

/// A disk's life: a directory on it, opened again after each cut.
class PoweredRun {
 public:
  PoweredRun(std::uint64_t seed, Totals& totals)
      : random_(seed), disk_(random_()), env_(simulated_env(disk_)), totals_(totals) {}

  /// Works until the power goes, then looks at what is left.
  void work_until_cut() {
    // Some cuts hit the opening, which takes a few dozen changes, most the work after it.
    disk_.cut_power_at(1 + random_() % (random_() % 3 == 0 ? 60 : 1500));
    if (open()) {
      while (!disk_.power_is_off() && !::testing::Test::HasFatalFailure()) step();
    } else {
      ASSERT_TRUE(disk_.power_is_off()) << harness_->error;
      ++totals_.while_opening;
    }
    close();
    ++totals_.cuts;
    disk_.restore_power();
    ASSERT_NO_FATAL_FAILURE(look_at_what_is_left());
  }

 private:
  /// False: the log cannot be opened, which only lack of power excuses.
  bool open() {
    harness_ = std::make_unique<LogHarness>(kDir, env_.get(), kAheadBytes);
    if (!harness_->log) return false;
    shard_ = std::make_unique<Shard>(ShardOptions{});
    const auto read = harness_->log->read(1, [this](Batch&& batch) { shard_->replay(batch); }, {});
    if (!read) {
      harness_->error = read.error().detail;
      return false;
    }
    shard_->start(now_);
    take_effects();
    return true;
  }
  void close() {
    shard_.reset();
    harness_.reset();
    pushes_.clear();
  }

  void step() {
    const std::uint64_t what = random_() % 1000;
    if (what < 450) {
      ask();
    } else if (what < 600) {
      tick();
    } else if (what < 720) {
      finish_a_push();
    } else if (what < 980) {
      commit();
    } else if (what < 995) {
      clean();
    } else if (what < 998) {
      checkpoint();
    } else {
      stop_in_order_and_open();
    }
  }

  void ask() {
    const Fingerprint task = fingerprint(1 + random_() % kIds);
    const GroupKey group = group_key(1 + random_() % kGroups);
    const std::uint64_t what = random_() % 100;
    if (shard_->named_targets().size() < kTargets) {
      put_target(1 + shard_->named_targets().size());
    } else if (what < 60) {
      add(task, what < 20 ? IfExists::replace : IfExists::reject);
    } else if (what < 70) {
      shard_->submit(command::Move{task, some_due()}, 0);
    } else if (what < 94) {
      shard_->submit(command::Cancel{task}, 0);
    } else if (what < 96) {
      shard_->submit(command::GroupCancel{group}, 0);
    } else {
      const Millis by(static_cast<std::int64_t>(random_() % 20'000) - 10'000);
      shard_->submit(command::GroupShift{group, by}, 0);
    }
  }
  void put_target(std::uint64_t target) {
    record::TargetPut put;
    put.key = target_key(target);
    put.name = "t" + std::to_string(target);
    put.concurrency = 50;
    shard_->submit(put, 0);
    commit();
  }
  void add(const Fingerprint& task, IfExists if_exists) {
    command::Add add;
    add.task.task = task;
    add.task.due = some_due();
    add.task.group = group_key(random_() % (kGroups + 1));
    add.task.target = target_key(1 + random_() % kTargets);
    add.if_exists = if_exists;
    add.content = std::string(random_() % 10 == 0 ? 5000 : 100, static_cast<char>(random_())) +
                  std::to_string(random_());
    shard_->submit(std::move(add), 0);
  }
  WallTime some_due() {
    return now_ + Millis(static_cast<std::int64_t>(random_() % (1ULL << random_() % 20)));
  }

  void tick() {
    now_ += Millis(static_cast<std::int64_t>(random_() % 500));
    shard_->tick(now_);
    take_effects();
  }
  void take_effects() {
    for (const Fired& fired : std::exchange(shard_->effects(), {}).fired) pushes_.push_back(fired);
  }
  void finish_a_push() {
    if (pushes_.empty()) return;
    const Fired push = pushes_.front();
    pushes_.pop_front();
    const std::uint64_t how = random_() % 10;
    const State state = how < 6 ? State::delivered : how < 9 ? State::retrying : State::dead;
    shard_->outcome(push, state, some_due(), Note{now_, push.attempt, 503, "no"});
  }

  void commit() {
    if (!shard_->wants_commit()) return;
    const Batch batch = shard_->seal(now_);
    under_way_ = batch;
    if (!harness_->append(batch)) return;
    acknowledged_.follow(batch);
    under_way_.reset();
    ++totals_.commits;
    shard_->committed(batch, now_);
    take_effects();
  }
  void clean() {
    commit();
    std::optional<std::vector<Batch>> oldest;
    harness_->log->read_oldest(1 + random_() % 20'000, [&oldest](std::vector<Batch> batches) {
      oldest = std::move(batches);
    });
    if (!run_until([&oldest] { return oldest.has_value(); }) || oldest->empty()) return;
    shard_->restate(*oldest);
    commit();
    ++totals_.trims;
  }
  void checkpoint() {
    const std::string dir = "/simulated/copy" + std::to_string(++copies_);
    const Sequence last = acknowledged_.last();
    std::optional<Result<>> written;
    harness_->log->checkpoint(dir, [&written](const Result<>& result) { written = result; });
    if (!run_until([&written] { return written.has_value(); }) || !*written) return;
    ++totals_.checkpoints;
    copy_ = {dir, last};
  }
  void stop_in_order_and_open() {
    commit();
    close();
    if (!open()) {
      ASSERT_TRUE(disk_.power_is_off()) << harness_->error;
    }
    ++totals_.reopened;
  }
  /// False: the power went first.
  bool run_until(const std::function<bool()>& condition) {
    return harness_->loop.run_until([&] { return condition() || !harness_->failures.empty(); }) &&
           condition();
  }

  void look_at_what_is_left() {
    ASSERT_TRUE(open()) << harness_->error;
    settle_doubt();
    ASSERT_EQ(shard_->last_sequence(), acknowledged_.last());
    ASSERT_EQ(shard_->named_targets().size(), acknowledged_.targets());
    ASSERT_NO_FATAL_FAILURE(compare_tasks());
    ASSERT_NO_FATAL_FAILURE(compare_contents());
    if (random_() % 4 == 0) {
      ASSERT_NO_FATAL_FAILURE(look_at_checkpoint());
    }
    close();
  }
  /// The batch that was under way is there or not, but not in part.
  void settle_doubt() {
    if (!under_way_) return;
    ++totals_.in_doubt;
    if (!under_way_->records.empty() && shard_->last_sequence() == under_way_->last()) {
      acknowledged_.follow(*under_way_);
      ++totals_.in_doubt_kept;
    }
    under_way_.reset();
  }
  void compare_tasks() {
    shard_->check_invariants();
    std::array<std::uint64_t, kStates> counts{};
    for (std::uint64_t id = 1; id <= kIds; ++id) {
      const auto known = acknowledged_.tasks().find(fingerprint(id).low);
      const auto found = shard_->find(fingerprint(id));
      if (known == acknowledged_.tasks().end()) {
        ASSERT_FALSE(found) << "task " << id << " that nobody asked for";
        continue;
      }
      const TaskTruth::Task& task = known->second;
      ++counts[static_cast<std::size_t>(task.state)];
      if (finished(task.state)) {
        ASSERT_TRUE(!found || found->state == task.state) << "task " << id << " came back";
        continue;
      }
      ASSERT_TRUE(found) << "task " << id << " is lost";
      ASSERT_EQ(found->state, task.state) << "task " << id;
      ASSERT_EQ(found->due, task.due) << "task " << id;
      ASSERT_EQ(found->attempt, task.attempt) << "task " << id;
      ASSERT_EQ(found->number, task.number) << "task " << id;
    }
    for (const State state : {State::scheduled, State::firing, State::retrying}) {
      const auto index = static_cast<std::size_t>(state);
      ASSERT_EQ(shard_->counts()[index], counts[index]) << name_of(state);
    }
  }
  void compare_contents() {
    std::vector<TaskNumber> numbers;
    std::vector<std::string> contents;
    for (const auto& [id, task] : acknowledged_.tasks()) {
      if (finished(task.state)) continue;
      numbers.push_back(task.number);
      contents.push_back(task.content);
    }
    const auto fetched = harness_->fetch(numbers, false);
    for (std::size_t i = 0; i < numbers.size(); ++i) {
      ASSERT_TRUE(fetched[i].content == contents[i]) << "content of number " << numbers[i];
    }
  }
  /// A checkpoint that was answered survives too, with all that was acknowledged before it.
  void look_at_checkpoint() {
    if (!copy_) return;
    LogHarness copy(copy_->dir, env_.get());
    ASSERT_TRUE(copy.log) << copy.error;
    Sequence last = 0;
    for (const Batch& batch : copy.read()) last = std::max(last, batch.last());
    ASSERT_EQ(copy.error, "");
    ASSERT_GE(last, copy_->last);
  }

  struct Copy {
    std::string dir;
    Sequence last = 0;  // acknowledged before it was begun
  };

  std::mt19937_64 random_;
  SimulatedDisk disk_;
  std::unique_ptr<rocksdb::Env> env_;
  Totals& totals_;
  std::unique_ptr<LogHarness> harness_;
  std::unique_ptr<Shard> shard_;
  WallTime now_{Millis(1'763'700'000'000)};
  std::deque<Fired> pushes_;
  TaskTruth acknowledged_;
  std::optional<Batch> under_way_;  // appended, and not acknowledged before the power went
  std::optional<Copy> copy_;
  int copies_ = 0;
};

TEST(PowerLoss, whatever_change_the_power_goes_at_what_was_acknowledged_is_there) {
  const std::uint64_t first_seed = test::seed_or(kSeed);
  const std::size_t disks = test::sized(60, 1000);
  Totals totals;
  set_log_level(LogLevel::off);  // every cut would be told of
  for (std::uint64_t seed = first_seed; seed < first_seed + disks; ++seed) {
    PoweredRun run(seed, totals);
    for (int cut = 0; cut < kCutsPerDisk; ++cut) {
      run.work_until_cut();
      if (HasFatalFailure()) FAIL() << "seed " << seed << ", cut " << cut;
    }
  }
  std::cout << "[ figures  ] power loss: seeds from " << first_seed << ", " << totals.cuts
            << " cuts, " << totals.while_opening << " of them while opening, " << totals.commits
            << " commits, " << totals.in_doubt << " under way at a cut of which "
            << totals.in_doubt_kept << " were there, " << totals.trims << " trims, "
            << totals.checkpoints << " checkpoints, " << totals.reopened << " orderly stops\n";
  EXPECT_GT(totals.while_opening, disks / 2);
  EXPECT_GT(totals.trims, disks);
  EXPECT_GT(totals.checkpoints, disks / 2);
  EXPECT_GT(totals.in_doubt_kept, 0U);
  EXPECT_GT(totals.in_doubt, totals.in_doubt_kept);
}

}  // namespace
}  // namespace carillon
