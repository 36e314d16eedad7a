// Retries, what is cancelled while it is firing, what is sent again, and targets that are held.

#include "tests/engine/engine_fixture.h"

namespace carillon {
namespace {

using std::chrono::days;
using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;

class AgainTest : public EngineTest {
 protected:
  /// Answers that failed so many times; the last push is over.
  void run_until_pushes(std::size_t count) {
    run_until([&] {
      return receiver.requests().size() == count && engine->stats_now().delivery.in_flight == 0;
    });
    // The outcome is on its way to the log.
    advance(Millis(0));
  }
  [[nodiscard]] TaskView view(std::string_view id) { return run(engine->get(id)).value(); }
  [[nodiscard]] std::optional<TargetView::Held> held() const {
    return engine->local().targets().view("shop").value().held;
  }
  void wait_for(State state, std::uint64_t tasks = 1) {
    run_until([&] { return count(state) == tasks; });
  }
};

TEST_F(AgainTest, a_cancel_of_retries_makes_the_attempt_under_way_the_last) {
  put_target();
  reaction = {http_answer("500 Oops"), Reaction::Then::keep, std::chrono::milliseconds(200)};
  ASSERT_TRUE(add(task("a", Millis(0))));
  advance(Millis(0));
  const auto refused = run(engine->cancel("a", false));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().slug, "task_firing");
  EXPECT_NE(refused.error().detail.find("retries=cancel"), std::string::npos);
  const auto cancelled = run(engine->cancel("a", /*retries=*/true));
  ASSERT_TRUE(cancelled);
  EXPECT_TRUE(cancelled->firing);
  EXPECT_EQ(cancelled->attempts, 1U);
  wait_for(State::cancelled);
  advance(hours(1));
  EXPECT_EQ(receiver.requests().size(), 1U);
  EXPECT_EQ(engine->counters_now().cancelled, 1U);
  EXPECT_EQ(engine->counters_now().retried, 0U);
}

TEST_F(AgainTest, a_batch_cancels_retries_too) {
  put_target();
  reaction.then = Reaction::Then::hang;
  reaction.bytes.clear();
  ASSERT_TRUE(add(task("a", Millis(0))));
  ASSERT_TRUE(add(task("b", minutes(1))));
  advance(Millis(0));
  std::vector<std::string_view> ids = {"a", "b", "c"};
  const auto answers = run(engine->cancel_batch(ids, /*retries=*/true));
  EXPECT_TRUE(answers[0]->firing);
  EXPECT_FALSE(answers[1]->firing);
  EXPECT_EQ(answers[2].error().slug, "not_found");
}

TEST_F(AgainTest, a_group_cancel_ends_the_retries_of_what_is_firing_also_after_a_crash) {
  put_target();
  reaction.then = Reaction::Then::hang;
  reaction.bytes.clear();
  AddRequest request = task("a", Millis(0));
  request.content.group = "g";
  ASSERT_TRUE(add(std::move(request)));
  advance(Millis(0));
  run_until([&] { return receiver.requests().size() == 1; });
  const auto cancelled = run(engine->cancel_group("g", ""));
  EXPECT_EQ(cancelled->cancelled, 0U);
  EXPECT_EQ(cancelled->firing, 1U);
  restart();
  wait_for(State::cancelled);
  advance(hours(1));
  EXPECT_EQ(receiver.requests().size(), 1U);
}

TEST_F(AgainTest, not_now_holds_the_target_and_does_not_count_against_max_attempts) {
  put_target(64, /*max_attempts=*/1);
  reaction.bytes = http_answer("429 Too Many", "", "retry-after: 60\r\n");
  std::vector<std::string> heard;
  ASSERT_TRUE(add(task("a", Millis(0))));
  advance(Millis(0));
  run_until_pushes(1);
  wait_for(State::retrying);
  ASSERT_TRUE(held());
  EXPECT_EQ(held()->until, start + seconds(60));
  EXPECT_EQ(held()->reason, HoldReason::too_many_requests);
  EXPECT_EQ(view("a").next_attempt_at, start + seconds(60));
  EXPECT_EQ(engine->counters_now().throttled, 1U);
  EXPECT_EQ(engine->counters_now().holds[static_cast<int>(HoldReason::too_many_requests)], 1U);
  ASSERT_TRUE(add(task("b", Millis(0))));
  advance(seconds(59));
  EXPECT_EQ(receiver.requests().size(), 1U) << "held";
  restart();
  advance(Millis(0));
  EXPECT_EQ(receiver.requests().size(), 1U) << "also after a restart";
  ASSERT_TRUE(held());
  reaction.bytes = http_answer("200 OK");
  advance(seconds(1));
  wait_for(State::delivered, 2);
  EXPECT_FALSE(held());
}

TEST_F(AgainTest, a_503_with_retry_after_holds_and_one_without_does_not) {
  put_target();
  reaction.bytes = http_answer("503 Busy", "", "retry-after: 30\r\n");
  ASSERT_TRUE(add(task("a", Millis(0))));
  advance(Millis(0));
  wait_for(State::retrying);
  ASSERT_TRUE(held());
  EXPECT_EQ(held()->reason, HoldReason::unavailable);
  ASSERT_TRUE(run(engine->pause_target("shop", false)));
  EXPECT_FALSE(held()) << "resumed";
  reaction.bytes = http_answer("503 Busy");
  ASSERT_TRUE(add(task("b", Millis(0))));
  advance(Millis(0));
  wait_for(State::retrying, 2);
  EXPECT_FALSE(held());
}

TEST_F(AgainTest, a_retry_after_of_days_parks_the_task_and_not_the_target) {
  put_target();
  reaction.bytes = http_answer("429 Too Many", "", "retry-after: 172800\r\n");
  ASSERT_TRUE(add(task("a", Millis(0))));
  advance(Millis(0));
  wait_for(State::retrying);
  EXPECT_EQ(view("a").next_attempt_at, start + days(2));
  EXPECT_EQ(held()->until, start + minutes(5));
}

TEST_F(AgainTest, max_age_gives_a_task_up_and_a_redrive_begins_anew) {
  put_target(64, /*max_attempts=*/1000);
  reaction.bytes = http_answer("500 Oops");
  AddRequest request = task("a", Millis(0));
  request.content.retry.emplace();
  request.content.retry->backoff_min = seconds(40);
  request.content.retry->backoff_max = seconds(40);
  request.content.retry->max_age = minutes(1);
  ASSERT_TRUE(add(std::move(request)));
  advance(Millis(0));
  wait_for(State::retrying);
  advance(seconds(40));
  run_until_pushes(2);
  EXPECT_EQ(view("a").state, State::retrying);
  EXPECT_EQ(view("a").next_attempt_at, start + minutes(1)) << "the last one is made just then";
  advance(seconds(20));
  wait_for(State::dead);
  EXPECT_EQ(receiver.requests().size(), 3U);

  advance(hours(1));
  const auto redriven = run(engine->redrive("a", ""));
  ASSERT_TRUE(redriven);
  EXPECT_EQ(redriven->due_at, start);
  EXPECT_EQ(redriven->content.redriven_at, start + minutes(1) + hours(1));
  advance(Millis(0));
  wait_for(State::retrying);
  EXPECT_EQ(receiver.requests().back().header("carillon-due-at"), format_moment(start));
  EXPECT_EQ(receiver.requests().back().header("carillon-attempt"), "4");
}

TEST_F(AgainTest, a_change_while_retrying_keeps_the_note_and_the_count) {
  put_target(64, /*max_attempts=*/3);
  reaction.bytes = http_answer("500 Oops");
  AddRequest request = task("a", Millis(0));
  request.content.retry.emplace();
  request.content.retry->backoff_min = request.content.retry->backoff_max = seconds(10);
  ASSERT_TRUE(add(std::move(request)));
  advance(Millis(0));
  wait_for(State::retrying);
  EXPECT_EQ(view("a").note.http_status, 500U);
  EXPECT_NE(view("a").note.error, "");
  const Note before = view("a").note;
  ChangeRequest change;
  change.body = ChangeRequest::Body{"text", "text/plain", false};
  ASSERT_TRUE(run(engine->change("a", std::move(change))));
  EXPECT_EQ(view("a").note, before);
  EXPECT_EQ(view("a").state, State::retrying);
  advance(seconds(10));
  run_until_pushes(2);
  EXPECT_EQ(view("a").note.first_attempt_at, before.first_attempt_at);
  advance(seconds(10));
  wait_for(State::dead);
  EXPECT_EQ(receiver.requests().size(), 3U);
}

TEST_F(AgainTest, push_now_makes_a_waiting_task_due) {
  put_target();
  ASSERT_TRUE(add(task("a", hours(1))));
  const auto pushed = run(engine->push_now("a"));
  ASSERT_TRUE(pushed);
  EXPECT_EQ(pushed->due_at, start);
  advance(Millis(0));
  wait_for(State::delivered);
  EXPECT_EQ(run(engine->push_now("a")).error().slug, "task_finished");
  EXPECT_EQ(run(engine->push_now("b")).error().slug, "not_found");
}

TEST_F(AgainTest, a_named_shift_is_done_once_also_after_a_restart) {
  put_target();
  AddRequest request = task("a", hours(1));
  request.content.group = "g";
  ASSERT_TRUE(add(std::move(request)));
  EXPECT_EQ(run(engine->shift_group("g", minutes(10), "once", ShiftStep::whole)).value(), 1U);
  restart();
  EXPECT_EQ(run(engine->shift_group("g", minutes(10), "once", ShiftStep::whole)).value(), 1U);
  EXPECT_EQ(view("a").due_at, start + hours(1) + minutes(10));
  EXPECT_EQ(engine->counters_now().repeated, 1U);
  EXPECT_EQ(engine->counters_now().operations, 1U);
  EXPECT_EQ(run(engine->shift_group("g", minutes(11), "once", ShiftStep::whole)).error().slug,
            "operation_reused");
  EXPECT_TRUE(run(engine->cancel_group("g", "once"))) << "the name is of this call on this group";
}

TEST_F(AgainTest, a_shift_past_the_horizon_moves_nothing) {
  put_target();
  for (const char* id : {"a", "b"}) {
    AddRequest request = task(id, id[0] == 'a' ? Millis(hours(1)) : Millis(days(29)));
    request.content.group = "g";
    ASSERT_TRUE(add(std::move(request)));
  }
  const auto refused = run(engine->shift_group("g", days(2), "", ShiftStep::whole));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().slug, "beyond_horizon");
  EXPECT_EQ(view("a").due_at, start + hours(1));
  EXPECT_EQ(run(engine->shift_group("g", days(1), "", ShiftStep::whole)).value(), 2U);
}

