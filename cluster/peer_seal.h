// How the nodes of a cluster know each other: a call carries the cluster's id, the time, and an
// HMAC over both and the body, with the secret that all nodes share.
//
//   authorization: CarillonPeer <cluster id>.<Unix milliseconds>.<HMAC-SHA256>, in hex
//
// Operation: whoever is asked checks the three in this order and says which is wrong. A call that
// was listened to can be sent again for two hours, which is what clocks of two nodes may differ by;
// calls that write carry an id or an operation, so that sent again they do nothing new.
//
// Concurrency: any thread.
//
// Limitations: it keeps nobody from reading along, nor from answering in a node's place; where that
// is to be feared, nodes advertise https addresses.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "base/siphash.h"
#include "base/time.h"
#include "net/hmac.h"

namespace carillon {

class PeerSeal {
 public:
  PeerSeal(const Hash128& cluster, std::string_view secret);

  /// The value of `authorization` for a call with that body.
  [[nodiscard]] std::string sign(WallTime now, std::string_view body) const;
  /// Whether it is a call of a node of this cluster. Error: unauthorized, says what is wrong.
  [[nodiscard]] Result<> check(std::string_view authorization, WallTime now,
                               std::string_view body) const;

 private:
  std::string cluster_;  // in hex
  HmacSha256 hmac_;
};

}  // namespace carillon
