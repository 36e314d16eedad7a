// The client's side of a run: tasks that are added and cancelled, with every answer in a ledger.
//
// Operation: tasks are planned first, each with a body of its own, and then asked for in batches,
// from whichever server runs at the moment. When a call has no answer its outcome is unknown;
// asking again after a restart finds out, as a client would.
//
// Concurrency: one thread at a time; `batches_answered` may be read from any.
#pragma once

#include <atomic>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include <simdjson.h>

#include "tests/support/ledger.h"
#include "tools/client/api_client.h"
#include "tools/load/receiver.h"

namespace carillon::test {

class Subscribers {
 public:
  using Index = std::uint32_t;

  /// All tasks go to the named target.
  explicit Subscribers(std::string target) : target_(std::move(target)) {}

  /// Plans a task; nothing is sent yet. `merge_within` 0: it is not to be merged.
  Index plan(std::string id, WallTime due, std::string group = {}, Millis merge_within = Millis(0));

  /// Asks for tasks in one batch; false where the answer did not come. Asking again for what was
  /// asked before is what a client does that had no answer.
  bool add(client::ApiClient& api, std::span<const Index> tasks);
  bool cancel(client::ApiClient& api, std::span<const Index> tasks);
  /// The same by DELETE.
  bool cancel_one(client::ApiClient& api, Index task);

  /// All of `tasks` in batches of `size`; how many were answered before an answer did not come.
  std::size_t add_all(client::ApiClient& api, std::span<const Index> tasks, std::size_t size);
  std::size_t cancel_all(client::ApiClient& api, std::span<const Index> tasks, std::size_t size);

  /// Enters what the receiver got since the last time. `clock`: judge earliness by this time of a
  /// manual clock, not by when it came.
  void take_arrivals(load::Receiver& receiver, const WallTime* clock = nullptr);
  /// Enters the server's export as what it says is pending.
  bool take_pending(client::ApiClient& api);
  /// The same from NDJSON text.
  void take_pending(std::string_view lines);

  [[nodiscard]] Ledger& ledger() { return ledger_; }
  /// Batches that had an answer.
  [[nodiscard]] std::uint64_t batches_answered() const { return batches_answered_; }
  /// Of the planned ones, how many must be delivered: added and not cancelled.
  [[nodiscard]] std::uint64_t to_come() const { return to_come_; }
  [[nodiscard]] std::size_t planned() const { return tasks_.size(); }

 private:
  struct Task {
    std::string id, group, payload;
    WallTime due;
    Millis merge_within{0};
    Ledger::Task entry = 0;
    bool asked = false, added = false, cancelled = false;
  };
  void settle_add(Task& task, std::uint64_t status);
  void settle_cancel(Task& task, const simdjson::dom::element& result);
  void settle_cancel(Task& task, bool cancelled, std::uint32_t attempts);

  std::string target_;
  std::vector<Task> tasks_;
  Ledger ledger_;
  std::uint64_t to_come_ = 0;
  std::atomic<std::uint64_t> batches_answered_{0};
  simdjson::dom::parser parser_;
};

}  // namespace carillon::test
