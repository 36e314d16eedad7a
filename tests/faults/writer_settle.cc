// How calls ended, and what calls without an answer have done: seen by looking, and by asking
// again.

#include <gtest/gtest.h>

#include "tests/end_to_end/json_find.h"
#include "tests/faults/writer.h"

namespace carillon::test {
namespace {

constexpr Millis kSafelyAhead = std::chrono::seconds(10);

bool shows(const client::ApiAnswer& seen, std::string_view payload) {
  return seen.status == 200 && '"' + text_at(seen.body, "/payload") + '"' == payload;
}

}  // namespace

/// A task that was added and is due in the future, or was a moment ago, is known to the server.
void Writer::must_be_there(const Task& task, unsigned status) {
  if (status == 404 && task.due_known && wall_now_up() < task.due + options_.served.readable) {
    ADD_FAILURE() << task.id << " is lost: it is not there, and is due at "
                  << format_moment(task.due);
  }
}

bool Writer::settle_add(Task& task, unsigned status, std::string_view answer) {
  const bool accepted = status == 200 || status == 201;
  EXPECT_TRUE(accepted) << task.id << ": " << answer;
  ledger_([&](Ledger& ledger) { ledger.add_answered(task.entry, accepted); });
  return accepted;
}

void Writer::find_out_add(Task& task) {
  while (!caller_.given_up()) {
    const Answer seen = caller_.call("GET", "/v1/tasks/" + task.id);
    if (!seen) continue;
    const bool there = shows(*seen, task.payload);
    // To ask again is safe where the task cannot have finished meanwhile, or never was.
    if (there && task.due < wall_now_up() + kSafelyAhead) {
      settle_add(task, 200, seen->body);
      return;
    }
    // What is not there after a while may have been there and be gone.
    if (!there && wall_now_up() > task.asked_at + options_.served.readable) break;
    const Answer again = caller_.call("POST", "/v1/tasks", add_body(task));
    if (!again) continue;
    const bool is_fresh = again->status == 201;
    EXPECT_TRUE(is_fresh == !there || (!is_fresh && options_.served.by_cluster))
        << task.id << ": " << again->body;
    settle_add(task, again->status, again->body);
    return;
  }
  task.due_known = false;
}

void Writer::settle_cancel(const Task& task, unsigned status, std::string_view answer,
                           std::string_view pointer) {
  const Ledger::Moment at = moment_now();
  if (status == 404) return must_be_there(task, status);
  const std::string where(pointer);
  bool cancelled = status == 200;
  std::int64_t attempts = number_at(answer, where + "/attempts");
  if (!cancelled) {
    EXPECT_EQ(status, 409U) << task.id << ": " << answer;
    cancelled = text_at(answer, where + "/state") == "cancelled";
    attempts = number_at(answer, where + "/attempt");
  }
  EXPECT_GE(attempts, 0) << task.id << ": " << answer;
  ledger_([&](Ledger& ledger) {
    ledger.cancel_answered(task.entry, cancelled, static_cast<std::uint32_t>(attempts), at);
  });
  if (cancelled) free_ids_.push_back(task.id);
}

void Writer::find_out_cancel(const Task& task) {
  while (!caller_.given_up()) {
    const Answer seen = caller_.call("GET", "/v1/tasks/" + task.id);
    if (!seen) continue;
    const Answer again = caller_.call("DELETE", "/v1/tasks/" + task.id);
    if (!again) continue;
    if (again->status == 404) return;  // finished, and forgotten by now
    const bool was_cancelled = text_at(seen->body, "/state") == "cancelled";
    if (was_cancelled) {
      EXPECT_EQ(again->status, 409U) << again->body;
      EXPECT_EQ(text_at(again->body, "/state"), "cancelled") << again->body;
    } else if (seen->status == 200 && !options_.served.by_cluster) {
      EXPECT_NE(text_at(again->body, "/type") + text_at(again->body, "/state"),
                "/problems/task_finishedcancelled")
          << seen->body << again->body;
    }
    return settle_cancel(task, again->status, again->body, "");
  }
}

void Writer::settle_move(Task& task, WallTime due, const client::ApiAnswer& answer) {
  const Ledger::Moment at = moment_now();
  must_be_there(task, answer.status);
  const bool moved = answer.status == 200;
  if (!moved) {
    EXPECT_TRUE(answer.status == 409 || answer.status == 404) << answer.body;
  }
  ledger_([&](Ledger& ledger) { ledger.move_answered(task.entry, moved, at); });
  if (!moved) return;
  EXPECT_EQ(text_at(answer.body, "/due_at"), format_moment(due)) << answer.body;
  task.due = due;
  task.due_known = true;
}

/// Where the second call is refused, the first may have been carried out, and the task been fired
/// since.
void Writer::find_out_move(Task& task, WallTime due) {
  while (!caller_.given_up()) {
    const Answer again =
        caller_.call("PATCH", "/v1/tasks/" + task.id,
                     R"({"due_at":)" + std::to_string(due.time_since_epoch().count()) + "}");
    if (!again) continue;
    if (again->status == 200) return settle_move(task, due, *again);
    EXPECT_TRUE(again->status == 409 || again->status == 404) << again->body;
    task.due_known = false;
    return;
  }
}

void Writer::settle_successor(Task& old, Task& fresh, const client::ApiAnswer& answer) {
  const Ledger::Moment at = moment_now();
  const bool done = answer.status == 200 || answer.status == 201;
  const bool replaced = answer.status == 200;
  if (!done) {
    EXPECT_TRUE(answer.status == 409 || answer.status == 404) << answer.body;
  }
  if (!done) must_be_there(old, answer.status);
  ledger_([&](Ledger& ledger) {
    ledger.add_answered(fresh.entry, done);
    ledger.cancel_answered(old.entry, replaced, Ledger::kAttemptsUntold, replaced ? at : 0);
  });
  if (done) old = std::move(fresh);
}

void Writer::find_out_successor(Task& old, Task& fresh, bool by_replacing) {
  while (!caller_.given_up()) {
    const Answer seen = caller_.call("GET", "/v1/tasks/" + old.id);
    if (!seen) continue;
    if (shows(*seen, fresh.payload)) {
      // The old one was replaced, or was finished and gave way: nobody can tell any more.
      ledger_([&](Ledger& ledger) { ledger.add_answered(fresh.entry, true); });
      old = std::move(fresh);
      return;
    }
    if (seen->status == 404 && wall_now_up() > fresh.asked_at + options_.served.readable) break;
    const Answer again = ask_for_successor(old, fresh, by_replacing);
    if (again) return settle_successor(old, fresh, *again);
  }
  old.due_known = false;
}

}  // namespace carillon::test
