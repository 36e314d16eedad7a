// What a task is: the words the whole project shares.
//
// A task has two halves. Its *statement* (due, target, group, state, attempt, ...) is small, lives
// in the shard's memory and is restated by the log. Its *content* (id, payload, headers, ...) is
// written once, beside the log, under the task's number, and read back when it is pushed or asked
// for.
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/siphash.h"
#include "base/time.h"

namespace carillon {

/// Position of a record in the log of a shard, from 1. Dense, never reused.
using Sequence = std::uint64_t;

/// Names one content of one task: the sequence of the record that brought it. A task whose content
/// is replaced or changed gets a new number, so a record meant for the old content never hits the
/// new.
using TaskNumber = std::uint64_t;

/// What the task index keeps of an id: 80 bits of its keyed hash. Among 100 M tasks the chance that
/// any two collide is 4e-9, and no client can aim for it, since the key is secret to the data
/// directory; so a cancel needs no disk read to be sure whom it hits.
struct Fingerprint {
  std::uint64_t low = 0;
  std::uint16_t high = 0;
  friend bool operator==(const Fingerprint&, const Fingerprint&) = default;
};

/// Keyed hash of a group's name; all zero: no group.
using GroupKey = Hash128;

/// Keyed hash of what the tasks of one target share: the target's name, or for a URL its origin
/// ("https://example.com:443").
using TargetKey = Hash128;

/// Which of its shard's lanes a task is in; 0: `default`, which exists always.
using LaneNumber = std::uint8_t;
inline constexpr std::uint32_t kLanesMax = 16;
inline constexpr LaneNumber kDefaultLane = 0;
inline constexpr std::string_view kDefaultLaneName = "default";

enum class State : std::uint8_t {
  scheduled,
  firing,
  retrying,
  delivered,
  dead,
  expired,
  cancelled,
};
inline constexpr int kStates = 7;
inline constexpr std::string_view kStateNames[kStates] = {
    "scheduled", "firing", "retrying", "delivered", "dead", "expired", "cancelled"};

[[nodiscard]] constexpr std::string_view name_of(State state) {
  return kStateNames[static_cast<int>(state)];
}
/// Scheduled or retrying: waits for a moment, and can be cancelled.
[[nodiscard]] constexpr bool waits(State state) {
  return state == State::scheduled || state == State::retrying;
}
/// Nothing will happen to it any more unless it is redriven.
[[nodiscard]] constexpr bool finished(State state) {
  return state >= State::delivered;
}
/// Finished and forgotten after a while; a dead letter stays until it is removed.
[[nodiscard]] constexpr bool forgettable(State state) {
  return finished(state) && state != State::dead;
}

/// What an add does where its id is taken. `once` is as `keep`, and a finished task that is still
/// there counts, too.
enum class IfExists : std::uint8_t { reject, keep, replace, earliest, latest, once };

/// How often and after which pauses a failed push is tried again. The defaults outlast a bad
/// deploy: 4 to 8 hours.
struct RetryPolicy {
  int max_attempts = 20;  // 1 to 1000, but for those that the receiver asked to come later
  Millis backoff_min{std::chrono::seconds(1)};
  Millis backoff_max{std::chrono::hours(1)};
  Millis max_age{std::chrono::days(3)};  // from the first attempt to the last
  friend bool operator==(const RetryPolicy&, const RetryPolicy&) = default;
};

/// What a task has of a retry policy of its own. What it leaves open, its target says.
struct RetryChoice {
  std::optional<int> max_attempts;
  std::optional<Millis> backoff_min;
  std::optional<Millis> backoff_max;
  std::optional<Millis> max_age;
  friend bool operator==(const RetryChoice&, const RetryChoice&) = default;

