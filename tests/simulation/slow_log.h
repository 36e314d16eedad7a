// The log of a simulated server: in memory, and it takes its time.
//
// Operation: an append becomes durable, and later is acknowledged, when the server of the
// simulation says so, which hears of each batch first. What is read comes a while later.
#pragma once

#include <functional>
#include <memory>
#include <utility>

#include "tests/simulation/world.h"
#include "tests/storage/memory_log.h"

namespace carillon::simulation {

class SlowLog final : public Log {
 public:
  using After = std::function<void(Moment, std::function<void()>)>;

  /// `after` does something after a pause, unless the server has crashed by then.
  SlowLog(World& world, After after, std::shared_ptr<MemoryDisk> disk,
          std::function<void(const Batch&)> on_append)
      : world_(world),
        after_(std::move(after)),
        on_append_(std::move(on_append)),
        log_([this](std::function<void()> work) { after_(0, std::move(work)); }, AutoAck::no,
             std::move(disk)) {}

  [[nodiscard]] SipKey key() const override { return log_.key(); }
  [[nodiscard]] Result<> read(
      Sequence from, const std::function<void(Batch&&)>& visit,
      const std::function<void(std::uint64_t, std::uint64_t)>& progress) override {
    return log_.read(from, visit, progress);
  }
  void follow(Sequence from, std::uint64_t bytes, Followed done) override {
    log_.follow(from, bytes, std::move(done));
  }
  void append(Batch&& batch, AppendDone done) override {
    on_append_(batch);
    log_.append(std::move(batch), std::move(done));
  }
  void fetch(Fetch wanted, std::function<void(std::vector<Fetched>)> done) override {
    after_(world_.pause(kRead), [this, wanted = std::move(wanted), done = std::move(done)] {
      log_.fetch(wanted, done);
    });
  }
  void read_oldest(std::uint64_t bytes, std::function<void(std::vector<Batch>)> done) override {
    after_(world_.pause(kRead),
           [this, bytes, done = std::move(done)] { log_.read_oldest(bytes, done); });
  }
  void checkpoint(std::string dir, std::function<void(Result<>)> done) override {
    log_.checkpoint(std::move(dir), std::move(done));
  }
  [[nodiscard]] LogStats stats() const override { return log_.stats(); }
  void close() override { log_.close(); }

  void sync_next() { log_.sync_next(); }
  void ack_next() { log_.ack_next(); }

 private:
  static constexpr Moment kRead = kMillisecond / 8;

  World& world_;
  After after_;
  std::function<void(const Batch&)> on_append_;
  MemoryLog log_;
};

}  // namespace carillon::simulation
