// Tasks that are merged, to a real receiver: what it gets, and what becomes of each.

#include <gmock/gmock.h>

#include "tests/engine/engine_fixture.h"

namespace carillon {
namespace {

using std::chrono::minutes;
using std::chrono::seconds;
using testing::HasSubstr;

class MergesTest : public EngineTest {
 protected:
  MergesTest() {
    TargetSettings settings = http_target("shop", hooks.url("/hook"));
    settings.retry.backoff_min = seconds(8);
    settings.retry.backoff_max = minutes(1);
    const auto change = [&](const TargetSettings*) { return Result<TargetSettings>(settings); };
    EXPECT_TRUE(run(engine->change_target("shop", change)));
  }
  ~MergesTest() override { stop(); }

  [[nodiscard]] static AddRequest merging(std::string_view id, Millis delay,
                                          Millis within = seconds(60)) {
    AddRequest request = task(id, delay);
    request.content.merge_within = within;
    return request;
  }
  void wait_for(State state, std::uint64_t tasks) {
    run_until([&] {
      advance(Millis(0));
      return count(state) == tasks;
    });
  }
  [[nodiscard]] TaskView view(std::string_view id) { return run(engine->get(id)).value(); }
  [[nodiscard]] std::string slug(AddRequest request) {
    return add(std::move(request)).error().slug;
  }

  std::function<Reaction(const ReceivedRequest&)> react = [](const ReceivedRequest&) {
    return Reaction{http_answer("200 OK")};
  };
  Receiver hooks{loop, [this](const ReceivedRequest& request) { return react(request); }};
};

TEST_F(MergesTest, reminders_of_one_user_arrive_in_one_push_and_say_their_own_dues) {
  ASSERT_TRUE(add(merging("{ann}:coupon", seconds(10))));
  ASSERT_TRUE(add(merging("{ann}:cart", seconds(50))));
  ASSERT_TRUE(add(merging("{bob}:cart", seconds(10))));
  advance(seconds(10));
  wait_for(State::delivered, 3);
  ASSERT_EQ(hooks.requests().size(), 2U);
  const bool ann_first = hooks.requests()[0].header("carillon-tasks") == "2";
  const ReceivedRequest& ann = hooks.requests()[ann_first ? 0 : 1];
  const ReceivedRequest& bob = hooks.requests()[ann_first ? 1 : 0];
  EXPECT_EQ(ann.header("carillon-tasks"), "2");
  EXPECT_EQ(bob.header("carillon-tasks"), "1") << "always that form";
  EXPECT_THAT(ann.body, HasSubstr(R"("id":"{ann}:coupon")"));
  EXPECT_THAT(ann.body, HasSubstr(R"("due_at":"2027-01-15T08:00:50.000Z")"));
  EXPECT_THAT(ann.body, HasSubstr(view("{ann}:cart").content.webhook_id));
  EXPECT_NE(ann.header("webhook-id"), view("{ann}:coupon").content.webhook_id);
  EXPECT_EQ(view("{ann}:cart").due_at, start + seconds(50));
  EXPECT_EQ(engine->stats_now().lateness.max(), std::chrono::microseconds(0));
}

TEST_F(MergesTest, after_a_failure_all_pause_alike_and_meet_again) {
  react = [](const ReceivedRequest&) { return Reaction{"", Reaction::Then::close}; };
  for (const char* id : {"{ann}:1", "{ann}:2", "{ann}:3"}) {
    ASSERT_TRUE(add(merging(id, seconds(10))));
  }
  for (std::uint32_t attempt = 1; attempt <= 4; ++attempt) {
    advance(attempt == 1 ? seconds(10) : view("{ann}:1").next_attempt_at.value() - clock.wall());
    wait_for(State::retrying, 3);
    EXPECT_EQ(hooks.requests().size(), attempt);
    EXPECT_EQ(view("{ann}:1").next_attempt_at, view("{ann}:2").next_attempt_at);
    EXPECT_EQ(view("{ann}:1").next_attempt_at, view("{ann}:3").next_attempt_at);
  }
}

TEST_F(MergesTest, one_that_the_receiver_cannot_stand_does_not_keep_the_others) {
  react = [](const ReceivedRequest& request) {
    const bool fails = request.body.find("bad") != std::string::npos;
    return Reaction{http_answer(fails ? "400 Bad" : "200 OK")};
  };
  ASSERT_TRUE(add(merging("{ann}:good", seconds(10))));
  ASSERT_TRUE(add(merging("{ann}:bad", seconds(10))));
  advance(seconds(10));
  wait_for(State::delivered, 1);
  wait_for(State::retrying, 1);
  EXPECT_EQ(view("{ann}:bad").attempt, 2U);
  EXPECT_EQ(view("{ann}:bad").note.uncounted, 1U);
}

TEST_F(MergesTest, an_id_without_a_part_and_a_url_are_refused) {
  EXPECT_EQ(slug(merging("ann", seconds(10))), "unmergeable");
  EXPECT_EQ(slug(merging("", seconds(10))), "unmergeable");
  EXPECT_EQ(slug(merging("{}:ann", seconds(10))), "unmergeable");
  AddRequest by_url = merging("{ann}", seconds(10));
  const std::string url = hooks.url("/");
  by_url.content.target = url;
  EXPECT_EQ(slug(std::move(by_url)), "unmergeable");
}

TEST_F(MergesTest, a_change_makes_a_task_mergeable_and_ends_it) {
  ASSERT_TRUE(add(merging("{ann}:1", seconds(10))));
  ASSERT_TRUE(add(task("{ann}:2", seconds(30))));
  ChangeRequest change;
  change.merge_within = std::optional<Millis>(seconds(30));
  const TaskView changed = run(engine->change("{ann}:2", change)).value();
  EXPECT_EQ(changed.content.merge_within, seconds(30));
  EXPECT_EQ(run(engine->explain("{ann}:2"))->waiting->what, WaitsFor::merge);
  change.merge_within = std::optional<Millis>();
  ASSERT_TRUE(run(engine->change("{ann}:2", change)));
  EXPECT_EQ(run(engine->explain("{ann}:2"))->waiting->what, WaitsFor::due);
}

TEST_F(MergesTest, a_dead_letter_that_is_sent_again_merges_again) {
  react = [](const ReceivedRequest&) { return Reaction{http_answer("410 Gone")}; };
  ASSERT_TRUE(add(merging("{ann}:1", seconds(10))));
  advance(seconds(10));
  wait_for(State::dead, 1);
  react = [](const ReceivedRequest&) { return Reaction{http_answer("200 OK")}; };
  ASSERT_TRUE(add(merging("{ann}:2", seconds(40))));
  ASSERT_TRUE(run(engine->redrive("{ann}:1", "")));
  wait_for(State::delivered, 2);
  EXPECT_EQ(hooks.requests().size(), 2U);
}

}  // namespace
}  // namespace carillon
