#include "http/slots.h"

#include <memory>
#include <vector>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <gtest/gtest.h>

namespace carillon {
namespace {

class SlotsTest : public testing::Test {
 protected:
  std::unique_ptr<Slots::Claim> claim() {
    auto made = std::make_unique<Slots::Claim>(loop_, slots_);
    boost::asio::co_spawn(loop_, made->wait(), boost::asio::detached);
    run();
    return made;
  }
  void run() {
    loop_.restart();
    loop_.poll();
  }

  boost::asio::io_context loop_;
  Slots slots_{2};
};

TEST_F(SlotsTest, AreTakenUpToTheirNumberAndThenInTurn) {
  auto first = claim();
  const auto second = claim();
  const auto third = claim();
  const auto fourth = claim();
  EXPECT_TRUE(first->granted());
  EXPECT_TRUE(second->granted());
  EXPECT_FALSE(third->granted());
  first.reset();
  run();
  EXPECT_TRUE(third->granted());
  EXPECT_FALSE(fourth->granted());
  EXPECT_EQ(slots_.taken(), 2U);
}

TEST_F(SlotsTest, GoToTheNextWhereOneGaveUpWaiting) {
  auto first = claim();
  const auto second = claim();
  auto third = claim();
  const auto fourth = claim();
  third->give_up();
  run();
  EXPECT_FALSE(third->granted());
  third.reset();
  first.reset();
  run();
  EXPECT_TRUE(fourth->granted());
}

TEST_F(SlotsTest, AreFreeAgainWhenNobodyWaits) {
  claim();
  claim();
  run();
  EXPECT_EQ(slots_.taken(), 0U);
  EXPECT_TRUE(claim()->granted());
}

}  // namespace
}  // namespace carillon
