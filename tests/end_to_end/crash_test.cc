// kill -9 in the middle of everything: what was acknowledged is kept, what was cancelled stays so,
// and what fell due meanwhile is pushed at once. And carillon-replay, on what the crash left
// behind,
#include <atomic>
#include <functional>
#include <iostream>
#include <thread>

#include <gtest/gtest.h>

#include "tests/end_to_end/scenarios.h"
#include "tests/support/temp_dir.h"

namespace carillon::test {
namespace {

constexpr std::size_t kBatch = 500;
constexpr int kConcurrency = 64;
constexpr Millis kPatience = std::chrono::minutes(5);
constexpr Millis kPollPause{1};
constexpr Ledger::Rules kAfterCrash{.may_repeat = true};

/// Kills the server as soon as `reached`, while something else keeps it busy.
class KillWhen {
 public:
  KillWhen(Carillond& server, std::function<bool()> reached)
      : thread_([&server, reached = std::move(reached), this] {
          while (!reached() && !called_off_) std::this_thread::sleep_for(kPollPause);
          server.process().signal(SIGKILL);
        }) {}
  ~KillWhen() {
    called_off_ = true;
    thread_.join();
  }
  KillWhen(const KillWhen&) = delete;
  KillWhen& operator=(const KillWhen&) = delete;

 private:
  std::atomic<bool> called_off_{false};
  std::thread thread_;
};

using Step = std::size_t (Subscribers::*)(client::ApiClient&, std::span<const Subscribers::Index>,
                                          std::size_t);

/// Carries out `step` on all of `tasks`, the server being killed and started again in the middle.
void do_across_a_crash(Carillond& server, Subscribers& people, Step step,
                       std::span<const Subscribers::Index> tasks) {
  std::size_t done = 0;
  {
    const auto api = server.connect();
    const auto when = people.batches_answered() + tasks.size() / kBatch / 2;
    const KillWhen killer(server, [&people, when] { return people.batches_answered() >= when; });
    done = (people.*step)(*api, tasks, kBatch);
  }
  ASSERT_TRUE(server.process().wait());
  EXPECT_GT(done, 0U);
  ASSERT_TRUE(server.start());
  const auto api = server.connect();
  EXPECT_EQ((people.*step)(*api, tasks.subspan(done), kBatch), tasks.size() - done);
}

/// Starts the server and answers how long from then until a push came.
Millis restart_until_first_push(Carillond& server, const load::Receiver& receiver) {
  const auto before = receiver.summary().accepted;
  const auto begin = std::chrono::steady_clock::now();
  EXPECT_TRUE(server.start());
  EXPECT_TRUE(receiver.wait_for_accepted(before + 1, kPatience));
  return std::chrono::duration_cast<Millis>(std::chrono::steady_clock::now() - begin);
}

void expect_good(Coupon& coupon, load::Receiver& receiver, const char* run) {
  EXPECT_TRUE(receiver.wait_for_accepted(coupon.reminded(), kPatience));
  report(run, receiver.summary());
  coupon.people.take_arrivals(receiver);
  const auto verdict = coupon.people.ledger().judge(kAfterCrash);
  EXPECT_TRUE(verdict.good()) << verdict.text();
  EXPECT_EQ(verdict.delivered, coupon.reminded());
  EXPECT_EQ(receiver.summary().early, 0U);
  std::cout << "[ figures  ] " << run << ": " << verdict.text() << '\n';
}

TEST(Crash, CouponKilledWhileSubscribingCancellingAndDeliveringKeepsEveryPromise) {
  const TempDir dir;
  const auto receiver = start_receiver();
  Carillond server(dir / "data");
  ASSERT_TRUE(server.start());
  put_target(server, *receiver, kConcurrency);
  const std::size_t users = sized(10'000, 200'000);
  const WallTime due = wall_millis() + std::chrono::seconds(sized(15, 60)) + Millis(users / 4);
  Coupon coupon(users, due);

  ASSERT_NO_FATAL_FAILURE(
      do_across_a_crash(server, coupon.people, &Subscribers::add_all, coupon.subscribing));
  ASSERT_NO_FATAL_FAILURE(
      do_across_a_crash(server, coupon.people, &Subscribers::cancel_all, coupon.cancelling));
  ASSERT_EQ(coupon.people.add_all(*server.connect(), coupon.again, kBatch), coupon.again.size());
  ASSERT_EQ(coupon.people.to_come(), coupon.reminded());
  ASSERT_LT(wall_millis(), due) << "this machine is too slow for the time given";

  ASSERT_TRUE(receiver->wait_for_accepted(coupon.reminded() / 3, kPatience));
  server.kill();
  const auto first = restart_until_first_push(server, *receiver);
  std::cout << "[ figures  ] first push " << first.count() << " ms after the restart began\n";
  EXPECT_LT(first, std::chrono::seconds(10));
  wait_until_idle(server, std::chrono::seconds(300));
  expect_good(coupon, *receiver, "coupon with three crashes");
}

TEST(Crash, WhatFellDueWhileItWasDownIsPushedOnReturn) {
  const TempDir dir;
  const auto receiver = start_receiver();
  Carillond server(dir / "data");
  ASSERT_TRUE(server.start());
  put_target(server, *receiver, kConcurrency);
  const WallTime due = wall_millis() + std::chrono::seconds(2);
  Coupon coupon(1'000, due);
  const auto api = server.connect();
  ASSERT_EQ(coupon.people.add_all(*api, coupon.subscribing, kBatch), 1'000U);
  ASSERT_EQ(coupon.people.cancel_all(*api, coupon.cancelling, kBatch), 100U);
  ASSERT_EQ(coupon.people.add_all(*api, coupon.again, kBatch), 25U);
  server.kill();
  EXPECT_EQ(receiver->summary().received, 0U);
  std::this_thread::sleep_until(due + Millis(100));  // the time that passes is what is tested
  restart_until_first_push(server, *receiver);
  wait_until_idle(server);
  expect_good(coupon, *receiver, "overdue");
}

TEST(Crash, TimeOutsKilledTwiceInRealTimeKeepEveryPromise) {
  const TempDir dir;
  const auto receiver = start_receiver();
  Carillond server(dir / "data");
  ASSERT_TRUE(server.start());
  put_target(server, *receiver, kConcurrency);
  const WallTime begin = wall_millis() + std::chrono::seconds(sized(3, 10));
  TimeOuts plan(sized(4'000, 100'000), begin, std::chrono::seconds(1),
                std::chrono::seconds(sized(8, 60)), 13);
  ASSERT_NO_FATAL_FAILURE(do_across_a_crash(server, plan.people, &Subscribers::add_all, plan.all));

  std::vector<Subscribers::Index> order;
  for (const auto& cancel : plan.cancels) order.push_back(cancel.task);
  const std::size_t third = order.size() / 3;
  std::this_thread::sleep_until(plan.cancels[third].at);
  // From here on, cancels race with pushes, with a crash in the middle of both.
  ASSERT_NO_FATAL_FAILURE(do_across_a_crash(server, plan.people, &Subscribers::cancel_all, order));

  wait_until_idle(server, std::chrono::seconds(300));
  EXPECT_TRUE(receiver->wait_for_accepted(plan.people.to_come(), kPatience));
  plan.people.take_arrivals(*receiver);
  const auto verdict = plan.people.ledger().judge(kAfterCrash);
  EXPECT_TRUE(verdict.good()) << verdict.text();
  EXPECT_EQ(receiver->summary().early, 0U);
  std::cout << "[ figures  ] time-outs with two crashes: " << verdict.text() << '\n';
}

}  // namespace
}  // namespace carillon::test
