#include "engine/refusals.h"

#include <utility>

namespace carillon {

Error default_lane_stays() {
  return {"lane_in_use", "The lane `default` cannot be deleted.", ""};
}

Error too_many_lanes() {
  return {"too_many_lanes", "There are 16 lanes, which is the most; delete one first.", ""};
}

Error too_much_reserved() {
  return {"too_much_reserved",
          "All lanes together may reserve 0.9 of a limit; reserve less, or less of another lane "
          "first.",
          "reserved"};
}

Error not_found(std::string_view what) {
  return {"not_found", "There is no such " + std::string(what) + ".", ""};
}

Error outcome_unknown() {
  return {"outcome_unknown",
          "The shard got another owner while this was being stored, or its log does not answer, so "
          "it may have been done. Look, or send it again under the same id or `operation`.",
          ""};
}

Error changed_all_the_time() {
  return {"overloaded", "Other changes of the task came first, again and again; retry later", ""};
}

std::optional<Error> Refusals::closed_to_contents(std::uint64_t tasks) {
  if (auto why = closed()) {
    if (why->slug == "overloaded") local_.counters().refused_overloaded += tasks;
    return why;
  }
  if (!local_.log().stats().short_of_space) return std::nullopt;
  local_.counters().refused_no_space += tasks;
  return Error{
      "no_space",
      "The server's disk, or the shard's stream, is nearly full; cancels, reads and pushes "
      "go on. Send it again after a pause.",
      ""};
}

namespace {

/// Of a reply that is about lanes.
std::optional<Error> lane_error(const Reply& reply) {
  switch (reply.verdict) {
    case Verdict::unknown_lane:
      return Error{"unknown_lane", "There is no lane of this name; PUT /v1/lanes/{name} makes one.",
                   "lane"};
    case Verdict::lane_in_use:
      if (reply.count == 0) return default_lane_stays();
      return Error{"lane_in_use",
                   "Unfinished tasks that name this lane: " + std::to_string(reply.count) + ".",
                   ""};
    case Verdict::too_many_lanes:
      return too_many_lanes();
    case Verdict::too_much_reserved:
      return too_much_reserved();
    default:
      return std::nullopt;
  }
}

/// Of a reply that is about targets.
std::optional<Error> target_error(const Reply& reply) {
  switch (reply.verdict) {
    case Verdict::unknown_target:
      return Error{"unknown_target",
                   "There is no target of this name; PUT /v1/targets/{name} makes one.", "target"};
    case Verdict::unmergeable:
      return Error{"unmergeable",
                   "`merge_within` goes with a target of kind `http`; this one's kind takes each "
                   "task by itself.",
                   "merge_within"};
    case Verdict::key_not_allowed:
      return Error{"key_not_allowed",
                   "The target does not take this `key`. Targets of kind `http` and `redis` take "
                   "none, the others what their `keys` allow and the broker can use.",
                   "key"};
    case Verdict::target_in_use:
      return Error{"target_in_use",
                   std::to_string(reply.count) +
                       " tasks name this target; with ?force they go to the dead "
                       "letters when due.",
                   ""};
    default:
      return std::nullopt;
  }
}

}  // namespace

Refusal Refusals::of(const Reply& reply) {
  if (auto why = lane_error(reply)) return *std::move(why);
  if (auto why = target_error(reply)) return *std::move(why);
  const Standing standing{reply.task.state, reply.task.attempt,
                          finished(reply.task.state) ? reply.task.finished_at : reply.task.due};
  switch (reply.verdict) {
    case Verdict::task_exists:
      return {Error{"task_exists",
                    "Another task has this id; choose another one, or send `if_exists`", "id"},
              standing};
    case Verdict::task_firing:
      return {Error{"task_firing",
                    "The task is being pushed right now. To make this attempt its last, cancel it "
                    "with retries=cancel.",
                    ""},
              standing};
    case Verdict::task_finished:
      return {Error{"task_finished",
                    "The task is finished: " + std::string(name_of(standing.state)) + ".", ""},
              standing};
    case Verdict::too_many_targets:
      return full(
          "Pending tasks and dead letters name 262144 different receivers, or receivers and lanes; "
          "retry when some of them are gone.",
          "target");
    case Verdict::content_moved:
      return changed_all_the_time();
    case Verdict::operation_reused:
      return Error{"operation_reused",
                   "This name was used within the last day for a call with other arguments; choose "
                   "another one.",
                   "operation"};
    case Verdict::too_many_operations:
      return full(
          "As many named operations are remembered as may be. Send it without a name, or later.",
          "operation");
    case Verdict::beyond_horizon:
      return Error{"beyond_horizon",
                   "A task would be due further ahead than " +
                       format_duration(local_.options().horizon) +
                       ", the server's horizon. None was moved.",
                   "by"};
    case Verdict::moved:
      return moved();
    case Verdict::log_away:
      return log_away();
    case Verdict::outcome_unknown:
      return outcome_unknown();
    case Verdict::full:
      return full(why_full(), "");
    default:
      return not_found("task");
  }
}

Async<Refusal> Refusals::confirmed(Refusal why) {
  if (auto lost = co_await outdated()) co_return *std::move(lost);
  co_return why;
}

Async<std::optional<Error>> Refusals::outdated() {
  if (!local_.options().shared_log) co_return std::nullopt;
  co_return co_await confirm(local_.driver());
}

Error Refusals::full(std::string detail, std::string field) {
  ++local_.counters().refused_full;
  return {"full", std::move(detail), std::move(field)};
}

/// What holds the room, and what to do about it: dead letters never leave unasked.
std::string Refusals::why_full() const {
  const std::string most = std::to_string(local_.options().shard.pending_max);
  const std::uint64_t dead = local_.shard().counts()[static_cast<std::size_t>(State::dead)];
  if (dead == 0)
    return "All " + most + " tasks that `max_pending` allows are waiting; retry later.";
  return "`max_pending` is " + most + ", and " + std::to_string(dead) +
         " of these tasks are dead letters: redrive them (POST /v1/dead:redrive) or purge them "
         "(POST /v1/dead:purge), or retry later.";
}

}  // namespace carillon
