#include "api/api.h"
#include "cluster/node.h"
#include "cluster/peer_calls.h"
#include "cluster/peers.h"
#include "cluster/router.h"
#include "engine/planner.h"
#include "server/backend.h"
#include "server/version.h"

namespace carillon {
namespace {

class Clustered final : public Backend {
 public:
  Clustered(const Parts& parts, std::unique_ptr<ClusterNode> node)
      : node_(std::move(node)),
        keys_(node_->genesis().key),
        engine_options_(parts.engine),
        planner_({parts.clock, keys_, parts.urls, engine_options_}),
        peers_(parts.clock,
               {.seal = PeerSeal(node_->genesis().cluster, node_->secret().key_of("peers"))}),
        peer_calls_(parts.clock, *node_,
                    PeerSeal(node_->genesis().cluster, node_->secret().key_of("peers"))),
        router_({parts.clock, keys_, planner_, *node_, peers_, *node_}) {}

  [[nodiscard]] TaskService& tasks() override { return router_; }
  void introduce(Api& api) override { api.join(*node_, peer_calls_); }
  /// Shards are brought back one by one, while the server runs.
  [[nodiscard]] Result<> recover(
      const std::function<void(std::uint64_t, std::uint64_t)>& /*progress*/) override {
    return {};
  }
  void set_limits(const TargetLimits& limits) override { node_->set_limits(limits); }
  void start() override { node_->start(); }
  [[nodiscard]] Async<void> leave(Millis deadline) override { return node_->leave(deadline); }
  [[nodiscard]] Async<void> drain(Millis deadline) override {
    peer_calls_.close();
    return node_->stop(deadline);
  }
  void storage_failed() override { node_->storage_failed(); }
  void close() override { node_->close(); }

 private:
  std::unique_ptr<ClusterNode> node_;
  const Keys keys_;
  const EngineOptions engine_options_;
  const Planner planner_;
  Peers peers_;
  PeerCalls peer_calls_;
  Router router_;
};

}  // namespace

Result<std::unique_ptr<Backend>> open_clustered(Backend::Parts parts) {
  const Options& options = parts.options;
  ClusterNode::Parts its{.loop = parts.loop,
                         .clock = parts.clock,
                         .sink = parts.sink,
                         .urls = parts.urls,
                         .options = options.cluster,
                         .data_dir = options.data_dir,
                         .version = std::string(kVersion),
                         .engine = parts.engine,
                         .content_bytes_max = options.api.limits.body_bytes_max,
                         .disk_free_min = options.disk_free_min,
                         .on_failure = parts.on_storage_failed,
                         .on_refused = parts.on_refused};
  auto node = ClusterNode::open(std::move(its));
  if (!node) return node.error();
  return std::unique_ptr<Backend>(new Clustered(parts, *std::move(node)));
}

}  // namespace carillon
