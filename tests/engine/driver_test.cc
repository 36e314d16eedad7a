// The driver without an event loop: turns, wake-ups and the log's answers are handed out by hand,
// in virtual time.
#include "engine/driver.h"

#include <algorithm>
#include <deque>
#include <memory>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/engine/asked.h"
#include "tests/shard/hand_driver.h"
#include "tests/storage/memory_log.h"

namespace carillon {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;
using testing::IsEmpty;

struct Consumer final : ShardConsumer {
  void fired(std::vector<Fired> tasks) override {
    pushes.insert(pushes.end(), tasks.begin(), tasks.end());
  }
  void imminent(const std::vector<TaskNumber>& numbers, std::span<ContentRow> at_hand) override {
    announced.insert(announced.end(), numbers.begin(), numbers.end());
    at_hand_rows += at_hand.size();
  }
  void targets_changed(const std::vector<TargetKey>& keys) override {
    targets.insert(targets.end(), keys.begin(), keys.end());
  }
  void holds_changed(const std::vector<TargetKey>& keys) override { holds += keys.size(); }
  void settled() override { ++settled_times; }
  void fenced() override { FAIL() << "its log has one owner"; }

  std::vector<Fired> pushes;
  std::vector<TaskNumber> announced;
  std::size_t at_hand_rows = 0;
  std::vector<TargetKey> targets;
  std::size_t holds = 0;
  int settled_times = 0;
};

class DriverTest : public testing::Test {
 protected:
  DriverTest() { boot(); }

  void boot(AutoAck auto_ack = AutoAck::yes) {
    driver.reset();
    posted.clear();
    turns = 0;
    log = std::make_unique<MemoryLog>(
        [this](std::function<void()> work) { posted.push_back(std::move(work)); }, auto_ack, disk);
    const DriverLoop loop{.turn_soon = [this] { ++turns; },
                          .wake_at = [this](std::optional<WallTime> moment) { alarm = moment; }};
    driver = std::make_unique<ShardDriver>(loop, clock, *log, consumer, options);
    const Result<WallTime> latest = driver->recover([](auto, auto) {});
    ASSERT_TRUE(latest);
    recovered_to = *latest;
    driver->start();
  }
  /// What the log has answered.
  void hear() {
    while (!posted.empty()) {
      const auto work = std::move(posted.front());
      posted.pop_front();
      work();
    }
  }
  void turn() {
    ASSERT_GT(std::exchange(turns, 0), 0);
    driver->turn();
  }
  /// Everything that can happen at this moment.
  void rest() {
    hear();
    while (turns > 0) {
      turn();
      hear();
    }
  }
  /// Virtual time goes on; the driver is woken when it asked for that.
  void advance(Millis by) {
    const WallTime until = clock.wall() + by;
    for (rest(); alarm && *alarm <= until; rest()) {
      clock.set(std::max(clock.wall(), *std::exchange(alarm, std::nullopt)));
      driver->tick();
    }
    clock.set(until);
  }
  void step_clock(Millis by) {
    clock.set(clock.wall() + by);
    driver->tick();
    rest();
  }

  [[nodiscard]] command::Add add(std::uint64_t id, Millis delay) {
    return HandDriver::add(id, clock.wall() + delay);
  }
  const Asked& submit(std::vector<Command> commands) {
    Asked& one = *asked.emplace_back(std::make_unique<Asked>(commands.size()));
    driver->submit(commands, one);
    return one;
  }
  const Asked& submit_adds(std::uint64_t from, std::uint64_t count, Millis delay) {
    std::vector<Command> adds;
    for (std::uint64_t id = from; id < from + count; ++id) adds.emplace_back(add(id, delay));
    return submit(std::move(adds));
  }
  void put_target() {
    driver->submit(HandDriver::target(1));
    rest();
  }
  [[nodiscard]] std::uint64_t count(State state) const {
    return driver->shard().counts()[static_cast<std::size_t>(state)];
  }

