// A sink whose pushes end when the test says so.
#pragma once

#include <functional>
#include <utility>
#include <vector>

#include "delivery/sink.h"

namespace carillon {

class HeldSink final : public Sink {
 public:
  void push(Push push, std::function<void(PushResult)> done) override {
    pushes.push_back(std::move(push));
    ends_.push_back(std::move(done));
  }
  void reload_files() override {}
  void stop() override {}
  [[nodiscard]] DeliveryStats stats() const override { return {}; }

  /// All that are under way were delivered.
  void end_all() {
    for (const auto& end : std::exchange(ends_, {})) {
      PushResult result;
      result.kind = PushResult::Kind::delivered;
      result.status = 200;
      end(std::move(result));
    }
  }

  std::vector<Push> pushes;

 private:
  std::vector<std::function<void(PushResult)>> ends_;
};

}  // namespace carillon
