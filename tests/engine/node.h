// Drivers that own one log in turn, without an event loop: turns, wake-ups and what the network
// carries are handed out by hand, in virtual time.
#pragma once

#include <algorithm>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "engine/driver.h"
#include "tests/engine/asked.h"
#include "tests/shard/hand_driver.h"
#include "tests/storage/model_log.h"

namespace carillon {

/// Carries steps in their order; what waits for an answer that is late goes on when all else has.
struct Net {
  [[nodiscard]] ModelLog::Options options() {
    const auto soon = [this](ModelLog::Step step) { steps.push_back(std::move(step)); };
    const auto read = [this](ModelLog::Step step) { reads.push_back(std::move(step)); };
    return {.post = read, .carry = soon, .wait = [this](ModelLog::Step step) {
              waits.push_back(std::move(step));
            }};
  }
  void run() {
    for (int rounds = 0; rounds < 4; ++rounds) {
      do {
        run(steps);
        run(reads);
      } while (!steps.empty());
      for (auto& wait : std::exchange(waits, {})) wait();
    }
  }
  /// What is read from disks is not there yet.
  void run_but_reads() { run(steps); }

  static void run(std::deque<ModelLog::Step>& some) {
    while (!some.empty()) {
      const auto step = std::move(some.front());
      some.pop_front();
      step();
    }
  }

  std::deque<ModelLog::Step> steps;
  std::deque<ModelLog::Step> reads;
  std::vector<ModelLog::Step> waits;
};

/// Keeps what it is told.
struct Consumer final : ShardConsumer {
  void fired(std::vector<Fired> tasks) override {
    pushes.insert(pushes.end(), tasks.begin(), tasks.end());
  }
  void imminent(const std::vector<TaskNumber>&, std::span<ContentRow>) override {}
  void targets_changed(const std::vector<TargetKey>& keys) override { targets += keys.size(); }
  void holds_changed(const std::vector<TargetKey>&) override {}
  void settled() override { ++settled_times; }
  void fenced() override {
    ++fenced_times;
    if (on_fenced) on_fenced();
  }
  std::vector<Fired> pushes;
  std::size_t targets = 0;
  int settled_times = 0;
  int fenced_times = 0;
  std::function<void()> on_fenced;
};

/// Stands still until it is moved; its wall time can also be stepped.
class NodeClock final : public Clock {
 public:
  explicit NodeClock(WallTime start) : wall_(start), mono_(start.time_since_epoch()) {}
  WallTime wall() override { return wall_; }
  MonoTime mono() override { return mono_; }
  void set(WallTime now) {
    mono_ += now - wall_;
    wall_ = now;
  }
  void step(Millis by) { wall_ += by; }

 private:
  WallTime wall_;
  MonoTime mono_;
};

/// One that owns the stream, or did.
class Node {
 public:
  Node(Net& its_net, NodeClock& its_clock, const std::shared_ptr<ModelStream>& stream,
       Millis firing_stays = Millis(0))
      : net(its_net), clock(its_clock), log(its_net.options(), stream) {
    make_driver();
    take_over(firing_stays);
  }
  /// One that follows it.
  struct Follows {};
  Node(Net& its_net, NodeClock& its_clock, const std::shared_ptr<ModelStream>& stream, Follows)
      : net(its_net), clock(its_clock), log(its_net.options(), stream) {
    make_driver();
  }

  /// A driver from what is in the log.
  void make_driver() {
    driver.reset();
    turns = 0;
    alarm.reset();
    const DriverLoop loop{.turn_soon = [this] { ++turns; },
                          .wake_at = [this](std::optional<WallTime> moment) { alarm = moment; }};
    DriverOptions options;
    options.shared_log = true;
    driver = std::make_unique<ShardDriver>(loop, clock, log, consumer, options);
    ASSERT_TRUE(driver->recover([](auto, auto) {}));
  }
  /// From now on it owns the shard.
  void take_over(Millis firing_stays = Millis(0)) {
    std::optional<Appended> how;
    log.take_over([&](Appended ended) { how = ended; });
    net.run();
    ASSERT_EQ(how, Appended::committed);
    driver->start(firing_stays);
  }
  Asked& submit(std::vector<Command> commands) {
    Asked& one = *asked.emplace_back(std::make_unique<Asked>(commands.size()));
    driver->submit(commands, one);
    return one;
  }
  Asked& add(std::uint64_t id, Millis delay = std::chrono::hours(1)) {
    return submit({make_add(id, delay)});
  }
  Asked& cancel(std::uint64_t id, bool retries = false) {
    return submit({command::Cancel{fingerprint(id), retries}});
  }
  Asked& confirm() {
    Asked& one = *asked.emplace_back(std::make_unique<Asked>(1));
    driver->confirm(one);
    return one;
  }
  [[nodiscard]] command::Add make_add(std::uint64_t id,
                                      Millis delay = std::chrono::hours(1)) const {
    return HandDriver::add(id, clock.wall() + delay);
  }
  void put_target() {
    driver->submit(HandDriver::target(1));
    rest();
  }
  void turn() {
    while (driver && std::exchange(turns, 0) > 0) driver->turn();
  }
  /// Everything that can happen at this moment.
  void rest() {
    for (int rounds = 0; rounds < 3; ++rounds) {
      turn();
      net.run();
    }
  }
  /// Virtual time goes on; the driver is woken when it asked for that.
  void advance(Millis by) {
    const WallTime until = clock.wall() + by;
    for (rest(); alarm && *alarm <= until; rest()) {
      clock.set(std::max(clock.wall(), *std::exchange(alarm, std::nullopt)));
      driver->tick();
    }
    clock.set(until);
  }
  [[nodiscard]] std::uint64_t count(State state) const {
    return driver->shard().counts()[static_cast<std::size_t>(state)];
  }

  Net& net;
  NodeClock& clock;
  int turns = 0;
  std::optional<WallTime> alarm;
  Consumer consumer;
  std::vector<std::unique_ptr<Asked>> asked;
  ModelLog log;
  std::unique_ptr<ShardDriver> driver;
};

}  // namespace carillon
