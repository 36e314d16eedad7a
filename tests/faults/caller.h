// A client's calls to a server that may be gone at any moment.
//
// Concurrency: one thread per Caller; the SharedLedger is everybody's.
#pragma once

#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

#include "tests/faults/crashing_server.h"
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

class Caller {
 public:
  explicit Caller(ServerAddress& address) : address_(address) {}

  /// One call, once there is a server. Nothing: there was no answer, or one that says to come again
  /// (429, 503); what was done is unknown, and the next call waits for the next server.
  [[nodiscard]] std::optional<client::ApiAnswer> call(std::string_view method,
                                                      std::string_view path,
                                                      std::string_view body = {});
  /// There is no server any more, and no answer will ever come.
  [[nodiscard]] bool given_up() const { return given_up_; }
  /// Calls without an answer.
  [[nodiscard]] std::uint64_t unanswered() const { return unanswered_; }

 private:
  ServerAddress& address_;
  std::unique_ptr<client::ApiClient> api_;
  std::uint64_t generation_ = 0;
  std::uint64_t unanswered_ = 0;
  bool given_up_ = false;
};

}  // namespace carillon::test
