// Tasks that are pushed together to a real receiver: what it gets, and what becomes of each.

#include <set>

#include <gmock/gmock.h>

#include "tests/engine/engine_fixture.h"

namespace carillon {
namespace {

using std::chrono::hours;
using std::chrono::seconds;
using testing::HasSubstr;

std::size_t occurrences(std::string_view text, std::string_view of) {
  std::size_t count = 0;
  for (std::size_t at = text.find(of); at != std::string_view::npos; at = text.find(of, at + 1))
    ++count;
  return count;
}

class BatchesTest : public EngineTest {
 protected:
  BatchesTest() { put_batched(); }
  ~BatchesTest() override { stop(); }

  void put_batched(BatchLimit batch = {.tasks_max = 100}, int max_attempts = 8,
                   std::uint32_t concurrency = 1) {
    TargetSettings settings = http_target("shop", hooks.url("/hook"));
    http_of(settings).batched = batch;
    settings.concurrency = concurrency;
    settings.retry.max_attempts = max_attempts;
    settings.retry.backoff_min = settings.retry.backoff_max = seconds(10);
    const auto change = [&](const TargetSettings*) { return Result<TargetSettings>(settings); };
    ASSERT_TRUE(run(engine->change_target(settings.name, change)));
  }
  /// Tasks t0, t1, ..., all due in a second.
  void add_many(int tasks) {
    std::vector<AddRequest> requests;
    std::vector<std::string> ids;
    for (int i = 0; i < tasks; ++i) ids.push_back("t" + std::to_string(i));
    for (const std::string& id : ids) requests.push_back(task(id, seconds(1)));
    for (const auto& added : add_batch(requests)) ASSERT_TRUE(added);
  }
  void fall_due() {
    advance(seconds(1));
    advance(Millis(5));
  }
  void wait_for(State state, std::uint64_t tasks) {
    run_until([&] { return count(state) == tasks; });
  }
  [[nodiscard]] TaskView view(std::string_view id) { return run(engine->get(id)).value(); }
  [[nodiscard]] std::string webhook_id(std::string_view id) {
    return std::string(view(id).content.webhook_id);
  }
  [[nodiscard]] static Reaction results(const std::string& results) {
    return {http_answer("200 OK", R"({"results":[)" + results + "]}",
                        "Content-Type: application/json\r\n")};
  }
  [[nodiscard]] bool is_held() const {
    return engine->local().targets().view("shop").value().held.has_value();
  }

  std::function<Reaction(const ReceivedRequest&)> react = [](const ReceivedRequest&) {
    return Reaction{http_answer("200 OK")};
  };
  Receiver hooks{loop, [this](const ReceivedRequest& request) { return react(request); }};
};

TEST_F(BatchesTest, what_is_due_together_is_pushed_together) {
  AddRequest first = task("t0", seconds(1));
  first.content.group = "g";
  ASSERT_TRUE(add(std::move(first)));
  ASSERT_TRUE(add(task("t1", seconds(1))));
  const std::string one = webhook_id("t0"), other = webhook_id("t1");
  fall_due();
  wait_for(State::delivered, 2);
  ASSERT_EQ(hooks.requests().size(), 1U);
  const ReceivedRequest& got = hooks.requests()[0];
  EXPECT_EQ(got.header("carillon-tasks"), "2");
  EXPECT_THAT(got.header("webhook-id"), testing::StartsWith("msg_"));
  EXPECT_NE(got.header("webhook-id"), one);
  EXPECT_EQ(
      got.body,
      R"({"tasks":[{"id":"t0","webhook_id":")" + one +
          R"(","due_at":"2027-01-15T08:00:01.000Z","attempt":1,"group":"g",)"
          R"("lane":"default","headers":{},"payload":{"order":17}},{"id":"t1","webhook_id":")" +
          other +
          R"(","due_at":"2027-01-15T08:00:01.000Z","attempt":1,"lane":"default",)"
          R"("headers":{},"payload":{"order":17}}]})");
}

TEST_F(BatchesTest, one_alone_has_the_form_of_many_and_so_has_a_test) {
  add_many(1);
  fall_due();
  wait_for(State::delivered, 1);
  EXPECT_EQ(hooks.requests()[0].header("carillon-tasks"), "1");
  react = [](const ReceivedRequest& request) {
    const std::size_t at = request.body.find("msg_");
    return results(R"({"webhook_id":")" + request.body.substr(at, 36) + R"(","status":500})");
  };
  const auto test = run(engine->test_target("shop"));
  ASSERT_TRUE(test);
  EXPECT_FALSE(test->delivered);
  EXPECT_EQ(test->status, 500U);
  EXPECT_THAT(hooks.requests()[1].body, HasSubstr(R"("payload":{"test":true})"));
}

