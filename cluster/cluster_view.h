// What is to be seen of a cluster from one of its nodes, and what can be done to it.
//
// Concurrency: any thread; coroutines on the caller's loop.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "cluster/shard_of.h"
#include "engine/requests.h"

namespace carillon {

struct ClusterView {
  struct Node {
    std::string name;
    std::string url;
    std::string version;
    bool alive = false;
    bool draining = false;   // it gives its shards up and takes none
    bool clock_off = false;  // likewise, since its clock differs from the others'
    Millis clock_ahead{};    // of this node's
    Millis last_heard{};     // so long ago
    std::uint32_t owns = 0;  // shards
    /// Keys of settings that should be the same on all nodes, and that differ from this node's.
    std::vector<std::string> settings_differ;
  };
  struct Follower {
    std::string node;
    std::uint64_t behind = 0;  // messages, as of its last heartbeat
  };
  struct Shard {
    ShardNumber shard = 0;
    std::optional<std::string> owner;  // none: it is being taken over
    std::uint64_t epoch = 0;           // how often it has been taken over
    std::uint64_t place = 0;           // messages that its stream has had
    std::vector<Follower> followers;
  };
  std::string name;
  std::string id;
  std::string node;  // the one that answers
  std::vector<Node> nodes;
  std::vector<Shard> shards;
  // Of the one that answers, since its start.
  std::uint64_t taken_over = 0;  // shards that it became the owner of
  std::uint64_t lost = 0;        // shards that others took from it
};

class ClusterStatus {
 public:
  ClusterStatus() = default;
  virtual ~ClusterStatus() = default;
  ClusterStatus(const ClusterStatus&) = delete;
  ClusterStatus& operator=(const ClusterStatus&) = delete;

  [[nodiscard]] virtual Async<ClusterView> view() = 0;
  /// Has the node give up its shards and take none until it is started anew. Answers when it has
  /// heard. Error slugs: not_found; not_ready where it does not answer.
  [[nodiscard]] virtual Async<Answer<>> drain_node(std::string name) = 0;
};

}  // namespace carillon
