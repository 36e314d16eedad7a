// The ledger: what a client asked and was told, what a receiver got, and whether the two agree with
// Carillon's promises.
//
// Operation: the client writes down each add and cancel before it asks and again when it is
// answered; an answer that never came stays unknown. The receiver's pushes and, if wanted, the
// server's own list of pending tasks come in as well. `judge` then goes once over every task.
//
// A task is known by its id and a hash of its body. An id that was cancelled and added again is a
// new task, so give each its own body: then a push of the old one is told from a push of the new.
//
// Cost: linear in tasks and pushes. Concurrency: one thread.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/time.h"

namespace carillon::test {

class Ledger {
 public:
  using Micros = std::chrono::sys_time<std::chrono::microseconds>;
  using Task = std::size_t;  // a handle

  /// One push as a receiver saw it. Give them in order of arrival.
  struct Push {
    std::string_view id;
    std::uint64_t body = 0;     // hash
    std::uint64_t webhook = 0;  // hash of webhook-id
    WallTime due{};             // what it said
    Micros at{};                // by the clock that the server goes by
    std::uint32_t attempt = 1;
    bool accepted = true;  // answered 2xx
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
    std::uint64_t cancelled = 0;  // acknowledged
    std::uint64_t unknown = 0;    // adds or cancels never answered
    std::uint64_t delivered = 0;  // accepted at least once
    std::uint64_t pending = 0;
    std::uint64_t repeats = 0;  // accepted pushes beyond each task's first
    std::uint64_t faults = 0;
    std::vector<std::string> described;  // the first faults, for a person

    [[nodiscard]] bool good() const { return faults == 0; }
    /// One line of the counts, and the faults below it.
    [[nodiscard]] std::string text() const;
  };

  Task add_asked(std::string_view id, std::uint64_t body, WallTime due);
  void add_answered(Task task, bool accepted);
  void cancel_asked(Task task);
  /// `attempts`: what the 200 said; of no meaning where it was refused.
  void cancel_answered(Task task, bool cancelled, std::uint32_t attempts);
  /// From an acknowledged move on, pushes may come at the new due; the caller sees to it that none
  /// was under way.
  void moved(Task task, WallTime due);
  void pushed(const Push& push);
  /// The server says the task still waits.
  void found_pending(std::string_view id, std::uint64_t body);

  [[nodiscard]] std::size_t tasks() const { return entries_.size(); }
  [[nodiscard]] Verdict judge(const Rules& rules) const;

 private:
  enum class Outcome : std::uint8_t { not_asked, unknown, yes, no };
  struct Entry {
    std::string id;
    WallTime due{};
    Outcome add = Outcome::unknown;
    Outcome cancel = Outcome::not_asked;
    std::uint32_t cancel_attempts = 0;
    std::uint32_t attempt_max = 0;
    std::uint32_t pushes = 0;
    std::uint32_t accepted = 0;
    std::uint64_t webhook = 0;
    bool early = false, wrong_due = false, other_webhook = false, pending = false;
  };
  class Judge;
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

  std::vector<Entry> entries_;
  std::unordered_map<Key, Task, KeyHash> by_key_;
  std::vector<std::string> strangers_;  // pushed or pending, but never asked for
  std::uint64_t out_of_order_ = 0;
  WallTime latest_due_{};  // of the first attempts that came so far
};

}  // namespace carillon::test
