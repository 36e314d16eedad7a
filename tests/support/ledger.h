// The ledger: what a client asked and was told, what a receiver got, and whether the two agree with
// Carillon's promises.
//
// Operation: the client writes down each call before it is sent and again when it is answered; an
// answer that never came stays unknown, and may be settled by asking again. The receiver's pushes
// come in as well, and if wanted what the server itself says of its tasks (GET, list, export).
// `judge` then goes once over every task.
//
// A task is known by its id and a hash of its body. An id that was cancelled and added again is a
// new task, so give each its own body: then a push of the old one is told from a push of the new.
// A `Moment` is the observer's own monotonic clock, one for client and receiver; it says what came
// before what, which the server's wall clock, being set, cannot.
//
// A history is those calls as text, one a line: `record_to` writes it, `read_history` makes the
// calls again, and the program `ledger` judges a file of them.
//
// Cost: linear in calls, tasks and pushes. Concurrency: one thread.
// Limitations: one client at a time speaks for an id; a group's operations follow one another.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <iosfwd>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/time.h"
#include "wheel/task.h"

namespace carillon::test {

class Ledger {
 public:
  using Micros = std::chrono::sys_time<std::chrono::microseconds>;
  using Task = std::size_t;       // a handle
  using Operation = std::size_t;  // a handle
  using Moment = std::int64_t;    // microseconds; see above

  static constexpr std::uint32_t kAttemptsUntold = std::numeric_limits<std::uint32_t>::max();

  struct Asked {
    std::string_view id;
    std::uint64_t body = 0;  // hash
    WallTime due{};
    std::uint64_t group = 0;  // 0: none
    bool may_expire = false;
    /// Due when this task was, however it was moved, instead of at `due`: changed content.
    std::optional<Task> due_of = std::nullopt;
  };

  /// One push as a receiver saw it. Give them in order of arrival.
  struct Push {
    std::string_view id;
    std::uint64_t body = 0;     // hash
    std::uint64_t webhook = 0;  // hash of webhook-id
    WallTime due{};             // what it said
    Micros at{};                // by the clock that the server goes by
    std::uint32_t attempt = 1;
    bool accepted = true;  // answered 2xx
    Moment seen = 0;       // 0: before every answer that came with a moment
  };

  /// What may have happened.
  struct Rules {
    /// A crash, a time-out or a lost answer: a task may come more than once.
    bool may_repeat = false;
    /// Each task's first push arrives in the order of the dues: with one push at a time only.
    bool in_due_order = false;
  };

  struct Verdict {
    std::uint64_t tasks = 0;      // asked for
    std::uint64_t added = 0;      // acknowledged
    std::uint64_t cancelled = 0;  // acknowledged, one by one
    std::uint64_t unknown = 0;    // adds or cancels never answered
    std::uint64_t delivered = 0;  // accepted at least once
    std::uint64_t pending = 0;    // said by the server to wait or to be pushed
    std::uint64_t dead = 0;       // said by the server
    std::uint64_t repeats = 0;    // accepted pushes beyond each task's first
    std::uint64_t faults = 0;
    std::vector<std::string> described;  // the first faults, for a person

    [[nodiscard]] bool good() const { return faults == 0; }
    /// One line of the counts, and the faults below it.
    [[nodiscard]] std::string text() const;
  };

  /// Writes every call that follows to `out`, which must outlive the ledger. Ids may hold no
  /// blanks.
  void record_to(std::ostream& out) { record_ = &out; }
  /// Makes the calls that a history tells of; false, with the line that is at fault, where one
  /// cannot be read.
  [[nodiscard]] bool read_history(std::istream& in, std::string& bad_line);

  Task add_asked(const Asked& asked);
  /// The same request was sent again, for want of an answer: should the first have come and be
  /// finished already, this one makes a second task of the same id and body.
  void add_asked_again(Task task);
  /// Once accepted, a task stays accepted: a later refusal is a fault.
  void add_answered(Task task, bool accepted);

  /// It may be pushed by so much before its due, together with others.
  void may_be_early(Task task, Millis by);

  void cancel_asked(Task task);
  /// `attempts`: what the 200 said, or kAttemptsUntold; of no meaning where it was refused. With a
  /// moment, no push may be seen after it. A task that another replaced is cancelled, too.
  void cancel_answered(Task task, bool cancelled, std::uint32_t attempts, Moment at = 0);

  /// The 200 to a cancel of its retries: it was firing, after so many attempts, and that is the
  /// last. What `cancel_asked` wrote down before stays unknown: it may yet be delivered.
  void retries_cancelled(Task task, std::uint32_t attempts);

