// Values as bytes and back, with one function for both directions.
//
// Operation: `transfer(archive, value)` is written once for each type. Given a WireWriter it
// appends the value, given a WireReader it fills it in; so the two directions cannot differ. The
// shapes are those of storage/bytes.h.
//
//   struct Point { int x; int y; };
//   template <typename Archive>
//   void transfer(Archive& archive, Point& point) {
//     auto& [x, y] = point;  // does not compile any more where a member is added
//     archive(x, y);
//   }
//
// Bounds: what is read comes from the network. The reader stops at the first fault, and everything
// after that is zero or empty; a count makes room for no more than really comes; an enumeration
// takes only its own values.
//
// Views that are read point into the bytes that were read; `owner`, where there is one, keeps these
// alive.
#pragma once

#include <array>
#include <chrono>
#include <concepts>
#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "base/siphash.h"
#include "base/time.h"
#include "storage/bytes.h"

namespace carillon {

class WireWriter {
 public:
  static constexpr bool kReads = false;
  explicit WireWriter(std::string& out) : bytes(out) {}
  template <typename... Values>
  void operator()(const Values&... values) {
    // A writer only looks at them.
    (transfer(*this, const_cast<Values&>(values)), ...);
  }
  ByteWriter bytes;
};

class WireReader {
 public:
  static constexpr bool kReads = true;
  explicit WireReader(std::string_view from, std::shared_ptr<const std::string> owner = nullptr)
      : bytes(from), owner_(std::move(owner)) {}
  template <typename... Values>
  void operator()(Values&... values) {
    (transfer(*this, values), ...);
  }
  [[nodiscard]] bool ok() const { return bytes.ok(); }
  void fail(const char* what) { bytes.fail(what); }
  [[nodiscard]] const std::shared_ptr<const std::string>& owner() const { return owner_; }
  ByteReader bytes;

 private:
  std::shared_ptr<const std::string> owner_;
};

/// The last value of an enumeration that begins with 0 and has no gaps.
template <typename Enum>
inline constexpr int kLastOf = -1;

template <typename Archive, std::integral Number>
void transfer(Archive& archive, Number& number) {
  if constexpr (!Archive::kReads) {
    if constexpr (std::is_signed_v<Number>) {
      archive.bytes.zigzag(number);
    } else {
      archive.bytes.varint(number);
    }
  } else {
    const auto read = [&] {
      if constexpr (std::is_signed_v<Number>) return archive.bytes.zigzag();
      if constexpr (!std::is_signed_v<Number>) return archive.bytes.varint();
    }();
    if (!std::in_range<Number>(read)) archive.fail("a number that is too large");
    number = archive.ok() ? static_cast<Number>(read) : Number{};
  }
}

template <typename Archive>
void transfer(Archive& archive, bool& flag) {
  std::uint8_t byte = flag ? 1 : 0;
  archive(byte);
  if constexpr (Archive::kReads) {
    if (byte > 1) archive.fail("neither yes nor no");
    flag = byte == 1;
  }
}

template <typename Archive, typename Enum>
  requires std::is_enum_v<Enum>
void transfer(Archive& archive, Enum& value) {
  static_assert(kLastOf<Enum> >= 0);
  auto byte = static_cast<std::uint8_t>(value);
  archive(byte);
  if constexpr (Archive::kReads) {
    if (byte > kLastOf<Enum>) archive.fail("a value that nobody knows");
    value = archive.ok() ? static_cast<Enum>(byte) : Enum{};
  }
}

template <typename Archive, typename Ratio>
void transfer(Archive& archive, std::chrono::duration<std::int64_t, Ratio>& duration) {
  std::int64_t count = duration.count();
  archive(count);
  if constexpr (Archive::kReads) duration = std::chrono::duration<std::int64_t, Ratio>(count);
}

template <typename Archive>
void transfer(Archive& archive, WallTime& moment) {
  Millis since = moment.time_since_epoch();
  archive(since);
  if constexpr (Archive::kReads) moment = WallTime(since);
}

template <typename Archive>
void transfer(Archive& archive, Hash128& hash) {
  if constexpr (Archive::kReads) {
    hash.low = archive.bytes.template fixed<8>();
    hash.high = archive.bytes.template fixed<8>();
  } else {
    archive.bytes.template fixed<8>(hash.low);
    archive.bytes.template fixed<8>(hash.high);
  }
}

template <typename Archive>
void transfer(Archive& archive, std::string_view& text) {
  if constexpr (Archive::kReads) {
    text = archive.bytes.text();
  } else {
    archive.bytes.text(text);
  }
}

template <typename Archive>
void transfer(Archive& archive, std::string& text) {
  std::string_view view = text;
  archive(view);
  if constexpr (Archive::kReads) text = view;
}

template <typename Archive, typename Value>
void transfer(Archive& archive, std::optional<Value>& value) {
  bool there = value.has_value();
  archive(there);
  if constexpr (Archive::kReads) {
    value.reset();
    if (there) value.emplace();
  }
  if (value) archive(*value);
}

template <typename Archive, typename Value>
void transfer(Archive& archive, std::vector<Value>& values) {
  std::uint64_t count = values.size();
  archive(count);
  if constexpr (Archive::kReads) {
    values.clear();
    for (std::uint64_t i = 0; i < count && archive.ok(); ++i) {
      if (archive.bytes.remaining() == 0) archive.fail("fewer of them than it says");
      if (archive.ok()) archive(values.emplace_back());
    }
    if (!archive.ok()) values.clear();
  } else {
    for (Value& value : values) archive(value);
  }
}

template <typename Archive, typename Value, std::size_t kSize>
void transfer(Archive& archive, std::array<Value, kSize>& values) {
  for (Value& value : values) archive(value);
}

}  // namespace carillon
