#include "cluster/heartbeat.h"

#include "storage/bytes.h"

namespace carillon {

namespace {

constexpr std::uint8_t kVersion = 1;
constexpr std::string_view kPurpose = "heartbeat";
constexpr std::size_t kSignatureBytes = 32;
constexpr std::uint64_t kShardsMax = 65'536;
constexpr std::uint64_t kNodesMax = 1000;
constexpr std::uint64_t kSettingsMax = 100;

ShardReport read_report(ByteReader& in) {
  ShardReport report;
  report.shard = in.varint32();
  const std::uint8_t role = in.u8();
  if (role != 1 && role != 2) in.fail("unknown role");
  report.role = static_cast<ShardReport::Role>(role);
  report.epoch = in.varint();
  report.place = in.varint();
  report.hash = in.hash();
  report.given_up = in.varint();
  report.settings = in.varint();
  return report;
}

ToldHold read_hold(ByteReader& in) {
  ToldHold hold;
  hold.target = in.text();
  const std::uint8_t reason = in.u8();
  if (reason >= kHoldReasons) in.fail("unknown reason of a hold");
  hold.reason = static_cast<HoldReason>(reason);
  hold.until = WallTime(Millis(in.zigzag()));
  return hold;
}

Error refused(const std::string& node, const std::string& why) {
  return {"network", "a heartbeat of the node \"" + node + "\" " + why, ""};
}

}  // namespace

std::string heartbeat_subject(std::string_view cluster) {
  return "carillon." + std::string(cluster) + ".heartbeat";
}

std::string encode_heartbeat(const Heartbeat& heartbeat, const Hash128& cluster,
                             const ClusterSecret& secret) {
  std::string bytes;
  ByteWriter out(bytes);
  out.u8(kVersion);
  out.text(heartbeat.node);
  out.hash(cluster);
  out.hash(heartbeat.incarnation);
  out.text(heartbeat.url);
  out.text(heartbeat.version);
  out.zigzag(heartbeat.now.time_since_epoch().count());
  out.u8(heartbeat.leaving ? 1 : 0);
  out.varint(heartbeat.to_leave.size());
  for (const std::string& node : heartbeat.to_leave) out.text(node);
  out.varint(heartbeat.settings.size());
  for (const auto& [key, value] : heartbeat.settings) {
    out.text(key);
    out.text(value);
  }
  out.varint(heartbeat.shards.size());
  for (const ShardReport& report : heartbeat.shards) {
    out.varint(report.shard);
    out.u8(static_cast<std::uint8_t>(report.role));
    out.varint(report.epoch);
    out.varint(report.place);
    out.hash(report.hash);
    out.varint(report.given_up);
    out.varint(report.settings);
  }
  out.varint(heartbeat.holds.size());
  for (const ToldHold& hold : heartbeat.holds) {
    out.text(hold.target);
    out.u8(static_cast<std::uint8_t>(hold.reason));
    out.zigzag(hold.until.time_since_epoch().count());
  }
  return bytes + secret.sign(kPurpose, bytes);
}

Result<Heartbeat> decode_heartbeat(std::string_view bytes, const Hash128& cluster,
                                   const ClusterSecret& secret) {
  if (bytes.size() < kSignatureBytes) return Error{"network", "a heartbeat is cut short", ""};
  const std::string_view signature = bytes.substr(bytes.size() - kSignatureBytes);
  bytes.remove_suffix(kSignatureBytes);
  ByteReader in(bytes);
  if (in.u8() != kVersion) {
    return Error{"network", "a heartbeat has a version that this program does not know", ""};
  }
  Heartbeat heartbeat;
  heartbeat.node = in.text();
  if (in.hash() != cluster) {
    return refused(heartbeat.node,
                   "is of another cluster of the same name. Give one of them another "
                   "cluster.name, or let them use NATS accounts of their own.");
  }
  if (!secret.is_signed(kPurpose, bytes, signature)) {
    return refused(heartbeat.node,
                   "is signed with another secret. cluster.secret_file must hold the same on "
                   "all nodes.");
  }
  heartbeat.incarnation = in.hash();
  heartbeat.url = in.text();
  heartbeat.version = in.text();
  heartbeat.now = WallTime(Millis(in.zigzag()));
  heartbeat.leaving = in.u8() != 0;
  const std::uint64_t asked = in.varint();
  if (asked > kNodesMax) in.fail("too many nodes");
  for (std::uint64_t i = 0; i < asked && in.ok(); ++i) heartbeat.to_leave.emplace_back(in.text());
  const std::uint64_t settings = in.varint();
  if (settings > kSettingsMax) in.fail("too many settings");
  for (std::uint64_t i = 0; i < settings && in.ok(); ++i) {
    std::string key(in.text());
    heartbeat.settings.emplace_back(std::move(key), in.text());
  }
  const std::uint64_t count = in.varint();
  if (count > kShardsMax) in.fail("too many shards");
  for (std::uint64_t i = 0; i < count && in.ok(); ++i) heartbeat.shards.push_back(read_report(in));
  const std::uint64_t holds = in.varint();
  if (holds > kToldHoldsMax) in.fail("too many holds");
  for (std::uint64_t i = 0; i < holds && in.ok(); ++i) heartbeat.holds.push_back(read_hold(in));
  in.expect_end();
  if (!in.ok()) return refused(heartbeat.node, in.error("it").detail);
  return heartbeat;
}

}  // namespace carillon
