#include "cluster/control_message.h"

#include <type_traits>

#include "storage/bytes.h"

namespace carillon {

namespace {

constexpr std::uint8_t kVersion = 1;

/// Reads the change with the number `Kind` if that is `kind`; else the next one.
template <std::size_t Kind = 0>
Result<control::Change> read_change(std::size_t kind, ByteReader& in, const ClusterSecret& secret) {
  if constexpr (Kind == std::variant_size_v<control::Change>) {
    in.fail("unknown kind");
    return control::Change();
  } else {
    if (kind != Kind) return read_change<Kind + 1>(kind, in, secret);
    std::variant_alternative_t<Kind, control::Change> change;
    if constexpr (std::is_same_v<decltype(change), ClusterGenesis>) {
      change.shards = in.varint32();
      const auto key = secret.decrypt(in.text());
      if (!key || key->size() != sizeof(SipKey)) {
        return storage_error(
            "the cluster was made with another secret. cluster.secret_file must hold the same on "
            "all nodes.");
      }
      ByteReader words(*key);
      change.genesis.key = {words.fixed<8>(), words.fixed<8>()};
      if (in.remaining() > 0) change.settings = in.varint();
    } else {
      change.name = in.text();
    }
    if constexpr (std::is_same_v<decltype(change), control::SetTarget>) {
      auto settings = secret.decrypt(in.text());
      if (!settings) return storage_error("a target's settings cannot be decrypted");
      change.settings = std::move(*settings);
    }
    if constexpr (std::is_same_v<decltype(change), control::SetLane>) {
      change.settings.weight = in.varint32();
      change.settings.reserved = in.varint32();
    }
    return control::Change(std::move(change));
  }
}

}  // namespace

std::string encode_control(const ControlMessage& message, const ClusterSecret& secret) {
  std::string bytes;
  ByteWriter out(bytes);
  out.u8(kVersion);
  out.u8(static_cast<std::uint8_t>(message.change.index()));
  out.hash(message.cluster);
  out.hash(message.nonce);
  out.hash(message.previous);
  std::visit(
      [&]<typename T>(const T& change) {
        if constexpr (std::is_same_v<T, ClusterGenesis>) {
          out.varint(change.shards);
          std::string key;
          ByteWriter words(key);
          for (const std::uint64_t word : change.genesis.key) words.fixed<8>(word);
          out.text(secret.encrypt(key));
          if (change.settings > 0) out.varint(change.settings);
        } else {
          out.text(change.name);
        }
        if constexpr (std::is_same_v<T, control::SetTarget>) {
          out.text(secret.encrypt(change.settings));
        }
        if constexpr (std::is_same_v<T, control::SetLane>) {
          out.varint(change.settings.weight);
          out.varint(change.settings.reserved);
        }
      },
      message.change);
  seal_row(bytes);
  return bytes;
}

Result<ControlMessage> decode_control(std::string_view bytes, const ClusterSecret& secret) {
  constexpr std::string_view kWhat = "a message of the control stream";
  const auto row = open_row(bytes, kVersion, kWhat);
  if (!row) return row.error();
  ByteReader in(*row);
  in.u8();  // the version
  const std::uint8_t kind = in.u8();
  ControlMessage message;
  message.cluster = in.hash();
  message.nonce = in.hash();
  message.previous = in.hash();
  if (!in.ok()) return in.error(kWhat);
  auto change = read_change(kind, in, secret);
  if (!change) return change.error();
  in.expect_end();
  if (!in.ok()) return in.error(kWhat);
  message.change = std::move(*change);
  if (auto* genesis = std::get_if<ClusterGenesis>(&message.change)) {
    genesis->genesis.cluster = message.cluster;
  }
  return message;
}

}  // namespace carillon
