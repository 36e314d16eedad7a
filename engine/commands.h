// What clients ask to be done to tasks and groups: made into commands of the shard, and its replies
// into answers.
//
// Operation: a change of a content reads the content, makes the new one and replaces exactly that;
// where another change came first it looks again. An add whose id is taken is told that it is the
// same once more, or that it is not, by comparing the contents.
//
// Concurrency: the loop's thread only.
#pragma once

#include <span>
#include <string_view>
#include <vector>

#include <boost/asio/io_context.hpp>

#include "engine/async.h"
#include "engine/planner.h"
#include "engine/queries.h"
#include "engine/refusals.h"
#include "engine/requests.h"
#include "net/url_policy.h"

namespace carillon {

class Commands {
 public:
  struct Parts {
    boost::asio::io_context& loop;
    LocalShard& local;
    const Planner& planner;
    Queries& queries;
    Refusals& refusals;
    UrlPolicy& urls;
  };
  /// All must outlive it.
  explicit Commands(Parts parts) : its_(parts) {}

  [[nodiscard]] Async<Answer<AddAnswer>> add(NewTask task);
  [[nodiscard]] Async<std::vector<Answer<Added>>> add_batch(std::vector<NewTask> tasks);
  [[nodiscard]] Async<Answer<TaskView>> change(std::string_view id, ChangeRequest request);
  [[nodiscard]] Async<Answer<CancelAnswer>> cancel(std::string_view id, bool retries);
  [[nodiscard]] Async<std::vector<Answer<CancelAnswer>>> cancel_batch(
      std::vector<std::string_view> ids, bool retries);
  [[nodiscard]] Async<Answer<TaskView>> push_now(std::string_view id);
  [[nodiscard]] Async<Answer<GroupCancelAnswer>> cancel_group(std::string_view name,
                                                              std::string_view operation);
  [[nodiscard]] Async<Answer<std::uint64_t>> shift_group(std::string_view name, Millis by,
                                                         std::string_view operation,
                                                         ShiftStep step);
  /// Waiting tasks that were cancelled since the start.
  [[nodiscard]] std::uint64_t cancelled() const { return cancelled_; }

 private:
  [[nodiscard]] Async<void> recognise(std::span<Reply> replies);
  [[nodiscard]] bool is_key_allowed(const Statement& task, std::string_view key) const;
  [[nodiscard]] command::Add as_command(NewTask task) const;
  [[nodiscard]] Answer<Added> added(const Reply& reply);
  [[nodiscard]] Async<Answer<TaskView>> move(Fingerprint task, WallTime due);
  [[nodiscard]] Result<command::Change> changed(const Statement& before, Fetched& fetched,
                                                const ChangeRequest& request,
                                                const std::optional<WallTime>& due);
  [[nodiscard]] Answer<CancelAnswer> cancel_answer(const Reply& reply);
  [[nodiscard]] std::optional<Refusal> refused_group(const Reply& reply);

  Parts its_;
  std::uint64_t cancelled_ = 0;
};

}  // namespace carillon
