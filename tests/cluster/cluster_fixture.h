// What tests of the router share: a cluster of three nodes in one process, on one loop. Node a has
// shards 0 and 1, b has 2 and 3, c has 4; each shard is a real engine over a log in memory, and
// each node a real server on loopback. Maps, clocks and the shared settings are what the test says.
#pragma once

#include <algorithm>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/post.hpp>
#include <gtest/gtest.h>

#include "api/api.h"
#include "cluster/cluster_view.h"
#include "cluster/peer_calls.h"
#include "cluster/peers.h"
#include "cluster/router.h"
#include "delivery/delivery.h"
#include "engine/engine.h"
#include "http/server.h"
#include "tests/delivery/http_target.h"
#include "tests/delivery/receiver.h"
#include "tests/storage/memory_log.h"
#include "tests/support/loop_test.h"
#include "tests/support/test_names.h"

namespace carillon::test {

inline constexpr ShardNumber kShards = 5;
inline constexpr std::string_view kSecret = "a secret that all nodes have";
inline constexpr Hash128 kCluster{17, 4};

/// Who owns what, as a node sees it.
class TestMap final : public ShardMap {
 public:
  [[nodiscard]] std::string not_ready_because() const override {
    for (ShardNumber shard = 0; shard < kShards; ++shard) {
      if (locals[shard] || owners[shard]) return {};
    }
    return "no shard has an owner";
  }
  [[nodiscard]] ShardNumber shards() const override { return kShards; }
  [[nodiscard]] std::shared_ptr<TaskService> local(ShardNumber shard) const override {
    return locals[shard];
  }
  [[nodiscard]] std::optional<NodeAddress> owner(ShardNumber shard) const override {
    return owners[shard];
  }
  std::vector<std::shared_ptr<TaskService>> locals{kShards};
  std::vector<std::optional<NodeAddress>> owners{kShards};
};

/// Sets every shard at once.
class TestSettings final : public ClusterSettings {
 public:
  explicit TestSettings(std::vector<std::shared_ptr<Engine>>& shards) : shards_(shards) {}

  Async<Answer<PutAnswer<TargetView>>> change_target(std::string name,
                                                     TargetChange change) override {
    const auto before = find_target(name);
    const Result<TargetSettings> settings = change(before.get());
    if (!settings) co_return Refusal(settings.error());
    targets_[name] = std::make_shared<const TargetSettings>(*settings);
    for (const auto& shard : shards_) {
      const auto same = [&](const TargetSettings*) { return settings; };
      const auto changed = co_await shard->change_target(name, same);
      if (!changed) co_return changed.error();
    }
    PutAnswer<TargetView> put;
    put.view.settings = *settings;
    put.made = before == nullptr;
    co_return put;
  }
  Async<Answer<>> delete_target(std::string_view name, bool force) override {
    targets_.erase(std::string(name));
    for (const auto& shard : shards_) {
      const Answer<> deleted = co_await shard->delete_target(name, force);
      if (!deleted) co_return deleted;
    }
    co_return Answer<>();
  }
  Async<Answer<TargetView>> pause_target(std::string_view name, bool paused) override {
    const TargetChange change = [paused](const TargetSettings* before) {
      TargetSettings settings = *before;
      settings.paused = paused;
      return Result<TargetSettings>(settings);
    };
    Answer<PutAnswer<TargetView>> put = co_await change_target(std::string(name), change);
    if (!put) co_return std::move(put).error();
    co_return std::move(put->view);
  }
  Async<Answer<PutAnswer<LaneView>>> put_lane(std::string name, LaneSettings settings) override {
    PutAnswer<LaneView> put;
    put.view.name = name;
    put.view.settings = settings;
    for (const auto& shard : shards_) put.made = (co_await shard->put_lane(name, settings))->made;
    co_return put;
  }
  Async<Answer<>> delete_lane(std::string name) override {
    for (const auto& shard : shards_) static_cast<void>(co_await shard->delete_lane(name));
    co_return Answer<>();
  }
  [[nodiscard]] std::shared_ptr<const TargetSettings> find_target(
      std::string_view name) const override {
    const auto found = targets_.find(name);
    return found == targets_.end() ? nullptr : found->second;
  }
  [[nodiscard]] std::vector<std::shared_ptr<const TargetSettings>> list_targets(
      std::string_view after, std::size_t limit) const override {
    std::vector<std::shared_ptr<const TargetSettings>> some;
    for (auto next = targets_.upper_bound(after); next != targets_.end() && some.size() < limit;
         ++next)
      some.push_back(next->second);
    return some;
  }

 private:
  std::vector<std::shared_ptr<Engine>>& shards_;
  std::map<std::string, std::shared_ptr<const TargetSettings>, std::less<>> targets_;
};

/// The API of a node shows its cluster; these tests do not look at it.
class NothingToSee final : public ClusterStatus {
 public:
  Async<ClusterView> view() override { co_return ClusterView(); }
  Async<Answer<>> drain_node(std::string /*name*/) override { co_return Answer<>(); }
};

class ClusterTest : public LoopTest {
 protected:
  struct Node {
    Node(ClusterTest& test, std::string its_name)
        : name(std::move(its_name)),
          peers(test.clock, {.seal = PeerSeal(kCluster, kSecret),
                             .connect_limit = std::chrono::milliseconds(500),
                             .call_limit_max = std::chrono::seconds(2)}),
          calls(clock, map, PeerSeal(kCluster, kSecret)),
          router({test.clock, test.keys, test.planner, map, peers, test.settings}),
          server(test.loop, {}, make_api(), http_options()) {
      const auto bound = server.listen({.host = "127.0.0.1"});
      CARILLON_CHECK(bound);
      url = bound->front();
    }
    [[nodiscard]] std::shared_ptr<Api> make_api() {
      auto api = std::make_shared<Api>(router, [] { return metrics(); }, ApiOptions());
      api->join(status, calls);
      return api;
    }
    static HttpOptions http_options() {
      HttpOptions http;
      return http;
    }
    static Async<std::string> metrics() { co_return "metrics"; }

