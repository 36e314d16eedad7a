#include "shard/hold.h"

#include <gtest/gtest.h>

namespace carillon {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;

constexpr WallTime kStart{Millis(1'700'000'000'000)};
constexpr std::uint32_t kConcurrency = 64;

Trouble not_now(WallTime at, std::optional<Millis> asked = std::nullopt) {
  return {at, HoldReason::too_many_requests, asked, minutes(5), {}};
}

TEST(Hold, ATargetThatNeverSaidNotNowIsNotHeld) {
  const Hold hold;
  EXPECT_FALSE(hold.active());
  EXPECT_TRUE(hold.admits(kStart, 10'000));
}

TEST(Hold, NothingGoesOutWhileItIsHeldAndOneAtATimeAtItsEnd) {
  Hold hold;
  EXPECT_TRUE(hold.in_trouble(1, not_now(kStart, seconds(30))));
  EXPECT_TRUE(hold.active());
  EXPECT_EQ(hold.until(), kStart + seconds(30));
  EXPECT_EQ(hold.since(), kStart);
  EXPECT_FALSE(hold.admits(kStart + seconds(30) - Millis(1), 0));
  EXPECT_TRUE(hold.admits(kStart + seconds(30), 0));
  hold.fired(2);
  EXPECT_FALSE(hold.admits(kStart + seconds(31), 1)) << "one probe at a time";
}

TEST(Hold, AProbeThatIsToldToComeLaterBeginsTheHoldAnew) {
  Hold hold;
  EXPECT_TRUE(hold.in_trouble(1, not_now(kStart, seconds(30))));
  hold.fired(2);
  const WallTime again = kStart + seconds(31);
  EXPECT_TRUE(hold.in_trouble(2, not_now(again, seconds(10))));
  EXPECT_EQ(hold.until(), again + seconds(10));
  EXPECT_EQ(hold.since(), kStart);
  EXPECT_TRUE(hold.admits(again + seconds(10), 0)) << "another task may probe";
}

TEST(Hold, AfterAProbeIsAnsweredTwiceAsManyGoOutEachRound) {
  Hold hold;
  EXPECT_TRUE(hold.in_trouble(1, not_now(kStart, seconds(1))));
  const WallTime later = kStart + seconds(1);
  hold.fired(2);
  EXPECT_TRUE(hold.answered(2, kConcurrency)) << "over";
  EXPECT_FALSE(hold.active());
  for (std::uint32_t at_once = 2; at_once < kConcurrency; at_once *= 2) {
    EXPECT_TRUE(hold.admits(later, at_once - 1));
    EXPECT_FALSE(hold.admits(later, at_once));
    for (std::uint32_t i = 0; i < at_once; ++i) EXPECT_FALSE(hold.answered(9, kConcurrency));
  }
  EXPECT_TRUE(hold.admits(later, kConcurrency * 2)) << "as many as the target takes";
}

TEST(Hold, WithoutATimeItIsASecondDoubledUpToTheMost) {
  Hold hold;
  WallTime now = kStart;
  Millis length = seconds(1);
  for (int i = 0; i < 30; ++i) {
    hold.fired(7);
    EXPECT_TRUE(hold.in_trouble(7, not_now(now)));
    EXPECT_EQ(hold.until(), now + length);
    now = hold.until();
    length = std::min<Millis>(length * 2, minutes(5));
  }
  hold.fired(7);
  EXPECT_TRUE(hold.answered(7, 1)) << "a target that takes one at a time is free at once";
  EXPECT_TRUE(hold.in_trouble(8, not_now(now)));
  EXPECT_EQ(hold.until(), now + seconds(1)) << "and begins with a second again";
}

TEST(Hold, NotNowWhileRampingDoublesOn) {
  Hold hold;
  EXPECT_TRUE(hold.in_trouble(1, not_now(kStart)));
  hold.fired(2);
  EXPECT_TRUE(hold.answered(2, kConcurrency));
  EXPECT_TRUE(hold.in_trouble(3, not_now(kStart + seconds(2))));
  EXPECT_EQ(hold.until(), kStart + seconds(2) + seconds(2));
}

TEST(Hold, IsNoLongerThanTheTargetSetsAndNoShorterThanASecond) {
  Hold hold;
  EXPECT_TRUE(hold.in_trouble(1, not_now(kStart, hours(48))));
  EXPECT_EQ(hold.until(), kStart + minutes(5));
  Hold brief;
  EXPECT_TRUE(brief.in_trouble(1, not_now(kStart, Millis(0))));
  EXPECT_EQ(brief.until(), kStart + seconds(1));
}

TEST(Hold, PushesFromBeforeItNeitherEndItNorDoubleIt) {
  Hold hold;
  EXPECT_TRUE(hold.in_trouble(1, not_now(kStart)));
  EXPECT_FALSE(hold.in_trouble(2, not_now(kStart + Millis(5)))) << "says nothing new";
  EXPECT_FALSE(hold.answered(3, kConcurrency));
  EXPECT_EQ(hold.until(), kStart + seconds(1));
  EXPECT_FALSE(hold.in_trouble(4, not_now(kStart - Millis(5), Millis(900)))) << "nor does this";
  EXPECT_TRUE(hold.in_trouble(5, not_now(kStart + Millis(5), seconds(60))))
      << "but perhaps a longer time";
  EXPECT_EQ(hold.until(), kStart + Millis(5) + seconds(60));
  hold.fired(6);
  EXPECT_FALSE(hold.answered(3, kConcurrency)) << "not the probe";
  EXPECT_TRUE(hold.active());
}

TEST(Hold, ComesBackFromItsRecordAsItWas) {
  Hold hold;
  EXPECT_TRUE(hold.in_trouble(1, not_now(kStart)));
  hold.fired(2);
  EXPECT_TRUE(hold.in_trouble(2, not_now(kStart + seconds(1))));
  const record::TargetHold record = hold.record({1, 2});
  EXPECT_EQ(record.key, (TargetKey{1, 2}));
  Hold again;
  again.restore(record, kStart + seconds(1));
  EXPECT_TRUE(again.active());
  EXPECT_EQ(again.until(), kStart + seconds(3));
  EXPECT_EQ(again.since(), kStart);
  EXPECT_EQ(again.reason(), HoldReason::too_many_requests);
  again.fired(3);
  EXPECT_TRUE(again.in_trouble(3, not_now(kStart + seconds(3))));
  EXPECT_EQ(again.until(), kStart + seconds(7)) << "doubles on";
}

TEST(Hold, IsTakenOverFromAnotherShardWhereThatIsLonger) {
  Hold hold;
  record::TargetHold told;
  told.reason = HoldReason::unavailable;
  told.until = kStart + seconds(10);
  EXPECT_FALSE(hold.adopt(told, told.until)) << "it is over already";
  EXPECT_TRUE(hold.adopt(told, kStart));
  EXPECT_TRUE(hold.active());
  EXPECT_EQ(hold.since(), kStart);
  EXPECT_EQ(hold.until(), told.until);
  EXPECT_EQ(hold.reason(), HoldReason::unavailable);
  EXPECT_FALSE(hold.adopt(told, kStart + seconds(1))) << "nothing new";
  EXPECT_FALSE(hold.admits(kStart + seconds(9), 0));
  hold.fired(7);
  told.until += seconds(5);
  EXPECT_TRUE(hold.adopt(told, kStart + seconds(10)));
  EXPECT_TRUE(hold.answered(7, kConcurrency)) << "its own probe ends it all the same";
  EXPECT_FALSE(hold.active());
}

TEST(Hold, AClockSetBackMakesItNoLonger) {
  Hold hold;
  EXPECT_TRUE(hold.in_trouble(1, not_now(kStart, seconds(30))));
  hold.clock_set_back(kStart - hours(1));
  EXPECT_EQ(hold.until(), kStart - hours(1) + seconds(30));
}

TEST(Hold, ThatGoesOnAfterTheClockWasSetBackComesBackAsLongAsItIs) {
  Hold hold;
  EXPECT_TRUE(hold.in_trouble(1, not_now(kStart, seconds(30))));
  const WallTime later = kStart - hours(1) + seconds(40);
  hold.clock_set_back(kStart - hours(1));
  hold.fired(2);
  EXPECT_TRUE(hold.in_trouble(2, not_now(later, seconds(30))));
  Hold again;
  again.restore(hold.record({1, 2}), later);
  again.clock_set_back(later + seconds(1));
  EXPECT_EQ(again.until(), later + seconds(30));
}

TEST(Hold, IsNoLongerWhereTheClockWasSetBackBeforeItWasWritten) {
  Hold hold;
  EXPECT_TRUE(hold.in_trouble(1, not_now(kStart, seconds(30))));
  Hold again;
  again.restore(hold.record({1, 2}), kStart - hours(1));
  again.clock_set_back(kStart - minutes(50));
  EXPECT_EQ(again.until(), kStart - minutes(50) + seconds(30));
}

Trouble failure(WallTime at, const Breaker& breaker = {}) {
  return {at, HoldReason::failing, std::nullopt, minutes(5), breaker};
}

/// `times` failures in a row of pushes that are no probes; whether the last of them changed it.
bool fail(Hold& hold, int times, WallTime at, const Breaker& breaker = {}) {
  bool changed = false;
  for (int i = 0; i < times; ++i) changed = hold.in_trouble(1000, failure(at, breaker));
  return changed;
}

TEST(Breaker, OpensAfterSoManyFailuresInARowAndNoneOfThemMayBeAnAnswer) {
  Hold hold;
  EXPECT_FALSE(fail(hold, 19, kStart));
  EXPECT_FALSE(hold.answered(5, kConcurrency));
  EXPECT_FALSE(fail(hold, 19, kStart));
  EXPECT_TRUE(hold.admits(kStart, 63));
  EXPECT_TRUE(fail(hold, 1, kStart));
  EXPECT_TRUE(hold.active());
  EXPECT_EQ(hold.reason(), HoldReason::failing);
  EXPECT_EQ(hold.until(), kStart + seconds(5));
  EXPECT_FALSE(hold.admits(kStart, 0));
  EXPECT_FALSE(fail(hold, 40, kStart + seconds(1))) << "those were under way";
  EXPECT_EQ(hold.until(), kStart + seconds(5));
}

TEST(Breaker, StaysOpenTwiceAsLongEachTimeAProbeFails) {
  Hold hold;
  const Breaker breaker{3, seconds(2), seconds(10)};
  WallTime now = kStart;
  EXPECT_TRUE(fail(hold, 3, now, breaker));
  for (const Millis length : {seconds(2), seconds(4), seconds(8), seconds(10), seconds(10)}) {
    EXPECT_EQ(hold.until(), now + length);
    now = hold.until();
    EXPECT_TRUE(hold.admits(now, 0));
    hold.fired(7);
    EXPECT_TRUE(hold.is_probe(7));
    EXPECT_FALSE(hold.admits(now, 1)) << "one probe at a time";
    EXPECT_TRUE(hold.in_trouble(7, failure(now, breaker)));
    EXPECT_EQ(hold.since(), kStart);
  }
}

TEST(Breaker, ClosesWithAnAnswerAndOpensAgainWhereARoundOfTheRampFails) {
  Hold hold;
  EXPECT_TRUE(fail(hold, 20, kStart));
  hold.fired(7);
  EXPECT_TRUE(hold.answered(7, kConcurrency));
  EXPECT_TRUE(hold.ramping());
  WallTime now = kStart + seconds(6);
  EXPECT_FALSE(fail(hold, 1, now));
  EXPECT_FALSE(hold.answered(8, kConcurrency)) << "one of two";
  EXPECT_FALSE(fail(hold, 1, now));
  EXPECT_TRUE(fail(hold, 1, now)) << "two in a row of two at once";
  EXPECT_EQ(hold.until(), now + seconds(10)) << "it doubles on";
  EXPECT_EQ(hold.since(), now);
}

TEST(Breaker, AProbeThatFailsHoldsOnWhateverTheHoldWasFor) {
  Hold hold;
  EXPECT_TRUE(hold.in_trouble(1, not_now(kStart, seconds(1))));
  hold.fired(2);
  EXPECT_TRUE(hold.in_trouble(2, failure(kStart + seconds(1))));
  EXPECT_EQ(hold.reason(), HoldReason::failing);
  EXPECT_EQ(hold.until(), kStart + seconds(6));
  EXPECT_EQ(hold.since(), kStart);
}

TEST(Breaker, NotNowIsNoFailure) {
  Hold hold;
  EXPECT_FALSE(fail(hold, 19, kStart));
  EXPECT_TRUE(hold.in_trouble(1, not_now(kStart, seconds(1))));
  hold.fired(2);
  EXPECT_TRUE(hold.answered(2, 1));
  EXPECT_FALSE(fail(hold, 19, kStart));
}

}  // namespace
}  // namespace carillon
