#include "net/resolver.h"

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <mutex>

#include <gtest/gtest.h>

namespace carillon {
namespace {

using boost::asio::ip::make_address;
using Addresses = Resolver::Addresses;

using Vouched = Resolver::Vouched;

/// A look-up that waits until its name is let go.
class Gate {
 public:
  Result<Addresses> look_up(const std::string& host) {
    ++looked_up;
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return open_ || !host.starts_with("slow"); });
    if (answer_ != nullptr) return *answer_;
    if (host.starts_with("no")) return Error{"network", "no such host", ""};
    return Addresses{make_address("192.0.2.1")};
  }
  /// What all names have from now on.
  void answer(Result<Addresses> with) {
    const std::lock_guard lock(mutex_);
    answer_ = std::make_unique<Result<Addresses>>(std::move(with));
  }
  void close() {
    const std::lock_guard lock(mutex_);
    open_ = false;
  }
  void open() {
    const std::lock_guard lock(mutex_);
    open_ = true;
    changed_.notify_all();
  }
  std::atomic<int> looked_up = 0;

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  bool open_ = false;
  std::unique_ptr<Result<Addresses>> answer_;
};

class ResolverTest : public testing::Test {
 protected:
  ~ResolverTest() override { gate->open(); }

  void make(Resolver::Options options) {
    resolver = std::make_unique<Resolver>(
        loop, options, [gate = gate](const std::string& host) { return gate->look_up(host); });
  }
  void resolve(const std::string& host, Vouched vouched = Vouched::no) {
    resolver->resolve(host, vouched, [this, host](const Result<Addresses>& found) {
      (found ? resolved : refused).push_back(host);
      last_error = found ? "" : found.error().detail;
      if (found) last = found->front().to_string();
    });
  }
  /// Runs the loop until `count` answers came.
  void run_until(std::size_t count) {
    const auto work = boost::asio::make_work_guard(loop);
    loop.restart();
    while (resolved.size() + refused.size() < count) {
      ASSERT_EQ(loop.run_one_for(std::chrono::seconds(30)), 1U);
    }
  }

  boost::asio::io_context loop;
  std::shared_ptr<Gate> gate = std::make_shared<Gate>();
  std::unique_ptr<Resolver> resolver = std::make_unique<Resolver>(
      loop, Resolver::Options(),
      [gate = gate](const std::string& host) { return gate->look_up(host); });
  std::vector<std::string> resolved, refused;
  std::string last_error, last;
};

TEST_F(ResolverTest, ThoseWhoAskForOneNameShareALookUpAndItIsKept) {
  for (int i = 0; i < 100; ++i) resolve("name");
  EXPECT_TRUE(resolved.empty());
  run_until(100);
  resolve("name");
  run_until(101);
  EXPECT_EQ(gate->looked_up, 1);
}

TEST_F(ResolverTest, AFailureIsToldToAll) {
  resolve("no.name");
  resolve("no.name");
  run_until(2);
  EXPECT_EQ(refused.size(), 2U);
  EXPECT_EQ(gate->looked_up, 1);
}

TEST_F(ResolverTest, LiteralsNeedNoLookUp) {
  resolve("127.0.0.1");
  resolve("::1");
  run_until(2);
  EXPECT_EQ(resolved, (std::vector<std::string>{"127.0.0.1", "::1"}));
  EXPECT_EQ(gate->looked_up, 0);
}

TEST_F(ResolverTest, ASlowNameDelaysNoOther) {
  for (int i = 0; i < 20; ++i) resolve("slow" + std::to_string(i));
  resolve("quick");
  run_until(1);
  EXPECT_EQ(resolved, (std::vector<std::string>{"quick"}));
}

TEST_F(ResolverTest, MoreSlowNamesThanThreadsAllGetTheirAnswer) {
  for (int i = 0; i < 100; ++i) resolve("slow" + std::to_string(i));
  gate->open();
  run_until(100);
  EXPECT_EQ(resolved.size(), 100U);
  EXPECT_EQ(gate->looked_up, 100);
}

TEST_F(ResolverTest, WhoGetsNoAnswerIsToldSoAfterTheLimit) {
  make({.answer_limit = Millis(20)});
  resolve("slow");
  run_until(1);
  EXPECT_EQ(last_error, "cannot resolve slow: no answer within 20ms");
  resolve("slow");
  run_until(2);
  EXPECT_LE(gate->looked_up, 1) << "the look-up under way is shared";
  EXPECT_NE(resolver->known("slow", Vouched::no), nullptr) << "and nobody waits for it any more";
}

