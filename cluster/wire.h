// Calls to shards on other nodes, and their answers, as bytes.
//
//   call     version | number of the call | shard | its arguments
//   answer   version | what was told, or why it was refused
//
// Operation: what a struct is made of is written down once, in a `transfer` (cluster/archive.h).
// Each takes its struct apart by name, so that a member that is added later does not go missing: it
// does not compile until it is dealt with here.
//
// Compatibility: nodes of two versions work side by side while a cluster is upgraded. Who is asked
// answers in the version of the call; a version that it does not know it refuses, whole.
//
// Limitations: what targets are set to is not sent, for the sake of their secrets.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>
#include <variant>

#include "cluster/archive.h"
#include "cluster/shard_calls.h"
#include "cluster/shard_of.h"

namespace carillon {

inline constexpr std::uint8_t kWireVersion = 1;

template <>
inline constexpr int kLastOf<State> = kStates - 1;
template <>
inline constexpr int kLastOf<IfExists> = static_cast<int>(IfExists::once);
template <>
inline constexpr int kLastOf<Added> = static_cast<int>(Added::replaced);
template <>
inline constexpr int kLastOf<HoldReason> = kHoldReasons - 1;
template <>
inline constexpr int kLastOf<WaitsFor> = kWaitsFor - 1;

// --- Refusals.

template <typename Archive>
void transfer(Archive& archive, Standing& standing) {
  auto& [state, attempt, at] = standing;
  archive(state, attempt, at);
}
template <typename Archive>
void transfer(Archive& archive, Refusal& refusal) {
  archive(refusal.slug, refusal.detail, refusal.field, refusal.standing);
}
template <typename Archive, typename Told>
void transfer(Archive& archive, boost::system::result<Told, Refusal>& answer) {
  bool good = answer.has_value();
  archive(good);
  if constexpr (Archive::kReads) {
    if (!good) {
      Refusal refusal;
      archive(refusal);
      answer = std::move(refusal);
    } else if constexpr (std::is_void_v<Told>) {
      answer = Answer<>();
    } else {
      Told told{};
      archive(told);
      answer = std::move(told);
    }
  } else if (!good) {
    archive(answer.error());
  } else if constexpr (!std::is_void_v<Told>) {
    archive(*answer);
  }
}

// --- Tasks.

template <typename Archive>
void transfer(Archive& archive, Header& header) {
  auto& [name, value] = header;
  archive(name, value);
}
template <typename Archive>
void transfer(Archive& archive, RetryChoice& retry) {
  auto& [max_attempts, backoff_min, backoff_max, max_age] = retry;
  archive(max_attempts, backoff_min, backoff_max, max_age);
}
template <typename Archive>
void transfer(Archive& archive, MergeRule& rule) {
  auto& [part, within] = rule;
  archive(part, within);
}
template <typename Archive>
void transfer(Archive& archive, TaskContent& content) {
  auto& [id, target, group, lane, key, body, content_type, body_is_json, headers, expire_after,
         dies_late, merge_within, retry, delay, due_at, created_at, changed_at, redriven_at,
         webhook_id, attempts_before] = content;
  archive(id, target, group, lane, key, body, content_type, body_is_json, headers, expire_after,
          dies_late, merge_within, retry, delay, due_at, created_at, changed_at, redriven_at,
          webhook_id, attempts_before);
}
template <typename Archive>
void transfer(Archive& archive, FailedAttempt& failed) {
  auto& [at, attempt, http_status, error, late, took] = failed;
  archive(at, attempt, http_status, error, late, took);
}
template <typename Archive>
void transfer(Archive& archive, Note& note) {
  auto& [at, attempt, http_status, error, first_attempt_at, uncounted, paused_for, late, took,
         retry_at, before] = note;
  archive(at, attempt, http_status, error, first_attempt_at, uncounted, paused_for, late, took,
          retry_at, before);
}
template <typename Archive>
void transfer(Archive& archive, DeliveringPush& push) {
  std::uint32_t code = push.code();
  archive(code);
  if constexpr (Archive::kReads) push = DeliveringPush::of(code).value_or(DeliveringPush());
}
template <typename Archive>
void transfer(Archive& archive, TaskView& view) {
  auto& [state, due_at, next_attempt_at, finished_at, attempt, note, push, content, row] = view;
  archive(state, due_at, next_attempt_at, finished_at, attempt, note, push, content);
  if constexpr (Archive::kReads) row = archive.owner();
}
template <typename Archive>
void transfer(Archive& archive, Waiting& waiting) {
  auto& [what, until, ahead, hold_reason] = waiting;
  archive(what, until, ahead, hold_reason);
}
template <typename Archive>
void transfer(Archive& archive, Explanation& explanation) {
  auto& [state, attempt, waiting] = explanation;
  archive(state, attempt, waiting);
}
template <typename Archive>
void transfer(Archive& archive, Fingerprint& task) {
  auto& [low, high] = task;
  if constexpr (Archive::kReads) {
    low = archive.bytes.template fixed<8>();
    high = static_cast<std::uint16_t>(archive.bytes.template fixed<2>());
  } else {
    archive.bytes.template fixed<8>(low);
    archive.bytes.template fixed<2>(high);
  }
}
template <typename Archive>
void transfer(Archive& archive, NewTask& add) {
  auto& [statement, if_exists, lane, key, content, delay, shard] = add;
  // The rest of the statement is for the shard to say.
  auto& [task, number, due, asked_due, target, target_is_url, group, lane_number, expire_after,
         dies_late, merge, attempt, state, retries_cancelled, finished_at, push, redriven_at] =
      statement;
  archive(task, due, target, target_is_url, group, expire_after, dies_late, merge);
  archive(if_exists, lane, key, content, delay);
}
template <typename Archive>
void transfer(Archive& archive, AddAnswer& answer) {
  auto& [how, task] = answer;
  archive(how, task);
}
template <typename Archive>
void transfer(Archive& archive, ChangeRequest::Body& body) {
  auto& [bytes, content_type, is_json] = body;
  archive(bytes, content_type, is_json);
}
template <typename Archive>
void transfer(Archive& archive, ChangeRequest& request) {
  auto& [due_at, delay, body, headers, target, group, lane, key, expire_after, dies_late,
         merge_within, retry] = request;
  archive(due_at, delay, body, headers, target, group, lane, key, expire_after, dies_late,
          merge_within, retry);
}
template <typename Archive>
void transfer(Archive& archive, CancelAnswer& answer) {
  auto& [attempts, firing] = answer;
  archive(attempts, firing);
}
template <typename Archive>
void transfer(Archive& archive, TaskFilter& filter) {
  auto& [group, target, state, due_from, due_to, lane] = filter;
  archive(group, target, state, due_from, due_to, lane);
}
template <typename Archive>
void transfer(Archive& archive, ListKey& key) {
  auto& [due_ms, id, number] = key;
  archive(due_ms, id, number);
}
template <typename Archive>
void transfer(Archive& archive, Page& page) {
  auto& [tasks, keys, next_cursor, silent, held] = page;
  archive(tasks, keys, next_cursor, silent);
  if constexpr (Archive::kReads) {
    if (keys.size() != tasks.size()) archive.fail("not as many places as tasks");
  }
}

// --- Groups, targets, lanes.

template <typename Archive>
void transfer(Archive& archive, GroupView& group) {
  auto& [counts, earliest_due, latest_due] = group;
  archive(counts, earliest_due, latest_due);
}
template <typename Archive>
void transfer(Archive& archive, GroupCancelAnswer& answer) {
  auto& [cancelled, firing] = answer;
  archive(cancelled, firing);
}
template <typename Archive>
void transfer(Archive& archive, TargetCounts::Held& held) {
  auto& [until, since, reason] = held;
  archive(until, since, reason);
}
template <typename Archive>
void transfer(Archive& archive, TargetCounts& counts) {
  auto& [waiting, backlog, in_flight, held, silent] = counts;
  archive(waiting, backlog, in_flight, held, silent);
}
template <typename Archive>
void transfer(Archive& archive, TargetView& view) {
  archive(view.settings.name, static_cast<TargetCounts&>(view));
}
template <typename Archive>
void transfer(Archive& archive, TestPush& test) {
  auto& [status, delivered, error, body, duration] = test;
  archive(status, delivered, error, body, duration);
}
template <typename Archive>
void transfer(Archive& archive, LaneSettings& settings) {
  auto& [weight, reserved] = settings;
  archive(weight, reserved);
}
template <typename Archive>
void transfer(Archive& archive, LaneView& lane) {
  auto& [name, settings, waiting, backlog, in_flight, lateness, silent] = lane;
  archive(name, settings, waiting, backlog, in_flight, lateness, silent);
}

// --- The whole.

/// Most buckets are empty, so each that is not comes with its distance from the one before.
template <typename Archive>
void transfer(Archive& archive, Histogram& histogram) {
  Histogram::Parts parts = histogram.parts();
  auto& [buckets, sum, max] = parts;
  archive(sum, max);
  std::uint64_t filled = 0;
  for (const std::uint64_t count : buckets) filled += count > 0 ? 1 : 0;
  archive(filled);
  std::size_t at = 0;
  for (std::uint64_t i = 0; i < filled; ++i) {
    std::uint64_t gap = 0;
    if constexpr (!Archive::kReads) {
      while (buckets[at + gap] == 0) ++gap;
    }
    archive(gap);
    if constexpr (Archive::kReads) {
      if (gap >= buckets.size() - at) archive.fail("more buckets than there are");
      if (!archive.ok()) break;
    }
    at += gap;
    archive(buckets[at]);
    if (++at == buckets.size() && i + 1 < filled) {
      if constexpr (Archive::kReads) archive.fail("more buckets than there are");
      break;
    }
  }
  if constexpr (Archive::kReads) histogram = Histogram(parts);
}
template <typename Archive>
void transfer(Archive& archive, LogStats& log) {
  auto& [log_bytes, disk_bytes, commits, commit_bytes, memory_bytes, free_bytes, low_on_space,
         short_of_space] = log;
  archive(log_bytes, disk_bytes, commits, commit_bytes, memory_bytes, free_bytes, low_on_space,
          short_of_space);
}
template <typename Archive>
void transfer(Archive& archive, DeliveryStats& delivery) {
  auto& [in_flight, connections_open, connections_made, connections_reused] = delivery;
  archive(in_flight, connections_open, connections_made, connections_reused);
}
template <typename Archive>
void transfer(Archive& archive, Stats& stats) {
  auto& [counts, backlog, oldest_overdue, lateness, log, delivery, memory_tasks_bytes,
         memory_content_bytes, memory_resident_bytes, last_sequence, pending_max, retained_max, now,
         lanes, silent] = stats;
  archive(counts, backlog, oldest_overdue, lateness, log, delivery, memory_tasks_bytes,
          memory_content_bytes, memory_resident_bytes, last_sequence, pending_max, retained_max,
          now, lanes, silent);
}
template <typename Archive>
void transfer(Archive& archive, WheelLevel& level) {
  auto& [slot_width, slots, occupied, tasks] = level;
  archive(slot_width, slots, occupied, tasks);
}
template <typename Archive>
void transfer(Archive& archive, ForecastBucket& bucket) {
  auto& [from, tasks] = bucket;
  archive(from, tasks);
}

// --- Calls.

namespace shard_call {

template <typename Archive>
void transfer(Archive& archive, AddTold& told) {
  archive(told.answer, told.due);
}
template <typename Archive>
void transfer(Archive& archive, ExportTold& told) {
  archive(told.number, told.tasks);
}
template <typename Archive, typename Call>
  requires requires { Call::kManner; }
void transfer(Archive& archive, Call& call) {
  std::apply([&archive](auto&... parts) { archive(parts...); }, call.parts());
}

}  // namespace shard_call

[[nodiscard]] Error unreadable(const ByteReader& bytes, std::string_view what);
/// Error: bad_request.
[[nodiscard]] Result<> check_version(std::uint8_t version, std::string_view what);

template <typename Call, std::size_t kPlace = 0>
consteval std::uint8_t number_of() {
  if constexpr (std::is_same_v<std::variant_alternative_t<kPlace, shard_call::Any>, Call>) {
    return kPlace;
  } else {
    return number_of<Call, kPlace + 1>();
  }
}

template <typename Call>
[[nodiscard]] std::string encode_call(ShardNumber shard, const Call& call) {
  std::string bytes;
  WireWriter archive(bytes);
  archive(kWireVersion, number_of<Call>(), shard, call);
  return bytes;
}

struct DecodedCall {
  ShardNumber shard = 0;
  shard_call::Any call;
};
/// Views in it point into `bytes`. Error: bad_request.
[[nodiscard]] Result<DecodedCall> decode_call(std::string_view bytes);

template <typename Told>
[[nodiscard]] std::string encode_answer(const Answer<Told>& answer) {
  std::string bytes;
  WireWriter archive(bytes);
  archive(kWireVersion, answer);
  return bytes;
}

/// Views in it point into `bytes`, which tasks keep alive. Error: bad_request.
template <typename Told>
[[nodiscard]] Result<> decode_answer(std::shared_ptr<const std::string> bytes,
                                     Answer<Told>& answer) {
  WireReader archive(*bytes, bytes);
  std::uint8_t version = 0;
  archive(version);
  if (const Result<> known = check_version(version, "answer"); archive.ok() && !known) return known;
  archive(answer);
  archive.bytes.expect_end();
  if (!archive.ok()) return unreadable(archive.bytes, "answer");
  return {};
}

}  // namespace carillon