    std::string name;
    std::string url;
    TestMap map;
    ManualClock clock{WallTime(kStart)};  // by which it stamps what others send
    Peers peers;
    PeerCalls calls;
    Router router;
    NothingToSee status;
    HttpServer server;
  };

  static constexpr Millis kStart{1'800'000'000'000};

  explicit ClusterTest(std::uint64_t page_bytes_max = EngineOptions().page_bytes_max) {
    options.page_bytes_max = page_bytes_max;
    for (ShardNumber shard = 0; shard < kShards; ++shard) {
      logs.push_back(std::make_unique<MemoryLog>(
          [this](std::function<void()> back) { boost::asio::post(loop, std::move(back)); },
          AutoAck::yes));
      shards.push_back(
          std::make_shared<Engine>(loop, clock, *logs.back(), delivery, urls, options));
      CARILLON_CHECK(shards.back()->recover([](auto, auto) {}));
      shards.back()->start();
    }
    for (const char* name : {"a", "b", "c"}) nodes.push_back(std::make_unique<Node>(*this, name));
    own(0, a());
    own(1, a());
    own(2, b());
    own(3, b());
    own(4, c());
  }

  [[nodiscard]] Node& a() { return *nodes[0]; }
  [[nodiscard]] Node& b() { return *nodes[1]; }
  [[nodiscard]] Node& c() { return *nodes[2]; }

  /// Makes the node the shard's owner, as all of them see it.
  void own(ShardNumber shard, Node& owner) {
    for (const auto& node : nodes) {
      const bool is_own = node.get() == &owner;
      node->map.locals[shard] = is_own ? shards[shard] : nullptr;
      node->map.owners[shard] = NodeAddress{owner.name, owner.url};
    }
  }
  /// Has node a believe that a shard is at this address.
  void send_to(ShardNumber shard, const std::string& url) {
    a().map.locals[shard] = nullptr;
    a().map.owners[shard] = NodeAddress{"x", url};
  }

  /// Of this shard: the `number`th id that belongs to it.
  [[nodiscard]] std::string id_in(ShardNumber shard, int number = 0) const {
    for (int i = 0;; ++i) {
      std::string id = "task-" + std::to_string(i);
      if (shard_of(keys, id, kShards) == shard && number-- == 0) return id;
    }
  }
  [[nodiscard]] static AddRequest task(std::string_view id, Millis delay) {
    AddRequest request;
    request.content.id = id;
    request.content.target = "shop";
    request.content.body = R"({"order":17})";
    request.content.content_type = "application/json";
    request.content.body_is_json = true;
    request.delay = delay;
    return request;
  }
  void put_target(int max_attempts = 8) {
    TargetSettings target;
    target.name = "shop";
    http_of(target).url = receiver.url("/hook");
    target.retry.max_attempts = max_attempts;
    target.retry.backoff_min = Millis(1);
    target.retry.backoff_max = Millis(10);
    const auto change = [&](const TargetSettings*) { return Result<TargetSettings>(target); };
    ASSERT_TRUE(run(router().change_target(target.name, change)));
  }
  Answer<AddAnswer> add(AddRequest request) {
    auto planned = router().plan(std::move(request));
    if (!planned) return Refusal(planned.error());
    return run(router().add(std::move(planned->task)));
  }
  /// One task in each shard, `delay` ahead and a minute more for each.
  void add_one_each(Millis delay, std::string_view group = {}) {
    for (ShardNumber shard = 0; shard < kShards; ++shard) {
      const std::string id = id_in(shard);
      AddRequest request = task(id, delay + shard * std::chrono::minutes(1));
      request.content.group = group;
      ASSERT_TRUE(add(std::move(request)));
    }
  }
  void advance(Millis by) {
    clock.set(clock.wall() + by);
    for (const auto& shard : shards) run(shard->advance_clock(Millis(0)));
  }
  [[nodiscard]] Router& router() { return a().router; }

  Reaction reaction{http_answer("200 OK")};
  Receiver receiver{loop, [this](const ReceivedRequest&) { return reaction; }};
  ManualClock clock{WallTime(kStart)};
  EngineOptions options;
  Keys keys{MemoryDisk().key};
  UrlPolicy urls;
  Planner planner{{clock, keys, urls, options}};
  Delivery delivery{SinkOptions{.loop = loop, .clock = clock, .urls = urls, .lookup = TestNames()}};
  std::vector<std::unique_ptr<MemoryLog>> logs;
  std::vector<std::shared_ptr<Engine>> shards;
  TestSettings settings{shards};
  std::vector<std::unique_ptr<Node>> nodes;
};

}  // namespace carillon::test
