#include "net/deadlines.h"

#include <memory>
#include <vector>

#include <gtest/gtest.h>

namespace carillon {
namespace {

using std::chrono::steady_clock;

class DeadlinesTest : public testing::Test {
 protected:
  boost::asio::io_context loop;
};

TEST_F(DeadlinesTest, ExpireInOrderNeverEarlyAndOnce) {
  Deadlines deadlines(loop, Millis(20));
  std::vector<int> expired;
  Deadline first([&] { expired.push_back(1); });
  Deadline second([&] { expired.push_back(2); });
  const auto start = steady_clock::now();
  deadlines.arm(first);
  deadlines.arm(second);
  loop.run();
  EXPECT_GE(steady_clock::now() - start, Millis(20));
  EXPECT_EQ(expired, (std::vector<int>{1, 2}));
  EXPECT_FALSE(first.armed());
}

TEST_F(DeadlinesTest, ADisarmedOneDoesNotExpireAndNothingRunsOn) {
  Deadlines deadlines(loop, Millis(5));
  bool expired = false;
  Deadline deadline([&] { expired = true; });
  deadlines.arm(deadline);
  deadline.disarm();
  loop.run();
  EXPECT_FALSE(expired);
  EXPECT_TRUE(loop.stopped());
}

TEST_F(DeadlinesTest, ArmingAgainStartsAnew) {
  Deadlines deadlines(loop, Millis(30));
  int expired = 0;
  Deadline kept([&] { ++expired; });
  std::unique_ptr<Deadline> other = std::make_unique<Deadline>([&] {
    expired += 100;
    deadlines.arm(kept);
  });
  deadlines.arm(kept);
  deadlines.arm(*other);
  deadlines.arm(kept);  // now behind the other
  loop.run();
  EXPECT_EQ(expired, 101);
}

TEST_F(DeadlinesTest, ACallbackMayDestroyEverything) {
  auto deadlines = std::make_unique<Deadlines>(loop, Millis(1));
  std::unique_ptr<Deadline> first, second;
  int expired = 0;
  first = std::make_unique<Deadline>([&] {
    ++expired;
    first.reset();
    second.reset();
    deadlines.reset();
  });
  second = std::make_unique<Deadline>([&] { ++expired; });
  deadlines->arm(*first);
  deadlines->arm(*second);
  loop.run();
  EXPECT_EQ(expired, 1);
}

TEST_F(DeadlinesTest, DyingWhileItsTimerIsDueIsHarmless) {
  // Both timers are due in the same turn of the loop; the first to run destroys the other.
  std::unique_ptr<Deadlines> one = std::make_unique<Deadlines>(loop, Millis(0));
  std::unique_ptr<Deadlines> two = std::make_unique<Deadlines>(loop, Millis(0));
  int expired = 0;
  Deadline of_one([&] {
    ++expired;
    two.reset();
  });
  Deadline of_two([&] {
    ++expired;
    one.reset();
  });
  one->arm(of_one);
  two->arm(of_two);
  loop.run();
  EXPECT_EQ(expired, 1);
}

}  // namespace
}  // namespace carillon
