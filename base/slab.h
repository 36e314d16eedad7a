// Memory for what is only ever added to: equal chunks, cut from large blocks, given back together.
//
// Operation: the first megabytes are allocated chunk by chunk, so that a small process stays small.
// Beyond them chunks are cut from blocks of 32 MiB that begin at a huge page and for which the
// kernel is asked for huge pages: a hundred million tasks are spread over 4 GiB, and with pages of
// 4 KiB nearly every look at one would miss the TLB as well as the cache. Only what is touched
// becomes resident, two megabytes at a time.
//
// Concurrency: none. Limitations: a chunk is not initialised, and is never given back alone.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

namespace carillon {

class Slab {
 public:
  explicit Slab(std::size_t chunk_bytes) : chunk_bytes_(chunk_bytes) {}

  /// A further chunk, aligned to a cache line.
  [[nodiscard]] void* take();

 private:
  struct Free {
    std::size_t alignment = 0;
    void operator()(std::byte* block) const;
  };
  void add_block(std::size_t bytes, std::size_t alignment);

  const std::size_t chunk_bytes_;
  std::vector<std::unique_ptr<std::byte, Free>> blocks_;
  std::byte* next_ = nullptr;
  std::size_t left_ = 0;  // bytes of the last block from `next_` on
  std::size_t taken_ = 0;
};

}  // namespace carillon
