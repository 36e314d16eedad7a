// Makes of a request what the shard needs to know of the task: when it is due, where it goes, under
// which keys, and its content as it is stored.
//
// Concurrency: any thread, so that whoever reads a request also makes the task of it.
#pragma once

#include <optional>
#include <string_view>

#include "base/time.h"
#include "engine/keys.h"
#include "engine/options.h"
#include "engine/requests.h"
#include "net/url_policy.h"

namespace carillon {

class Planner {
 public:
  struct Parts {
    Clock& clock;
    const Keys& keys;
    UrlPolicy& urls;
    const EngineOptions& options;
  };
  /// All must outlive it.
  explicit Planner(Parts parts) : its_(parts) {}

  /// What adding the task comes to.
  [[nodiscard]] Result<PlannedAdd> plan(AddRequest request) const;
  /// When a task is due of which one of the two was asked. Error slug: beyond_horizon.
  [[nodiscard]] Result<WallTime> due_of(const std::optional<WallTime>& due_at,
                                        const std::optional<Millis>& delay) const;
  /// Fills in the keys of target and group, and when it expires; not the lane, which the shard
  /// knows.
  [[nodiscard]] Result<> address(Statement& task, const TaskContent& content) const;
  /// The key of a client's name for an operation; none where that is empty. `call` and `about` say
  /// what the name is for.
  [[nodiscard]] OperationName operation(std::string_view call, std::string_view about,
                                        std::string_view name, std::uint64_t arguments) const;

 private:
  Parts its_;
};

}  // namespace carillon
