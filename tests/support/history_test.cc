// One crafted history for each way in which a promise can be broken, and the same history kept.
#include <cstdlib>
#include <filesystem>
#include <sstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/ledger.h"
#include "tests/support/process.h"

namespace carillon::test {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

// Task 0: id a, body 11, due 1000, of group 7; added.
constexpr const char* kAdded = "add_asked a 11 1000 7 0 0\nadd_answered 0 1\n";

struct Crafted {
  const char* name;
  const char* kept;    // judged good
  const char* broken;  // and with this instead, one fault:
  const char* fault;
};

void PrintTo(const Crafted& crafted, std::ostream* out) {
  *out << crafted.name;
}

Ledger::Verdict judged(const std::string& text, const Ledger::Rules& rules = {}) {
  Ledger ledger;
  std::string bad_line;
  std::istringstream in(kAdded + text);
  EXPECT_TRUE(ledger.read_history(in, bad_line)) << bad_line;
  return ledger.judge(rules);
}

class HistoryTest : public ::testing::TestWithParam<Crafted> {};

TEST_P(HistoryTest, KeptIsGoodAndBrokenIsFound) {
  EXPECT_TRUE(judged(GetParam().kept).good()) << judged(GetParam().kept).text();
  EXPECT_THAT(judged(GetParam().broken).described, ElementsAre(HasSubstr(GetParam().fault)));
}

// pushed: id body webhook due at(microseconds) attempt accepted seen
constexpr const char* kOnTime = "pushed a 11 5 1000 1000000 1 1 50\n";

const Crafted kCrafted[] = {
    Crafted{"Lost", kOnTime, "", "lost: ack"},
    Crafted{"LostAfterFailedPushes", "found a 11 retrying\n", "pushed a 11 5 1000 1000000 1 0 50\n",
            "lost: ack"},
    Crafted{"Early", kOnTime, "pushed a 11 5 1000 999999 1 1 50\n", "before it was due"},
    Crafted{"WrongDue", kOnTime, "pushed a 11 5 1001 1001000 1 1 50\n", "another due"},
    Crafted{"OtherBody", kOnTime, "pushed a 12 5 1000 1000000 1 1 50\nfound a 11 scheduled\n",
            "body was altered"},
    Crafted{"Stranger", kOnTime, "pushed b 11 5 1000 1000000 1 1 50\nfound a 11 scheduled\n",
            "b: never asked for"},
    Crafted{"Repeat", kOnTime,
            "pushed a 11 5 1000 1000000 1 1 50\npushed a 11 5 1000 1000000 2 1 60\n",
            "more than once"},
    Crafted{"OtherWebhookId",
            "pushed a 11 5 1000 1000000 1 0 50\npushed a 11 5 1000 1000000 2 1 60\n",
            "pushed a 11 5 1000 1000000 1 0 50\npushed a 11 6 1000 1000000 2 1 60\n",
            "different webhook-ids"},
    Crafted{"RefusedYetPushed", "add_asked b 1 1000 0 0 0\nadd_answered 1 0\nfound a 11 dead\n",
            "add_asked b 1 1000 0 0 0\nadd_answered 1 0\nfound a 11 dead\n"
            "pushed b 1 5 1000 1000000 1 1 50\n",
            "refused, yet pushed"},
    Crafted{"RefusedYetPending", "add_asked b 1 1000 0 0 0\nadd_answered 1 0\nfound a 11 dead\n",
            "add_asked b 1 1000 0 0 0\nadd_answered 1 0\nfound a 11 dead\nfound b 1 scheduled\n",
            "refused, yet pending"},
    Crafted{"AnsweredTwoWays", "add_answered 0 1\nfound a 11 dead\n",
            "add_answered 0 0\nfound a 11 dead\n", "accepted, and later refused"},
    Crafted{"CancelledYetPushed", "cancel_asked 0\ncancel_answered 0 1 0 40\n",
            "cancel_asked 0\ncancel_answered 0 1 0 60\npushed a 11 5 1000 1000000 1 1 50\n",
            "cancelled after 0 attempts"},
    Crafted{"CancelledYetPushedLater",
            "cancel_asked 0\ncancel_answered 0 1 4294967295 60\n"
            "pushed a 11 5 1000 1000000 1 0 50\n",
            "cancel_asked 0\ncancel_answered 0 1 4294967295 40\n"
            "pushed a 11 5 1000 1000000 1 0 50\n",
            "cancelled, yet pushed later"},
    Crafted{"CancelledYetPending", "cancel_asked 0\ncancel_answered 0 1 0 40\n",
            "cancel_asked 0\ncancel_answered 0 1 0 40\nfound a 11 scheduled\n",
            "cancelled, yet pending"},
    Crafted{"CancelledYetDead", "cancel_asked 0\ncancel_answered 0 1 0 40\n",
            "cancel_asked 0\ncancel_answered 0 1 0 40\nfound a 11 dead\n", "cancelled, yet dead"},
    Crafted{"CancelRefusedYetGone",
            "cancel_asked 0\ncancel_answered 0 0 0 0\npushed a 11 5 1000 1000000 1 1 50\n",
            "cancel_asked 0\ncancel_answered 0 0 0 0\n", "lost: ack"},
    Crafted{"DeliveredYetPending", kOnTime,
            "pushed a 11 5 1000 1000000 1 1 50\nfound a 11 firing\n", "delivered, yet pending"},
    Crafted{"SaidDelivered", "pushed a 11 5 1000 1000000 1 1 50\nfound a 11 delivered\n",
            "found a 11 delivered\nfound a 11 dead\n", "no receiver accepted it"},
    Crafted{"SaidCancelled", "cancel_asked 0\nfound a 11 cancelled\n",
            "found a 11 cancelled\nfound a 11 dead\n", "which nobody asked for"},
    Crafted{"SaidExpired", "add_asked b 1 1000 0 1 0\nfound b 1 expired\nfound a 11 dead\n",
            "found a 11 expired\nfound a 11 dead\n", "expired, which it must not"},
    Crafted{"MovedYetAtOldDue",
            "move_asked 0 2000\nmove_answered 0 1 40\npushed a 11 5 2000 2000000 1 1 50\n",
            "move_asked 0 2000\nmove_answered 0 1 40\npushed a 11 5 1000 1000000 1 1 50\n",
            "another due"},
    Crafted{"MoveRefusedYetMoved",
            "move_asked 0 2000\nmove_answered 0 0 40\npushed a 11 5 1000 1000000 1 1 50\n",
            "move_asked 0 2000\nmove_answered 0 0 40\npushed a 11 5 2000 2000000 1 1 50\n",
            "another due"},
    Crafted{"RedrivenYetLost",
            "group_cancel_asked 7\ngroup_cancel_answered 0 0 0 40\nredrive_asked 0\n"
            "redrive_answered 0 1\npushed a 11 5 1000 2500000 2 1 50\n",
            "group_cancel_asked 7\ngroup_cancel_answered 0 0 0 40\nredrive_asked 0\n"
            "redrive_answered 0 1\n",
            "lost: ack"},
    Crafted{"ChangedContentKeepsItsDue",
            "cancel_asked 0\ncancel_answered 0 1 4294967295 40\nadd_asked a 12 0 7 0 1\n"
            "add_answered 1 1\npushed a 12 5 1000 1000000 1 1 50\n",
            "cancel_asked 0\ncancel_answered 0 1 4294967295 40\nadd_asked a 12 0 7 0 1\n"
            "add_answered 1 1\npushed a 12 5 1001 1001000 1 1 50\n",
            "another due"},
    Crafted{"GroupCancelledYetPushed",
            "group_cancel_asked 7\ngroup_cancel_answered 0 0 1 40\n"
            "pushed a 11 5 1000 1000000 1 1 50\n",
            "group_cancel_asked 7\ngroup_cancel_answered 0 1 0 40\n"
            "pushed a 11 5 1000 1000000 1 1 50\n",
            "group 7: cancelled with 0 firing, yet 1"},
    Crafted{"GroupCancelledFewerThanLost", "group_cancel_asked 7\ngroup_cancel_answered 0 1 0 40\n",
            "group_cancel_asked 7\ngroup_cancel_answered 0 0 0 40\n",
            "group 7: 0 cancelled, yet 1 tasks are lost"},
    Crafted{"AddedAfterTheGroupCancel",
            "group_cancel_asked 7\ngroup_cancel_answered 0 1 0 40\n"
            "add_asked b 1 1000 7 0 0\nadd_answered 1 1\nfound b 1 scheduled\n",
            "group_cancel_asked 7\ngroup_cancel_answered 0 2 0 40\n"
            "add_asked b 1 1000 7 0 0\nadd_answered 1 1\n",
            "lost: ack"},
    Crafted{"TwoGroupCancelsTogetherFewerThanLost",
            "group_cancel_asked 7\ngroup_cancel_answered 0 1 0 40\n"
            "group_cancel_asked 7\ngroup_cancel_answered 1 0 0 50\n",
            "group_cancel_asked 7\ngroup_cancel_answered 0 0 0 40\n"
            "group_cancel_asked 7\ngroup_cancel_answered 1 0 0 50\n",
            "group 7: 0 cancelled, yet 1 tasks are lost"},
    Crafted{"ShiftedYetAtOldDue",
            "group_shift_asked 7 500\ngroup_shift_answered 7 500 900 40\n"
            "pushed a 11 5 1500 1500000 1 1 50\n",
            "group_shift_asked 7 500\ngroup_shift_answered 7 500 900 40\n"
            "pushed a 11 5 1000 1000000 1 1 50\n",
            "another due"},
    Crafted{"ShiftedIntoThePast",
            "group_shift_asked 7 -500\ngroup_shift_answered 7 -500 900 40\n"
            "pushed a 11 5 800 800000 1 1 50\n",
            "group_shift_asked 7 -500\ngroup_shift_answered 7 -500 900 40\n"
            "pushed a 11 5 901 901000 1 1 50\n",
            "another due"}};

INSTANTIATE_TEST_SUITE_P(Promises, HistoryTest, ::testing::ValuesIn(kCrafted),
                         [](const auto& crafted) { return crafted.param.name; });

TEST(History, ShiftOfWhatMayHaveBeenDueAllowsBoth) {
  const std::string shift = "group_shift_asked 7 500\ngroup_shift_answered 7 500 1000 40\n";
  EXPECT_TRUE(judged(shift + "pushed a 11 5 1000 1000000 1 1 50\n").good());
  EXPECT_TRUE(judged(shift + "pushed a 11 5 1500 1500000 1 1 50\n").good());
}

TEST(History, ARequestSentAgainMayMakeASecondTaskAndNoThird) {
  const auto push = [](const char* webhook) {
    return "pushed a 11 " + std::string(webhook) + " 1000 1000000 1 1 50\n";
  };
  const Ledger::Rules lost_answer{.may_repeat = true};
  const std::string twice = "add_asked_again 0\n" + push("5") + push("6");
  EXPECT_TRUE(judged(twice, lost_answer).good());
  EXPECT_FALSE(judged(push("5") + push("6"), lost_answer).good());
  EXPECT_FALSE(judged(twice + push("7"), lost_answer).good());
}

TEST(History, CancelOfWhatIsCancelledChangesNothing) {
  EXPECT_TRUE(judged("cancel_asked 0\ncancel_answered 0 1 0 40\n"
                     "cancel_asked 0\ncancel_answered 0 0 0 50\n")
                  .good());
}

TEST(History, GroupCancelThatHadNoAnswerMayHaveHappened) {
  const std::string unknown = "group_cancel_asked 7\n";
  EXPECT_TRUE(judged(unknown + "group_cancel_asked 7\ngroup_cancel_answered 1 0 0 40\n").good());
  EXPECT_TRUE(judged(unknown + "found a 11 scheduled\n").good());
}

TEST(History, ManyShiftsOfATaskThatWaitsKeepItsMemoryBounded) {
  std::string text;
  for (int i = 0; i < 100; ++i) {
    text += "group_shift_asked 7 10\ngroup_shift_answered 7 10 100000 40\n";
  }
  EXPECT_TRUE(judged(text + "pushed a 11 5 1400 2000000 1 1 50\n").good());
  EXPECT_FALSE(judged(text + "pushed a 11 5 2001 3000000 1 1 50\n").good());
}

TEST(History, WhatALedgerRecordsReadsBackToTheSameVerdict) {
  std::ostringstream record;
  Ledger ledger;
  ledger.record_to(record);
  const auto a = ledger.add_asked({.id = "a", .body = 1, .due = WallTime(Millis(5)), .group = 3});
  ledger.add_answered(a, true);
  const auto b = ledger.add_asked({.id = "b", .body = 2, .due = WallTime(Millis(9))});
  ledger.add_answered(b, true);
  ledger.cancel_asked(b);
  ledger.cancel_answered(b, true, 0, 70);
  ledger.move_asked(a, WallTime(Millis(8)));
  ledger.move_answered(a, true, 80);
  ledger.group_shift_asked(3, Millis(-2));
  ledger.group_shift_answered(3, Millis(-2), WallTime(Millis(1)), 90);
  ledger.group_cancel_answered(ledger.group_cancel_asked(3), 0, 1, 95);
  ledger.pushed({.id = "a",
                 .body = 1,
                 .webhook = 4,
                 .due = WallTime(Millis(6)),
                 .at = Ledger::Micros(Millis(6)),
                 .attempt = 1,
                 .accepted = true,
                 .seen = 99});
  ledger.found("b", 2, State::scheduled);
  Ledger again;
  std::string bad_line;
  std::istringstream in(record.str());
  ASSERT_TRUE(again.read_history(in, bad_line)) << bad_line;
  EXPECT_EQ(again.judge({}).text(), ledger.judge({}).text());
  EXPECT_THAT(again.judge({}).described,
              ElementsAre(HasSubstr("b: (body 2) cancelled, yet pending")));
}

TEST(History, LineThatIsNoCallIsNamed) {
  for (const std::string bad :
       {"add_asked a 1 x 0 0", "add_answered 7 1", "shout 1", "add_answered 0 1 more",
        "add_asked a 11 1000 7 0 0", "move_answered 0 1 5", "group_cancel_answered 0 1 0 4",
        "found a 11 nowhere"}) {
    Ledger ledger;
    std::string bad_line;
    std::istringstream in(kAdded + bad + "\n");
    EXPECT_FALSE(ledger.read_history(in, bad_line)) << bad;
    EXPECT_EQ(bad_line, bad);
  }
}

TEST(History, CommandJudgesAndTellsByItsExitCode) {
  const auto ledger = std::filesystem::read_symlink("/proc/self/exe").parent_path() / "ledger";
  const std::string good = std::string(kAdded) + kOnTime;
  const auto kept = run_program({ledger, "-"}, {}, good);
  EXPECT_EQ(kept.ending.code, 0) << kept.errors;
  EXPECT_THAT(kept.output, HasSubstr("1 tasks: 1 added"));
  const auto repeated = run_program({ledger, "-"}, {}, good + kOnTime);
  EXPECT_EQ(repeated.ending.code, 1);
  EXPECT_THAT(repeated.output, HasSubstr("delivered more than once"));
  EXPECT_EQ(run_program({ledger, "--may-repeat", "-"}, {}, good + kOnTime).ending.code, 0);
  const auto garbled = run_program({ledger, "-"}, {}, "add_asked a\n");
  EXPECT_EQ(garbled.ending.code, 2);
  EXPECT_THAT(garbled.errors, HasSubstr("add_asked a"));
}

}  // namespace
}  // namespace carillon::test
