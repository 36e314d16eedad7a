// A client's calls to a server, or to the nodes of a cluster, that may be gone at any moment.
//
// Concurrency: one thread per Caller; the SharedLedger is everybody's.
#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

#include "base/time.h"
#include "tests/faults/server_address.h"
#include "tests/support/ledger.h"
#include "tools/client/api_client.h"

namespace carillon::test {

/// One ledger for all the clients of a run.
class SharedLedger {
 public:
  /// Calls `work` with the ledger, nobody else using it.
  template <typename Work>
  auto operator()(Work&& work) {
    const std::lock_guard lock(mutex_);
    return work(ledger_);
  }

 private:
  std::mutex mutex_;
  Ledger ledger_;
};

/// By the clock that the receiver of the pushes uses, too.
[[nodiscard]] Ledger::Moment moment_now();
/// The machine's wall clock, rounded up.
[[nodiscard]] WallTime wall_now_up();
/// As a pushed payload is hashed.
[[nodiscard]] std::uint64_t hash_of_payload(std::string_view json);

/// What clients may count on.
struct Served {
  /// By several nodes. Then a call whose answer is lost may be carried out later still, a GET may
  /// show what was true a second ago, a shift is seen shard by shard, and what is done to a group
  /// has a name.
  bool by_cluster = false;
  /// After it was due, or asked for, a task that is finished can be read for so long at least.
  Millis readable{2500};
};

class Caller {
 public:
  Caller(ServerAddress& address, const Served& served) : address_(address), served_(served) {}

  using Answer = std::optional<client::ApiAnswer>;
  /// One call, once there is a server. Nothing: there was no answer, or one that says to come again
  /// (429, 503); what was done is unknown, and the next call waits for the next server.
  [[nodiscard]] Answer call(std::string_view method, std::string_view path,
                            std::string_view body = {});
  /// A GET whose answer must be one that `holds`, at a cluster within a second; the last one.
  [[nodiscard]] Answer look(std::string_view path,
                            const std::function<bool(const client::ApiAnswer&)>& holds);
  /// Whether one item of a batch was not answered, though the others were.
  [[nodiscard]] bool is_unanswered(std::int64_t status) const {
    return served_.by_cluster && status == 503;
  }
  /// There is no server any more, and no answer will ever come.
  [[nodiscard]] bool given_up() const { return given_up_; }
  /// Calls without an answer.
  [[nodiscard]] std::uint64_t unanswered() const { return unanswered_; }

 private:
  ServerAddress& address_;
  const Served served_;
  std::unique_ptr<client::ApiClient> api_;
  std::uint64_t generation_ = 0;
  std::uint64_t unanswered_ = 0;
  bool given_up_ = false;
};

}  // namespace carillon::test