TEST_F(AgainTest, a_shift_in_steps_asks_without_moving_and_then_moves_without_asking) {
  put_target();
  AddRequest request = task("a", days(29));
  request.content.group = "g";
  ASSERT_TRUE(add(std::move(request)));
  EXPECT_TRUE(run(engine->shift_group("g", days(1), "once", ShiftStep::ask)));
  EXPECT_EQ(run(engine->shift_group("g", days(2), "once", ShiftStep::ask)).error().slug,
            "beyond_horizon");
  EXPECT_EQ(run(engine->shift_group("h", days(1), "once", ShiftStep::ask)).error().slug,
            "not_found");
  EXPECT_EQ(view("a").due_at, start + days(29));
  EXPECT_EQ(run(engine->shift_group("g", days(2), "once", ShiftStep::carry_out)).value(), 1U);
  EXPECT_EQ(run(engine->shift_group("g", days(2), "once", ShiftStep::carry_out)).value(), 1U);
  EXPECT_EQ(view("a").due_at, start + days(31));
  EXPECT_EQ(run(engine->shift_group("g", days(2), "once", ShiftStep::ask)).value(), 1U);
  EXPECT_EQ(run(engine->shift_group("g", days(3), "once", ShiftStep::ask)).error().slug,
            "operation_reused");
}