TEST_F(ResolverTest, WhoseTurnDoesNotComeIsToldSo) {
  make({.lookups_max = 2, .turn_limit = Millis(20)});
  for (int i = 0; i < 4; ++i) resolve("slow" + std::to_string(i));
  run_until(1);
  EXPECT_NE(last_error.find("too many names wait"), std::string::npos) << last_error;
}

TEST_F(ResolverTest, ANewNameIsLookedUpThoughThousandsAreNotAnswered) {
  make({.lookups_max = 64,
        .answer_limit = std::chrono::minutes(5),
        .turn_limit = std::chrono::minutes(5),
        .young_for = Millis(1),
        .dead_for = Millis(1'000)});
  for (int i = 0; i < 2'000; ++i) resolve("slow" + std::to_string(i));
  resolve("quick");
  run_until(1);
  EXPECT_EQ(resolved, (std::vector<std::string>{"quick"}));
  for (int i = 0; i < 5; ++i) resolve("quick" + std::to_string(i));
  run_until(6);
  EXPECT_EQ(resolved.size(), 6U);
  EXPECT_LE(gate->looked_up, 64 + 6);
}

TEST_F(ResolverTest, NamesThatAnOperatorVouchesForComeBeforeOthers) {
  make({.lookups_max = 8, .young_for = Millis(100'000), .young_max = 4});
  for (int i = 0; i < 100; ++i) resolve("slow" + std::to_string(i));
  resolve("other");
  resolve("named", Vouched::yes);
  gate->open();
  run_until(1);
  std::size_t others = 0;
  while (std::ranges::find(resolved, "named") == resolved.end()) run_until(++others + 1);
  EXPECT_LE(others, 8U) << "only those that were under way already";
}

TEST_F(ResolverTest, ANameOnceKnownGoodIsGivenOutWhileItIsLookedUpAgain) {
  make({.fresh_for = {}});
  resolve("slow");
  gate->open();
  run_until(1);
  gate->close();
  ASSERT_NE(resolver->known("slow", Vouched::no), nullptr);
  resolve("slow");
  run_until(2);
  EXPECT_EQ(resolved.size(), 2U);
}

TEST_F(ResolverTest, ANameOnceKnownGoodIsKeptWhereNoAnswerComesButNotWhereItIsGone) {
  make({.fresh_for = {}, .stale_for = {}, .failure_for = {}});
  gate->open();
  resolve("name");
  run_until(1);
  gate->answer(Error{"network", "try again", ""});
  resolve("name");
  run_until(2);
  EXPECT_EQ(resolved.size(), 2U);
  gate->answer(Addresses{make_address("192.0.2.2")});
  resolve("name");
  run_until(3);
  EXPECT_EQ(last, "192.0.2.2") << "a new answer counts at once";
  gate->answer(Error{"no_such_name", "gone", ""});
  resolve("name");
  run_until(4);
  EXPECT_EQ(refused.size(), 1U);
  gate->answer(Error{"network", "try again", ""});
  resolve("name");
  run_until(5);
  EXPECT_EQ(refused.size(), 2U) << "what is gone does not come back";
}

TEST_F(ResolverTest, ANameKnownGoodIsKeptForItsTimeOnly) {
  make({.fresh_for = {}, .stale_for = {}, .kept_for = {}, .failure_for = {}});
  resolve("name");
  run_until(1);
  gate->answer(Error{"network", "try again", ""});
  resolve("name");
  run_until(2);
  EXPECT_EQ(refused.size(), 1U);
}

TEST_F(ResolverTest, DyingDropsTheCallbacks) {
  resolve("slow");
  resolve("127.0.0.1");
  resolver.reset();
  gate->open();
  loop.run();
  EXPECT_TRUE(resolved.empty());
}

TEST(SystemLookup, FindsAnAddressAndSaysWhyItFindsNone) {
  const Result<Addresses> found = system_lookup("127.0.0.1");
  ASSERT_TRUE(found) << found.error().detail;
  EXPECT_TRUE(found->front().is_loopback());
  // No name server can be asked for a label of more than 63 bytes.
  const std::string too_long = std::string(64, 'x') + ".invalid";
  const Result<Addresses> none = system_lookup(too_long);
  ASSERT_FALSE(none);
  EXPECT_TRUE(none.error().slug == "network" || none.error().slug == "no_such_name");
  EXPECT_NE(none.error().detail.find(too_long), std::string::npos);
}

}  // namespace
}  // namespace carillon
