#include "storage/bytes.h"

#include <fmt/format.h>
#include <libdeflate.h>

namespace carillon {

Error storage_error(std::string detail) {
  return Error{"storage", std::move(detail), ""};
}

void ByteWriter::varint(std::uint64_t value) {
  char bytes[10];
  std::size_t size = 0;
  while (value >= 0x80) {
    bytes[size++] = static_cast<char>((value & 0x7f) | 0x80);
    value >>= 7;
  }
  bytes[size++] = static_cast<char>(value);
  out_.append(bytes, size);
}

void ByteWriter::zigzag(std::int64_t value) {
  const auto bits = static_cast<std::uint64_t>(value);
  varint(value < 0 ? ~(bits << 1) : bits << 1);
}

void ByteWriter::text(std::string_view bytes) {
  varint(bytes.size());
  out_.append(bytes);
}

std::uint64_t ByteReader::varint() {
  std::uint64_t value = 0;
  for (int shift = 0; shift < 64 && ok(); shift += 7) {
    const std::uint8_t byte = u8();
    value |= std::uint64_t{byte & 0x7fU} << shift;
    if (shift == 63 && byte > 1) break;
    if ((byte & 0x80) == 0) {
      if (byte == 0 && shift > 0) fail("a number longer than it needs to be");
      return ok() ? value : 0;
    }
  }
  fail("a number of more than 64 bits");
  return 0;
}

std::uint32_t ByteReader::varint32() {
  const std::uint64_t value = varint();
  if (value > UINT32_MAX) fail("a number of more than 32 bits");
  return ok() ? static_cast<std::uint32_t>(value) : 0;
}

std::int64_t ByteReader::zigzag() {
  const std::uint64_t bits = varint();
  return static_cast<std::int64_t>((bits & 1) != 0 ? ~(bits >> 1) : bits >> 1);
}

std::string_view ByteReader::text() {
  const std::uint64_t size = varint();
  if (size > remaining()) fail("a text longer than the row");
  if (!ok()) return {};
  const std::string_view bytes = bytes_.substr(at_, size);
  at_ += size;
  return bytes;
}

void ByteReader::expect_end() {
  if (remaining() > 0) fail("bytes after the end");
}

Error ByteReader::error(std::string_view what) const {
  return storage_error(fmt::format("{}: byte {}: {}", what, fault_at_, fault_));
}

std::uint32_t crc32_of(std::string_view bytes) {
  return libdeflate_crc32(0, bytes.data(), bytes.size());
}

void seal_row(std::string& row, std::size_t start) {
  ByteWriter(row).fixed<kChecksumBytes>(crc32_of(std::string_view(row).substr(start)));
}

Result<std::string_view> open_row(std::string_view row, std::uint8_t version,
                                  std::string_view what) {
  if (row.size() <= kChecksumBytes) {
    return storage_error(fmt::format("{}: byte {}: the row is cut short", what, row.size()));
  }
  const std::size_t size = row.size() - kChecksumBytes;
  const std::string_view body = row.substr(0, size);
  const auto stated =
      static_cast<std::uint32_t>(ByteReader(row.substr(size)).fixed<kChecksumBytes>());
  const std::uint32_t computed = crc32_of(body);
  if (stated != computed) {
    return storage_error(fmt::format("{}: byte {}: the checksum is {:08x}, but the row's is {:08x}",
                                     what, size, stated, computed));
  }
  const auto found = static_cast<std::uint8_t>(body[0]);
  if (found == 0 || found > version) {
    return storage_error(fmt::format(
        "{}: byte 0: format version {}, but this program knows versions up to {}: use a newer one",
        what, found, version));
  }
  return body;
}

}  // namespace carillon