TEST_F(AgainTest, redrives_with_a_name_are_done_once) {
  put_target(64, /*max_attempts=*/1);
  reaction.bytes = http_answer("500 Oops");
  for (const char* id : {"a", "b", "c"}) ASSERT_TRUE(add(task(id, Millis(0))));
  advance(Millis(0));
  wait_for(State::dead, 3);
  ASSERT_TRUE(run(engine->redrive("a", "again")));
  advance(Millis(0));
  run_until_pushes(4);
  wait_for(State::dead, 3);
  const auto repeated = run(engine->redrive("a", "again"));
  ASSERT_TRUE(repeated);
  EXPECT_EQ(repeated->state, State::dead) << "as it stands now";
  EXPECT_EQ(run(engine->redrive_all({}, "all")).value(), 3U);
  advance(Millis(0));
  run_until_pushes(7);
  wait_for(State::dead, 3);
  restart();
  EXPECT_EQ(run(engine->redrive_all({}, "all")).value(), 3U);
  advance(Millis(0));
  EXPECT_EQ(receiver.requests().size(), 7U);
  TaskFilter other;
  other.target = "shop";
  EXPECT_EQ(run(engine->redrive_all(other, "all")).error().slug, "operation_reused");
}

TEST_F(AgainTest, an_add_once_is_answered_with_the_task_that_was_delivered) {
  put_target();
  const auto once = [&] {
    AddRequest request = task("a", minutes(1));
    request.if_exists = IfExists::once;
    return add(std::move(request));
  };
  EXPECT_EQ(once()->how, Added::created);
  advance(minutes(1));
  wait_for(State::delivered);
  const auto again = once();
  EXPECT_EQ(again->how, Added::same);
  EXPECT_EQ(again->task->state, State::delivered);
  advance(hours(2));
  EXPECT_EQ(once()->how, Added::created);
}

