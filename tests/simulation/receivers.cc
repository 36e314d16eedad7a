#include "tests/simulation/receivers.h"

#include <algorithm>
#include <utility>

namespace carillon::simulation {
namespace {

constexpr Moment kArrivesWithin = 20 * kMillisecond;
constexpr Moment kPushTimeout = 200 * kMillisecond;

PushResult answer(std::uint32_t status, PushResult::Kind kind) {
  PushResult result;
  result.kind = kind;
  result.status = status;
  if (status == 429) result.not_now = NotNow::too_many_requests;
  if (kind != PushResult::Kind::delivered) result.error = "failed";
  return result;
}

}  // namespace

void Receivers::push(Push push, std::function<void(PushResult)> done) {
  World& world = its_.world;
  const Swarm& swarm = its_.swarm;
  const SimContent content = SimContent::of(push.content);
  const auto number = its_.task_of(content, push.attempt);
  if (!number) return;
  world.trace("push ", name_of_id(content.id), " v", content.version, " attempt ", push.attempt,
              " due ", push.due);
  const WallTime at = world.recent_wall() + its_.clock_ahead;
  its_.facts.push_began(*number, world.recent_wall_min() + its_.clock_ahead);
  const Moment way = std::min(world.pause(swarm.push), kArrivesWithin);
  const auto over = [&](Moment pause, PushResult result) {
    its_.after(pause, [this, number = *number, result = std::move(result), done = std::move(done)] {
      its_.facts.push_ended(number);
      its_.world.trace("push of ", number, " is over: ", result.status);
      done(result);
    });
  };
  // It is on its way: the server may be gone before it arrives, and this with it.
  const auto reach = [&](bool accepted) {
    world.after(way, [&world, &ledger = its_.ledger, content, at, accepted, due = push.due,
                      attempt = push.attempt] {
      world.trace("receiver ", accepted ? "accepts " : "rejects ", name_of_id(content.id), " v",
                  content.version, " attempt ", attempt);
      ledger.pushed({.id = name_of_id(content.id),
                     .body = content.version,
                     .webhook = content.webhook,
                     .due = due,
                     .at = at,
                     .attempt = attempt,
                     .accepted = accepted,
                     .seen = world.now()});
    });
  };
  using Kind = PushResult::Kind;
  if (world.chance(swarm.refused)) {
    over(way, answer(0, Kind::failed));
  } else if (world.chance(swarm.failed)) {
    reach(false);
    over(way * 2, answer(500, Kind::failed));
  } else if (world.chance(swarm.gone)) {
    reach(false);
    over(way * 2, answer(410, Kind::refused_for_good));
  } else if (world.chance(swarm.throttled)) {
    reach(false);
    PushResult result = answer(429, Kind::failed);
    if (world.chance(500)) {
      result.retry_after = Millis(static_cast<std::int64_t>(4 * world.magnitude(12)));
      if (world.chance(500)) {
        result.status = 503;
        result.not_now = NotNow::unavailable;
      }
    }
    over(way * 2, std::move(result));
  } else if (world.chance(swarm.hangs)) {
    reach(world.chance(500));
    over(kPushTimeout, answer(0, Kind::failed));
  } else if (world.chance(swarm.lost_answer)) {
    reach(true);
    over(way * 2, answer(0, Kind::failed));
  } else {
    reach(true);
    over(way * 2, answer(200, Kind::delivered));
  }
}

}  // namespace carillon::simulation