  [[nodiscard]] RetryPolicy over(const RetryPolicy& target) const {
    return {max_attempts.value_or(target.max_attempts), backoff_min.value_or(target.backoff_min),
            backoff_max.value_or(target.backoff_max), max_age.value_or(target.max_age)};
  }
};

/// So many tasks may begin to be pushed in any stretch of `per`, and `burst` more where as many did
/// not before it.
struct RateLimit {
  std::uint32_t limit = 0;  // 0: there is no limit
  Millis per{std::chrono::seconds(1)};
  std::uint32_t burst = 0;  // 0: a twentieth of the limit, at least 1
  [[nodiscard]] std::uint32_t burst_in_effect() const {
    return burst != 0 ? burst : std::max(limit / 20, 1U);
  }
  friend bool operator==(const RateLimit&, const RateLimit&) = default;
};

/// With which others a task may be pushed before its due: those of the same part of their ids (the
/// text in braces), due so little before it, to the same target in the same lane.
struct MergeRule {
  static constexpr int kPartBits = 58;
  static constexpr Millis kWithinMax{std::chrono::hours(1)};
  /// In one push, unless the target has a BatchLimit.
  static constexpr std::uint32_t kTasksMax = 100;
  std::uint64_t part = 0;  // keyed hash of it
  Millis within{};         // 0: with none
  [[nodiscard]] bool given() const { return within > Millis(0); }
  friend bool operator==(const MergeRule&, const MergeRule&) = default;
};

/// How many due tasks of a target go together in one push.
struct BatchLimit {
  std::uint32_t tasks_max = 0;        // 0: each goes alone
  std::uint32_t bytes_max = 1 << 20;  // of the body; a single task may be larger
  Millis wait_max{5};                 // of the first for others
  friend bool operator==(const BatchLimit&, const BatchLimit&) = default;
};

/// When a target is held because its receiver fails: how many pushes in a row, and for how long.
struct Breaker {
  std::uint32_t failures = 20;  // 0: never
  Millis open_for{std::chrono::seconds(5)};
  Millis open_max{std::chrono::minutes(5)};  // doubled up to here
  friend bool operator==(const Breaker&, const Breaker&) = default;
};

struct Header {
  std::string_view name;
  std::string_view value;
  friend bool operator==(const Header&, const Header&) = default;
};

/// The content of a task. Owns nothing: every view points into the request it was parsed from or
/// the row it was decoded from (storage/content.h), which must outlive it.
struct TaskContent {
  std::string_view id;
  std::string_view target;  // a target's name, or an http(s) URL
  std::string_view group;   // empty: none
  std::string_view lane;    // empty: none, which is as `default`
  /// Empty: none. In the place of the routing key or subject that a queue's target has.
  std::string_view key;
  std::string_view body;
  std::string_view content_type;  // empty only where there is no body
  /// True where `body` came as `payload`: it is JSON and is shown as JSON.
  bool body_is_json = false;
  std::vector<Header> headers;
  std::optional<Millis> expire_after;
  bool dies_late = false;  // once `expire_after` is over it is a dead letter, and not expired
  std::optional<Millis> merge_within;
  std::optional<RetryChoice> retry;
  /// The due as it was asked for, as a delay or as a moment. Neither: the row is older than these
  /// fields, or of a dead letter that format 2 redrove.
  std::optional<Millis> delay;
  std::optional<WallTime> due_at;

  WallTime created_at{};
  std::optional<WallTime> changed_at;   // when its content was, last
  std::optional<WallTime> redriven_at;  // of a dead letter that was sent again
  std::string_view webhook_id;          // constant over all attempts of one task
  /// Attempts that came before this content and do not count against `retry` (a redriven dead
  /// letter).
  std::uint32_t attempts_before = 0;
};

/// A push that failed, as it is remembered once another came after it.
struct FailedAttempt {
  WallTime at{};  // its end
  std::uint32_t attempt = 0;
  std::uint32_t http_status = 0;  // 0: no answer came
  std::string error;
  Millis late{};  // its start minus its due
  Millis took{};  // its end minus its start
  friend bool operator==(const FailedAttempt&, const FailedAttempt&) = default;
};

/// How the push went that delivered a task: its status and how long it took, in the 22 bits that
/// there is room for. Up to 16 s are exact, and what takes longer is in quarters of a second.
class DeliveringPush {
 public:
  static constexpr int kBits = 22;

