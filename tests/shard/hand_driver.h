// Drives a Shard by hand: a clock that stands still, a log that is a vector, crashes at will.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "shard/shard.h"

namespace carillon {

inline Fingerprint fingerprint(std::uint64_t id) {
  return {id * 0x9e3779b97f4a7c15ULL, 1};
}
inline GroupKey group_key(std::uint64_t group) {
  return {group, group == 0 ? 0U : 1U};
}
inline TargetKey target_key(std::uint64_t target) {
  return {target, 2};
}

class HandDriver {
 public:
  explicit HandDriver(ShardOptions options = {}, WallTime now = WallTime(Millis(1'763'700'000'000)))
      : options_(options), now_(now) {
    restart();
  }

  /// A new shard from what is durable. What was under way is lost unless `keep_under_way`.
  void restart() {
    under_way_.reset();
    shard_ = std::make_unique<Shard>(options_);
    for (const Batch& batch : log_) shard_->replay(batch);
    shard_->start(now_);
  }

  /// From the next restart on.
  void set_options(ShardOptions options) { options_ = options; }

  /// No batch is larger, but for one record.
  void set_bytes_max(std::uint64_t bytes_max) { bytes_max_ = bytes_max; }

  [[nodiscard]] Shard& shard() { return *shard_; }
  [[nodiscard]] WallTime now() const { return now_; }
  void set_now(WallTime now) { now_ = now; }
  [[nodiscard]] const std::vector<Batch>& log() const { return log_; }

  [[nodiscard]] bool sealed() const { return under_way_.has_value(); }
  /// Hands the open batch to the log; it is durable only with `commit`.
  void seal() {
    if (!under_way_ && shard_->wants_commit()) under_way_ = shard_->seal(now_, {}, bytes_max_);
  }
  void commit() {
    if (!under_way_) return;
    make_durable();
    const Batch batch = std::move(*under_way_);
    under_way_.reset();
    shard_->committed(batch, now_);
  }
  /// The log has it, but the shard never hears: what a crash after the write leaves.
  void make_durable() {
    const Batch& batch = *under_way_;
    if (batch.trim_before != 0) {
      std::erase_if(log_, [&](const Batch& old) { return old.first < batch.trim_before; });
    }
    if (!batch.records.empty()) log_.push_back(batch);
  }
  /// Seals, commits and ticks until nothing is left to do at this time; `each_turn` after every
  /// commit.
  void run(const std::function<void()>& each_turn = [] {}) {
    for (int turn = 0;; ++turn) {
      CARILLON_CHECK(turn < 100'000);
      shard_->tick(now_);
      seal();
      const bool committed = under_way_.has_value();
      commit();
      each_turn();
      const auto wakeup = shard_->next_wakeup();
      if (!committed && !shard_->has_work() && (!wakeup || *wakeup > now_)) return;
    }
  }
  void run_until(WallTime now) {
    now_ = now;
    run();
  }

  Effects take() { return std::exchange(shard_->effects(), {}); }

  static record::TargetPut target(std::uint64_t target, std::uint32_t concurrency = 64,
                                  bool paused = false) {
    record::TargetPut put;
    put.key = target_key(target);
    put.name = "t" + std::to_string(target);
    put.concurrency = concurrency;
    put.paused = paused;
    return put;
  }
  void put_target(std::uint64_t number, std::uint32_t concurrency = 64, bool paused = false) {
    shard_->submit(target(number, concurrency, paused), 0);
  }

  static command::Add add(std::uint64_t id, WallTime due, std::uint64_t group = 0,
                          std::uint64_t target = 1) {
    command::Add add;
    add.task.task = fingerprint(id);
    add.task.due = due;
    add.task.group = group_key(group);
    add.task.target = target_key(target);
    add.content = "content of " + std::to_string(id);
    return add;
  }

 private:
  ShardOptions options_;
  WallTime now_;
  std::uint64_t bytes_max_ = OpenBatch::kNoLimit;
  std::unique_ptr<Shard> shard_;
  std::vector<Batch> log_;
  std::optional<Batch> under_way_;
};

}  // namespace carillon
