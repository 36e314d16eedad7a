#include <algorithm>
#include <set>

#include "tests/engine/engine_fixture.h"

namespace carillon {
namespace {

namespace asio = boost::asio;
using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;

TEST_F(EngineTest, short_of_space_it_refuses_contents_and_goes_on_with_all_else) {
  put_target();
  for (const char* id : {"kept", "cancelled", "moved"}) {
    ASSERT_TRUE(add(task(id, minutes(30))));
  }
  disk->short_of_space = true;
  EXPECT_TRUE(run(engine->short_of_space()));
  EXPECT_EQ(engine->not_ready_because(), "");
  EXPECT_EQ(add(task("new", minutes(30))).error().slug, "no_space");
  std::vector<AddRequest> batch(2, task("new", minutes(30)));
  for (const auto& answer : add_batch(batch)) {
    EXPECT_EQ(answer.error().slug, "no_space");
  }
  ChangeRequest content;
  content.body = ChangeRequest::Body{"text", "text/plain", false};
  EXPECT_EQ(run(engine->change("kept", std::move(content))).error().slug, "no_space");
  ChangeRequest due;
  due.delay = minutes(20);
  EXPECT_TRUE(run(engine->change("moved", std::move(due))));
  EXPECT_TRUE(run(engine->cancel("cancelled", false)));
  advance(minutes(30));
  run_until([&] { return count(State::delivered) == 2; });
  EXPECT_EQ(engine->counters_now().refused_no_space, 4U);
  disk->short_of_space = false;
  EXPECT_TRUE(add(task("new", minutes(30))));
}

TEST_F(EngineTest, a_manual_clock_goes_on_over_a_restart_from_where_it_was_moved_to) {
  put_target();
  advance(minutes(10));
  for (const WallTime expected : {start + minutes(10), start + minutes(25)}) {
    stop();
    clock.set(start);
    boot();
    EXPECT_EQ(clock.wall(), expected);
    EXPECT_TRUE(add(task("at:" + std::to_string(expected.time_since_epoch().count()), hours(1))));
    advance(minutes(15));
  }
}

TEST_F(EngineTest, a_test_push_goes_out_as_a_real_one_and_is_stored_nowhere) {
  put_target();
  ASSERT_TRUE(run(engine->pause_target("shop", true)));
  reaction.bytes = http_answer("202 Accepted", std::string(300, 'x'));
  const Answer<TestPush> tried = run(engine->test_target("shop"));
  ASSERT_TRUE(tried) << tried.error().detail;
  EXPECT_EQ(tried->status, 202U);
  EXPECT_TRUE(tried->delivered);
  EXPECT_EQ(tried->error, "");
  EXPECT_EQ(tried->body, std::string(256, 'x'));
  ASSERT_EQ(receiver.requests().size(), 1U);
  const ReceivedRequest& push = receiver.requests()[0];
  EXPECT_EQ(push.body, R"({"test":true})");
  EXPECT_EQ(push.header("carillon-task-id"), "carillon-test");
  EXPECT_TRUE(push.header("webhook-id").starts_with("msg_"));
  EXPECT_NE(push.header("webhook-timestamp"), "");
  for (const std::uint64_t tasks : engine->stats_now().counts) EXPECT_EQ(tasks, 0U);

  reaction.bytes = http_answer("500 Sorry", "no");
  const Answer<TestPush> failed = run(engine->test_target("shop"));
  ASSERT_TRUE(failed);
  EXPECT_EQ(failed->status, 500U);
  EXPECT_FALSE(failed->delivered);
  EXPECT_EQ(failed->body, "no");
  EXPECT_NE(failed->error, "");
  EXPECT_EQ(run(engine->test_target("nobody")).error().slug, "not_found");
}

TEST_F(EngineTest, a_task_is_pushed_at_its_due_with_its_content_and_is_delivered) {
  put_target();
  const auto planned = engine->plan(task("order:17", minutes(30)));
  ASSERT_TRUE(planned);
  EXPECT_EQ(planned->created.due_at, start + minutes(30));
  const auto added = run(engine->add(planned->task));
  ASSERT_TRUE(added);
  EXPECT_EQ(added->how, Added::created);
  advance(minutes(30) - Millis(1));
  EXPECT_TRUE(receiver.requests().empty());
  advance(Millis(1));
  run_until([&] { return count(State::delivered) == 1; });
  ASSERT_EQ(receiver.requests().size(), 1U);
  const ReceivedRequest& push = receiver.requests()[0];
  EXPECT_EQ(push.body, R"({"order":17})");
  EXPECT_EQ(push.header("carillon-task-id"), "order:17");
  EXPECT_EQ(push.header("carillon-attempt"), "1");
  EXPECT_EQ(push.header("carillon-due-at"), format_moment(start + minutes(30)));
  const auto shown = run(engine->get("order:17"));
  ASSERT_TRUE(shown);
  EXPECT_EQ(shown->state, State::delivered);
  EXPECT_EQ(shown->attempt, 1U);
}

TEST_F(EngineTest, a_delay_counts_from_the_microsecond_and_is_rounded_up) {
  class FineClock final : public Clock {
   public:
    WallTime wall() override { return std::chrono::floor<Millis>(wall_micros()); }
    std::chrono::sys_time<std::chrono::microseconds> wall_micros() override {
      return WallTime(Millis(1'800'000'000'000)) + std::chrono::microseconds(900);
    }
    MonoTime mono() override { return {}; }
  } fine;
  Engine other(loop, fine, *log, *delivery, urls, options);
  ASSERT_TRUE(other.recover([](auto, auto) {}));
  other.start();
  const std::string url = receiver.url();
  AddRequest request = task("a", Millis(100));
  request.content.target = url;
  const auto planned = other.plan(request);
  ASSERT_TRUE(planned);
  EXPECT_EQ(planned->created.due_at, WallTime(Millis(1'800'000'000'101)));
}

TEST_F(EngineTest, a_cancelled_task_is_never_pushed_and_its_id_is_free_at_once) {
  put_target();
  ASSERT_TRUE(add(task("a", seconds(10))));
  const auto cancelled = run(engine->cancel("a", false));
  ASSERT_TRUE(cancelled);
  EXPECT_EQ(cancelled->attempts, 0U);
  EXPECT_EQ(run(engine->cancel("a", false)).error().slug, "task_finished");
  EXPECT_EQ(run(engine->cancel("never", false)).error().slug, "not_found");
  const auto again = add(task("a", seconds(20)));
  ASSERT_TRUE(again);
  EXPECT_EQ(again->how, Added::created);
  advance(seconds(15));
  EXPECT_TRUE(receiver.requests().empty());
  advance(seconds(5));
  run_until([&] { return count(State::delivered) == 1; });
  EXPECT_EQ(receiver.requests().size(), 1U);
}

TEST_F(EngineTest, the_same_request_again_is_answered_with_the_task_that_is_there) {
  put_target();
  ASSERT_TRUE(add(task("a", seconds(10))));
  clock.set(start + seconds(1));
  const auto again = add(task("a", seconds(10)));
  ASSERT_TRUE(again);
  EXPECT_EQ(again->how, Added::same);
  EXPECT_EQ(again->task->due_at, start + seconds(10));
  const auto other = add(task("a", seconds(11)));
  ASSERT_FALSE(other);
  EXPECT_EQ(other.error().slug, "task_exists");
  EXPECT_EQ(other.error().standing->state, State::scheduled);
  AddRequest content = task("a", seconds(10));
  content.content.body = R"({"order":18})";
  EXPECT_EQ(add(content).error().slug, "task_exists");
}

TEST_F(EngineTest, the_same_is_what_asks_for_the_due_in_the_same_words_or_for_the_due_that_stands) {
  put_target();
  ASSERT_TRUE(add(task("a", seconds(10))));
  const auto how = [&](std::optional<Millis> delay, std::optional<WallTime> due_at,
                       IfExists if_exists = IfExists::reject) {
    AddRequest request = task("a", seconds(0));
    request.delay = delay;
    request.due_at = due_at;
    request.if_exists = if_exists;
    const auto answer = add(std::move(request));
    return answer ? std::optional(answer->how) : std::nullopt;
  };
  const auto in = [](int count) { return std::optional<Millis>(seconds(count)); };
  EXPECT_EQ(how({}, start + seconds(10)), Added::same);
  EXPECT_EQ(how({}, start + seconds(11)), std::nullopt);
  EXPECT_EQ(how(in(11), {}, IfExists::keep), Added::kept);
  EXPECT_EQ(how(in(10), {}, IfExists::keep), Added::same);
  ChangeRequest move;
  move.due_at = start + seconds(20);
  ASSERT_TRUE(run(engine->change("a", std::move(move))));
  EXPECT_EQ(how(in(10), {}), Added::same) << "moved since, but the request is the same";
  EXPECT_EQ(how({}, start + seconds(20)), Added::same);
  EXPECT_EQ(how({}, start + seconds(10)), std::nullopt);
  ChangeRequest lane;
  lane.lane = "";
  ASSERT_TRUE(run(engine->change("a", std::move(lane))));
  EXPECT_EQ(how(in(10), {}), Added::same) << "a new content keeps the words of the old one";
  ChangeRequest both;
  both.lane = "";
  both.delay = seconds(30);
  ASSERT_TRUE(run(engine->change("a", std::move(both))));
  EXPECT_EQ(how(in(10), {}), std::nullopt);
  EXPECT_EQ(how(in(30), {}), Added::same);
}

TEST_F(EngineTest, the_same_after_its_group_was_shifted_is_the_same) {
  put_target();
  AddRequest request = task("a", seconds(10));
  request.content.group = "g";
  ASSERT_TRUE(add(request));
  ASSERT_TRUE(run(engine->shift_group("g", seconds(5), "", ShiftStep::whole)));
  EXPECT_EQ(add(request)->how, Added::same);
  request.delay.reset();
  request.due_at = start + seconds(15);
  EXPECT_EQ(add(request)->how, Added::same) << "the due that stands";
  request.due_at = start + seconds(10);
  EXPECT_EQ(add(request).error().slug, "task_exists");
}

TEST_F(EngineTest, a_batch_that_comes_again_is_told_which_of_its_tasks_are_the_same) {
  put_target();
  ASSERT_TRUE(add_batch({task("a", seconds(10)), task("b", seconds(10))})[1]);
  AddRequest other = task("b", seconds(10));
  other.content.body = "{}";
  AddRequest kept = other;
  kept.if_exists = IfExists::keep;
  const auto again = add_batch({task("a", seconds(10)), other, kept, task("c", seconds(10))});
  EXPECT_EQ(*again[0], Added::same);
  EXPECT_EQ(again[1].error().slug, "task_exists");
  EXPECT_EQ(*again[2], Added::kept);
  EXPECT_EQ(*again[3], Added::created);
}

TEST_F(EngineTest, a_task_without_an_id_gets_a_uuid_of_its_own) {
  put_target();
  const auto one = engine->plan(task("", seconds(10)));
  const auto two = engine->plan(task("", seconds(10)));
  ASSERT_TRUE(one && two);
  ASSERT_TRUE(run(engine->add(one->task)));
  EXPECT_EQ(one->made_id.size(), 36U);
  EXPECT_EQ(one->made_id[14], '7');
  EXPECT_NE(one->made_id, two->made_id);
  EXPECT_TRUE(run(engine->get(one->made_id)));
}

TEST_F(EngineTest, what_is_no_url_is_refused_as_a_target) {
  put_target();
  ASSERT_TRUE(add(task("there", seconds(10))));
  for (const char* url : {"ftp://a/", "http://", "http://a:99999/", "http://user@a/", "http://a/#b",
                          "http://0x7f.1/", "https://a b/"}) {
    AddRequest request = task("a", seconds(1));
    request.content.target = url;
    const auto refused = engine->plan(request);
    ASSERT_FALSE(refused) << url;
    EXPECT_EQ(refused.error().slug, "bad_url") << url;
    EXPECT_EQ(refused.error().field, "target") << url;
    ChangeRequest change;
    change.target = url;
    EXPECT_EQ(run(engine->change("there", std::move(change))).error().slug, "bad_url") << url;
  }
}

TEST_F(EngineTest, what_cannot_be_is_refused_with_its_slug_and_field) {
  AddRequest request = task("a", hours(24 * 31));
  const auto far = add(request);
  EXPECT_EQ(far.error().slug, "beyond_horizon");
  EXPECT_EQ(far.error().field, "delay");
  EXPECT_EQ(add(task("a", seconds(1))).error().slug, "unknown_target");
  request = task("a", seconds(1));
  request.content.target = "http://169.254.169.254/latest";
  const auto denied = add(request);
  EXPECT_EQ(denied.error().slug, "target_denied");
  EXPECT_EQ(denied.error().field, "target");
}

TEST_F(EngineTest,
       a_failing_receiver_is_retried_until_the_task_is_a_dead_letter_that_can_be_redriven) {
  put_target(64, 3);
  reaction = {http_answer("500 Internal Server Error")};
  ASSERT_TRUE(add(task("a", seconds(1))));
  for (int round = 0; round < 200 && count(State::dead) == 0; ++round) {
    advance(seconds(1));
    run_until([&] { return count(State::firing) == 0; });
  }
  ASSERT_EQ(count(State::dead), 1U);
  EXPECT_EQ(receiver.requests().size(), 3U);
  EXPECT_EQ(receiver.requests()[0].header("webhook-id"),
            receiver.requests()[2].header("webhook-id"));
  const auto dead = run(engine->get("a"));
  ASSERT_TRUE(dead);
  EXPECT_EQ(dead->note.http_status, 500U);
  EXPECT_EQ(dead->attempt, 3U);

  reaction = {http_answer("200 OK")};
  const auto redriven = run(engine->redrive("a", ""));
  ASSERT_TRUE(redriven) << redriven.error().detail;
  EXPECT_EQ(redriven->attempt, 3U);
  advance(Millis(1));
  run_until([&] { return count(State::delivered) == 1; });
  EXPECT_EQ(receiver.requests().back().header("carillon-attempt"), "4");
}

TEST_F(EngineTest, a_change_keeps_what_it_does_not_name) {
  put_target();
  AddRequest request = task("a", seconds(10));
  ASSERT_TRUE(run(engine->put_lane("gold", {})));
  request.content.lane = "gold";
  request.content.headers = {{"x-shop", "eu"}};
  ASSERT_TRUE(add(request));
  ChangeRequest change;
  change.body = ChangeRequest::Body{"[1]", "application/json", true};
  const auto changed = run(engine->change("a", change));
  ASSERT_TRUE(changed) << changed.error().detail;
  EXPECT_EQ(changed->content.body, "[1]");
  EXPECT_EQ(changed->content.lane, "gold");
  EXPECT_EQ(changed->due_at, start + seconds(10));
  ChangeRequest later;
  later.delay = seconds(60);
  EXPECT_EQ(run(engine->change("a", later))->due_at, start + seconds(60));
  advance(seconds(60));
  run_until([&] { return count(State::delivered) == 1; });
  EXPECT_EQ(receiver.requests().at(0).body, "[1]");
  EXPECT_EQ(receiver.requests().at(0).header("x-shop"), "eu");
}

TEST_F(EngineTest, a_batch_is_one_commit_and_each_task_has_its_own_answer) {
  put_target();
  const std::uint64_t before = log->stats().commits;
  std::vector<std::string> ids;
  for (int i = 0; i < 1000; ++i) ids.push_back("t" + std::to_string(i));
  std::vector<AddRequest> requests;
  for (const std::string& id : ids) requests.push_back(task(id, seconds(10)));
  requests[7].content.target = "nowhere";
  const auto answers = add_batch(requests);
  ASSERT_EQ(answers.size(), 1000U);
  EXPECT_EQ(answers[7].error().slug, "unknown_target");
  EXPECT_TRUE(answers[8]);
  EXPECT_EQ(log->stats().commits, before + 1);
  EXPECT_EQ(count(State::scheduled), 999U);
}

TEST_F(EngineTest, listing_pages_through_all_in_due_order) {
  put_target();
  std::vector<std::string> ids;
  for (int i = 0; i < 100; ++i) ids.push_back("t" + std::to_string(i));
  std::vector<AddRequest> requests;
  for (int i = 0; i < 100; ++i) {
    requests.push_back(task(ids[static_cast<std::size_t>(i)], seconds(10 + (i * 37) % 50)));
    if (i % 4 == 0) requests.back().content.group = "quarter";
  }
  ASSERT_EQ(add_batch(requests).size(), 100U);
  TaskFilter filter;
  std::string cursor;
  std::vector<WallTime> dues;
  do {
    const auto page = run(engine->list(filter, cursor, 7));
    ASSERT_TRUE(page);
    for (const TaskView& one : page->tasks) dues.push_back(one.due_at);
    cursor = page->next_cursor;
  } while (!cursor.empty());
  EXPECT_EQ(dues.size(), 100U);
  EXPECT_TRUE(std::is_sorted(dues.begin(), dues.end()));
  filter.group = "quarter";
  EXPECT_EQ(run(engine->list(filter, "", 1000))->tasks.size(), 25U);
  EXPECT_EQ(run(engine->list(filter, "rubbish", 10)).error().slug, "bad_cursor");
  const auto group = run(engine->group("quarter"));
  EXPECT_EQ(group->counts[static_cast<std::size_t>(State::scheduled)], 25U);
  EXPECT_GE(*group->earliest_due, start + seconds(10));
}

TEST_F(EngineTest, a_crash_loses_nothing_that_was_answered_and_pushes_what_was_under_way_again) {
  put_target();
  reaction.then = Reaction::Then::hang;
  reaction.bytes.clear();
  ASSERT_TRUE(add(task("under way", seconds(1))));
  ASSERT_TRUE(add(task("later", hours(1))));
  ASSERT_TRUE(add(task("gone", hours(1))));
  ASSERT_TRUE(run(engine->cancel("gone", false)));
  advance(seconds(1));
  run_until([&] { return receiver.requests().size() == 1; });
  restart();
  reaction = {http_answer("200 OK")};
  run_until([&] { return count(State::delivered) == 1; });
  EXPECT_EQ(receiver.requests().back().header("carillon-attempt"), "2");
  EXPECT_EQ(receiver.requests()[0].header("webhook-id"),
            receiver.requests().back().header("webhook-id"));
  EXPECT_EQ(run(engine->get("later"))->state, State::scheduled);
  EXPECT_EQ(run(engine->get("gone"))->state, State::cancelled);
  EXPECT_EQ(engine->local().targets().views("", 1000).size(), 1U);
}

TEST_F(EngineTest, nothing_is_answered_before_the_log_acknowledges) {
  put_target();
  stop();
  boot(AutoAck::no);
  bool answered = false;
  auto planned = engine->plan(task("a", seconds(10)));
  asio::co_spawn(loop, engine->add(std::move(planned->task)),
                 [&](const std::exception_ptr&, const Answer<AddAnswer>&) { answered = true; });
  run_until([&] { return log->in_flight(); });
  loop.poll();
  loop.restart();
  EXPECT_FALSE(answered);
  EXPECT_FALSE(run(engine->get("a"))) << "not durable, so not there";
  log->ack_next();
  run_until([&] { return answered; });
  EXPECT_TRUE(run(engine->get("a")));
}

TEST_F(EngineTest, export_brings_every_pending_task_once) {
  put_target();
  std::vector<std::string> ids;
  for (int i = 0; i < 2500; ++i) ids.push_back("t" + std::to_string(i));
  std::vector<AddRequest> requests;
  for (const std::string& id : ids) requests.push_back(task(id, seconds(10)));
  add_batch(requests);
  ASSERT_TRUE(run(engine->cancel("t7", false)));
  std::set<std::string> seen;
  const auto its = engine->export_pending();
  for (;;) {
    const auto some = run(its->next()).value();
    if (some.empty()) break;
    for (const TaskView& one : some) EXPECT_TRUE(seen.emplace(one.content.id).second);
  }
  EXPECT_EQ(seen.size(), 2499U);
  EXPECT_FALSE(seen.contains("t7"));
}

TEST_F(EngineTest, a_full_server_says_so_and_takes_tasks_again_when_some_are_gone) {
  stop();
  options.shard.pending_max = 2;
  boot();
  put_target();
  ASSERT_TRUE(add(task("a", hours(1))));
  ASSERT_TRUE(add(task("b", hours(1))));
  EXPECT_EQ(add(task("c", hours(1))).error().slug, "full");
  ASSERT_TRUE(run(engine->cancel("a", false)));
  EXPECT_TRUE(add(task("c", hours(1))));
}

TEST_F(EngineTest, a_server_full_of_dead_letters_names_them_and_what_to_do) {
  stop();
  options.shard.pending_max = 2;
  boot();
  put_target(64, 1);
  reaction = {http_answer("500 Internal Server Error")};
  ASSERT_TRUE(add(task("a", Millis(1))));
  ASSERT_TRUE(add(task("b", hours(1))));
  advance(Millis(1));
  run_until([&] { return count(State::dead) == 1; });
  const auto full = add(task("c", hours(1)));
  ASSERT_FALSE(full);
  EXPECT_EQ(full.error().slug, "full");
  for (const char* part : {"`max_pending` is 2", "1 of these", "dead:redrive", "dead:purge"}) {
    EXPECT_NE(full.error().detail.find(part), std::string::npos) << full.error().detail;
  }
  EXPECT_EQ(engine->counters_now().refused_full, 1U);
  EXPECT_EQ(run(engine->purge_dead({})).value(), 1U);
  EXPECT_TRUE(add(task("c", hours(1))));
}

TEST_F(EngineTest, finished_tasks_are_forgotten_early_where_the_disk_gets_full) {
  put_target();
  for (const char* id : {"a", "b"}) {
    ASSERT_TRUE(add(task(id, hours(1))));
    ASSERT_TRUE(run(engine->cancel(id, false)));
  }
  disk->low_on_space = true;
  ASSERT_TRUE(add(task("c", hours(1)))) << "adds go on";
  run_until([&] { return count(State::cancelled) == 0; });
  EXPECT_FALSE(run(engine->get("a")));
  EXPECT_TRUE(run(engine->get("c")));
}

TEST_F(EngineTest, a_full_queue_to_the_disk_refuses_adds_and_counts_them) {
  put_target();
  stop();
  options.pending_bytes_max = 1000;
  boot(AutoAck::no);
  std::vector<Answer<AddAnswer>> answers;
  const auto begin = [&](const std::string& id) {
    asio::co_spawn(loop, engine->add(engine->plan(task(id, hours(1))).value().task),
                   [&](const std::exception_ptr&, Answer<AddAnswer> answer) {
                     answers.push_back(std::move(answer));
                   });
    loop.poll();
    loop.restart();
  };
  for (int i = 0; i < 20 && answers.empty(); ++i) begin("t" + std::to_string(i));
  ASSERT_EQ(answers.size(), 1U) << "while the disk is held up";
  EXPECT_EQ(answers[0].error().slug, "overloaded");
  EXPECT_EQ(engine->counters_now().refused_overloaded, 1U);
  EXPECT_EQ(run(engine->cancel("t0", false)).error().slug, "overloaded");
  EXPECT_EQ(engine->counters_now().refused_overloaded, 1U) << "of adds and changes";
  while (log->in_flight()) {
    log->ack_next();
    loop.poll();
    loop.restart();
  }
  EXPECT_TRUE(std::ranges::all_of(answers.begin() + 1, answers.end(),
                                  [](const auto& answer) { return answer.has_value(); }));
}

TEST_F(EngineTest, the_log_is_cleaned_when_little_of_it_is_alive) {
  stop();
  options.log_slack_bytes = 1 << 20;
  boot();
  put_target();
  std::vector<std::string> ids;
  for (int i = 0; i < 1000; ++i) ids.push_back("t" + std::to_string(i));
  std::vector<std::string_view> views(ids.begin(), ids.end());
  ASSERT_TRUE(add(task("stays", hours(1))));
  for (int round = 0; round < 100; ++round) {
    std::vector<AddRequest> requests;
    for (const std::string& id : ids) requests.push_back(task(id, hours(1)));
    add_batch(requests);
    run(engine->cancel_batch(views, false));
  }
  EXPECT_GT(log->disk()->batches.begin()->first, 1U) << "the oldest batches were trimmed";
  EXPECT_LT(log->stats().log_bytes, std::uint64_t{3} << 20);
  restart();
  EXPECT_EQ(count(State::scheduled), 1U);
  EXPECT_EQ(run(engine->get("stays"))->due_at, start + hours(1));
  EXPECT_EQ(engine->local().targets().views("", 1000).size(), 1U);
}

TEST_F(EngineTest, draining_lets_pushes_finish_and_refuses_what_comes_new) {
  put_target();
  reaction.pause = std::chrono::milliseconds(100);
  ASSERT_TRUE(add(task("a", seconds(1))));
  advance(seconds(1));
  bool drained = false;
  asio::co_spawn(loop, engine->drain(seconds(20)),
                 [&](const std::exception_ptr&) { drained = true; });
  EXPECT_EQ(add(task("b", seconds(1))).error().slug, "not_ready");
  run_until([&] { return drained; });
  EXPECT_EQ(count(State::delivered), 1U);
}

}  // namespace
}  // namespace carillon
