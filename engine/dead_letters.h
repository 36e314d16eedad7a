// Dead letters: redriven or removed, one or all that match.
//
// Operation: a redrive gives a task its attempts back and makes it due now, under a content of its
// own that says so. All that match are found and redriven some hundreds at a time; a named call of
// that kind which is under way is waited for by the next of the same name.
//
// Concurrency: the loop's thread only.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <boost/asio/io_context.hpp>

#include "engine/allowance.h"
#include "engine/async.h"
#include "engine/lists.h"
#include "engine/planner.h"
#include "engine/queries.h"
#include "engine/refusals.h"
#include "engine/requests.h"
#include "engine/signal.h"

namespace carillon {

class DeadLetters {
 public:
  struct Parts {
    boost::asio::io_context& loop;
    LocalShard& local;
    const Planner& planner;
    Queries& queries;
    Refusals& refusals;
    Allowance& turns;  // of long looks
    Signal& changed;
  };
  /// All must outlive it.
  explicit DeadLetters(Parts parts) : its_(parts) {}

  [[nodiscard]] Async<Answer<TaskView>> redrive(std::string_view id, std::string_view operation);
  [[nodiscard]] Async<Answer<>> remove(std::string_view id);
  [[nodiscard]] Async<Answer<std::uint64_t>> redrive_all(TaskFilter filter, std::string operation);
  [[nodiscard]] Async<Answer<std::uint64_t>> purge(TaskFilter filter);

 private:
  Async<Answer<TaskView>> redriven_before(std::string_view id, WallTime at);
  Async<std::vector<Answer<Statement>>> redrive_these(std::vector<Statement> dead,
                                                      OperationName operation);
  Async<void> redrive_some(const std::vector<Statement>& dead,
                           const std::vector<std::size_t>& which,
                           const std::vector<Fetched>& fetched,
                           std::vector<Answer<Statement>>& answers, OperationName operation);
  Async<std::uint64_t> redrive_matching(Match wanted);
  Async<void> keep_those_that_fit(const Match& match, std::vector<Statement>& tasks);
  bool collect_some(const Match& match, std::uint32_t& position, std::vector<Statement>& dead);
  Async<std::vector<Statement>> collect(const Match& match, std::uint32_t& position);

  Parts its_;
  std::vector<Hash128> redriving_;  // named redrives of many that are under way
};

}  // namespace carillon
