// Who is there, who owns which shard, and what this node should do about each shard.
//
// Operation: heartbeats go in (`heard`), with this node's own, and the time; answers come out. A
// node is alive for 3 s after its last heartbeat. Each shard has an order of preference over the
// nodes that may own it, by hashes of both, so that a node that comes or goes moves little but its
// own share. None is first for more than its even share: the next in the order is, then
// (Mirrokni, Thorup and Zadimoghaddam, "Consistent Hashing with Bounded Loads", 2018). The first
// should own the shard, and the next `standbys` follow it.
//
// A shard is taken over from an owner that has been silent for 3 s, or that has given it up. The
// first in the order tries at once, each other one half a second later than the one before, so
// that they do not disturb each other. Nobody takes over who has come less far in the stream than
// any node has ever reported, or has another message at its end. An owner that is not first gives
// the shard up once the first has caught up.
//
// None of this is needed for correctness: of all nodes that try, the stream lets one through. It
// makes sure that usually only one tries, and the right one. A shard that has had no owner for 10 s
// is taken by whoever may own shards and can, in the same order.
//
// A node whose clock is more than a second off the median of three or more gives its shards up:
// what it owned would be early or late. Alone or in pairs nobody can tell who is wrong.
//
// Concurrency: none; a pure value.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/time.h"
#include "cluster/heartbeat.h"

namespace carillon {

class Membership {
 public:
  static constexpr std::chrono::milliseconds kHeartbeat{500};
  static constexpr std::chrono::milliseconds kSilence{3000};
  static constexpr std::chrono::milliseconds kTurn{500};  // of each in the order
  static constexpr std::chrono::milliseconds kOrphaned{10'000};
  static constexpr Millis kClockOff{1000};

  struct Options {
    std::string node;
    Hash128 incarnation;
    ShardNumber shards = 16;
    std::uint32_t standbys = 1;
  };
  /// `now`: from here on it listens. What it has not heard of by then it takes for absent only
  /// after `kSilence`.
  Membership(Options options, MonoTime now);

  enum class Heard {
    known,
    joined,     // a node that was not there
    restarted,  // a new process of a node that was there
    namesake,   // another process has this node's name
  };
  /// A heartbeat came; of this node, too. `offset`: how far its clock is ahead of this node's.
  Heard heard(const Heartbeat& heartbeat, MonoTime at, Millis offset);
  /// An owner's append was seen: it lives.
  void owner_appended(ShardNumber shard, std::uint64_t epoch, MonoTime at);

  struct Node {
    Heartbeat last;
    MonoTime heard{};
    Millis ahead{};  // its clock, of this node's
  };
  /// Those that are alive, by name.
  [[nodiscard]] std::vector<const Node*> alive(MonoTime now) const;
  /// All that were ever heard of, by name.
  [[nodiscard]] std::vector<const Node*> known() const;
  /// Null: never heard of.
  [[nodiscard]] const Node* node(std::string_view name) const;

  struct Owner {
    std::string node;
    Hash128 incarnation;
    std::uint64_t epoch = 0;
    MonoTime seen{};
  };
  /// The last who said that it owns the shard, if it has not given it up since.
  [[nodiscard]] const Owner* owner(ShardNumber shard) const;

  /// Whether a node may own shards: it is alive, does not leave, and has the right time.
  [[nodiscard]] bool eligible(const Node& node, MonoTime now) const;
  [[nodiscard]] bool clock_is_off(const Node& node, MonoTime now) const;
  /// The nodes that may own the shard, the one that should first.
  [[nodiscard]] const std::vector<std::string>& order(ShardNumber shard, MonoTime now) const;

  enum class Duty {
    none,
    follow,
    take_over,  // follow, and try to become the owner now
    own,        // go on
    give_up,    // to the first in the order, which has caught up; or for the clock, or to leave
  };
  /// What this node should do about a shard of which it has `mine`; empty: it neither owns nor
  /// follows it.
  [[nodiscard]] Duty duty(ShardNumber shard, const std::optional<ShardReport>& mine,
                          MonoTime now) const;

 private:
  struct ShardState {
    std::optional<Owner> owner;
    MonoTime ownerless_since{};  // where there is none
  };

  void take_report(const Heartbeat& heartbeat, const ShardReport& report, MonoTime at);
  void lose_owner(ShardState& state, MonoTime since);
  void take_given_up(const ShardReport& report, MonoTime at);
  [[nodiscard]] bool has_caught_up(std::string_view name, const ShardReport& mine,
                                   MonoTime now) const;
  [[nodiscard]] bool is_behind(ShardNumber shard, const ShardReport& mine) const;
  [[nodiscard]] Millis median_ahead(MonoTime now, std::size_t& of) const;

  Options options_;
  std::map<std::string, Node, std::less<>> nodes_;
  std::vector<ShardState> shards_;
  // The orders of all shards over these nodes, as they were asked for last, and when that was.
  mutable std::optional<MonoTime> ordered_at_;
  mutable std::vector<std::string> ordered_nodes_;
  mutable std::vector<std::vector<std::string>> orders_;
};

}  // namespace carillon
