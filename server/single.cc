#include <chrono>
#include <optional>

#include <boost/asio/post.hpp>

#include "base/log.h"
#include "cluster/mark.h"
#include "engine/engine.h"
#include "server/backend.h"
#include "storage/rocksdb_log.h"

namespace carillon {
namespace {

namespace asio = boost::asio;

class Single final : public Backend {
 public:
  Single(Parts parts, std::unique_ptr<Log> log)
      : log_(std::move(log)),
        engine_(std::in_place, parts.loop, parts.clock, *log_, parts.sink, parts.urls,
                std::move(parts.engine)) {}

  [[nodiscard]] TaskService& tasks() override { return *engine_; }
  void introduce(Api& /*api*/) override {}
  [[nodiscard]] Result<> recover(
      const std::function<void(std::uint64_t, std::uint64_t)>& progress) override;
  void set_limits(const TargetLimits& limits) override { engine_->set_limits(limits); }
  void start() override { engine_->start(); }
  [[nodiscard]] Async<void> leave(Millis /*deadline*/) override { co_return; }
  [[nodiscard]] Async<void> drain(Millis deadline) override { return engine_->drain(deadline); }
  void storage_failed() override { engine_->storage_failed(); }
  void close() override {
    engine_.reset();
    log_->close();
  }

 private:
  std::unique_ptr<Log> log_;
  std::optional<Engine> engine_;
};

Result<> Single::recover(const std::function<void(std::uint64_t, std::uint64_t)>& progress) {
  const MonoTime start = std::chrono::steady_clock::now();
  if (auto done = engine_->recover(progress); !done) return done.error();
  const Shard& shard = engine_->local().shard();
  const auto count = [&](State state) { return shard.counts()[static_cast<std::size_t>(state)]; };
  const auto took = std::chrono::ceil<Millis>(std::chrono::steady_clock::now() - start);
  log_info("recovered", {{"scheduled", count(State::scheduled)},
                         {"firing", count(State::firing)},
                         {"retrying", count(State::retrying)},
                         {"dead", count(State::dead)},
                         {"targets", engine_->local().targets().size()},
                         {"last_sequence", shard.last_sequence()},
                         {"took", format_duration(took)}});
  return {};
}

}  // namespace

Result<std::unique_ptr<Backend>> open_single(Backend::Parts parts) {
  const std::string& dir = parts.options.data_dir;
  const auto mark = read_cluster_mark(dir);
  if (!mark) return mark.error();
  if (*mark) {
    return Error{"config",
                 dir + " is that of a node of the cluster \"" + (*mark)->name +
                     "\"; give cluster.name, or another data_dir",
                 "data_dir"};
  }
  auto log = open_rocksdb_log(
      {.dir = dir,
       .post = [&loop =
                    parts.loop](std::function<void()> work) { asio::post(loop, std::move(work)); },
       .on_failure = parts.on_storage_failed,
       .disk_free_min = parts.options.disk_free_min});
  if (!log) return std::move(log).error();
  return std::unique_ptr<Backend>(new Single(std::move(parts), *std::move(log)));
}

}  // namespace carillon
