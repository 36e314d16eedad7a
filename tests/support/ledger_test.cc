#include "tests/support/ledger.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace carillon::test {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr WallTime kDue{Millis(1'000)};
constexpr std::uint64_t kBody = 11;
constexpr Ledger::Rules kStrict{};
constexpr Ledger::Rules kAfterCrash{.may_repeat = true};

Ledger::Push push_of(std::string_view id) {
  return {.id = id, .body = kBody, .webhook = 5, .due = kDue, .at = Ledger::Micros(kDue)};
}

class LedgerTest : public ::testing::Test {
 protected:
  Ledger::Task added(std::string_view id, std::uint64_t body = kBody) {
    const auto task = ledger.add_asked({.id = id, .body = body, .due = kDue});
    ledger.add_answered(task, true);
    return task;
  }
  void expect_fault(std::string_view words, const Ledger::Rules& rules = kStrict) {
    EXPECT_THAT(ledger.judge(rules).described, ElementsAre(HasSubstr(std::string(words))));
  }
  void expect_good(const Ledger::Rules& rules = kStrict) {
    EXPECT_TRUE(ledger.judge(rules).good()) << ledger.judge(rules).text();
  }
  Ledger ledger;
};

TEST_F(LedgerTest, DeliveredOnceAtItsDueIsGood) {
  added("a");
  ledger.pushed(push_of("a"));
  expect_good();
  EXPECT_EQ(ledger.judge(kStrict).delivered, 1U);
}

TEST_F(LedgerTest, AcknowledgedButNowhereIsLost) {
  added("a");
  expect_fault("lost: ack");
  expect_fault("lost: ack", kAfterCrash);
}

TEST_F(LedgerTest, RejectedPushesAloneAreStillALoss) {
  added("a");
  auto push = push_of("a");
  push.accepted = false;
  ledger.pushed(push);
  expect_fault("lost: ack");
}

TEST_F(LedgerTest, PendingIsNotLost) {
  added("a");
  ledger.found("a", kBody, State::scheduled);
  expect_good();
}

TEST_F(LedgerTest, UnansweredAddMayComeOrNot) {
  ledger.add_asked({.id = "a", .body = kBody, .due = kDue});
  ledger.add_asked({.id = "b", .body = kBody, .due = kDue});
  ledger.pushed(push_of("b"));
  expect_good();
  EXPECT_EQ(ledger.judge(kStrict).unknown, 2U);
}

TEST_F(LedgerTest, RefusedAddMustNotCome) {
  ledger.add_answered(ledger.add_asked({.id = "a", .body = kBody, .due = kDue}), false);
  ledger.pushed(push_of("a"));
  expect_fault("refused, yet pushed");
}

TEST_F(LedgerTest, CancelledMustNotCome) {
  const auto task = added("a");
  ledger.cancel_asked(task);
  ledger.cancel_answered(task, true, 0);
  expect_good();
  ledger.pushed(push_of("a"));
  expect_fault("cancelled after 0 attempts", kAfterCrash);
}

TEST_F(LedgerTest, CancelThatCountsItsAttemptsAllowsThemAndNoMore) {
  const auto task = added("a");
  auto push = push_of("a");
  push.accepted = false;
  ledger.pushed(push);
  ledger.cancel_asked(task);
  ledger.cancel_answered(task, true, 1);
  expect_good();
  push.attempt = 2;
  ledger.pushed(push);
  expect_fault("yet attempt 2 came");
}

TEST_F(LedgerTest, RefusedCancelLeavesTheTaskToCome) {
  const auto task = added("a");
  ledger.cancel_asked(task);
  ledger.cancel_answered(task, false, 0);
  expect_fault("lost: ack");
  ledger.pushed(push_of("a"));
  expect_good();
}

TEST_F(LedgerTest, UnansweredCancelAllowsBoth) {
  ledger.cancel_asked(added("a"));
  ledger.cancel_asked(added("b"));
  ledger.pushed(push_of("b"));
  expect_good();
}

TEST_F(LedgerTest, CancelledMustNotBePending) {
  const auto task = added("a");
  ledger.cancel_asked(task);
  ledger.cancel_answered(task, true, 0);
  ledger.found("a", kBody, State::scheduled);
  expect_fault("cancelled, yet pending");
}

TEST_F(LedgerTest, AMillisecondEarlyIsAFault) {
  added("a");
  auto push = push_of("a");
  push.at -= std::chrono::microseconds(1);
  ledger.pushed(push);
  expect_fault("before it was due", kAfterCrash);
}

