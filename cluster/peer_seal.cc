#include "cluster/peer_seal.h"

#include <chrono>

#include "base/number.h"
#include "base/text.h"
#include "storage/jetstream/message.h"

namespace carillon {
namespace {

constexpr std::string_view kScheme = "CarillonPeer ";
constexpr Millis kClocksApartMax = std::chrono::hours(2);

std::string hex_of(const HmacSha256::Digest& digest) {
  std::string text(2 * digest.size(), '0');
  for (std::size_t i = 0; i < digest.size(); ++i) write_hex(&text[2 * i], digest[i], 2);
  return text;
}

Error unauthorized(std::string why) {
  return {"unauthorized", std::move(why), ""};
}

}  // namespace

PeerSeal::PeerSeal(const Hash128& cluster, std::string_view secret)
    : cluster_(hex_of(cluster)), hmac_(secret) {}

std::string PeerSeal::sign(WallTime now, std::string_view body) const {
  const std::string time = std::to_string(now.time_since_epoch().count());
  // A copy, since other threads sign as well.
  const HmacSha256 hmac(hmac_);
  std::string text(kScheme);
  text.append(cluster_).append(".").append(time).append(".");
  text += hex_of(hmac.of({cluster_, ".", time, ".", body}));
  return text;
}

Result<> PeerSeal::check(std::string_view authorization, WallTime now,
                         std::string_view body) const {
  if (!authorization.starts_with(kScheme))
    return unauthorized("This is for the nodes of the cluster, which sign their calls.");
  const std::string_view text = authorization.substr(kScheme.size());
  const std::size_t first = text.find('.');
  const std::size_t second = first == text.npos ? first : text.find('.', first + 1);
  if (second == text.npos) return unauthorized("The signature is not a node's.");
  if (text.substr(0, first) != cluster_) {
    return unauthorized(
        "The cluster ids differ: this node is of another cluster, or of another one of that name.");
  }
  const std::string_view time = text.substr(first + 1, second - first - 1);
  const auto sent_at = whole_number(time);
  if (!sent_at) return unauthorized("The signature is not a node's.");
  // Compared so that no time that is sent can overflow.
  if (WallTime(Millis(*sent_at)) < now - kClocksApartMax ||
      WallTime(Millis(*sent_at)) > now + kClocksApartMax) {
    return unauthorized("The clocks of the two nodes are more than " +
                        format_duration(kClocksApartMax) + " apart.");
  }
  const HmacSha256 hmac(hmac_);
  const std::string wanted = hex_of(hmac.of({cluster_, ".", time, ".", body}));
  if (!same_digest(wanted, text.substr(second + 1))) {
    return unauthorized(
        "The signature is wrong: the two nodes have different secrets (`cluster.secret_file`).");
  }
  return {};
}

}  // namespace carillon
