#include "cluster/reach.h"

#include <algorithm>
#include <array>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/steady_timer.hpp>

namespace carillon {
namespace {

namespace asio = boost::asio;

constexpr Millis kLookAtMapEach{20};
/// The owner may only not know it yet.
constexpr Millis kTryAgainAfter{200};

Error silent(std::string why) {
  return {"shard_silent", std::move(why), ""};
}

}  // namespace

bool is_silence(const Error& why) {
  constexpr auto kSilences = std::to_array<std::string_view>(
      {"moved", "not_ready", "shard_silent", "outcome_unknown", "log_away"});
  return std::ranges::find(kSilences, why.slug) != kSilences.end();
}

bool Reach::is_not_done(const Error& why) {
  return why.slug == "moved" || why.slug == "not_ready";
}

Reach::Owner Reach::owner_of(ShardNumber shard) const {
  Owner owner;
  owner.local = map_.local(shard);
  if (!owner.local) owner.node = map_.owner(shard);
  return owner;
}

Async<bool> Reach::wait_for_change(ShardNumber shard, Owner tried, MonoTime until) const {
  const auto loop = co_await asio::this_coro::executor;
  asio::steady_timer timer(loop);
  const MonoTime begun = std::chrono::steady_clock::now();
  for (;;) {
    const MonoTime now = std::chrono::steady_clock::now();
    if (now + kLookAtMapEach > until) co_return false;
    timer.expires_after(kLookAtMapEach);
    co_await timer.async_wait(asio::as_tuple(asio::use_awaitable));
    if (owner_of(shard) != tried || now - begun >= kTryAgainAfter) co_return true;
  }
}

Refusal Reach::nobody_owns(ShardNumber shard) {
  return silent("Nothing was done: nobody owns shard " + std::to_string(shard) +
                " at the moment. Send it again.");
}

Refusal Reach::moved_here() {
  return silent("The shard has moved to this node meanwhile.");
}

std::pair<Refusal, bool> Reach::unanswered(ShardNumber shard, const NodeAddress& node, bool writes,
                                           PeerReply reply) {
  const std::string whose = "node " + node.node + ", which owns shard " + std::to_string(shard);
  switch (reply.came) {
    case PeerReply::Came::refused:
      if (is_not_done(reply.why)) return {std::move(reply.why), true};
      if (reply.why.slug == "overloaded" || reply.why.slug == "body_too_large")
        return {std::move(reply.why), false};
      return {silent("Nothing was done: " + whose + ", refused the call: " + reply.why.detail),
              false};
    case PeerReply::Came::unsent:
      return {silent("Nothing was done: " + whose + ", cannot be reached (" + reply.why.detail +
                     "). Send it again."),
              true};
    default:
      break;
  }
  const std::string none = "There was no answer from " + whose + " (" + reply.why.detail + ")";
  if (!writes) return {silent(none + "."), false};
  return {Error{"outcome_unknown",
                none + ", so it may have been done. Look, or send it again under the same id or "
                       "`operation`.",
                ""},
          false};
}

}  // namespace carillon