TEST_F(BatchesTest, each_task_has_the_outcome_that_the_answer_says) {
  add_many(4);
  const std::string later = webhook_id("t1"), gone = webhook_id("t2"), broken = webhook_id("t3");
  react = [&](const ReceivedRequest&) {
    return results(R"({"webhook_id":")" + later + R"(","status":503,"retry_after":30},)" +
                   R"({"webhook_id":")" + gone + R"(","status":410},)" + R"({"webhook_id":")" +
                   broken + R"(","status":500})");
  };
  fall_due();
  wait_for(State::delivered, 1);
  wait_for(State::dead, 1);
  wait_for(State::retrying, 2);
  EXPECT_EQ(view("t0").state, State::delivered);
  EXPECT_EQ(view("t1").next_attempt_at, clock.wall() + seconds(30));
  EXPECT_EQ(view("t1").note.uncounted, 1U);
  EXPECT_EQ(view("t2").note.error, "answered 410");
  EXPECT_EQ(view("t3").next_attempt_at, clock.wall() + seconds(10));
  EXPECT_EQ(view("t3").note.uncounted, 0U);
  EXPECT_FALSE(is_held()) << "the target itself answered";
  react = [](const ReceivedRequest&) { return Reaction{http_answer("200 OK")}; };
  advance(seconds(30));
  advance(Millis(5));  // a retry waits for others, too
  wait_for(State::delivered, 3);
  EXPECT_EQ(view("t3").attempt, 2U);
}

TEST_F(BatchesTest, an_answer_that_cannot_be_relied_on_is_a_failed_attempt_of_all) {
  add_many(3);
  react = [](const ReceivedRequest&) { return results("{"); };
  fall_due();
  wait_for(State::retrying, 3);
  EXPECT_THAT(view("t1").note.error, HasSubstr("the answer's results"));
  EXPECT_EQ(view("t1").note.http_status, 200U);
  EXPECT_EQ(view("t1").next_attempt_at, clock.wall() + seconds(10));
  EXPECT_EQ(hooks.requests().size(), 1U);
}

TEST_F(BatchesTest, one_task_that_the_receiver_cannot_stand_does_not_keep_the_others) {
  put_batched({.tasks_max = 100}, /*max_attempts=*/1);
  AddRequest bad = task("bad", seconds(1));
  bad.content.body = R"({"poison":1})";
  ASSERT_TRUE(add(std::move(bad)));
  add_many(63);
  react = [](const ReceivedRequest& request) {
    const bool fails = request.body.find("poison") != std::string::npos;
    return Reaction{http_answer(fails ? "500 Oops" : "200 OK")};
  };
  fall_due();
  run_until([&] {
    advance(Millis(0));
    return count(State::delivered) == 63;
  });
  run_until([&] {
    advance(Millis(0));
    return count(State::dead) == 1;
  });
  EXPECT_EQ(view("bad").note.http_status, 500U);
  EXPECT_EQ(view("bad").attempt, 7U) << "64, 32, 16, 8, 4, 2, and alone";
  EXPECT_EQ(view("bad").note.uncounted, 6U);
  EXPECT_LE(hooks.requests().size(), 13U);
}

TEST_F(BatchesTest, not_now_and_gone_are_of_all_tasks_of_a_push) {
  add_many(3);
  react = [](const ReceivedRequest&) {
    return Reaction{http_answer("429 Slow", "", "retry-after: 60\r\n")};
  };
  fall_due();
  wait_for(State::retrying, 3);
  EXPECT_TRUE(is_held());
  EXPECT_EQ(hooks.requests().size(), 1U) << "and not in halves";
  react = [](const ReceivedRequest&) { return Reaction{http_answer("410 Gone")}; };
  advance(seconds(60));
  wait_for(State::dead, 1);  // it tried the target, alone
  advance(Millis(5));
  wait_for(State::dead, 3);
}

TEST_F(BatchesTest, where_nobody_answers_all_tasks_wait_and_the_breaker_counts_one) {
  add_many(30);
  hooks.refuse();
  fall_due();
  wait_for(State::retrying, 30);
  EXPECT_FALSE(is_held());
  EXPECT_EQ(view("t1").note.uncounted, 0U);
}

