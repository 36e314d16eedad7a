// A shard whose log has another owner: its callers are told, and its driver is discarded and made
// anew while the process lives.
#include <memory>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/engine/node.h"

namespace carillon {
namespace {

using std::chrono::hours;
using testing::ElementsAre;
using testing::IsEmpty;

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
  NodeClock clock{WallTime(Millis(1'800'000'000'000))};
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
  EXPECT_THAT(first.consumer.pushes, IsEmpty());
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
  first.take_over();
  EXPECT_EQ(first.count(State::scheduled), 2U) << "tasks 1 and 10, and not 2";
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
