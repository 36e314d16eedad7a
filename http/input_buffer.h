// Bytes that were received and not used yet, in one piece.
#pragma once

#include <cstddef>
#include <cstring>
#include <memory>
#include <span>
#include <string_view>

#include "base/check.h"

namespace carillon {

/// A flat buffer that moves what it holds only in `space`, so views stay good between two calls of
/// it. Uninitialised memory, grown by doubling.
class InputBuffer {
 public:
  [[nodiscard]] std::string_view view() const { return {bytes_.get() + begin_, end_ - begin_}; }
  [[nodiscard]] std::size_t size() const { return end_ - begin_; }
  [[nodiscard]] std::size_t capacity() const { return capacity_; }

  /// Where the next bytes go: at least 1 KiB; views end here.
  [[nodiscard]] std::span<char> space() {
    if (begin_ == end_) begin_ = end_ = 0;
    if (capacity_ - end_ < kRoom) make_room();
    return {bytes_.get() + end_, capacity_ - end_};
  }
  void received(std::size_t count) {
    CARILLON_CHECK(count <= capacity_ - end_);
    end_ += count;
  }
  /// Frees what it has grown to, where nothing is in it.
  void release_if_empty() {
    if (begin_ != end_ || capacity_ <= kFirst) return;
    bytes_.reset();
    capacity_ = begin_ = end_ = 0;
  }
  void consume(std::size_t count) {
    CARILLON_CHECK(count <= size());
    begin_ += count;
  }

 private:
  static constexpr std::size_t kRoom = 1024;
  static constexpr std::size_t kFirst = 4096;

  void make_room() {
    const std::size_t held = size();
    if (capacity_ - held >= 2 * kRoom) {
      std::memmove(bytes_.get(), bytes_.get() + begin_, held);
    } else {
      const std::size_t capacity = capacity_ == 0 ? kFirst : capacity_ * 2;
      std::unique_ptr<char[]> bytes(new char[capacity]);
      if (held > 0) std::memcpy(bytes.get(), bytes_.get() + begin_, held);
      bytes_ = std::move(bytes);
      capacity_ = capacity;
    }
    begin_ = 0;
    end_ = held;
  }

  std::unique_ptr<char[]> bytes_;
  std::size_t capacity_ = 0;
  std::size_t begin_ = 0;
  std::size_t end_ = 0;
};

}  // namespace carillon
