// A shard whose log has another owner: its callers are told, and its driver is discarded and made
// anew while the process lives.
#include <deque>
#include <memory>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "engine/driver.h"
#include "tests/engine/asked.h"
#include "tests/shard/hand_driver.h"
#include "tests/storage/model_log.h"

namespace carillon {
namespace {

using std::chrono::hours;
using testing::ElementsAre;
using testing::IsEmpty;

struct Consumer final : ShardConsumer {
  void fired(std::vector<Fired> tasks) override { pushes += tasks.size(); }
  void imminent(const std::vector<TaskNumber>&, std::span<ContentRow>) override {}
  void targets_changed(const std::vector<TargetKey>&) override {}
  void holds_changed(const std::vector<TargetKey>&) override {}
  void settled() override {}
  void fenced() override {
    ++fenced_times;
    if (on_fenced) on_fenced();
  }
  std::size_t pushes = 0;
  int fenced_times = 0;
  std::function<void()> on_fenced;
};

/// Carries steps in their order; what waits for an answer that is late goes on when all else has.
struct Net {
  [[nodiscard]] ModelLog::Options options() {
    const auto soon = [this](ModelLog::Step step) { steps.push_back(std::move(step)); };
    return {.post = soon, .carry = soon, .wait = [this](ModelLog::Step step) {
              waits.push_back(std::move(step));
            }};
  }
  void run() {
    for (int rounds = 0; rounds < 4; ++rounds) {
      while (!steps.empty()) {
        const auto step = std::move(steps.front());
        steps.pop_front();
        step();
      }
      for (auto& wait : std::exchange(waits, {})) wait();
    }
  }
  std::deque<ModelLog::Step> steps;
  std::vector<ModelLog::Step> waits;
};

/// One that owns the stream, or did.
class Node {
 public:
  Node(Net& net, Clock& clock, const std::shared_ptr<ModelStream>& stream)
      : net_(net), clock_(clock), log(net.options(), stream) {
    make_driver();
  }

  /// A driver from what is in the log, which owns the shard from now on.
  void make_driver() {
    driver.reset();
    turns = 0;
    const DriverLoop loop{.turn_soon = [this] { ++turns; },
                          .wake_at = [](std::optional<WallTime>) {}};
    driver = std::make_unique<ShardDriver>(loop, clock_, log, consumer, DriverOptions());
    ASSERT_TRUE(driver->recover([](auto, auto) {}));
    std::optional<Appended> how;
    log.take_over([&](Appended ended) { how = ended; });
    net_.run();
    ASSERT_EQ(how, Appended::committed);
    driver->start();
  }
  Asked& submit(std::vector<Command> commands) {
    Asked& one = *asked.emplace_back(std::make_unique<Asked>(commands.size()));
    driver->submit(commands, one);
    return one;
  }
  Asked& add(std::uint64_t id) { return submit({make_add(id)}); }
  [[nodiscard]] command::Add make_add(std::uint64_t id) const {
    return HandDriver::add(id, clock_.wall() + hours(1));
  }
  void put_target() {
    driver->submit(HandDriver::target(1));
    rest();
  }
  void turn() {
    while (driver && std::exchange(turns, 0) > 0) driver->turn();
  }
  void rest() {
    turn();
    net_.run();
    turn();
    net_.run();
  }
  [[nodiscard]] std::uint64_t scheduled() const {
    return driver->shard().counts()[static_cast<std::size_t>(State::scheduled)];
  }

 private:
  Net& net_;
  Clock& clock_;

 public:
  int turns = 0;
  Consumer consumer;
  std::vector<std::unique_ptr<Asked>> asked;
  ModelLog log;
  std::unique_ptr<ShardDriver> driver;
};

class FencedTest : public testing::Test {
 protected:
  FencedTest() {
    first.put_target();
    Asked& before = first.add(1);
    first.rest();
    EXPECT_THAT(before.verdicts(), ElementsAre(Verdict::done));
  }
  /// Another one owns the stream, and has added task 10.
  void take_over() {
    second = std::make_unique<Node>(net, clock, stream);
    Asked& added = second->add(10);
    second->rest();
    ASSERT_THAT(added.verdicts(), ElementsAre(Verdict::done));
  }

  Net net;
  ManualClock clock{WallTime(Millis(1'800'000'000'000))};
  std::shared_ptr<ModelStream> stream = std::make_shared<ModelStream>();
  Node first{net, clock, stream};
  std::unique_ptr<Node> second;
};

TEST_F(FencedTest, callers_hear_what_may_have_been_done_and_what_was_not) {
  take_over();
  Asked& sealed = first.submit({first.make_add(2), first.make_add(3)});
  first.turn();
  ASSERT_TRUE(first.driver->committing());
  Asked& open = first.add(4);
  Asked& waiting = first.submit({command::Cancel{.task = fingerprint(2)}});
  EXPECT_FALSE(sealed.done || open.done || waiting.done);
  first.rest();
  EXPECT_TRUE(sealed.done && open.done && waiting.done);
  EXPECT_THAT(sealed.verdicts(), ElementsAre(Verdict::outcome_unknown, Verdict::outcome_unknown));
  EXPECT_THAT(open.verdicts(), ElementsAre(Verdict::moved));
  EXPECT_THAT(waiting.verdicts(), ElementsAre(Verdict::moved));
  EXPECT_EQ(first.consumer.fenced_times, 1);
}

TEST_F(FencedTest, from_then_on_nothing_is_done) {
  take_over();
  Asked& lost = first.add(2);
  Asked* again = nullptr;
  lost.then = [&] { again = &first.add(2); };
  first.rest();
  ASSERT_NE(again, nullptr);
  EXPECT_FALSE(again->waits());
  EXPECT_THAT(again->verdicts(), ElementsAre(Verdict::moved));
  EXPECT_EQ(first.driver->closed()->slug, "moved");
  EXPECT_EQ(first.driver->not_ready_because(), "fenced");
  EXPECT_TRUE(first.driver->drained());
  const auto place = stream->next();
  clock.set(clock.wall() + hours(2));
  first.driver->tick();
  first.driver->turn();
  first.driver->drain();
  first.rest();
  EXPECT_EQ(first.consumer.pushes, 0U);
  EXPECT_EQ(stream->next(), place);
  EXPECT_EQ(first.consumer.fenced_times, 1);
}

TEST_F(FencedTest, the_driver_is_discarded_at_once_and_made_anew_from_the_log) {
  take_over();
  Asked& lost = first.add(2);
  first.consumer.on_fenced = [&] { first.driver.reset(); };
  first.rest();
  EXPECT_TRUE(lost.done);
  ASSERT_EQ(first.driver, nullptr);
  first.make_driver();
  EXPECT_EQ(first.scheduled(), 2U) << "tasks 1 and 10, and not 2";
  Asked& added = first.add(2);
  Asked& known = first.add(10);
  first.rest();
  EXPECT_THAT(added.verdicts(), ElementsAre(Verdict::done));
  EXPECT_THAT(known.verdicts(), ElementsAre(Verdict::task_exists));
  Asked& late = second->add(3);
  second->rest();
  EXPECT_THAT(late.verdicts(), ElementsAre(Verdict::outcome_unknown)) << "it is fenced in turn";
}

TEST_F(FencedTest, a_caller_may_discard_the_driver) {
  take_over();
  Asked& one = first.add(2);
  Asked& two = first.add(3);
  one.then = [&] { first.driver.reset(); };
  first.rest();
  EXPECT_TRUE(one.done);
  EXPECT_TRUE(two.gone);
  EXPECT_EQ(first.consumer.fenced_times, 0);
}

}  // namespace
}  // namespace carillon
