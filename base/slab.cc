#include "base/slab.h"

#include <new>

#include <sys/mman.h>

namespace carillon {

namespace {

constexpr std::size_t kCacheLine = 64;
constexpr std::size_t kHugePage = std::size_t{2} << 20;
constexpr std::size_t kBlock = std::size_t{32} << 20;
/// So much is taken in small pieces.
constexpr std::size_t kSmall = std::size_t{4} << 20;

}  // namespace

void Slab::Free::operator()(std::byte* block) const {
  ::operator delete(block, std::align_val_t(alignment));
}

void* Slab::take() {
  if (left_ < chunk_bytes_) {
    if (taken_ < kSmall) {
      add_block(chunk_bytes_, kCacheLine);
    } else {
      add_block(kBlock, kHugePage);
      // Where there are none, ordinary pages do.
      ::madvise(next_, kBlock, MADV_HUGEPAGE);
    }
  }
  std::byte* const chunk = next_;
  next_ += chunk_bytes_;
  left_ -= chunk_bytes_;
  taken_ += chunk_bytes_;
  return chunk;
}

void Slab::add_block(std::size_t bytes, std::size_t alignment) {
  next_ = static_cast<std::byte*>(::operator new(bytes, std::align_val_t(alignment)));
  left_ = bytes;
  blocks_.emplace_back(next_, Free{alignment});
}

}  // namespace carillon
