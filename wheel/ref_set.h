// A set of entry references: a bit for each, in stretches that exist where one of their bits was
// ever set.
//
// Concurrency: none. Limitations: a stretch is never given back; it takes an eighth of a byte for
// each of its 16,384 references.
#pragma once

#include <array>
#include <bit>
#include <cstdint>
#include <memory>
#include <vector>

#include "wheel/arena.h"

namespace carillon {

class RefSet {
 public:
  [[nodiscard]] bool contains(EntryRef ref) const {
    const std::size_t stretch = ref >> kStretchBits;
    return stretch < stretches_.size() && stretches_[stretch] &&
           ((word(ref) >> (ref % 64)) & 1) != 0;
  }
  void insert(EntryRef ref) {
    const std::size_t stretch = ref >> kStretchBits;
    if (stretch >= stretches_.size()) stretches_.resize(stretch + 1);
    if (!stretches_[stretch]) stretches_[stretch] = std::make_unique<Stretch>();
    const std::uint64_t bit = std::uint64_t{1} << (ref % 64);
    if ((word(ref) & bit) != 0) return;
    word(ref) |= bit;
    ++stretches_[stretch]->count;
    ++size_;
  }
  void erase(EntryRef ref) {
    if (!contains(ref)) return;
    word(ref) &= ~(std::uint64_t{1} << (ref % 64));
    --stretches_[ref >> kStretchBits]->count;
    --size_;
  }
  /// The first member that is not below `from`, or kNoEntry.
  [[nodiscard]] EntryRef next(EntryRef from) const {
    while ((from >> kStretchBits) < stretches_.size()) {
      const Stretch* its = stretches_[from >> kStretchBits].get();
      const std::uint32_t first = (from & kStretchMask) / 64;
      for (std::uint32_t at = first; its != nullptr && its->count > 0 && at < kWords; ++at) {
        const std::uint64_t above =
            at == first ? ~std::uint64_t{0} << (from % 64) : ~std::uint64_t{0};
        const std::uint64_t members = its->words[at] & above;
        if (members == 0) continue;
        return (from & ~kStretchMask) |
               (at * 64 + static_cast<EntryRef>(std::countr_zero(members)));
      }
      from = (from | kStretchMask) + 1;
    }
    return kNoEntry;
  }
  [[nodiscard]] std::uint64_t size() const { return size_; }
  [[nodiscard]] std::uint64_t bytes() const {
    return stretches_.size() * (sizeof(Stretch) + sizeof(void*));
  }

 private:
  static constexpr int kStretchBits = 14;
  static constexpr EntryRef kStretchMask = (EntryRef{1} << kStretchBits) - 1;
  static constexpr std::uint32_t kWords = (1U << kStretchBits) / 64;
  struct Stretch {
    std::array<std::uint64_t, kWords> words{};
    std::uint32_t count = 0;
  };
  [[nodiscard]] std::uint64_t& word(EntryRef ref) const {
    return stretches_[ref >> kStretchBits]->words[(ref & kStretchMask) / 64];
  }

  std::vector<std::unique_ptr<Stretch>> stretches_;
  std::uint64_t size_ = 0;
};

}  // namespace carillon