TEST_F(AgainTest, each_event_is_counted) {
  put_target(64, /*max_attempts=*/2);
  reaction.bytes = http_answer("500 Oops");
  AddRequest late = task("late", Millis(0));
  late.content.expire_after = Millis(1);
  ASSERT_TRUE(add(task("a", Millis(0))));
  advance(Millis(0));
  run_until_pushes(1);
  advance(seconds(1));
  wait_for(State::dead);
  ASSERT_TRUE(run(engine->pause_target("shop", true)));
  ASSERT_TRUE(add(std::move(late)));
  ASSERT_TRUE(add(task("b", hours(1))));
  AddRequest replacing = task("b", hours(2));
  replacing.if_exists = IfExists::replace;
  ASSERT_TRUE(add(std::move(replacing)));
  ChangeRequest change;
  change.delay = hours(3);
  ASSERT_TRUE(run(engine->change("b", std::move(change))));
  ASSERT_TRUE(run(engine->cancel("b", false)));
  ASSERT_TRUE(run(engine->redrive("a", "")));
  reaction.bytes = http_answer("200 OK");
  advance(seconds(1));
  ASSERT_TRUE(run(engine->pause_target("shop", false)));
  advance(Millis(0));
  wait_for(State::delivered);
  wait_for(State::expired);
  ASSERT_TRUE(add(task("c", Millis(5))));
  ASSERT_TRUE(run(engine->delete_target("shop", true)));
  advance(Millis(5));
  wait_for(State::dead);
  const EngineCounters& counters = engine->counters_now();
  EXPECT_EQ(counters.added, 4U);
  EXPECT_EQ(counters.replaced, 1U);
  EXPECT_EQ(counters.changed, 1U);
  EXPECT_EQ(counters.cancelled, 1U);
  EXPECT_EQ(counters.fired, 3U);
  EXPECT_EQ(counters.retried, 1U);
  EXPECT_EQ(counters.died, 2U) << "one gave up, one had no target";
  EXPECT_EQ(counters.redriven, 1U);
  EXPECT_EQ(counters.delivered, 1U);
  EXPECT_EQ(counters.expired, 1U);
}

