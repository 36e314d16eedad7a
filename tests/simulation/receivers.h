// The receivers of a simulation: each push meets one that accepts, fails, hangs, refuses, is gone,
// wants it later or is never reached, and is written into the ledger where it arrives.
//
// Operation: a push of several tasks is read as a receiver would read it, and each of them has a
// fate of its own where the push has none as a whole. A push takes its time both ways. What has
// left for a receiver arrives whether or not the server still lives; the answer comes only to the
// server that sent it.
#pragma once

#include <functional>
#include <optional>
#include <vector>

#include "delivery/sink.h"
#include "tests/simulation/content.h"
#include "tests/simulation/facts.h"
#include "tests/simulation/swarm.h"
#include "tests/support/ledger.h"

namespace carillon::simulation {

/// A server's clock.
class WorldClock final : public Clock {
 public:
  explicit WorldClock(const World& world, Millis ahead = Millis(0))
      : world_(world), ahead_(ahead) {}
  WallTime wall() override { return world_.wall() + ahead_; }
  MonoTime mono() override { return MonoTime(std::chrono::microseconds(world_.now())); }

 private:
  const World& world_;
  Millis ahead_;
};

class Receivers final : public Sink {
 public:
  struct Around {
    World& world;
    const Swarm& swarm;
    test::Ledger& ledger;
    Facts& facts;
    Coverage& coverage;
    /// Does something after a pause, unless the server has crashed by then.
    std::function<void(Moment, std::function<void()>)> after;
    /// The number of the task that is pushed; none where it must not be.
    std::function<std::optional<TaskNumber>(const SimContent&, std::uint32_t attempt)> task_of;
    Millis clock_ahead{0};  // of the server
  };
  explicit Receivers(Around around) : its_(std::move(around)) {}

  void push(Push push, std::function<void(PushResult)> done) override;
  void reload_files() override {}
  void stop() override {}
  [[nodiscard]] DeliveryStats stats() const override { return {}; }

 private:
  /// A task that is pushed, alone or with others.
  struct Pushed {
    SimContent content;
    WallTime due{};
    std::uint32_t attempt = 0;
    TaskNumber number = 0;
  };
  [[nodiscard]] std::vector<Pushed> tasks_of(const Push& push);
  void arrive(const std::vector<Pushed>& tasks, Moment way, const std::vector<bool>& accepted);
  [[nodiscard]] PushResult answer_each(const std::vector<Pushed>& tasks,
                                       std::vector<bool>& accepted);

  Around its_;
};

}  // namespace carillon::simulation
