#include "api/api.h"
#include "api/handlers.h"
#include "base/json.h"
#include "cluster/cluster_view.h"

namespace carillon {
namespace {

Error no_cluster() {
  return {"not_found", "This server is of no cluster; `[cluster]` of its config file joins one.",
          ""};
}

void append_node(JsonWriter& json, const ClusterView::Node& node) {
  json.begin_object().key("name").string(node.name);
  json.key("url").string(node.url);
  json.key("version").string(node.version);
  json.key("alive").boolean(node.alive);
  json.key("draining").boolean(node.draining);
  json.key("clock_off").boolean(node.clock_off);
  json.key("clock_ahead_ms").integer(node.clock_ahead.count());
  json.key("last_heard_ms").integer(node.last_heard.count());
  json.key("owns").unsigned_integer(node.owns);
  json.key("settings_differ").begin_array();
  for (const std::string& key : node.settings_differ) json.string(key);
  json.end_array();
  json.end_object();
}

void append_shard(JsonWriter& json, const ClusterView::Shard& shard) {
  json.begin_object().key("shard").unsigned_integer(shard.shard).key("owner");
  shard.owner ? json.string(*shard.owner) : json.null();
  json.key("epoch").unsigned_integer(shard.epoch);
  json.key("messages").unsigned_integer(shard.place);
  json.key("followers").begin_array();
  for (const ClusterView::Follower& follower : shard.followers) {
    json.begin_object().key("node").string(follower.node);
    json.key("behind").unsigned_integer(follower.behind).end_object();
  }
  json.end_array().end_object();
}

}  // namespace

Async<Answer<>> get_cluster(Call& call) {
  ClusterStatus* const cluster = call.api.cluster();
  if (cluster == nullptr) co_return no_cluster();
  const ClusterView view = co_await cluster->view();
  JsonWriter json(call.response.body);
  json.begin_object().key("name").string(view.name);
  json.key("id").string(view.id);
  json.key("node").string(view.node);
  json.key("nodes").begin_array();
  for (const ClusterView::Node& node : view.nodes) append_node(json, node);
  json.end_array().key("shards").begin_array();
  for (const ClusterView::Shard& shard : view.shards) append_shard(json, shard);
  json.end_array().end_object();
  co_return Answer<>();
}

Async<Answer<>> drain_node(Call& call) {
  ClusterStatus* const cluster = call.api.cluster();
  if (cluster == nullptr) co_return no_cluster();
  const auto asked = co_await cluster->drain_node(call.name);
  if (!asked) co_return asked.error();
  JsonWriter json(call.response.body);
  json.begin_object().key("node").string(call.name).key("draining").boolean(true).end_object();
  co_return Answer<>();
}

}  // namespace carillon