/// A target whose receiver fails.
class BreakerTest : public AgainTest {
 protected:
  BreakerTest() {
    settings.name = "shop";
    http_of(settings).url = receiver.url("/hook");
    settings.breaker = {4, seconds(10), seconds(20)};
    settings.retry = {2, Millis(1), Millis(1), days(3)};
    reaction.bytes = http_answer("500 Oops");
  }
  void put() {
    const auto change = [this](const TargetSettings*) { return Result<TargetSettings>(settings); };
    ASSERT_TRUE(run(engine->change_target("shop", change)));
  }
  void add_tasks(int tasks) {
    for (int i = 0; i < tasks; ++i) ASSERT_TRUE(add(task("t" + std::to_string(i), Millis(0))));
    advance(Millis(0));
  }

  TargetSettings settings;
};

TEST_F(BreakerTest, opens_after_failures_in_a_row_and_no_attempt_is_burnt_while_it_is_open) {
  put();
  add_tasks(4);
  run_until_pushes(4);
  ASSERT_TRUE(held());
  EXPECT_EQ(held()->reason, HoldReason::failing);
  EXPECT_EQ(held()->until, start + seconds(10));
  advance(seconds(9));
  EXPECT_EQ(receiver.requests().size(), 4U) << "nothing goes out";
  advance(seconds(1));
  run_until_pushes(5);
  EXPECT_EQ(held()->until, start + seconds(30)) << "the probe failed";
  restart();
  advance(seconds(20));
  run_until_pushes(6);
  advance(seconds(20));
  run_until_pushes(7);
  EXPECT_EQ(count(State::retrying), 4U) << "each had one attempt of two; probes do not count";
  EXPECT_EQ(engine->counters_now().holds[static_cast<int>(HoldReason::failing)], 2U);
  reaction.bytes = http_answer("200 OK");
  advance(seconds(20));
  wait_for(State::delivered, 4);
  EXPECT_FALSE(held());
  EXPECT_EQ(receiver.requests().size(), 11U);
}

TEST_F(BreakerTest, of_a_receiver_that_cannot_be_reached_opens_too) {
  http_of(settings).url = "http://127.0.0.1:9/";
  put();
  add_tasks(4);
  run_until([&] { return held().has_value(); });
  EXPECT_EQ(held()->reason, HoldReason::failing);
}

TEST_F(BreakerTest, does_not_open_for_tasks_that_the_receiver_refuses) {
  reaction.bytes = http_answer("422 Unprocessable");
  put();
  add_tasks(8);
  wait_for(State::retrying, 8);
  advance(seconds(1));
  wait_for(State::dead, 8);
  EXPECT_FALSE(held());
}

TEST_F(BreakerTest, that_is_switched_off_holds_nothing_any_more) {
  put();
  add_tasks(4);
  run_until_pushes(4);
  ASSERT_TRUE(held());
  settings.breaker.failures = 0;
  put();
  EXPECT_FALSE(held());
  advance(Millis(1));
  wait_for(State::dead, 4);
  restart();
  EXPECT_FALSE(held());
}

TEST_F(BreakerTest, that_is_switched_off_counts_no_push_that_was_under_way) {
  put();
  reaction.pause = Millis(200);
  add_tasks(4);
  run_until([&] { return receiver.requests().size() == 4; });
  settings.breaker.failures = 0;
  put();
  wait_for(State::retrying, 4);
  EXPECT_FALSE(held());
}

TEST_F(BreakerTest, the_time_in_which_a_target_is_paused_does_not_count_for_max_age) {
  settings.breaker.failures = 0;
  settings.retry = {1000, minutes(20), minutes(20), hours(1)};
  put();
  add_tasks(1);
  run_until_pushes(1);
  ASSERT_TRUE(run(engine->pause_target("shop", true)));
  advance(hours(5));
  restart();
  ASSERT_TRUE(run(engine->pause_target("shop", false)));
  advance(Millis(0));
  run_until_pushes(2);
  EXPECT_EQ(count(State::retrying), 1U) << "of its hour no more than 20 minutes are over";
  advance(minutes(20));
  run_until_pushes(3);
  EXPECT_EQ(count(State::retrying), 1U);
  advance(hours(1));
  wait_for(State::dead);
}

}  // namespace
}  // namespace carillon