  WallTime start{Millis(1'800'000'000'000)};
  ManualClock clock{start};
  std::shared_ptr<MemoryDisk> disk = std::make_shared<MemoryDisk>();
  std::deque<std::function<void()>> posted;
  int turns = 0;
  std::optional<WallTime> alarm;
  Consumer consumer;
  DriverOptions options;
  WallTime recovered_to{};
  std::vector<std::unique_ptr<Asked>> asked;
  std::unique_ptr<MemoryLog> log;
  std::unique_ptr<ShardDriver> driver;
};

TEST_F(DriverTest, what_comes_in_one_turn_of_the_loop_shares_a_commit) {
  put_target();
  const std::uint64_t before = log->stats().commits;
  const Asked& one = submit_adds(1, 1, hours(1));
  const Asked& two = submit_adds(2, 1, hours(1));
  EXPECT_FALSE(driver->committing()) << "not before the turn ends";
  EXPECT_EQ(turns, 1) << "one turn for both";
  rest();
  EXPECT_TRUE(one.done && two.done);
  EXPECT_EQ(log->stats().commits, before + 1);
}

TEST_F(DriverTest, half_of_what_the_last_commits_had_is_not_kept_waiting_for_the_turn) {
  put_target();
  submit_adds(1, 100, hours(1));
  ASSERT_TRUE(driver->committing()) << "many at once";
  hear();
  rest();
  submit_adds(200, 20, hours(1));
  EXPECT_FALSE(driver->committing());
  submit_adds(300, 35, hours(1));
  EXPECT_TRUE(driver->committing());
  rest();
}

TEST_F(DriverTest, one_commit_is_under_way_at_most_and_what_comes_meanwhile_is_the_next_one) {
  put_target();
  boot(AutoAck::no);
  const Asked& first = submit_adds(1, 1, hours(1));
  rest();
  ASSERT_TRUE(log->in_flight());
  const Asked& second = submit_adds(2, 40, hours(1));
  const Asked& third = submit_adds(50, 40, hours(1));
  rest();
  EXPECT_FALSE(first.done);
  log->ack_next();
  hear();
  EXPECT_TRUE(first.done);
  EXPECT_FALSE(second.done) << "it is not durable yet";
  ASSERT_TRUE(log->in_flight()) << "handed over at once";
  log->ack_next();
  hear();
  EXPECT_TRUE(second.done && third.done);
  EXPECT_FALSE(log->in_flight());
  EXPECT_TRUE(driver->at_rest());
}

TEST_F(DriverTest, nothing_is_fired_before_it_is_durable_and_its_outcome_ends_it) {
  put_target();
  boot(AutoAck::no);
  submit_adds(1, 1, seconds(10));
  rest();
  log->ack_next();
  rest();
  ASSERT_TRUE(alarm);
  while (*alarm < start + seconds(10)) {
    clock.set(*alarm);
    driver->tick();
    rest();
  }
  clock.set(start + seconds(10));
  driver->tick();
  rest();
  ASSERT_TRUE(log->in_flight());
  EXPECT_THAT(consumer.pushes, IsEmpty());
  log->ack_next();
  rest();
  ASSERT_EQ(consumer.pushes.size(), 1U);
  EXPECT_EQ(consumer.pushes[0].attempt, 1U);
  driver->outcome(consumer.pushes[0], State::delivered, {}, {});
  rest();
  EXPECT_EQ(count(State::delivered), 0U);
  log->ack_next();
  rest();
  EXPECT_EQ(count(State::delivered), 1U);
}

TEST_F(DriverTest, what_is_due_soon_is_announced_with_the_contents_that_came_with_it) {
  put_target();
  submit_adds(1, 2, Millis(10));
  submit_adds(3, 1, hours(1));
  rest();
  EXPECT_EQ(consumer.announced.size(), 2U);
  EXPECT_EQ(consumer.at_hand_rows, 3U) << "all that the batch brought";
}

TEST_F(DriverTest, a_retry_is_woken_for_and_fired_again) {
  put_target();
  submit_adds(1, 1, seconds(1));
  advance(seconds(1));
  ASSERT_EQ(consumer.pushes.size(), 1U);
  driver->outcome(consumer.pushes[0], State::retrying, clock.wall() + seconds(30),
                  Note{clock.wall(), 1, 500, "no", {}, 0});
  advance(seconds(30) - Millis(1));
  EXPECT_EQ(consumer.pushes.size(), 1U);
  advance(Millis(1));
  ASSERT_EQ(consumer.pushes.size(), 2U);
  EXPECT_EQ(consumer.pushes[1].attempt, 2U);
}

TEST_F(DriverTest, a_hold_wakes_the_driver_at_its_end) {
  put_target();
  submit_adds(1, 2, seconds(1));
  advance(seconds(1));
  ASSERT_EQ(consumer.pushes.size(), 2U);
  const Trouble trouble{clock.wall(), HoldReason::too_many_requests, seconds(60), minutes(5), {}};
  driver->outcome(consumer.pushes[0], State::retrying, clock.wall() + seconds(60),
                  Note{clock.wall(), 1, 429, "later", {}, 1}, trouble);
  EXPECT_EQ(consumer.holds, 1U);
  advance(seconds(59));
  EXPECT_EQ(consumer.pushes.size(), 2U);
  advance(seconds(1));
  EXPECT_EQ(consumer.pushes.size(), 3U) << "the probe";
}

TEST_F(DriverTest, cleaning_begins_when_the_log_is_large_and_ends_when_the_trim_is_durable) {
  options.log_slack_bytes = 2000;
  options.shard.retain_finished = Millis(0);
  boot();
  put_target();
  submit_adds(1, 1, hours(1));
  std::size_t largest = 0;
  for (std::uint64_t round = 0; round < 400; ++round) {
    submit_adds(100 + round, 1, hours(1));
    rest();
    submit({command::Cancel{fingerprint(100 + round)}});
    advance(Millis(2));
    largest = std::max(largest, disk->batches.size());
  }
  EXPECT_GT(disk->batches.begin()->first, 1U) << "it began";
  EXPECT_LT(disk->batches.size(), largest) << "and began again";
  boot();
  EXPECT_TRUE(driver->shard().find(fingerprint(1))) << "what was alive was restated";
}

TEST_F(DriverTest, cleaning_that_is_under_way_is_not_begun_again) {
  put_target();
  for (std::uint64_t id = 1; id <= 5; ++id) {
    submit_adds(id, 1, hours(1));
    rest();
  }
  boot(AutoAck::no);
  driver->clean(1);
  EXPECT_EQ(posted.size(), 1U);
  driver->clean(1);
  EXPECT_EQ(posted.size(), 1U) << "the oldest are being read";
  hear();
  submit_adds(9, 1, hours(1));
  rest();
  driver->clean(1);
  EXPECT_THAT(posted, IsEmpty()) << "their trim is not durable";
  log->ack_next();
  hear();
  EXPECT_GT(disk->batches.begin()->first, 1U);
  driver->clean(1);
  EXPECT_EQ(posted.size(), 1U);
}

TEST_F(DriverTest, draining_takes_no_commands_fires_nothing_and_waits_for_outcomes) {
  put_target();
  submit_adds(1, 1, seconds(1));
  submit_adds(2, 1, seconds(5));
  advance(seconds(1));
  ASSERT_EQ(consumer.pushes.size(), 1U);
  driver->drain();
  EXPECT_EQ(driver->not_ready_because(), "draining");
  EXPECT_EQ(driver->closed()->slug, "not_ready");
  EXPECT_FALSE(driver->drained());
  advance(seconds(10));
  EXPECT_EQ(consumer.pushes.size(), 1U);
  driver->outcome(consumer.pushes[0], State::delivered, {}, {});
  EXPECT_FALSE(driver->drained()) << "its outcome is not durable";
  rest();
  EXPECT_TRUE(driver->drained());
  EXPECT_EQ(count(State::delivered), 1U);
}

TEST_F(DriverTest, once_storage_has_failed_nothing_is_taken_or_fired) {
  put_target();
  submit_adds(1, 1, seconds(1));
  rest();
  const int before = consumer.settled_times;
  driver->storage_failed();
  EXPECT_GT(consumer.settled_times, before) << "whoever waits looks again";
  EXPECT_EQ(driver->not_ready_because(), "storage failed");
  EXPECT_EQ(driver->closed()->slug, "not_ready");
  driver->drain();
  EXPECT_THAT(driver->closed()->detail, testing::HasSubstr("Storage has failed"))
      << "a stop does not cure it";
  advance(seconds(10));
  EXPECT_THAT(consumer.pushes, IsEmpty());
}

TEST_F(DriverTest, while_much_waits_for_the_log_it_is_closed) {
  options.pending_bytes_max = 1000;
  boot(AutoAck::no);
  submit({record::TargetPut{target_key(1), "t1", 1, false, ""}});
  rest();
  log->ack_next();
  hear();
  submit_adds(1, 1, hours(1));
  rest();
  EXPECT_FALSE(driver->closed());
  submit_adds(2, 40, hours(1));
  ASSERT_TRUE(driver->closed());
  EXPECT_EQ(driver->closed()->slug, "overloaded");
  log->ack_next();
  hear();
  EXPECT_FALSE(driver->closed());
}

TEST_F(DriverTest, a_clock_that_is_set_forward_fires_what_became_due) {
  put_target();
  submit_adds(1, 1, hours(1));
  rest();
  step_clock(hours(2));
  ASSERT_EQ(consumer.pushes.size(), 1U);
  EXPECT_EQ(consumer.pushes[0].due, start + hours(1));
}

TEST_F(DriverTest, a_clock_that_is_set_back_fires_nothing_early_and_nothing_twice) {
  put_target();
  submit_adds(1, 1, seconds(10));
  submit_adds(2, 1, seconds(20));
  advance(seconds(10));
  ASSERT_EQ(consumer.pushes.size(), 1U);
  driver->outcome(consumer.pushes[0], State::delivered, {}, {});
  rest();
  step_clock(-hours(1));
  advance(hours(1) + seconds(9));
  EXPECT_EQ(consumer.pushes.size(), 1U);
  advance(seconds(1));
  EXPECT_EQ(consumer.pushes.size(), 2U);
}

TEST_F(DriverTest, a_commit_of_nothing_keeps_the_time) {
  clock.set(start + hours(3));
  driver->commit();
  EXPECT_TRUE(driver->committing());
  hear();
  EXPECT_FALSE(driver->committing());
  boot();
  EXPECT_EQ(recovered_to, start + hours(3));
}

TEST_F(DriverTest, callers_that_still_wait_hear_that_no_reply_will_come) {
  put_target();
  boot(AutoAck::no);
  const Asked& waits = submit_adds(1, 1, hours(1));
  driver.reset();
  EXPECT_TRUE(waits.gone);
  EXPECT_FALSE(waits.done);
  hear();
}

TEST_F(DriverTest, what_the_log_answers_after_the_driver_is_gone_is_dropped) {
  put_target();
  const Asked& waits = submit_adds(1, 20, hours(1));
  driver->clean(1);
  ASSERT_FALSE(posted.empty());
  driver.reset();
  hear();
  EXPECT_FALSE(waits.done);
}

}  // namespace
}  // namespace carillon
