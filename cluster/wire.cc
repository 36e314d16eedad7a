#include "cluster/wire.h"

#include <array>

namespace carillon {
namespace {

Error bad_request(std::string detail) {
  return {"bad_request", std::move(detail), ""};
}

using Read = shard_call::Any (*)(WireReader& archive);

template <std::size_t kNumber>
shard_call::Any read(WireReader& archive) {
  std::variant_alternative_t<kNumber, shard_call::Any> call;
  archive(call);
  return call;
}

template <std::size_t... kNumbers>
constexpr auto readers(std::index_sequence<kNumbers...> /*numbers*/) {
  return std::array<Read, sizeof...(kNumbers)>{read<kNumbers>...};
}
constexpr auto kReaders = readers(std::make_index_sequence<std::variant_size_v<shard_call::Any>>());

}  // namespace

Error unreadable(const ByteReader& bytes, std::string_view what) {
  return bad_request(bytes.error(what).detail);
}

Result<> check_version(std::uint8_t version, std::string_view what) {
  if (version == kWireVersion) return {};
  return bad_request(std::string(what) + ": version " + std::to_string(version) +
                     ", but this node knows version " + std::to_string(kWireVersion) +
                     "; nodes of one cluster should be of the same version, or of two that follow "
                     "each other");
}

Result<DecodedCall> decode_call(std::string_view bytes) {
  WireReader archive(bytes);
  std::uint8_t version = 0;
  std::uint8_t number = 0;
  DecodedCall decoded;
  archive(version);
  if (const Result<> known = check_version(version, "call"); archive.ok() && !known)
    return known.error();
  archive(number, decoded.shard);
  if (archive.ok() && number >= kReaders.size()) archive.fail("a call that nobody knows");
  if (archive.ok()) decoded.call = kReaders[number](archive);
  archive.bytes.expect_end();
  if (!archive.ok()) return unreadable(archive.bytes, "call");
  return decoded;
}

}  // namespace carillon
