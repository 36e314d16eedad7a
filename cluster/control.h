// What all shards of a cluster agree on, as the control stream says: targets and lanes.
//
// Operation: the control stream has no owner. A node reads it to the end and follows it. Whoever
// wants a change decides on what he has read and appends the change behind it; if another was there
// first, he reads that and decides anew. So changes have one order, and each was right when it was
// made. The genesis comes first: `open_cluster` finds it, or makes the cluster. That is done once:
// a node that has ever belonged to a cluster never makes one.
//
// A target or lane goes in two steps. Let go, it is taken back by any owner whose shard has a task
// that names it; if by then none has, it is deleted. What is let go is shown as if it were there.
//
// A stream that lost messages is known by its chain of hashes: it is not followed any further, no
// change is made, and the log says so.
//
// Concurrency: `state` from any thread. `change` and `read_to_end` block, for at most
// their patience, and must not be called on a loop's thread.
//
// Limitations: the stream is never trimmed; each change of a target stays in it, some 300 bytes.
#pragma once

#include <chrono>
#include <condition_variable>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "cluster/control_message.h"
#include "cluster/secret.h"
#include "delivery/target.h"
#include "storage/jetstream/appender.h"
#include "storage/jetstream/client.h"
#include "storage/worker.h"

namespace carillon {

struct ControlTarget {
  std::shared_ptr<const TargetSettings> settings;
  bool let_go = false;
};
struct ControlLane {
  LaneSettings settings;
  bool let_go = false;
};
/// As it is once the messages up to `place` are applied.
struct ControlState {
  StreamPlace place = 0;
  std::map<std::string, ControlTarget, std::less<>> targets;
  std::map<std::string, ControlLane, std::less<>> lanes;
};

/// The streams of a cluster.
[[nodiscard]] StreamName control_stream(std::string_view cluster);
[[nodiscard]] StreamName shard_stream(std::string_view cluster, ShardNumber shard);

struct ClusterWish {
  std::string name;
  ShardNumber shards = 16;  // if the cluster is made
  StreamSettings streams;   // likewise
  /// What this node has belonged to; empty: to none yet.
  std::optional<Hash128> known;
};
/// The cluster of that name; where there is none yet, it is made. Blocks, up to `patience` while
/// NATS does not answer. Error slugs: `network`; `config`: it has another number of shards, or is
/// not the one that the node belongs to; `storage`: its genesis cannot be read, or is missing.
[[nodiscard]] Result<ClusterGenesis> open_cluster(JetstreamClient& nats, const ClusterWish& wish,
                                                  const ClusterSecret& secret,
                                                  std::chrono::milliseconds patience);

/// Makes the streams of the cluster's shards, where they are not there yet. False: the cluster is
/// made already. Error slugs: network; `storage`: they have messages, but there is no cluster.
[[nodiscard]] Result<bool> make_shard_streams(JetstreamClient& nats, const ClusterWish& wish,
                                              const ClusterSecret& secret);
/// Makes the control stream, and with these messages the cluster; the first is its genesis. Error
/// slugs: network; `config`: somebody else has made it meanwhile.
[[nodiscard]] Result<> make_control_stream(JetstreamClient& nats, const ClusterWish& wish,
                                           const ClusterSecret& secret,
                                           const ClusterGenesis& genesis,
                                           const std::vector<control::Change>& settings);

class Control {
 public:
  struct Parts {
    JetstreamClient& nats;
    StreamName stream;
    ClusterGenesis genesis;
    const ClusterSecret& secret;
  };
  /// All must outlive it. Follows from the beginning.
  explicit Control(Parts parts);
  ~Control();
  Control(const Control&) = delete;
  Control& operator=(const Control&) = delete;

  [[nodiscard]] std::shared_ptr<const ControlState> state() const;
  /// Whether what belongs to the genesis has been read.
  [[nodiscard]] bool is_whole(const ControlState& state) const {
    return state.place > its_.genesis.settings;
  }

  /// Makes of the state the change that `decide` wants; where that is nothing, nothing. The state
  /// with it. `decide` may be called more than once. Error slugs: those of `decide`; log_away:
  /// nothing was done, also where the cluster's seed was cut short; outcome_unknown: it may have
  /// been.
  using Decide = std::function<Result<std::optional<control::Change>>(const ControlState&)>;
  [[nodiscard]] Result<std::shared_ptr<const ControlState>> change(const Decide& decide);
  /// Waits until all is read that the stream has at this moment. Error slug: log_away.
  [[nodiscard]] Result<std::shared_ptr<const ControlState>> read_to_end();

  /// Ends what is under way, soon.
  void close();

 private:
  void follow();
  void receive(StreamSubscription& subscription);
  [[nodiscard]] Result<> take(std::string_view bytes);
  [[nodiscard]] bool wait_beyond(StreamPlace place);
  [[nodiscard]] bool closing() const;

  Parts its_;
  StreamAppender appender_;
  mutable std::mutex mutex_;
  std::condition_variable advanced_;
  std::shared_ptr<const ControlState> state_;
  Hash128 last_hash_;  // of the message at `state_->place`
  std::optional<Error> fault_;
  bool closing_ = false;
  std::mutex changing_;  // one at a time, so that this node does not compete with itself
  Worker follower_;
};

/// `keep`, a KeepTarget or KeepLane, where what it is about is being let go; else nothing.
[[nodiscard]] std::optional<control::Change> keep_if_let_go(const ControlState& state,
                                                            const control::Change& keep);

/// The change, applied. Error slug `storage`: it makes no sense.
[[nodiscard]] Result<> apply(ControlState& state, const control::Change& change);

}  // namespace carillon
