#include "base/slab.h"

#include <algorithm>
#include <bit>
#include <cstdint>
#include <new>

#include <sys/mman.h>

#include "base/check.h"
#include "base/thread.h"

namespace carillon {

namespace {

constexpr std::size_t kCacheLine = 64;
constexpr std::size_t kHugePage = std::size_t{2} << 20;
constexpr std::size_t kBlock = std::size_t{32} << 20;
/// So much is taken in small pieces.
constexpr std::size_t kSmall = std::size_t{4} << 20;
/// Blocks of a Space that holds so much: two or three that are partly idle are to weigh little
/// beside it.
std::size_t space_block(std::size_t live) {
  return std::clamp(std::bit_floor(live / 32), std::size_t{64} << 10, 4 * kHugePage);
}

/// Memory of its own, in huge pages where there are any, that goes back to the kernel at once.
/// Where there is none left, the new-handler is asked, as by `operator new`.
std::byte* map_huge(std::size_t bytes) {
  const auto map = [&] {
    return ::mmap(nullptr, bytes + kHugePage, PROT_READ | PROT_WRITE,
                  MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  };
  void* mapped = map();
  for (; mapped == MAP_FAILED; mapped = map()) {
    const std::new_handler handler = std::get_new_handler();
    if (handler == nullptr) throw std::bad_alloc();
    handler();
  }
  auto* const begin = static_cast<std::byte*>(mapped);
  const std::size_t before = -reinterpret_cast<std::uintptr_t>(begin) & (kHugePage - 1);
  if (before > 0) ::munmap(begin, before);
  if (before < kHugePage) ::munmap(begin + before + bytes, kHugePage - before);
  // Where there are none, ordinary pages do.
  ::madvise(begin + before, bytes, MADV_HUGEPAGE);
  return begin + before;
}

BlockMemory allocate_block(std::size_t bytes) {
  if (bytes >= kHugePage) return {map_huge(bytes), FreeBlock{bytes}};
  return {static_cast<std::byte*>(::operator new(bytes, std::align_val_t(kCacheLine))),
          FreeBlock{}};
}

}  // namespace

void FreeBlock::operator()(std::byte* block) const {
  if (mapped == 0) {
    ::operator delete(block, std::align_val_t(kCacheLine));
  } else {
    ::munmap(block, mapped);
  }
}

ClearAhead::~ClearAhead() {
  if (!thread_.joinable()) return;
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_one();
  thread_.join();
}

void ClearAhead::ask(std::span<std::byte> pages) {
  {
    const std::lock_guard lock(mutex_);
    asked_.push_back(pages);
  }
  if (thread_.joinable()) {
    changed_.notify_one();
  } else {
    thread_ = std::thread([this] {
      begin_thread("clear-ahead");
      run();
    });
  }
}

void ClearAhead::run() {
  std::unique_lock lock(mutex_);
  for (;;) {
    changed_.wait(lock, [this] { return stopping_ || !asked_.empty(); });
    if (stopping_) return;
    std::span<std::byte>& pages = asked_.front();
    const std::span<std::byte> last = pages.last(std::min(pages.size(), kHugePage));
    pages = pages.first(pages.size() - last.size());
    if (pages.empty()) asked_.erase(asked_.begin());
    lock.unlock();
    // Kernels before 5.14 do not know it: then, or where the pages are gone, nothing is lost.
    ::madvise(last.data(), last.size(), MADV_POPULATE_WRITE);
    lock.lock();
  }
}

void* Slab::take() {
  if (left_ < chunk_bytes_) {
    left_ = taken_ < kSmall ? chunk_bytes_ : kBlock;
    next_ = blocks_.emplace_back(allocate_block(left_)).get();
    if (left_ == kBlock) cleared_ = next_;
  }
  if (cleared_ != nullptr) clear_ahead();
  std::byte* const chunk = next_;
  next_ += chunk_bytes_;
  left_ -= chunk_bytes_;
  taken_ += chunk_bytes_;
  return chunk;
}

/// About a sixty-fourth of what is in use, as far as the block goes.
void Slab::clear_ahead() {
  std::byte* upto = next_ + std::min(left_, taken_ / 64 + kHugePage);
  upto -= reinterpret_cast<std::uintptr_t>(upto) & (kHugePage - 1);
  if (upto <= cleared_) return;
  ahead_.ask({cleared_, upto});
  cleared_ = upto;
}

std::byte* Space::take(std::size_t bytes) {
  if (current_ == nullptr || current_->bytes - current_->cut < bytes) next_block(bytes);
  std::byte* const piece = current_->memory.get() + current_->cut;
  current_->cut += bytes;
  current_->live += bytes;
  live_ += bytes;
  current_->cut_max = std::max(current_->cut_max, current_->cut);
  return piece;
}

void Space::next_block(std::size_t bytes) {
  for (const auto& block : blocks_) {
    if (block->live > 0 || block->bytes < bytes) continue;
    current_ = block.get();
    current_->cut = 0;
    return;
  }
  // What is idle is too small now.
  std::erase_if(blocks_, [](const auto& block) { return block->live == 0; });
  std::size_t size = space_block(live_);
  if (size < bytes) size = (bytes + kHugePage - 1) & ~(kHugePage - 1);
  Block& block = *blocks_.emplace_back(std::make_unique<Block>());
  block.bytes = size;
  block.memory = allocate_block(size);
  current_ = &block;
  if (size >= kHugePage) ahead_.ask({block.memory.get(), block.bytes});
}

void Space::give_back(const std::byte* piece, std::size_t bytes) {
  const auto its = std::ranges::find_if(blocks_, [piece](const auto& block) {
    return piece >= block->memory.get() && piece < block->memory.get() + block->bytes;
  });
  CARILLON_CHECK(its != blocks_.end() && (*its)->live >= bytes);
  Block& block = **its;
  block.live -= bytes;
  live_ -= bytes;
  if (block.live > 0) return;
  block.cut = 0;
  // One is kept to be used next, if it has the size of those that are.
  const bool spare = std::ranges::any_of(blocks_, [&](const auto& other) {
    return other->live == 0 && other.get() != &block && other.get() != current_ &&
           other->bytes >= space_block(live_);
  });
  if (&block == current_ || (!spare && block.bytes >= space_block(live_))) return;
  blocks_.erase(its);
}

std::uint64_t Space::bytes() const {
  std::uint64_t bytes = 0;
  for (const auto& block : blocks_) bytes += block->cut_max;
  return bytes;
}

}  // namespace carillon