  DeliveringPush() = default;
  /// `status`: of HTTP, a 2xx; 0: the receiver has none.
  DeliveringPush(std::uint32_t status, Millis took) {
    const auto ms = static_cast<std::uint32_t>(std::clamp<std::int64_t>(took.count(), 0, kLongest));
    const std::uint32_t time = ms < kCoarse ? ms : kCoarse | ms / kQuarter;
    code_ = time << kStatusBits | status_code(status);
  }
  /// Of what `code` told; nothing where it is none that it can tell.
  [[nodiscard]] static std::optional<DeliveringPush> of(std::uint64_t code) {
    DeliveringPush push;
    push.code_ = static_cast<std::uint32_t>(code);
    if (code == 0 || code >> kBits != 0 || DeliveringPush(push.status(), push.took()) != push)
      return std::nullopt;
    return push;
  }
  /// 0: nothing is known.
  [[nodiscard]] std::uint32_t code() const { return code_; }
  [[nodiscard]] bool known() const { return code_ != 0; }
  [[nodiscard]] std::uint32_t status() const {
    const std::uint32_t code = code_ & kStatusMask;
    return code >= kOk ? 200 + code - kOk : 0;
  }
  [[nodiscard]] Millis took() const {
    const std::uint32_t time = code_ >> kStatusBits;
    return Millis(time < kCoarse ? time : (time - kCoarse) * kQuarter);
  }
  friend bool operator==(const DeliveringPush&, const DeliveringPush&) = default;

 private:
  static constexpr int kStatusBits = 7;
  static constexpr std::uint32_t kStatusMask = (1U << kStatusBits) - 1;
  static constexpr std::uint32_t kNoStatus = 1, kOk = 2;
  static constexpr std::uint32_t kCoarse = 1U << 14;  // ms; and the bit that says quarters
  static constexpr std::uint32_t kQuarter = 256;      // ms
  static constexpr std::int64_t kLongest = (std::int64_t{kCoarse} - 1) * kQuarter;
  [[nodiscard]] static std::uint32_t status_code(std::uint32_t status) {
    return status >= 200 && status < 300 ? kOk + status - 200 : kNoStatus;
  }
  std::uint32_t code_ = 0;
};

/// What is remembered of a task's last push, beside its content.
struct Note {
  static constexpr std::size_t kAttemptsBefore = 15;
  WallTime at{};
  std::uint32_t attempt = 0;
  std::uint32_t http_status = 0;  // 0: no answer came
  std::string error;              // empty: it was delivered
  WallTime first_attempt_at{};    // since it was added or redriven: when `max_age` began
  std::uint32_t uncounted = 0;    // of its attempts since, that do not count against `max_attempts`
  Millis paused_for{};            // how long its target had been paused in all by then
  Millis late{};                  // as in FailedAttempt
  Millis took{};
  WallTime retry_at{};  // when it was to be pushed again; 0: never
  std::vector<FailedAttempt>
      before{};  // the attempts before, at most kAttemptsBefore, oldest first
  /// Else it says why none was made.
  [[nodiscard]] bool is_of_push() const { return attempt != 0 && first_attempt_at != WallTime{}; }
  /// Of its row at most, with what the rows of all notes have.
  [[nodiscard]] std::size_t bytes() const {
    constexpr std::size_t kBytes = 128, kAttemptBytes = 48;  // without errors
    std::size_t all = kBytes + error.size();
    for (const FailedAttempt& one : before) all += kAttemptBytes + one.error.size();
    return all;
  }
  friend bool operator==(const Note&, const Note&) = default;
};

}  // namespace carillon
