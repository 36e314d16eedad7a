// Delivery: the sink of all kinds of receivers. Each push goes to the sink of its target's kind.
//
// Concurrency: as delivery/sink.h.
#pragma once

#include <memory>
#include <utility>
#include <vector>

#include "delivery/sink.h"

namespace carillon {

struct TargetKind;

class Delivery final : public Sink {
 public:
  /// Opens one sink of each kind.
  explicit Delivery(const SinkOptions& options);
  ~Delivery() override;

  void push(Push push, std::function<void(PushResult)> done) override;
  void reload_files() override;
  void stop() override;
  /// Of all sinks together.
  [[nodiscard]] DeliveryStats stats() const override;

 private:
  std::vector<std::pair<const TargetKind*, std::unique_ptr<Sink>>> sinks_;
};

}  // namespace carillon
