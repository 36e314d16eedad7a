#include "http/budget.h"

#include <gtest/gtest.h>

namespace carillon {
namespace {

class BudgetTest : public testing::Test {
 protected:
  /// A share that counts how often it gave up.
  struct Member {
    explicit Member(Budget& budget) : share(budget, [this] { ++gave_up; }) {}
    int gave_up = 0;
    Budget::Share share;
  };
  Budget budget_{100};
  Member first_{budget_}, second_{budget_}, third_{budget_};
};

TEST_F(BudgetTest, HoldsUpToItsBound) {
  EXPECT_TRUE(first_.share.take(60));
  EXPECT_TRUE(second_.share.take(40));
  EXPECT_EQ(budget_.held(), 100U);
  EXPECT_EQ(first_.gave_up + second_.gave_up, 0);
  first_.share.give_back();
  EXPECT_EQ(budget_.held(), 40U);
}

TEST_F(BudgetTest, AsksNobodyToGiveUpNothing) {
  ASSERT_TRUE(first_.share.take(0));
  ASSERT_TRUE(second_.share.take(60));
  EXPECT_TRUE(third_.share.take(60));
  EXPECT_EQ(first_.gave_up, 0);
  EXPECT_EQ(second_.gave_up, 1);
}

TEST_F(BudgetTest, HasTheOldestGiveUpUntilItFits) {
  ASSERT_TRUE(first_.share.take(40));
  ASSERT_TRUE(second_.share.take(40));
  EXPECT_TRUE(third_.share.take(50));
  EXPECT_EQ(first_.gave_up, 1);
  EXPECT_EQ(second_.gave_up, 0);
  EXPECT_EQ(budget_.held(), 90U);
  EXPECT_EQ(budget_.given_up(), 1U);
  // What the first takes from now on makes it the youngest.
  EXPECT_TRUE(first_.share.take(30));
  EXPECT_EQ(second_.gave_up, 1);
  EXPECT_EQ(third_.gave_up, 0);
}

TEST_F(BudgetTest, RefusesTheOldestWhatOnlyYoungerOnesCouldGive) {
  ASSERT_TRUE(first_.share.take(40));
  ASSERT_TRUE(second_.share.take(40));
  EXPECT_FALSE(first_.share.take(30));
  EXPECT_EQ(second_.gave_up, 0);
  EXPECT_EQ(budget_.held(), 80U);
}

TEST_F(BudgetTest, LeavesThoseThatArePinned) {
  ASSERT_TRUE(first_.share.take(80));
  EXPECT_TRUE(first_.share.pin());
  EXPECT_FALSE(second_.share.take(30));
  EXPECT_EQ(first_.gave_up, 0);
  EXPECT_TRUE(second_.share.take(20));
  first_.share.give_back();
  EXPECT_EQ(budget_.held(), 20U);
}

TEST_F(BudgetTest, LetsOneThatIsAloneHoldMore) {
  EXPECT_TRUE(first_.share.take(80));
  EXPECT_TRUE(first_.share.take(80));
  EXPECT_TRUE(second_.share.take(10));
  EXPECT_EQ(first_.gave_up, 1);
  EXPECT_EQ(budget_.held(), 10U);
}

TEST_F(BudgetTest, GetsBackWhatAShareHeldThatIsGone) {
  {
    Member gone(budget_);
    ASSERT_TRUE(gone.share.take(100));
  }
  EXPECT_EQ(budget_.held(), 0U);
  EXPECT_TRUE(first_.share.take(100));
}

}  // namespace
}  // namespace carillon