TEST_F(LedgerTest, AnotherDueThanAskedForIsAFault) {
  added("a");
  auto push = push_of("a");
  push.due += Millis(1);
  push.at += Millis(1);
  ledger.pushed(push);
  expect_fault("another due");
}

TEST_F(LedgerTest, RepeatNeedsAReasonAndTheSameWebhookId) {
  added("a");
  ledger.pushed(push_of("a"));
  ledger.pushed(push_of("a"));
  expect_fault("more than once");
  expect_good(kAfterCrash);
  EXPECT_EQ(ledger.judge(kAfterCrash).repeats, 1U);
  auto push = push_of("a");
  push.webhook = 6;
  ledger.pushed(push);
  expect_fault("different webhook-ids", kAfterCrash);
}

TEST_F(LedgerTest, UnknownIdAndAlteredBodyAreFaults) {
  added("a");
  ledger.pushed(push_of("a"));
  auto push = push_of("a");
  push.body = kBody + 1;
  ledger.pushed(push);
  ledger.found("b", kBody, State::scheduled);
  EXPECT_EQ(ledger.judge(kAfterCrash).faults, 2U);
}

TEST_F(LedgerTest, AddedAgainIsAnotherTask) {
  const auto first = added("a", 1);
  ledger.cancel_asked(first);
  ledger.cancel_answered(first, true, 0);
  added("a", 2);
  auto push = push_of("a");
  push.body = 2;
  ledger.pushed(push);
  expect_good();
  push.body = 1;
  ledger.pushed(push);
  expect_fault("cancelled after 0 attempts");
}

TEST_F(LedgerTest, OfTwoTasksOfOneRequestAShiftMovesEach) {
  // The first was dead when the request was sent again. The second was moved, and the first then
  // redriven and shifted with its group.
  const auto task = ledger.add_asked({.id = "a", .body = kBody, .due = kDue, .group = 1});
  ledger.add_asked_again(task);
  ledger.add_answered(task, true);
  ledger.move_asked(task, kDue - Millis(500));
  ledger.move_answered(task, true, 10);
  ledger.redrive_asked(task);
  ledger.redrive_answered(task, true);
  ledger.group_shift_asked(1, Millis(50));
  ledger.group_shift_answered(1, Millis(50), kDue - Millis(100), 20);
  auto push = push_of("a");
  push.seen = 30;
  push.due = kDue + Millis(50);
  push.at = Ledger::Micros(push.due);
  ledger.pushed(push);
  expect_good();
  push.due = kDue + Millis(60);
  push.at = Ledger::Micros(push.due);
  ledger.pushed(push);
  expect_fault("another due", kAfterCrash);
}

TEST_F(LedgerTest, OfTwoTasksOfOneRequestEachMayBeTheOneThatIsChanged) {
  // The second was moved, and the first then redriven and given other content, at its own due.
  const auto task = ledger.add_asked({.id = "a", .body = kBody, .due = kDue});
  ledger.add_asked_again(task);
  ledger.add_answered(task, true);
  ledger.move_asked(task, kDue + Millis(500));
  ledger.move_answered(task, true, 10);
  ledger.redrive_asked(task);
  ledger.redrive_answered(task, true);
  const auto changed = ledger.add_asked({.id = "a", .body = kBody + 1, .due_of = task});
  ledger.add_answered(changed, true);
  ledger.cancel_asked(task);
  ledger.cancel_answered(task, true, Ledger::kAttemptsUntold);
  auto push = push_of("a");
  push.body = kBody + 1;
  push.seen = 20;
  ledger.pushed(push);
  expect_good();
  push.due = kDue + Millis(60);
  push.at = Ledger::Micros(push.due);
  ledger.pushed(push);
  expect_fault("another due", kAfterCrash);
}

TEST_F(LedgerTest, OrderIsJudgedByFirstPushesOnly) {
  for (const auto* id : {"a", "b"}) added(id);
  ledger.move_asked(1, kDue + Millis(5));
  ledger.move_answered(1, true, 1);
  auto later = push_of("b");
  later.due = kDue + Millis(5);
  later.at += Millis(5);
  ledger.pushed(later);
  ledger.pushed(push_of("a"));
  expect_good();
  expect_fault("1 pushes came after a later due", {.may_repeat = false, .in_due_order = true});
}

}  // namespace
}  // namespace carillon::test