  void move_asked(Task task, WallTime due);
  /// From an acknowledged move on, pushes come at the new due only.
  void move_answered(Task task, bool moved, Moment at);

  /// A dead letter is to be pushed again; its due stays as it was.
  void redrive_asked(Task task);
  void redrive_answered(Task task, bool redriven);

  /// Every task of the group whose add was asked before is concerned.
  Operation group_cancel_asked(std::uint64_t group);
  /// What the 200 said; asked again for want of an answer, it is another operation. Of the group's
  /// tasks at most `firing` may be pushed after `at`, each once, and at most `cancelled` and
  /// `firing` may be gone without a push.
  void group_cancel_answered(Operation operation, std::uint64_t cancelled, std::uint64_t firing,
                             Moment at);
  void group_shift_asked(std::uint64_t group, Millis by);
  /// `wall`: the latest that the server's clock may have shown until now. Tasks due after it that
  /// were added for certain have moved for certain. Of no effect on a refusal.
  void group_shift_answered(std::uint64_t group, Millis by, WallTime wall, Moment at);

  void pushed(const Push& push);
  /// The server says that the task is in this state, after the last of the pushes and answers.
  void found(std::string_view id, std::uint64_t body, State state);

  [[nodiscard]] std::size_t tasks() const { return entries_.size(); }
  [[nodiscard]] Verdict judge(const Rules& rules) const;

 private:
  enum class Outcome : std::uint8_t { not_asked, unknown, yes, no };
  static constexpr Moment kNever = std::numeric_limits<Moment>::max();
  static constexpr Operation kNone = std::numeric_limits<Operation>::max();
  /// A due that the task may have, and when it no longer could.
  struct Due {
    WallTime low{}, high{};  // a range: what is shifted into the past is due "now"
    Moment until = kNever;
    std::size_t shifted = 0;  // where the due is that the last shift made of this one; 0: nowhere
  };
  struct Entry {
    std::string id;
    std::uint64_t body = 0;
    std::vector<Due> dues;
    Outcome add = Outcome::unknown;
    Outcome cancel = Outcome::not_asked;
    bool may_expire = false;
    Millis early_by{0};                  // it may be
    bool maybe_group_cancelled = false;  // by an operation that had no answer
    bool maybe_redriven = false;
    std::optional<WallTime> wrong_due;  // the first
    bool early = false, other_webhook = false, two_answers = false;
    bool said_pending = false, said_delivered = false, said_dead = false, said_cancelled = false,
         said_expired = false;
    std::uint32_t cancel_attempts = 0;
    std::uint32_t last_attempt = kAttemptsUntold;  // no attempt may be later
    std::uint32_t pushes_after_group_cancel = 0;
    std::uint32_t attempt_max = 0;
    std::uint32_t pushes = 0;
    std::uint32_t accepted = 0;
    Moment cancelled_at = kNever;
    Moment last_push = 0;
    std::uint32_t asks = 1;
    std::vector<std::uint64_t> webhooks;
    Operation group_cancel = kNone;  // the last one that concerned it
  };
  struct GroupCancel {
    std::uint64_t group = 0;
    bool answered = false;
    std::uint64_t cancelled = 0, firing = 0;
    Moment at = kNever;
  };
  class Judge;
  class Reader;
  struct Key {
    std::string id;
    std::uint64_t body = 0;
    friend bool operator==(const Key&, const Key&) = default;
  };
  struct KeyHash {
    std::size_t operator()(const Key& key) const {
      return std::hash<std::string>()(key.id) ^ static_cast<std::size_t>(key.body);
    }
  };

  [[nodiscard]] Entry* find(std::string_view id, std::uint64_t body);
  /// Of two tasks that one request made, one may have been moved and the other redriven: then each
  /// due still counts.
  [[nodiscard]] static bool is_of_two(const Entry& entry) {
    return entry.asks > 1 && entry.maybe_redriven;
  }
  template <typename... Fields>
  void record(std::string_view call, const Fields&... fields);

  std::ostream* record_ = nullptr;
  std::vector<Entry> entries_;
  std::vector<GroupCancel> group_cancels_;
  std::unordered_map<Key, Task, KeyHash> by_key_;
  std::unordered_map<std::uint64_t, std::vector<Task>> members_;
  std::vector<std::string> strangers_;  // pushed or found, but never asked for
  std::uint64_t out_of_order_ = 0;
  WallTime latest_due_{};  // of the first attempts that came so far
};

}  // namespace carillon::test
