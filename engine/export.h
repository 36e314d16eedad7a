// The export of a shard's pending tasks: in the order in which they lie in memory, a piece at a
// time.
//
// Operation: positions are looked at in slices, and the contents of what is pending there are read
// as far as a piece may be large; the rest waits for the next call.
//
// Concurrency: the loop's thread only.
#pragma once

#include <cstdint>
#include <vector>

#include <boost/asio/io_context.hpp>

#include "engine/allowance.h"
#include "engine/async.h"
#include "engine/local_shard.h"
#include "engine/requests.h"

namespace carillon {

class PendingExport final : public Export {
 public:
  struct Parts {
    boost::asio::io_context& loop;
    LocalShard& local;
    Allowance& turns;  // of long looks
    Allowance& bytes;  // of pieces that are not sent yet
  };
  /// All must outlive it.
  explicit PendingExport(Parts parts) : its_(parts) {}

  [[nodiscard]] Async<std::vector<TaskView>> next() override;

 private:
  [[nodiscard]] Async<void> collect();

  Parts its_;
  std::uint32_t position_ = 0;
  std::vector<Statement> rest_;  // found, but not read yet
};

}  // namespace carillon