TEST_F(BatchesTest, what_is_too_much_for_one_push_goes_in_the_next_of_the_same_slot) {
  put_batched({.tasks_max = 100, .bytes_max = 1024});
  react = [](const ReceivedRequest& request) {
    EXPECT_LE(request.body.size(), 1024U);
    Reaction slow{http_answer("200 OK")};
    slow.pause = std::chrono::milliseconds(5);
    return slow;
  };
  add_many(20);
  AddRequest large = task("large", seconds(1));
  ASSERT_TRUE(add(std::move(large)));
  fall_due();
  run_until([&] {
    advance(Millis(0));
    return count(State::delivered) == 21;
  });
  EXPECT_GE(hooks.requests().size(), 21 * 150 / 1024U);
  EXPECT_EQ(hooks.connections(), 1U) << "one after the other";
}

TEST_F(BatchesTest, a_single_task_may_be_larger_than_a_push_should_be) {
  put_batched({.tasks_max = 100, .bytes_max = 1024});
  AddRequest large = task("large", seconds(1));
  const std::string body = "\"" + std::string(5000, 'x') + "\"";
  large.content.body = body;
  ASSERT_TRUE(add(std::move(large)));
  fall_due();
  wait_for(State::delivered, 1);
  EXPECT_GT(hooks.requests()[0].body.size(), 5000U);
}

TEST_F(BatchesTest, more_bytes_than_may_be_pushed_at_once_are_no_deadlock) {
  stop();
  options.push_bytes_max = 64 << 10;
  boot();
  put_batched({.tasks_max = 100, .bytes_max = 1 << 20});
  const std::string body = "\"" + std::string(20'000, 'x') + "\"";
  std::vector<AddRequest> requests;
  std::vector<std::string> ids;
  for (int i = 0; i < 12; ++i) ids.push_back("large" + std::to_string(i));
  for (const std::string& id : ids) {
    requests.push_back(task(id, seconds(1)));
    requests.back().content.body = body;
  }
  for (const auto& added : add_batch(requests)) ASSERT_TRUE(added);
  fall_due();
  run_until([&] {
    advance(Millis(0));
    return count(State::delivered) == 12;
  });
  EXPECT_GE(hooks.requests().size(), 2U);
}

TEST_F(BatchesTest, a_task_that_is_cancelled_is_not_in_the_push) {
  add_many(3);
  ASSERT_TRUE(run(engine->cancel("t1", false)));
  fall_due();
  wait_for(State::delivered, 2);
  EXPECT_THAT(hooks.requests()[0].body, testing::Not(HasSubstr("\"t1\"")));
}

TEST_F(BatchesTest, batches_are_switched_on_and_off_while_tasks_flow) {
  put_batched({});
  add_many(3);
  fall_due();
  wait_for(State::delivered, 3);
  EXPECT_EQ(hooks.requests().size(), 3U);
  EXPECT_EQ(hooks.requests()[0].header("carillon-tasks"), "");
  put_batched({.tasks_max = 2});
  restart();
  add_many(3);
  fall_due();
  run_until([&] {
    advance(Millis(5));
    return count(State::delivered) == 3 || count(State::delivered) == 6;
  });
  ASSERT_EQ(hooks.requests().size(), 5U);
  EXPECT_EQ(occurrences(hooks.requests()[3].body, "\"webhook_id\""), 2U);
}

TEST_F(BatchesTest, a_crash_brings_all_tasks_of_a_push_again_with_the_same_ids) {
  add_many(3);
  react = [](const ReceivedRequest&) { return Reaction{"", Reaction::Then::hang}; };
  fall_due();
  run_until([&] { return hooks.requests().size() == 1; });
  std::set<std::string> before, after;
  for (const char* id : {"t0", "t1", "t2"}) before.insert(webhook_id(id));
  react = [](const ReceivedRequest&) { return Reaction{http_answer("200 OK")}; };
  restart();
  run_until([&] {
    advance(Millis(0));
    return count(State::delivered) == 3;
  });
  for (const char* id : {"t0", "t1", "t2"}) {
    EXPECT_EQ(view(id).attempt, 2U);
    after.insert(webhook_id(id));
  }
  EXPECT_EQ(before, after);
}

}  // namespace
}  // namespace carillon
