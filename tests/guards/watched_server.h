// The real server under a fixed load, with its calls counted.
//
// Operation: carillond runs with counted_calls.so preloaded, so that its disk is equally slow
// everywhere. Counts are differences of two `Tally`s, taken while nothing else asks for anything;
// what taking them costs the server is not in them.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <utility>

#include "tests/end_to_end/scenarios.h"
#include "tests/guards/counted_calls.h"
#include "tests/support/temp_dir.h"

namespace carillon::test {

inline constexpr std::size_t kPayloadBytes = 150;

/// Adds of tasks that are due in an hour, closed loop.
struct Load {
  std::size_t connections = 64;
  std::uint64_t batch = 1;  // tasks a request; more: as NDJSON
  std::uint64_t tasks = 0;
};

/// What happened in the server while a load ran.
struct Tally {
  double loop_allocations = 0, http_allocations = 0, other_allocations = 0, syncs = 0;
  double commits = 0, commit_bytes = 0;
  double written_bytes = 0;  // by write(), which is to files: sockets are sent to
  double seconds = 0;
};

/// System calls by name: of the shard's loop, of the connections' threads, of all others.
struct SystemCalls {
  std::map<std::string, std::uint64_t> loop, http, other;
  double commits = 0;
};

class WatchedServer {
 public:
  WatchedServer();
  ~WatchedServer();
  /// Starts it and warms it up, so that what is made once is made.
  void start();
  /// Runs the load, every add of which must be acknowledged.
  [[nodiscard]] Tally tally(const Load& load);
  /// The same under strace.
  [[nodiscard]] SystemCalls trace(const Load& load);

 private:
  void run(const Load& load);
  [[nodiscard]] Tally now(bool ask_first);
  [[nodiscard]] double metric(const std::string& name) const;

  const TempDir dir_;
  CountedCalls* counts_;
  Carillond server_{dir_ / "data"};
  std::uint64_t added_ = 0;
};

}  // namespace carillon::test
