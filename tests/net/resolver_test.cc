#include "net/resolver.h"

#include <atomic>
#include <condition_variable>
#include <mutex>

#include <gtest/gtest.h>

namespace carillon {
namespace {

using boost::asio::ip::make_address;
using Addresses = Resolver::Addresses;

/// A look-up that waits until its name is let go.
class Gate {
 public:
  Result<Addresses> look_up(const std::string& host) {
    ++looked_up;
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return open_ || !host.starts_with("slow"); });
    if (host.starts_with("no")) return Error{"network", "no such host", ""};
    return Addresses{make_address("192.0.2.1")};
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
};

class ResolverTest : public testing::Test {
 protected:
  ~ResolverTest() override { gate->open(); }

  void resolve(const std::string& host) {
    resolver->resolve(host, [this, host](const Result<Addresses>& found) {
      (found ? resolved : refused).push_back(host);
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
      loop, [gate = gate](const std::string& host) { return gate->look_up(host); });
  std::vector<std::string> resolved, refused;
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
  EXPECT_EQ(none.error().slug, "network");
  EXPECT_NE(none.error().detail.find(too_long), std::string::npos);
}

}  // namespace
}  // namespace carillon
