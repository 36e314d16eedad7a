// Asks shards, wherever they are.
//
// Operation: a shard that this node owns is asked itself, any other by its node (cluster/peers.h).
// Where it was not there, because nobody owns it, its node cannot be reached, or it has just moved,
// nothing was done, and it is asked again for a while: at once when the map says something else,
// and now and then. Where an answer is lost, it is not asked again: of a call that writes that is
// `outcome_unknown`, of another `shard_silent`.
//
// Concurrency: any thread that runs a loop.
//
// Error slugs, beside those of the calls: outcome_unknown; moved, shard_silent: nothing was done.
#pragma once

#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "cluster/peers.h"
#include "cluster/shard_map.h"
#include "cluster/together.h"
#include "cluster/wire.h"

namespace carillon {

/// How long a shard that is not there is waited for: a planned move takes less; one whose owner was
/// lost takes more, and then whoever asks hears of it.
inline constexpr Millis kPatience{3000};
/// Of what can be told without it.
inline constexpr Millis kShortPatience{500};

/// The shard was not asked, or did not answer: whoever merges goes without it.
[[nodiscard]] bool is_silence(const Error& why);

class Reach {
 public:
  /// Both must outlive it.
  Reach(const ShardMap& map, Peers& peers) : map_(map), peers_(peers) {}

  [[nodiscard]] const ShardMap& map() const { return map_; }
  /// What a shard says that is on its way to another owner: nothing was done, and it may be asked
  /// again.
  [[nodiscard]] static bool is_not_done(const Error& why);

  /// `call` must stay where it is until it is answered.
  template <typename Call>
  [[nodiscard]] Async<Answer<typename Call::Told>> ask(ShardNumber shard, const Call& call,
                                                       Millis patience = kPatience) const {
    const MonoTime until = std::chrono::steady_clock::now() + patience;
    for (;;) {
      Owner owner = owner_of(shard);
      Tried<Call> tried = co_await try_at(shard, owner, call);
      if (!tried.not_done || !co_await wait_for_change(shard, std::move(owner), until))
        co_return std::move(tried.answer);
    }
  }

  /// The same of all shards at once; their answers in order.
  template <typename Call>
  [[nodiscard]] Async<std::vector<Answer<typename Call::Told>>> ask_all(const Call& call,
                                                                        Millis patience) const {
    std::vector<Answer<typename Call::Told>> answers(map_.shards(), Refusal());
    std::vector<Async<void>> works;
    for (ShardNumber shard = 0; shard < map_.shards(); ++shard)
      works.push_back(ask_into(shard, call, patience, answers[shard]));
    co_await together(std::move(works));
    co_return answers;
  }
  template <typename Call>
  [[nodiscard]] Async<void> ask_into(ShardNumber shard, const Call& call, Millis patience,
                                     Answer<typename Call::Told>& answer) const {
    answer = co_await ask(shard, call, patience);
  }

  /// A batch of which the shard has a part. Its items are answered one by one, to `answers` at
  /// their `places`; those that were not done are sent again as `ask` does.
  template <typename Call>
  [[nodiscard]] Async<void> ask_part(ShardNumber shard, Call part, std::vector<std::size_t> places,
                                     typename Call::Told& answers) const {
    const MonoTime until = std::chrono::steady_clock::now() + kPatience;
    for (;;) {
      Owner owner = owner_of(shard);
      const Tried<Call> tried = co_await try_at(shard, owner, part);
      keep_not_done(tried, part, places, answers);
      if (places.empty() || !co_await wait_for_change(shard, std::move(owner), until)) co_return;
    }
  }

 private:
  struct Owner {
    std::shared_ptr<TaskService> local;
    std::optional<NodeAddress> node;
    friend bool operator==(const Owner&, const Owner&) = default;
  };
  template <typename Call>
  struct Tried {
    Answer<typename Call::Told> answer = Refusal();
    bool not_done = false;  // it may be sent again
  };

  [[nodiscard]] Owner owner_of(ShardNumber shard) const;
  /// Until the shard has another owner, or a moment has passed. False: it is too late to try again.
  [[nodiscard]] Async<bool> wait_for_change(ShardNumber shard, Owner tried, MonoTime until) const;
  /// Why a call that was not answered was not, and whether it may be sent again.
  [[nodiscard]] static std::pair<Refusal, bool> unanswered(ShardNumber shard,
                                                           const NodeAddress& node, bool writes,
                                                           PeerReply reply);
  [[nodiscard]] static Refusal nobody_owns(ShardNumber shard);
  /// What only another node can do.
  [[nodiscard]] static Refusal moved_here();

  template <typename Call>
  [[nodiscard]] Async<Tried<Call>> try_at(ShardNumber shard, const Owner& owner,
                                          const Call& call) const {
    Tried<Call> tried;
    if (!owner.local && !owner.node) {
      tried.answer = nobody_owns(shard);
      tried.not_done = true;
      co_return tried;
    }
    if constexpr (requires { call.on(*owner.local); }) {
      if (owner.local) tried.answer = co_await call.on(*owner.local);
    } else {
      if (owner.local) tried.answer = moved_here();
    }
    if (!owner.local) {
      PeerReply reply =
          co_await peers_.call(*owner.node, encode_call(shard, call), Call::kManner.time_limit);
      if (reply.came == PeerReply::Came::answered) {
        const Result<> read = decode_answer(reply.bytes, tried.answer);
        if (!read) reply = {PeerReply::Came::lost, nullptr, read.error()};
      }
      if (reply.came != PeerReply::Came::answered) {
        auto [why, not_done] =
            unanswered(shard, *owner.node, Call::kManner.writes, std::move(reply));
        tried.answer = std::move(why);
        tried.not_done = not_done;
        co_return tried;
      }
    }
    tried.not_done = !tried.answer && is_not_done(tried.answer.error());
    co_return tried;
  }

  /// Files what was answered; leaves in `part` and `places` what may be sent again.
  template <typename Call>
  static void keep_not_done(const Tried<Call>& tried, Call& part, std::vector<std::size_t>& places,
                            typename Call::Told& answers) {
    std::size_t kept = 0;
    for (std::size_t i = 0; i < places.size(); ++i) {
      auto& answer = answers[places[i]];
      bool not_done = tried.not_done;
      if (!tried.answer) {
        answer = tried.answer.error();
      } else if (i < tried.answer->size()) {
        answer = (*tried.answer)[i];
        not_done = !answer && is_not_done(answer.error());
      }
      if (!not_done) continue;
      std::swap(part.items[kept], part.items[i]);
      places[kept++] = places[i];
    }
    part.items.resize(kept);
    places.resize(kept);
  }

  const ShardMap& map_;
  Peers& peers_;
};

}  // namespace carillon
