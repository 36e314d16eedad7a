#include "engine/gate.h"

#include <chrono>
#include <stdexcept>
#include <string>
#include <vector>

#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <gtest/gtest.h>

namespace carillon {
namespace {

namespace asio = boost::asio;

template <typename T>
using Coroutine = asio::awaitable<T>;

Coroutine<int> answered(int value) {
  co_return value;
}

/// Two loops, each run by hand.
class GateTest : public testing::Test {
 public:
  ~GateTest() override { gate.reset(); }

  /// A caller on the callers' loop: asks for `value` and keeps the answer.
  void call(int value, std::function<void()> meanwhile = [] {}) {
    const auto ask = [](GateTest* test, int its, std::function<void()> work) -> Coroutine<void> {
      const int answer = co_await test->gate->pass([test, its, work] {
        EXPECT_TRUE(test->home.get_executor().running_in_this_thread());
        test->begun.push_back(its);
        work();
        return answered(its);
      });
      EXPECT_TRUE(test->callers.get_executor().running_in_this_thread());
      test->answers.push_back(answer);
    };
    asio::co_spawn(callers, ask(this, value, std::move(meanwhile)), [](auto) {});
  }
  static std::size_t run(asio::io_context& loop) {
    loop.restart();
    return loop.poll();
  }
  void run_both() {
    while (run(callers) + run(home) > 0) {
    }
  }

  asio::io_context callers{1};
  asio::io_context home{1};
  int served_due = 0;
  std::unique_ptr<Gate> gate = std::make_unique<Gate>(home, [this] { ++served_due; });
  std::vector<int> begun;
  std::vector<int> answers;
};

TEST_F(GateTest, CallsAreServedInOrderAndAnsweredOnTheirOwnLoop) {
  for (int i = 0; i < 5; ++i) call(i);
  run_both();
  EXPECT_EQ(begun, (std::vector{0, 1, 2, 3, 4}));
  EXPECT_EQ(answers, begun);
}

TEST_F(GateTest, ACrowdWakesEachSideOnce) {
  constexpr int kCrowd = 30;  // few enough for one slice
  for (int i = 0; i < kCrowd; ++i) call(i);
  run(callers);
  home.restart();
  EXPECT_EQ(home.poll_one(), 1U) << "they came over together";
  EXPECT_EQ(begun.size(), std::size_t{kCrowd});
  EXPECT_TRUE(answers.empty());
  run(home);
  callers.restart();
  EXPECT_EQ(callers.poll_one(), 1U) << "and went back together";
  EXPECT_EQ(answers.size(), std::size_t{kCrowd});
}

TEST_F(GateTest, AFloodLetsTheLoopDoEverythingElseBetweenTwoSlices) {
  constexpr int kCalls = 20;
  const auto work = [] {  // as long as a slice
    const auto end = std::chrono::steady_clock::now() + std::chrono::milliseconds(1);
    while (std::chrono::steady_clock::now() < end) {
    }
  };
  for (int i = 0; i < kCalls; ++i) call(i, work);
  run(callers);
  std::size_t begun_before_it = 0;
  asio::post(home, [&] { begun_before_it = begun.size(); });
  run_both();
  EXPECT_EQ(answers.size(), kCalls);
  EXPECT_LT(begun_before_it, kCalls / 2);
  EXPECT_GE(served_due, kCalls) << "what is due comes before each slice";
}

TEST_F(GateTest, ACallThatWaitsIsAnsweredWhenItIsDone) {
  asio::steady_timer timer(home, std::chrono::hours(1));
  const auto wait = [](asio::steady_timer* until) -> Coroutine<std::string> {
    boost::system::error_code ignored;
    co_await until->async_wait(asio::redirect_error(asio::use_awaitable, ignored));
    co_return "done";
  };
  const auto ask = [](GateTest* test, auto its, asio::steady_timer* until,
                      std::string* into) -> Coroutine<void> {
    *into = co_await test->gate->pass([its, until] { return its(until); });
  };
  std::string answer;
  asio::co_spawn(callers, ask(this, wait, &timer, &answer), [](auto) {});
  run_both();
  EXPECT_EQ(answer, "");
  call(7);
  run_both();
  EXPECT_EQ(answers, std::vector{7}) << "others go on";
  timer.cancel();
  run_both();
  EXPECT_EQ(answer, "done");
}

TEST_F(GateTest, ACallerOnTheLoopItselfIsServedAtOnce) {
  const auto ask = [](GateTest* test) -> Coroutine<void> {
    test->answers.push_back(co_await test->gate->pass([] { return answered(1); }));
  };
  asio::co_spawn(home, ask(this), [](auto) {});
  run(home);
  EXPECT_EQ(answers, std::vector{1});
  EXPECT_EQ(served_due, 0) << "there was no slice";
}

TEST_F(GateTest, WhatACallThrowsReachesItsCaller) {
  const auto fail = []() -> Coroutine<int> {
    throw std::runtime_error("no");
    co_return 0;
  };
  const auto ask = [](GateTest* test, auto its) -> Coroutine<void> {
    co_await test->gate->pass(its);
  };
  std::exception_ptr thrown;
  asio::co_spawn(callers, ask(this, fail), [&](std::exception_ptr what) { thrown = what; });
  run_both();
  EXPECT_THROW(std::rethrow_exception(thrown), std::runtime_error);
}

TEST_F(GateTest, WhoeverWaitsWhenItGoesIsDropped) {
  const auto held = std::make_shared<int>();
  const auto never = [](asio::io_context* loop) -> Coroutine<int> {
    asio::steady_timer timer(*loop, std::chrono::hours(1));
    co_await timer.async_wait(asio::use_awaitable);
    co_return 0;
  };
  const auto ask = [](GateTest* test, auto its, std::shared_ptr<int> kept) -> Coroutine<void> {
    co_await test->gate->pass([test, its] { return its(&test->home); });
    *kept = 1;
  };
  asio::co_spawn(callers, ask(this, never, held), [](auto) {});
  run(callers);
  EXPECT_EQ(held.use_count(), 2);
  gate.reset();  // it has not been taken yet
  run(callers);  // Asio unwinds a coroutine on its own loop
  EXPECT_EQ(held.use_count(), 1);
}

TEST_F(GateTest, AThreadMayCallAtSeveralGates) {
  Gate other(home, [] {});
  const auto ask = [](GateTest* test, Gate* second) -> Coroutine<void> {
    for (int i = 0; i < 3; ++i) {
      test->answers.push_back(co_await test->gate->pass([i] { return answered(i); }));
      test->answers.push_back(co_await second->pass([i] { return answered(10 + i); }));
    }
  };
  asio::co_spawn(callers, ask(this, &other), [](auto) {});
  run_both();
  EXPECT_EQ(answers, (std::vector{0, 10, 1, 11, 2, 12}));
}

}  // namespace
}  // namespace carillon
