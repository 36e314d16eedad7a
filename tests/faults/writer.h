// A client that adds, cancels, moves, changes and replaces tasks at random, one by one, in batches
// and by group, whatever becomes of the server meanwhile.
//
// Operation: each step is one call about tasks that nobody else touches. What has no answer is
// asked about and asked again, as docs/api.md tells clients to, until it has one; both must agree.
// Every step goes into the ledger. What can be checked at once (a task that must be there is not)
// is a test failure at once.
//
// Tasks without a group are due within moments; those far ahead are in groups, so that `bring_near`
// ends the run soon.
//
// Concurrency: one thread.
#pragma once

#include <atomic>
#include <cstdint>
#include <random>
#include <string>
#include <vector>

#include "tests/faults/caller.h"

namespace carillon::test {

class Writer {
 public:
  struct Options {
    std::uint32_t number = 0;  // which of the writers
    std::uint64_t seed = 0;
    std::string target;  // a target's name
    std::string url;     // where some tasks go without one
    Served served{};
  };

  Writer(ServerAddress& address, SharedLedger& ledger, Options options);

  /// Some random call.
  void step();
  /// Makes everything due that is far ahead.
  void bring_near();

  [[nodiscard]] std::uint64_t unanswered() const { return caller_.unanswered(); }
  [[nodiscard]] bool given_up() const { return caller_.given_up(); }

 private:
  struct Task {
    std::string id, payload, group;
    Ledger::Task entry = 0;
    std::uint64_t group_number = 0;
    WallTime asked_at{};  // when it was asked for first
    WallTime due{};
    bool due_known = true;  // else an unanswered call may have changed it
    bool by_url = false;
  };
  struct Group {
    std::string name;
    std::uint64_t number = 0;
    std::size_t members = 0;
  };
  using Index = std::size_t;
  using Answer = Caller::Answer;

  // writer.cc: calls about one task or a batch
  void add(std::size_t count);
  void add_again();
  void cancel(std::size_t count);
  void move();
  void change();
  void replace();
  void look();

  // writer_settle.cc: what calls without an answer have done
  void find_out_add(Task& task);
  void find_out_cancel(const Task& task);
  void find_out_move(Task& task, WallTime due);
  void find_out_successor(Task& old, Task& fresh, bool by_replacing);
  bool settle_add(Task& task, unsigned status, std::string_view answer);
  void settle_cancel(const Task& task, unsigned status, std::string_view answer,
                     std::string_view pointer);
  void settle_move(Task& task, WallTime due, const client::ApiAnswer& answer);
  void settle_successor(Task& old, Task& fresh, const client::ApiAnswer& answer);
  [[nodiscard]] Answer ask_for_successor(const Task& old, const Task& fresh, bool by_replacing);
  void must_be_there(const Task& task, unsigned status);

  // writer_groups.cc
  void cancel_group();
  void shift_group(const Group& group, Millis by);
  [[nodiscard]] std::string new_operation();
  void find_out_shift(const Group& group, Millis by);
  void shifted(const Group& group, Millis by, WallTime certain_after);

  [[nodiscard]] Task plan(const Group* group);
  [[nodiscard]] Task successor(const Task& old);
  void enter(Task& task);
  [[nodiscard]] std::string add_body(const Task& task, std::string_view more = {}) const;
  [[nodiscard]] Index pick();
  void drop(Index index);
  [[nodiscard]] std::uint64_t up_to(std::uint64_t most);
  [[nodiscard]] Millis random_delay(bool far);

  Caller caller_;
  SharedLedger& ledger_;
  Options options_;
  std::mt19937_64 random_;
  std::uint64_t made_ = 0;
  std::vector<Task> live_;             // may still be there
  std::vector<Group> groups_;          // not cancelled; the last one takes new members
  std::vector<std::string> free_ids_;  // of cancelled tasks, to be used again
};

}  // namespace carillon::test
