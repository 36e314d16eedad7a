// Pushes of a shard whose log another node may come to own: none starts more than a second after
// this node is known to have been the owner.
#include <memory>
#include <random>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "engine/local_shard.h"
#include "storage/content.h"
#include "tests/delivery/http_target.h"
#include "tests/engine/held_sink.h"
#include "tests/engine/node.h"

namespace carillon {
namespace {

using std::chrono::hours;
using std::chrono::seconds;
using testing::IsEmpty;
using testing::SizeIs;

class FreshPushTest : public testing::Test {
 protected:
  FreshPushTest() {
    EngineOptions options;
    options.shared_log = true;
    shard = std::make_unique<LocalShard>(
        LocalShard::Place{.loop = {.turn_soon = [this] { ++turns; }, .wake_at = [](auto) {}},
                          .clock = clock,
                          .log = log,
                          .sink = sink,
                          .random = std::mt19937_64(1),
                          .settled = [] {},
                          .fenced = [this] { ++fenced_times; }},
        std::move(options));
    EXPECT_TRUE(shard->driver().recover([](auto, auto) {}));
    log.take_over([](Appended how) { EXPECT_EQ(how, Appended::committed); });
    net.run();
    shard->driver().start();
    record::TargetPut put = HandDriver::target(1);
    put.settings = format_target(http_target("t1", "http://receiver/"), Secrets::stored);
    shard->driver().submit(std::move(put));
    rest();
    add(1, hours(1));
  }
  void add(std::uint64_t id, Millis delay, std::optional<Millis> expire_after = {}) {
    command::Add add = HandDriver::add(id, clock.wall() + delay);
    add.task.expire_after = expire_after;
    TaskContent content;
    content.id = "task";
    content.target = "t1";
    content.webhook_id = "1";
    add.content = encode_content(content);
    shard->driver().submit(std::move(add));
    rest();
  }
  void turn() {
    while (std::exchange(turns, 0) > 0) shard->driver().turn();
  }
  void rest() {
    for (int rounds = 0; rounds < 3; ++rounds) {
      turn();
      net.run();
    }
  }
  /// Task 1 is due, and its Fire on its way to the log.
  void fire() {
    clock.set(clock.wall() + hours(1));
    shard->driver().tick();
    turn();
    ASSERT_TRUE(shard->driver().committing());
  }

  Net net;
  NodeClock clock{WallTime(Millis(1'800'000'000'000))};
  std::shared_ptr<ModelStream> stream = std::make_shared<ModelStream>();
  ModelLog log{net.options(), stream};
  HeldSink sink;
  int turns = 0;
  int fenced_times = 0;
  std::unique_ptr<LocalShard> shard;
};

TEST_F(FreshPushTest, the_commit_of_the_fire_is_what_shows_the_owner) {
  const auto place = stream->next();
  fire();
  rest();
  EXPECT_THAT(sink.pushes, SizeIs(1));
  EXPECT_EQ(stream->next(), place + 1);
}

TEST_F(FreshPushTest, a_content_that_comes_late_is_pushed_after_a_further_commit) {
  fire();
  net.run_but_reads();
  ASSERT_EQ(shard->shard().in_flight(), 1U);
  const auto place = stream->next();
  clock.set(clock.wall() + Millis(1001));
  net.run();
  EXPECT_THAT(sink.pushes, IsEmpty());
  turn();
  EXPECT_THAT(sink.pushes, IsEmpty());
  net.run();
  EXPECT_THAT(sink.pushes, SizeIs(1));
  EXPECT_EQ(stream->next(), place + 1);
}

TEST_F(FreshPushTest, nothing_is_pushed_on_the_word_of_a_commit_that_was_sent_long_ago) {
  fire();
  clock.set(clock.wall() + seconds(20));
  net.run();
  ASSERT_EQ(shard->shard().in_flight(), 1U);
  EXPECT_THAT(sink.pushes, IsEmpty());
  rest();
  EXPECT_THAT(sink.pushes, SizeIs(1));
}

TEST_F(FreshPushTest, what_expires_while_it_waits_for_a_commit_is_not_pushed) {
  add(2, hours(1), seconds(10));
  fire();
  clock.set(clock.wall() + seconds(20));
  net.run();
  ASSERT_EQ(shard->shard().in_flight(), 2U);
  rest();
  EXPECT_THAT(sink.pushes, SizeIs(1)) << "the task that does not expire";
  shard->driver().tick();
  rest();
  EXPECT_EQ(shard->shard().counts()[static_cast<std::size_t>(State::expired)], 1U);
  EXPECT_THAT(sink.pushes, SizeIs(1));
}

TEST_F(FreshPushTest, what_expires_while_it_waits_for_a_commit_is_left_out_of_a_push_of_several) {
  record::TargetPut put = HandDriver::target(1);
  TargetSettings settings = http_target("t1", "http://receiver/");
  http_of(settings).batched.tasks_max = put.batch_tasks = 10;
  put.settings = format_target(settings, Secrets::stored);
  shard->driver().submit(std::move(put));
  add(2, hours(1), seconds(10));
  add(3, hours(1), seconds(10));
  fire();
  clock.set(clock.wall() + seconds(20));
  net.run();
  rest();
  ASSERT_THAT(sink.pushes, SizeIs(1));
  EXPECT_EQ(sink.pushes[0].tasks, 1U);
  shard->driver().tick();
  rest();
  EXPECT_EQ(shard->shard().counts()[static_cast<std::size_t>(State::expired)], 2U);
  EXPECT_EQ(shard->shard().in_flight(), 1U);
}

TEST_F(FreshPushTest, nothing_is_pushed_once_another_one_owns_the_shard) {
  fire();
  net.run_but_reads();
  ModelLog other(net.options(), stream);
  ASSERT_TRUE(other.read(1, [](Batch&&) {}, {}));
  other.take_over([](Appended how) { EXPECT_EQ(how, Appended::committed); });
  net.run_but_reads();
  clock.set(clock.wall() + Millis(1001));
  rest();
  EXPECT_EQ(fenced_times, 1);
  EXPECT_THAT(sink.pushes, IsEmpty());
}

TEST_F(FreshPushTest, an_outcome_that_comes_when_the_shard_is_lost_is_dropped) {
  fire();
  rest();
  ASSERT_THAT(sink.pushes, SizeIs(1));
  ModelLog other(net.options(), stream);
  ASSERT_TRUE(other.read(1, [](Batch&&) {}, {}));
  other.take_over([](Appended how) { EXPECT_EQ(how, Appended::committed); });
  net.run();
  shard->driver().refresh();
  rest();
  ASSERT_EQ(fenced_times, 1);
  const auto place = stream->next();
  sink.end_all();
  rest();
  EXPECT_EQ(stream->next(), place);
}

}  // namespace
}  // namespace carillon
