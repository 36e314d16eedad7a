#include "engine/tick_timer.h"

#include <gtest/gtest.h>

namespace carillon {
namespace {

TEST(TickTimer, TicksAtTheMomentItWasSetToAndNotBefore) {
  boost::asio::io_context loop;
  SystemClock clock;
  int ticks = 0;
  TickTimer timer(loop, clock, [&](std::optional<Millis> step) {
    EXPECT_FALSE(step) << "nobody set the clock";
    ++ticks;
  });
  const WallTime moment = clock.wall() + Millis(30);
  timer.set(moment);
  while (ticks == 0) loop.run_one();
  EXPECT_GE(clock.wall(), moment);
  EXPECT_EQ(ticks, 1);
}

TEST(TickTimer, ThatIsStoppedLetsTheLoopEnd) {
  boost::asio::io_context loop;
  SystemClock clock;
  TickTimer timer(loop, clock, [](std::optional<Millis>) { FAIL() << "it was set to nothing"; });
  loop.poll();
  EXPECT_FALSE(loop.stopped());
  timer.stop();
  EXPECT_GT(loop.run(), 0U);
}

}  // namespace
}  // namespace carillon
