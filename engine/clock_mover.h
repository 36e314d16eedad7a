// Moves a manual clock, so that everything happens at its own time.
//
// Operation: the clock goes from one wake-up of the shard to the next, and at each the loop works
// until nothing is left to do at that moment. At the end a commit keeps the time, and a restart
// goes on from there.
//
// Concurrency: the loop's thread only. Limitations: pushes under way are not waited for.
#pragma once

#include <boost/asio/io_context.hpp>

#include "engine/async.h"
#include "engine/local_shard.h"
#include "engine/signal.h"

namespace carillon {

class ClockMover {
 public:
  struct Parts {
    boost::asio::io_context& loop;
    LocalShard& local;
    Signal& changed;
  };
  /// All must outlive it.
  explicit ClockMover(Parts parts) : its_(parts) {}

  /// Answers the new time when all that became due was handed to delivery in due order, or waits
  /// for its target.
  [[nodiscard]] Async<WallTime> advance(ManualClock& clock, Millis by);

 private:
  [[nodiscard]] Async<void> run_to_rest();
  [[nodiscard]] Async<void> keep_time();

  Parts its_;
};

}  // namespace carillon
