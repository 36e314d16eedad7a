// Nodes of a cluster as processes, over NATS servers that somebody else keeps: killed, stopped,
// frozen, started again, added and drained; and where clients find those that can answer.
//
// Operation: each node has a config file, a data directory and a port of its own, which it keeps
// from start to start. `publish` is called wherever the nodes that can answer have changed.
//
// Concurrency: the test's thread.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/time.h"
#include "tests/faults/caller.h"
#include "tests/faults/server_address.h"
#include "tests/support/process.h"
#include "tests/support/temp_dir.h"
#include "tools/client/api_client.h"

namespace carillon::test {

class CrashingCluster {
 public:
  using Node = std::size_t;
  static constexpr std::size_t kShards = 6;
  /// As long as clients can read what is finished here.
  [[nodiscard]] static Served served();

  explicit CrashingCluster(ServerAddress& address);
  ~CrashingCluster();
  CrashingCluster(const CrashingCluster&) = delete;
  CrashingCluster& operator=(const CrashingCluster&) = delete;

  /// One more, which is not started yet.
  Node add(const std::vector<std::string>& nats);
  /// Starts it; it is not waited for.
  void launch(Node node);
  /// Waits until it answers, and publishes it.
  void await_ready(Node node);
  /// kill -9; returns when it is gone.
  void kill(Node node);
  /// SIGTERM; returns when it is gone.
  void stop(Node node);
  /// SIGSTOP and SIGCONT. Who has asked it something waits meanwhile.
  void freeze(Node node);
  void thaw(Node node);
  /// Has it give up its shards and take none.
  void drain(Node node);

  /// Waits until all nodes that run agree that each shard is owned by one of them and followed by
  /// another. A test failure where that takes minutes.
  void become_whole();
  /// The node that owns the shard, as the others say; `size()`: none.
  [[nodiscard]] Node owner_of(std::size_t shard) const;
  /// Whether it owns any, as the others say.
  [[nodiscard]] bool owns(Node node) const;
  /// Waits until all nodes say that they are cut off from NATS. A test failure where that takes
  /// minutes.
  void await_cut_off() const;
  [[nodiscard]] std::size_t size() const { return members_.size(); }
  [[nodiscard]] const std::string& url(Node node) const { return members_[node].url; }
  /// How often a node has found that another had taken over what it owned.
  [[nodiscard]] std::size_t times_fenced() const;
  /// What all nodes have said, for a person.
  [[nodiscard]] std::string logs() const;

 private:
  struct Member {
    std::string name, url, config;
    std::unique_ptr<Process> process;
    std::string logs_before;  // of earlier processes
    bool ready = false;       // clients may ask it
    bool drained = false;
  };
  void publish();
  void end(Member& member, int signal, const Ending& expected);
  [[nodiscard]] bool is_whole_for(const Member& member) const;
  [[nodiscard]] static client::ApiAnswer get(const Member& member, const std::string& path);

  ServerAddress& address_;
  TempDir dir_;
  std::vector<Member> members_;
};

}  // namespace carillon::test
