// The fixture of tests that run coroutines: a loop on the test's thread.
#pragma once

#include <chrono>
#include <optional>
#include <utility>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <gtest/gtest.h>

namespace carillon::test {

class LoopTest : public ::testing::Test {
 protected:
  /// Runs the loop until `work` is done; what it answered.
  template <typename T>
  T run(boost::asio::awaitable<T> work) {
    std::optional<T> result;
    boost::asio::co_spawn(loop, std::move(work), [&](const std::exception_ptr& error, T value) {
      EXPECT_EQ(error, nullptr);
      result.emplace(std::move(value));
    });
    run_until([&] { return result.has_value(); });
    return std::move(*result);
  }
  void run(boost::asio::awaitable<void> work) {
    bool done = false;
    boost::asio::co_spawn(loop, std::move(work), [&](const std::exception_ptr& error) {
      EXPECT_EQ(error, nullptr);
      done = true;
    });
    run_until([&] { return done; });
  }
  template <typename Done>
  void run_until(const Done& done) {
    ASSERT_TRUE(runs_until(done, std::chrono::seconds(30))) << "nothing came";
  }
  /// Whether it was done within `patience`.
  template <typename Done>
  [[nodiscard]] bool runs_until(const Done& done, std::chrono::milliseconds patience) {
    const auto give_up = std::chrono::steady_clock::now() + patience;
    while (!done()) {
      if (std::chrono::steady_clock::now() >= give_up) return false;
      loop.run_one_for(std::chrono::milliseconds(20));
      loop.restart();
    }
    return true;
  }

  boost::asio::io_context loop{1};
  boost::asio::executor_work_guard<boost::asio::io_context::executor_type> guard{
      loop.get_executor()};
};

}  // namespace carillon::test
