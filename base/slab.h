// Memory for what is only ever added to: equal chunks, cut from large blocks, given back together.
//
// Operation: the first megabytes are allocated chunk by chunk, so that a small process stays small.
// Beyond them chunks are cut from blocks of 32 MiB that begin at a huge page and for which the
// kernel is asked for huge pages: a hundred million tasks are spread over 4 GiB, and with pages of
// 4 KiB nearly every look at one would miss the TLB as well as the cache. Only what is touched
// becomes resident, two megabytes at a time.
//
// The kernel clears a page when it is first touched, which takes 1 to 4 ms for a huge one (measured
// here; a quarter of the time of a start with 100 M tasks). ClearAhead has it done on another
// thread, for as much as will soon be used.
//
// Space is the same for pieces of any size that are given back: they are cut from blocks in turn,
// and a block is used again when all that was cut from it is gone. That suits what is replaced in
// about the order in which it was made, as arrays that grow in turn are; then two blocks or three
// are partly idle, and nothing is searched for or merged.
//
// Concurrency: none; ClearAhead's thread changes no memory that was handed out. Limitations: memory
// is not initialised; a chunk is never given back alone; a
// single piece that stays keeps its whole block.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <span>
#include <thread>
#include <vector>

namespace carillon {

/// A thread that has pages cleared, started when it is first asked.
class ClearAhead {
 public:
  ClearAhead() = default;
  ~ClearAhead();
  /// Soon, the last pages first: who uses the first ones meanwhile does not meet it. `pages` may be
  /// gone again by then.
  void ask(std::span<std::byte> pages);

 private:
  void run();

  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<std::span<std::byte>> asked_;
  bool stopping_ = false;
  std::thread thread_;
};

/// A block's memory: mapped for itself where it is in huge pages, else from the heap.
struct FreeBlock {
  std::size_t mapped = 0;  // bytes; 0: from the heap
  void operator()(std::byte* block) const;
};
using BlockMemory = std::unique_ptr<std::byte, FreeBlock>;

class Slab {
 public:
  explicit Slab(std::size_t chunk_bytes) : chunk_bytes_(chunk_bytes) {}

  /// A further chunk, aligned to a cache line.
  [[nodiscard]] void* take();

 private:
  void clear_ahead();

  const std::size_t chunk_bytes_;
  std::vector<BlockMemory> blocks_;
  std::byte* next_ = nullptr;
  std::size_t left_ = 0;  // bytes of the last block from `next_` on
  std::size_t taken_ = 0;
  std::byte* cleared_ = nullptr;  // of the last block, or about to be: what is before it
  ClearAhead ahead_;
};

class Space {
 public:
  /// Aligned to 8 bytes.
  [[nodiscard]] std::byte* take(std::size_t bytes);
  /// What `take` gave, with the same size.
  void give_back(const std::byte* piece, std::size_t bytes);
  /// Of all blocks, as far as they were ever used.
  [[nodiscard]] std::uint64_t bytes() const;

 private:
  struct Block {
    BlockMemory memory;
    std::size_t bytes = 0;
    std::size_t cut = 0;      // from the front
    std::size_t cut_max = 0;  // ever: what may be resident
    std::size_t live = 0;
  };
  void next_block(std::size_t bytes);

  std::vector<std::unique_ptr<Block>> blocks_;
  Block* current_ = nullptr;
  std::size_t live_ = 0;
  ClearAhead ahead_;
};

}  // namespace carillon
