// Real NATS servers for tests: one, or several that form a cluster, on free ports of 127.0.0.1.
//
// Operation: each server syncs before it acknowledges (`sync_interval: always`) and keeps its files
// in a temporary directory, so that it may be killed and started again, with or without what it
// had.
//
// Concurrency: one test thread. Only processes that were started here are ended.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "storage/jetstream/client.h"
#include "tests/support/process.h"
#include "tests/support/temp_dir.h"

namespace carillon::test {

/// Looks until it holds; false: it did not in time.
[[nodiscard]] bool eventually(const std::function<bool()>& condition,
                              std::chrono::seconds patience = std::chrono::seconds(60));

class NatsServers {
 public:
  /// Starts `count` of them, and waits until they hold streams. Servers of a cluster that were
  /// started at once do not always come to know all their peers, and then place no stream, however
  /// long one waits: these are started anew.
  explicit NatsServers(int count);

  [[nodiscard]] std::uint16_t port(int server) const {
    return ports_[static_cast<std::size_t>(server)];
  }
  [[nodiscard]] std::string url(int server) const;
  [[nodiscard]] std::vector<std::string> urls() const;
  [[nodiscard]] int count() const { return static_cast<int>(ports_.size()); }
  /// As many replicas as there are servers.
  [[nodiscard]] StreamSettings settings() const { return {.replicas = count()}; }

  void kill(int server);
  void start(int server);
  /// Deletes what a server that was killed had.
  void wipe(int server);

  /// Makes a stream and waits until it answers.
  [[nodiscard]] StreamName make_stream(const std::string& name) const;
  void delete_stream(const StreamName& stream) const;
  /// The server that leads the stream; -1: none does.
  [[nodiscard]] int leader_of(const StreamName& stream) const;
  /// Every server has all of the stream. Only then may one of them lose what it has: with an empty
  /// log it may vote for one that lags.
  [[nodiscard]] bool all_have(const StreamName& stream) const;

 private:
  void launch(int count);
  /// Makes it, and waits until it answers; false: it did not in time.
  [[nodiscard]] bool make(const StreamName& stream,
                          std::chrono::seconds patience = std::chrono::seconds(60)) const;
  [[nodiscard]] std::string store_of(int server) const;
  TempDir dir_;
  std::vector<std::uint16_t> ports_;
  std::vector<std::unique_ptr<Process>> running_;
};

}  // namespace carillon::test
