// A node of a cluster: what it hears of the others, the shards that it has, and the settings that
// all agree on, put together.
//
// Operation: `open` finds or makes the cluster. From `start` on the node says twice a second that
// it lives, hears the others, and every tenth of a second gives each of its shards the duty that
// membership says. What it owns is served (`local`), and who owns the rest is known (`owner`).
// Shards that it owns are brought in line with the control stream before they are served.
//
// A receiver that says "not now" to one shard means all of them. So heartbeats say which targets
// are held, and a node that hears of a new hold holds the target in its own shards. Each shard ends
// its hold by a probe of its own.
//
// data_dir has a file `cluster` that says to which cluster it belongs, and the mirror of each shard
// below `shards`.
//
// Concurrency: what ShardMap, ClusterSettings and ClusterStatus have is for any thread; the rest is
// for the loop's. `open` blocks.
#pragma once

#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/thread_pool.hpp>

#include "cluster/cluster_view.h"
#include "cluster/control.h"
#include "cluster/heartbeat.h"
#include "cluster/membership.h"
#include "cluster/options.h"
#include "cluster/secret.h"
#include "cluster/settings.h"
#include "cluster/shard_host.h"
#include "cluster/shard_map.h"

namespace carillon {

class ClusterNode final : public ShardMap, public ClusterSettings, public ClusterStatus {
 public:
  struct Parts {
    boost::asio::io_context& loop;
    Clock& clock;
    Sink& sink;
    UrlPolicy& urls;
    ClusterOptions options;
    std::string data_dir;
    std::string version;                  // of the program
    EngineOptions engine;                 // of the whole cluster; a shard has its part
    std::uint64_t content_bytes_max = 0;  // of one task
    std::uint64_t disk_free_min = 0;
    /// A disk has failed: the process is to end. Any thread.
    std::function<void(std::string why)> on_failure;
    /// This process must not go on as this node. The loop's thread.
    std::function<void(std::string why)> on_refused;
  };
  /// What is referred to must outlive it. Error slugs: config, network, storage.
  [[nodiscard]] static Result<std::unique_ptr<ClusterNode>> open(Parts parts);
  ~ClusterNode() override;

  void start();
  /// Gives its shards to other nodes, as far as there are any, for at most `deadline`. Calls are
  /// still taken, and led to their new owners.
  [[nodiscard]] Async<void> leave(Millis deadline);
  /// Brings what it still owns to an end, and serves nothing any more; at most `deadline`.
  [[nodiscard]] Async<void> stop(Millis deadline);
  /// Ends everything, also what `stop` had no time for. Blocks, and runs the loop meanwhile, which
  /// must not be running; nobody may hold a service any more.
  void close();

  /// What bounds the pushes of the whole cluster, from now on.
  void set_limits(const TargetLimits& limits);
  /// The disk takes nothing any more: no shard fires or takes commands from now on.
  void storage_failed();

  [[nodiscard]] const Genesis& genesis() const { return genesis_.genesis; }
  [[nodiscard]] const ClusterSecret& secret() const { return secret_; }

  // --- ShardMap
  [[nodiscard]] std::string not_ready_because() const override;
  [[nodiscard]] ShardNumber shards() const override { return genesis_.shards; }
  [[nodiscard]] std::shared_ptr<TaskService> local(ShardNumber shard) const override;
  [[nodiscard]] std::optional<NodeAddress> owner(ShardNumber shard) const override;

  // --- ClusterSettings
  [[nodiscard]] Async<Answer<PutAnswer<TargetView>>> change_target(std::string name,
                                                                   TargetChange change) override;
  [[nodiscard]] Async<Answer<>> delete_target(std::string_view name, bool force) override;
  [[nodiscard]] Async<Answer<TargetView>> pause_target(std::string_view name, bool paused) override;
  [[nodiscard]] Async<Answer<PutAnswer<LaneView>>> put_lane(std::string name,
                                                            LaneSettings settings) override;
  [[nodiscard]] Async<Answer<>> delete_lane(std::string name) override;
  [[nodiscard]] std::shared_ptr<const TargetSettings> find_target(
      std::string_view name) const override;
  [[nodiscard]] std::vector<std::shared_ptr<const TargetSettings>> list_targets(
      std::string_view after, std::size_t limit) const override;

