// Long looks: pages of lists, the export, the forecast.
//
// They give way to what is due. Each works in slices of some 100 us between which the loop does
// everything else; a few have their turn at once, and the others wait in order; contents are read
// on a thread of their own; and what they hold, also while a client takes its time to read it, is
// bounded in bytes.
//
// Concurrency: the loop's thread only, but for `export_pending`, which is for any.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <boost/asio/io_context.hpp>

#include "engine/allowance.h"
#include "engine/async.h"
#include "engine/gate.h"
#include "engine/local_shard.h"
#include "engine/requests.h"
#include "shard/listing.h"

namespace carillon {

/// What decides whether a task is in a list, looked up once.
struct Match {
  ListFilter tasks;
  // What only contents say: to the shard, tasks of one origin are alike.
  std::optional<std::string> target_url;
  std::optional<std::string> lane;
};
[[nodiscard]] Result<Match> match(const TaskFilter& filter, const Keys& keys);
[[nodiscard]] bool fits(const Match& match, const Statement& task);
[[nodiscard]] bool content_fits(const Match& match, const TaskContent& content);

class TaskLists {
 public:
  /// All must outlive it. `turns`: of long looks.
  TaskLists(boost::asio::io_context& loop, Gate& gate, LocalShard& local, Allowance& turns);

  /// `cursor` empty: from the start. Error slug: bad_cursor.
  [[nodiscard]] Async<Answer<Page>> list(TaskFilter filter, std::string cursor, std::size_t limit);
  [[nodiscard]] Async<Answer<std::vector<ForecastBucket>>> forecast(Millis bucket, WallTime from,
                                                                    WallTime to, TaskFilter of);
  [[nodiscard]] std::unique_ptr<Export> export_pending();
  /// Held by answers that are not sent yet.
  [[nodiscard]] std::uint64_t bytes() const { return page_bytes_.taken() + export_bytes_.taken(); }

 private:
  [[nodiscard]] Async<Listing::Page> look(ListFilter filter, std::optional<ListKey> after,
                                          std::size_t wanted);
  [[nodiscard]] Async<void> show(const Match& wanted, std::vector<Listing::Found> found,
                                 std::size_t most, Page& page);
  [[nodiscard]] Async<std::vector<TaskView>> heads(std::vector<Statement> tasks);

  boost::asio::io_context& loop_;
  Gate& gate_;
  LocalShard& local_;
  Allowance& turns_;
  Allowance page_bytes_;
  Allowance export_bytes_;
};

}  // namespace carillon
