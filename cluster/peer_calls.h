// Serves the calls of other nodes to the shards that this one owns.
//
// Operation: a call is checked, read, carried out where its shard is, and its answer written. A
// shard that this node does not own is answered `moved`, and nothing is passed on: a call makes one
// hop, never two. A task that is due after a delay gets its due here, by the clock of its shard's
// owner. Exports stay open between two calls; those that are not asked for again for a minute are
// closed.
//
// Concurrency: any thread.
//
// Errors: unauthorized, bad_request, moved; those of the call itself are in its answer.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <random>
#include <string>
#include <string_view>

#include "base/time.h"
#include "cluster/peer_seal.h"
#include "cluster/shard_calls.h"
#include "cluster/shard_map.h"

namespace carillon {

class PeerCalls {
 public:
  /// Both must outlive it.
  PeerCalls(Clock& clock, const ShardMap& map, PeerSeal seal);
  PeerCalls(const PeerCalls&) = delete;
  PeerCalls& operator=(const PeerCalls&) = delete;

  /// Closes the exports that wait to be gone on with: they keep their shards. The last thing.
  void close();

  struct Written {
    std::string bytes;
    std::shared_ptr<const void> held;  // to keep until they are sent; may be null
  };
  /// Carries out the call in `body`, which must stay where it is until that is done.
  /// `authorization` as PeerSeal has it.
  [[nodiscard]] Async<Answer<Written>> answer(std::string_view authorization,
                                              std::string_view body);

 private:
  struct Exporting {
    std::shared_ptr<TaskService> shard;
    std::unique_ptr<Export> its;
    MonoTime asked_at{};
  };
  template <typename Call>
  [[nodiscard]] Async<Answer<Written>> carry_out(std::shared_ptr<TaskService> shard, Call call);
  [[nodiscard]] Async<Answer<shard_call::ExportTold>> go_on(std::shared_ptr<TaskService> shard,
                                                            shard_call::ExportSome call);
  [[nodiscard]] Answer<Exporting> take_export(std::shared_ptr<TaskService> shard,
                                              std::uint64_t number);
  void stamp(NewTask& task) const;

  Clock& clock_;
  const ShardMap& map_;
  const PeerSeal seal_;
  std::mutex mutex_;  // over all that follows
  std::mt19937_64 random_;
  std::map<std::uint64_t, Exporting> exports_;  // that no call is under way for
};

}  // namespace carillon
