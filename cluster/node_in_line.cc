// What a node does to keep the shards that it owns in line with the cluster's settings.
#include <utility>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "base/log.h"
#include "cluster/node.h"
#include "cluster/on_worker.h"
#include "cluster/settings_sync.h"

namespace carillon {

namespace {

namespace asio = boost::asio;

using std::chrono::milliseconds;

/// How often a coroutine looks whether what it waits for has come.
constexpr milliseconds kNap{20};
/// Settings that a shard did not take are tried again after so long.
constexpr milliseconds kAgainAfter{1000};

}  // namespace

Async<void> ClusterNode::nap() const {
  asio::steady_timer timer(its_.loop, kNap);
  co_await timer.async_wait(asio::as_tuple(asio::use_awaitable));
}

/// For as long as the node lives, brings the shard in line with the settings where it owns it.
Async<void> ClusterNode::keep_in_line(ShardNumber shard) {
  // Counts down also where the coroutine is dropped while it waits.
  struct Running {
    explicit Running(int& its_count) : count(its_count) { ++count; }
    ~Running() { --count; }
    Running(const Running&) = delete;
    Running& operator=(const Running&) = delete;
    int& count;
  };
  const Running running(in_line_running_);
  MonoTime refused_until{};
  while (!stopping_) {
    const std::shared_ptr<Engine> engine = hosts_[shard]->served();
    const InLine& its = in_line_[shard];
    const bool behind =
        engine != nullptr && (its.engine.lock() != engine || its.place != control_->state()->place);
    if (behind && its_.clock.mono() >= refused_until) {
      const bool done = co_await bring_in_line(shard, engine);
      if (!done) refused_until = its_.clock.mono() + kAgainAfter;
    }
    co_await nap();
  }
}

/// False: not all of it was done.
Async<bool> ClusterNode::bring_in_line(ShardNumber shard, std::shared_ptr<Engine> engine) {
  InLine& its = in_line_[shard];
  // What this node has not read yet it must not take for deleted.
  if (its.engine.lock() != engine) {
    const auto work = [this] { return control_->read_to_end(); };
    const auto read = co_await on_worker<Changed>(*settings_, work);
    if (!read) co_return false;
  }
  const std::shared_ptr<const ControlState> wanted = control_->state();
  if (!control_->is_whole(*wanted)) {
    if (!std::exchange(told_of_seed_, true)) {
      log_error(
          "the cluster is being seeded, or its seed was cut short; then delete its streams "
          "and seed it again",
          {{"cluster", its_.options.name}});
    }
    co_return false;
  }
  ::carillon::InLine result =
      co_await ::carillon::bring_in_line(*engine, wanted, shard, genesis_.shards);
  if (!result.whole || hosts_[shard]->served() != engine) co_return false;
  const bool kept = co_await keep(std::move(result.kept));
  if (!kept || hosts_[shard]->served() != engine) co_return false;
  its = {engine, wanted->place};
  hosts_[shard]->set_settings(wanted->place);
  co_return true;
}

/// Takes back what was let go, since tasks name it.
Async<bool> ClusterNode::keep(std::vector<control::Change> kept) {
  for (const control::Change& change : kept) {
    const auto work = [this, change] {
      return control_->change(
          [&change](const ControlState& state) { return keep_if_let_go(state, change); });
    };
    const auto done = co_await on_worker<Changed>(*settings_, work);
    if (!done) co_return false;
  }
  co_return true;
}

}  // namespace carillon
