#include "tests/simulation/receivers.h"

#include <algorithm>
#include <utility>

#include <simdjson.h>

#include "base/check.h"

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

/// The tasks of a push's body, as a receiver reads them.
template <typename Pushed>
std::vector<Pushed> read_batch(std::string_view body) {
  std::vector<Pushed> tasks;
  simdjson::ondemand::parser parser;
  const simdjson::padded_string padded(body);
  simdjson::ondemand::document document = parser.iterate(padded).value();
  for (simdjson::ondemand::object task : document["tasks"].get_array()) {
    TaskContent content;
    Pushed& pushed = tasks.emplace_back();
    content.id = task["id"].get_string().value();
    content.webhook_id = task["webhook_id"].get_string().value();
    pushed.due = parse_moment(task["due_at"].get_string().value()).value();
    pushed.attempt = static_cast<std::uint32_t>(task["attempt"].get_uint64().value());
    content.body = task["body"].get_string().value();
    pushed.content = SimContent::of(content);
  }
  return tasks;
}

}  // namespace

/// Empty: one of them must not be pushed.
std::vector<Receivers::Pushed> Receivers::tasks_of(const Push& push) {
  std::vector<Pushed> tasks;
  if (push.tasks == 0) {
    tasks.push_back({SimContent::of(push.content), push.due, push.attempt});
  } else {
    tasks = read_batch<Pushed>(push.content.body);
    CARILLON_CHECK(tasks.size() == push.tasks);
    ++its_.coverage[push.tasks == 1 ? "push: one in batch form" : "push: several together"];
  }
  for (Pushed& task : tasks) {
    const auto number = its_.task_of(task.content, task.attempt);
    if (!number) return {};
    task.number = *number;
    its_.facts.push_began(*number, its_.world.recent_wall_min() + its_.clock_ahead);
    its_.world.trace("push ", name_of_id(task.content.id), " v", task.content.version, " attempt ",
                     task.attempt, " due ", task.due);
  }
  return tasks;
}

/// They are on their way: the server may be gone before they arrive, and this with it.
void Receivers::arrive(const std::vector<Pushed>& tasks, Moment way,
                       const std::vector<bool>& accepted) {
  World& world = its_.world;
  const WallTime at = world.recent_wall() + its_.clock_ahead;
  world.after(way, [&world, &ledger = its_.ledger, tasks, accepted, at] {
    for (std::size_t i = 0; i < tasks.size(); ++i) {
      const auto& [content, due, attempt, number] = tasks[i];
      world.trace("receiver ", accepted[i] ? "accepts " : "rejects ", name_of_id(content.id), " v",
                  content.version, " attempt ", attempt);
      ledger.pushed({.id = name_of_id(content.id),
                     .body = content.version,
                     .webhook = content.webhook,
                     .due = due,
                     .at = at,
                     .attempt = attempt,
                     .accepted = accepted[i],
                     .seen = world.now()});
    }
  });
}

/// A 200 that says of some tasks that they failed.
PushResult Receivers::answer_each(const std::vector<Pushed>& tasks, std::vector<bool>& accepted) {
  PushResult result = answer(200, PushResult::Kind::delivered);
  std::string results;
  for (std::size_t i = 0; i < tasks.size(); ++i) {
    if (!its_.world.chance(its_.swarm.failed)) continue;
    accepted[i] = false;
    ++its_.coverage["push: of several one fails"];
    results += (results.empty() ? "" : ",") + std::string(R"({"webhook_id":")") +
               std::to_string(tasks[i].content.webhook) + R"(","status":500})";
  }
  result.answer_type = "application/json";
  result.answer_body = R"({"results":[)" + results + "]}";
  result.answer_is_whole = true;
  return result;
}

void Receivers::push(Push push, std::function<void(PushResult)> done) {
  World& world = its_.world;
  const Swarm& swarm = its_.swarm;
  const std::vector<Pushed> tasks = tasks_of(push);
  if (tasks.empty()) return;
  const Moment way = std::min(world.pause(swarm.push), kArrivesWithin);
  const auto over = [&](Moment pause, PushResult result) {
    its_.after(pause, [this, tasks, result = std::move(result), done = std::move(done)] {
      for (const Pushed& task : tasks) {
        its_.facts.push_ended(task.number);
        its_.world.trace("push of ", task.number, " is over: ", result.status);
      }
      done(result);
    });
  };
  std::vector<bool> accepted(tasks.size(), false);
  using Kind = PushResult::Kind;
  if (world.chance(swarm.refused)) {
    over(way, answer(0, Kind::failed));
  } else if (world.chance(swarm.failed)) {
    arrive(tasks, way, accepted);
    over(way * 2, answer(500, Kind::failed));
  } else if (world.chance(swarm.gone)) {
    arrive(tasks, way, accepted);
    over(way * 2, answer(410, Kind::refused_for_good));
  } else if (world.chance(swarm.throttled)) {
    arrive(tasks, way, accepted);
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
    accepted.assign(tasks.size(), world.chance(500));
    arrive(tasks, way, accepted);
    over(kPushTimeout, answer(0, Kind::failed));
  } else if (world.chance(swarm.lost_answer)) {
    accepted.assign(tasks.size(), true);
    arrive(tasks, way, accepted);
    over(way * 2, answer(0, Kind::failed));
  } else {
    accepted.assign(tasks.size(), true);
    PushResult result =
        push.tasks > 0 ? answer_each(tasks, accepted) : answer(200, Kind::delivered);
    arrive(tasks, way, accepted);
    over(way * 2, std::move(result));
  }
}

}  // namespace carillon::simulation
