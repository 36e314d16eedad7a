// The export of a shard's pending tasks: in the order in which they lie in memory, a piece at a
// time.
//
// Operation: positions are looked at in slices, and the contents of what is pending there are read
// as far as a piece may be large; the rest waits for the next call.
//
// Concurrency: any thread, which goes through the gate; one piece at a time.
#pragma once

#include <cstdint>
#include <vector>

#include <boost/asio/io_context.hpp>

#include "engine/allowance.h"
#include "engine/async.h"
#include "engine/gate.h"
#include "engine/local_shard.h"
#include "engine/requests.h"

namespace carillon {

class PendingExport final : public Export {
 public:
  struct Parts {
    boost::asio::io_context& loop;
    Gate& gate;
    LocalShard& local;
    Allowance& turns;  // of long looks
    Allowance& bytes;  // of pieces that are not sent yet
  };
  /// All must outlive it.
  explicit PendingExport(Parts parts) : its_(parts) {}

  [[nodiscard]] Async<Answer<std::vector<TaskView>>> next() override {
    return its_.gate.pass([this] { return read_on(); });
  }

 private:
  [[nodiscard]] Async<Answer<std::vector<TaskView>>> read_on();
  [[nodiscard]] Async<void> collect();

  Parts its_;
  std::uint32_t position_ = 0;
  std::vector<Statement> rest_;  // found, but not read yet
};

}  // namespace carillon
