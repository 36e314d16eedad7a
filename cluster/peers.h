// Calls to other nodes of the cluster: bytes to a node, and what it answers.
//
// Operation: a call is one HTTP/1.1 request, `POST /cluster/v1/call`, signed with the cluster's
// secret (cluster/peer_seal.h). Connections are kept, and each carries one call at a time; those
// that wait for the next are kept by loop and by node. What came of a call says whether it may be
// sent again: only where nothing of it has left, or the node says that it did not do it.
//
// Concurrency: any thread that runs a loop, several at once; a call stays on its caller's loop, as
// do its connections. The loops must have ended before this goes, and be there until it is gone.
//
// Limitations: an address given by name is looked up for each new connection, which takes as long
// as the system's resolver takes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "cluster/peer_seal.h"
#include "cluster/shard_map.h"
#include "net/tls.h"

namespace carillon {

inline constexpr std::string_view kPeerCallPath = "/cluster/v1/call";

/// What came of a call.
struct PeerReply {
  enum class Came : std::uint8_t {
    answered,  // `bytes` are the answer
    refused,   // the node did not carry it out; `why` says why
    unsent,    // nothing of it has left; `why` says why
    lost,      // it was sent, and no answer came: perhaps it was carried out; `why` says why
  };
  Came came = Came::lost;
  std::shared_ptr<const std::string> bytes;
  Refusal why;
};

class Peers {
 public:
  struct Options {
    PeerSeal seal;
    ClientTls tls{};                    // of nodes that advertise https
    Millis connect_limit{1000};         // for each of connecting and handshake
    Millis call_limit_max{60'000};      // whatever a call asks for
    std::chrono::seconds idle_for{20};  // less than a server keeps an idle connection
    std::size_t idle_max = 64;          // connections, of a loop to a node
    std::size_t answer_bytes_max = std::size_t{64} << 20;
  };
  /// `clock` must outlive it.
  Peers(Clock& clock, Options options);
  ~Peers();
  Peers(const Peers&) = delete;
  Peers& operator=(const Peers&) = delete;

  /// Sends `body` to the node and waits so long for its answer.
  [[nodiscard]] Async<PeerReply> call(NodeAddress to, std::string body, Millis time_limit);

 private:
  struct Connection;
  using Kept = std::unique_ptr<Connection>;
  /// Of one loop, the longest kept first.
  struct Pools {
    std::map<std::string, std::vector<Kept>> by_url;
    MonoTime looked_at{};
  };

  [[nodiscard]] Kept take(const void* loop, const std::string& url);
  void keep(const void* loop, const std::string& url, Kept connection);
  void drop_old(Pools& pools, MonoTime now) const;
  [[nodiscard]] Async<Result<Kept>> connect(const std::string& url);
  [[nodiscard]] PeerReply understand(const NodeAddress& from, unsigned status, std::string body);
  void tell_refused(const NodeAddress& by, const Error& why);

  Clock& clock_;
  const Options options_;
  WatchedTls tls_;
  std::mutex mutex_;  // over the two that follow
  std::map<const void*, Pools> pools_;
  std::map<std::string, MonoTime> told_;  // when the log last heard of a node's refusal
};

/// Why a call is refused, as the body of an answer that is not 200.
[[nodiscard]] std::string encode_peer_refusal(const Refusal& refusal);

}  // namespace carillon
