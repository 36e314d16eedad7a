// What counted_calls.so counts in a server and the test beside it reads: one such block in a file
// that both map.
#pragma once

#include <atomic>
#include <cstdint>

namespace carillon::test {

struct CountedCalls {
  std::atomic<std::uint64_t> loop_allocations{0};   // by the main thread, the shard's loop
  std::atomic<std::uint64_t> http_allocations{0};   // by threads of connections
  std::atomic<std::uint64_t> other_allocations{0};  // by all other threads
  std::atomic<std::uint64_t> syncs{0};              // fdatasync, by any
};

}  // namespace carillon::test