  // --- ClusterStatus
  [[nodiscard]] Async<ClusterView> view() override;
  [[nodiscard]] Async<Answer<>> drain_node(std::string name) override;

 private:
  ClusterNode(Parts parts, ClusterSecret secret, std::unique_ptr<JetstreamClient> nats,
              ClusterGenesis genesis);

  // node.cc
  void beat();
  void send_heartbeat();
  void heard(const Heartbeat& heartbeat, MonoTime at, Millis offset);
  void compare_settings(const Heartbeat& other) const;
  /// False: it has said so before.
  [[nodiscard]] bool say_leaving();
  void stop_asking(const std::string& node);
  void evaluate();
  void publish_map();
  void pulse();
  void stop_serving();
  [[nodiscard]] bool hears_itself() const;
  [[nodiscard]] ShardHost::Parts parts_of(ShardNumber shard);

  // node_holds.cc
  void hold_changed(const std::string& target, const std::optional<TargetView::Held>& held);
  void take_holds(const Heartbeat& heartbeat, Millis offset);

  // node_in_line.cc
  [[nodiscard]] Async<void> keep_in_line(ShardNumber shard);
  [[nodiscard]] Async<bool> bring_in_line(ShardNumber shard, std::shared_ptr<Engine> engine);
  [[nodiscard]] Async<bool> keep(std::vector<control::Change> kept);
  [[nodiscard]] Async<void> nap() const;

  // node_settings.cc
  using Changed = Result<std::shared_ptr<const ControlState>>;
  [[nodiscard]] Async<Changed> change(Control::Decide decide);
  [[nodiscard]] Async<bool> until_settled(StreamPlace place);
  [[nodiscard]] Async<bool> wait_until_settled(StreamPlace place);
  [[nodiscard]] bool settled(StreamPlace place) const;
  template <typename Let, typename Keep, typename Gone>
  [[nodiscard]] Async<Answer<>> remove(std::string name, bool force, Error in_use);
  [[nodiscard]] ClusterView seen() const;
  [[nodiscard]] Async<Answer<>> ask_to_leave(std::string name);

  Parts its_;
  const ClusterSecret secret_;
  std::unique_ptr<JetstreamClient> nats_;
  const ClusterGenesis genesis_;
  const Hash128 incarnation_;
  const std::string subject_;  // of heartbeats

  boost::asio::steady_timer pulse_;
  Membership members_;
  MonoTime started_{};
  MonoTime heard_itself_{};
  MonoTime hears_since_{};  // without a longer silence
  Hash128 namesake_;        // the last process that had this node's name
  bool stopping_ = false;
  bool storage_failed_ = false;
  int in_line_running_ = 0;                      // coroutines
  bool told_of_seed_ = false;                    // that it is not whole
  std::map<std::string, WallTime> heard_holds_;  // of targets, until when, by the teller's clock
  struct InLine {
    std::weak_ptr<Engine> engine;
    StreamPlace place = 0;
  };
  std::vector<InLine> in_line_;  // of each shard: what its engine has of the settings

  mutable std::mutex mutex_;  // over what follows
  std::vector<std::shared_ptr<Engine>> serving_;
  std::vector<std::optional<NodeAddress>> owners_;
  Heartbeat own_;  // as it is to be sent, without the shards
  bool joined_ = false;
  bool ever_joined_ = false;

  std::atomic<bool> send_now_ = false;
  std::atomic<bool> closing_ = false;
  const std::shared_ptr<std::atomic<int>> open_logs_ = std::make_shared<std::atomic<int>>(0);
  boost::asio::thread_pool workers_;
  std::vector<std::unique_ptr<ShardHost>> hosts_;
  std::unique_ptr<Control> control_;
  std::unique_ptr<Worker> heart_;     // sends and hears heartbeats
  std::unique_ptr<Worker> settings_;  // changes the settings
  /// Gone when this is.
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace carillon
