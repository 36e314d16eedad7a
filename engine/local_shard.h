// One shard at work on this node: its driver, its targets, its contents and pushes, put together.
//
// Operation: it is the driver's consumer and leads each effect where it belongs. Nothing in it
// needs an event loop, so the simulation runs it whole, over a log and receivers of its own.
//
// Concurrency: the loop's thread only, but for what does not change (`keys`, `options`, `clock`)
// and the driver's `not_ready_because`.
#pragma once

#include <functional>
#include <random>
#include <vector>

#include "engine/driver.h"
#include "engine/keys.h"
#include "engine/options.h"
#include "engine/pusher.h"
#include "engine/target_registry.h"

namespace carillon {

class LocalShard final : ShardConsumer {
 public:
  /// What a shard is put into; all that is referred to must outlive it.
  struct Place {
    DriverLoop loop;
    Clock& clock;
    Log& log;
    Sink& sink;
    std::mt19937_64 random;
    /// A commit or a read of fired tasks' contents is over, or storage has failed.
    std::function<void()> settled;
    /// Another node owns the shard, see ShardConsumer.
    std::function<void()> fenced;
  };
  LocalShard(Place place, EngineOptions options);
  LocalShard(const LocalShard&) = delete;
  LocalShard& operator=(const LocalShard&) = delete;

  [[nodiscard]] ShardDriver& driver() { return driver_; }
  [[nodiscard]] const ShardDriver& driver() const { return driver_; }
  [[nodiscard]] Shard& shard() { return driver_.shard(); }
  [[nodiscard]] const Shard& shard() const { return driver_.shard(); }
  [[nodiscard]] const TargetRegistry& targets() const { return targets_; }
  [[nodiscard]] const Contents& contents() const { return pusher_.contents(); }
  [[nodiscard]] const Keys& keys() const { return keys_; }
  [[nodiscard]] EngineCounters& counters() { return counters_; }
  [[nodiscard]] const EngineCounters& counters() const { return counters_; }
  [[nodiscard]] std::mt19937_64& random() { return place_.random; }
  [[nodiscard]] Clock& clock() const { return place_.clock; }
  [[nodiscard]] Log& log() const { return place_.log; }
  [[nodiscard]] Sink& sink() const { return place_.sink; }
  [[nodiscard]] const EngineOptions& options() const { return options_; }

 private:
  void fired(std::vector<Fired> tasks) override { pusher_.begin(tasks); }
  void imminent(const std::vector<TaskNumber>& numbers, std::span<ContentRow> at_hand) override {
    pusher_.contents().imminent(numbers, at_hand);
  }
  void targets_changed(const std::vector<TargetKey>& keys) override { targets_.changed(keys); }
  void holds_changed(const std::vector<TargetKey>& keys) override;
  void settled() override {
    pusher_.settled();
    place_.settled();
  }
  void fenced() override { place_.fenced(); }

  Place place_;
  EngineOptions options_;
  Keys keys_;
  EngineCounters counters_;
  ShardDriver driver_;
  TargetRegistry targets_;
  Pusher pusher_;
};

}  // namespace carillon
