// A new cluster that begins with what another log has.
//
// Operation: each shard's stream begins as if a node had owned the shard, restated all that it has,
// and gone: a take-over, and batches whose Keeps come with their contents. Sequences and numbers of
// tasks go on from those of the old log, and its key is the cluster's, so that ids, groups and
// targets are found under the same hashes. The control stream is written last, and with it the
// cluster comes to be: before that nobody finds one, and streams that a seed left which was cut
// short are refused.
//
//   auto seed = ClusterSeed::begin(...);
//   seed->add(lane); seed->add(target);              // in all shards
//   seed->add(statement, id, row);                   // in the shard of that id
//   seed->finish(settings);
//
// Concurrency: one thread; each call may block for as long as NATS takes to append.
#pragma once

#include <cstdint>
#include <memory>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/result.h"
#include "cluster/control.h"
#include "cluster/secret.h"
#include "cluster/shard_of.h"
#include "shard/record.h"
#include "storage/jetstream/appender.h"
#include "storage/jetstream/client.h"
#include "storage/jetstream/message.h"

namespace carillon {

class ClusterSeed {
 public:
  struct Parts {
    JetstreamClient& nats;
    ClusterWish wish;
    const ClusterSecret& secret;
    SipKey key{};       // of the old log
    Sequence next = 0;  // behind the old log's last
    WallTime at{};      // not before any time that it has said
  };
  /// What is referred to must outlive it. Error slugs: network; `config`: there is such a cluster;
  /// `storage`: its streams are there, without it.
  [[nodiscard]] static Result<std::unique_ptr<ClusterSeed>> begin(Parts parts);

  /// In all shards. Error slug, here and below: network.
  [[nodiscard]] Result<> add(const Record& settings);
  /// What the group operation or shift of that name did, so that it is answered as before.
  [[nodiscard]] Result<> add(const record::Operation& done);
  [[nodiscard]] Result<> add(const Statement& task, std::string_view id, std::string_view content);
  /// Of a task that was added before; of others nothing is written.
  [[nodiscard]] Result<> add(TaskNumber number, Note note);
  /// Writes the rest, and the control stream with these settings. The cluster.
  [[nodiscard]] Result<ClusterGenesis> finish(const std::vector<control::Change>& settings);

 private:
  struct Stream {
    explicit Stream(JetstreamClient& nats, const StreamName& name) : appender(nats, name) {}
    StreamAppender appender;
    StreamPosition at;
    StreamMessage next;
    std::uint64_t bytes = 0;  // of it, about
  };

  explicit ClusterSeed(Parts parts);
  [[nodiscard]] Result<> start(Stream& stream) const;
  [[nodiscard]] Result<> send(Stream& stream) const;
  [[nodiscard]] Result<> send_if_full(Stream& stream) const;

  Parts its_;
  ClusterGenesis genesis_;
  Keys keys_;
  std::vector<std::unique_ptr<Stream>> streams_;
  std::unordered_map<TaskNumber, ShardNumber> attempted_;  // tasks that may have a note
};

}  // namespace carillon
