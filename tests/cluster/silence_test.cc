// Shards that do not answer, have moved, or answer rubbish: what a client hears then, and what is
// sent again.

#include <boost/asio/steady_timer.hpp>
#include <gmock/gmock.h>

#include "cluster/wire.h"
#include "tests/cluster/cluster_fixture.h"

namespace carillon::test {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::minutes;
using testing::ElementsAre;
using testing::HasSubstr;

class SilenceTest : public ClusterTest {
 protected:
  SilenceTest() { put_target(); }

  void after(milliseconds pause, std::function<void()> what) {
    timer.expires_after(pause);
    timer.async_wait([what = std::move(what)](const auto& /*error*/) { what(); });
  }
  /// A node that does this with each call.
  Receiver& node_that(Reaction does) {
    fakes.push_back(
        std::make_unique<Receiver>(loop, [does](const ReceivedRequest&) { return does; }));
    return *fakes.back();
  }
  /// Where nobody listens.
  static std::string nowhere() { return "http://127.0.0.1:9"; }

  boost::asio::steady_timer timer{loop};
  std::vector<std::unique_ptr<Receiver>> fakes;
};

TEST_F(SilenceTest, what_is_refused_a_connection_is_sent_again_to_the_next_owner) {
  send_to(2, nowhere());
  after(milliseconds(100), [this] { own(2, b()); });
  EXPECT_TRUE(add(task(id_in(2), hours(1))));
  EXPECT_EQ(shards[2]->stats_now().counts[0], 1U);
}

TEST_F(SilenceTest, what_nobody_owns_is_sent_to_whoever_takes_it) {
  a().map.owners[2].reset();
  after(milliseconds(100), [this] { own(2, a()); });
  EXPECT_TRUE(add(task(id_in(2), hours(1))));
}

TEST_F(SilenceTest, what_has_moved_is_sent_again_once_the_map_says_where) {
  send_to(2, c().url);  // which answers `moved`
  after(milliseconds(100), [this] { own(2, b()); });
  EXPECT_TRUE(add(task(id_in(2), hours(1))));
  send_to(3, c().url);
  after(milliseconds(100), [this] { own(3, c()); });  // it takes the shard itself
  EXPECT_TRUE(add(task(id_in(3), hours(1))));
}

TEST_F(SilenceTest, a_shard_that_moves_away_from_this_node_is_followed) {
  std::vector<NewTask> tasks;
  for (int i = 0; i < 10; ++i) tasks.push_back(router().plan(task(id_in(0, i), hours(1)))->task);
  run(shards[0]->drain(Millis(1000)));  // refuses from now on
  after(milliseconds(100), [this] {
    shards[0] = shards[3];
    own(0, b());
  });
  const auto answers = run(router().add_batch(tasks));
  for (const auto& answer : answers) EXPECT_TRUE(answer);
  EXPECT_EQ(shards[3]->stats_now().counts[0], 10U);
}

TEST_F(SilenceTest, what_cannot_be_sent_for_long_was_not_done) {
  send_to(2, nowhere());
  const auto begun = std::chrono::steady_clock::now();
  const auto added = add(task(id_in(2), hours(1)));
  EXPECT_EQ(added.error().slug, "shard_silent");
  EXPECT_THAT(added.error().detail, HasSubstr("Nothing was done"));
  EXPECT_GT(std::chrono::steady_clock::now() - begun, kPatience - milliseconds(500));
  send_to(2, c().url);
  EXPECT_EQ(run(router().cancel(id_in(2), false)).error().slug, "moved");
}

TEST_F(SilenceTest, an_answer_that_is_lost_leaves_a_write_unknown_and_is_not_sent_again) {
  Receiver& mute = node_that({.bytes = "", .then = Reaction::Then::close});
  send_to(2, mute.url());
  const auto added = add(task(id_in(2), hours(1)));
  EXPECT_EQ(added.error().slug, "outcome_unknown");
  EXPECT_THAT(added.error().detail, HasSubstr(id_in(2)));
  EXPECT_EQ(mute.requests().size(), 1U);
  EXPECT_EQ(run(router().get(id_in(2))).error().slug, "shard_silent");
  EXPECT_EQ(run(router().cancel(id_in(2), false)).error().slug, "outcome_unknown");
}

TEST_F(SilenceTest, a_node_that_hangs_is_given_up_when_its_time_is_up) {
  Receiver& hung = node_that({.bytes = "", .then = Reaction::Then::hang});
  send_to(2, hung.url());
  EXPECT_EQ(add(task(id_in(2), hours(1))).error().slug, "outcome_unknown");
  EXPECT_EQ(run(router().group("coupon")).error().slug, "shard_silent");
}

TEST_F(SilenceTest, the_id_that_was_made_is_named_where_the_outcome_is_unknown) {
  Receiver& mute = node_that({.bytes = "", .then = Reaction::Then::close});
  for (ShardNumber shard = 0; shard < kShards; ++shard) send_to(shard, mute.url());
  auto planned = router().plan(task("", hours(1)));
  const std::string id = planned->made_id;
  EXPECT_THAT(run(router().add(std::move(planned->task))).error().detail, HasSubstr(id));
}

TEST_F(SilenceTest, answers_that_are_cut_or_rubbish_are_lost) {
  const std::string whole = carillon::http_answer("200 OK", encode_answer(Answer<>()));
  for (const std::string& answer :
       {whole.substr(0, whole.size() - 1), whole.substr(0, 20), std::string("rubbish\r\n\r\n"),
        carillon::http_answer("200 OK", "rubbish"), carillon::http_answer("200 OK", ""),
        carillon::http_answer("502 Bad Gateway", "<html>")}) {
    send_to(2, node_that({.bytes = answer, .then = Reaction::Then::close}).url());
    EXPECT_EQ(run(router().cancel(id_in(2), false)).error().slug, "outcome_unknown") << answer;
    EXPECT_EQ(run(router().get(id_in(2))).error().slug, "shard_silent") << answer;
  }
}

TEST_F(SilenceTest, items_whose_shard_is_silent_are_refused_one_by_one) {
  send_to(2, node_that({.bytes = "", .then = Reaction::Then::close}).url());
  a().map.owners[4].reset();
  std::vector<NewTask> tasks;
  for (ShardNumber shard = 0; shard < kShards; ++shard)
    tasks.push_back(router().plan(task(id_in(shard), hours(1)))->task);
  const auto answers = run(router().add_batch(std::move(tasks)));
  EXPECT_TRUE(answers[0]);
  EXPECT_TRUE(answers[1]);
  EXPECT_EQ(answers[2].error().slug, "outcome_unknown");
  EXPECT_TRUE(answers[3]);
  EXPECT_EQ(answers[4].error().slug, "shard_silent");
  EXPECT_EQ(problem_kind(answers[4].error().slug).status, 503);
}

TEST_F(SilenceTest, an_answer_that_lacks_items_leaves_them_unknown) {
  const Answer<std::vector<Answer<CancelAnswer>>> one{
      std::vector<Answer<CancelAnswer>>{CancelAnswer{0, false}}};
  send_to(2, node_that({.bytes = carillon::http_answer("200 OK", encode_answer(one))}).url());
  const std::string first = id_in(2);
  const std::string second = id_in(2, 1);
  const auto answers = run(router().cancel_batch({first, second}, false));
  EXPECT_TRUE(answers[0]);
  EXPECT_EQ(answers[1].error().slug, "outcome_unknown");
}

TEST_F(SilenceTest, a_group_that_was_cancelled_in_part_says_under_which_name_to_go_on) {
  add_one_each(hours(1), "coupon");
  send_to(4, node_that({.bytes = "", .then = Reaction::Then::close}).url());
  const auto cancelled = run(router().cancel_group("coupon", ""));
  ASSERT_FALSE(cancelled);
  EXPECT_EQ(cancelled.error().slug, "outcome_unknown");
  const std::string& detail = cancelled.error().detail;
  const std::size_t at = detail.find("made-");
  ASSERT_NE(at, std::string::npos) << detail;
  const std::string name = detail.substr(at, 37);
  own(4, c());
  const auto again = run(router().cancel_group("coupon", name));
  ASSERT_TRUE(again);
  EXPECT_EQ(again->cancelled, kShards) << "as the first time where it was done";
}

TEST_F(SilenceTest, a_group_is_not_shifted_where_a_shard_cannot_be_asked) {
  add_one_each(hours(1), "coupon");
  send_to(4, node_that({.bytes = "", .then = Reaction::Then::close}).url());
  const auto shifted = run(router().shift_group("coupon", minutes(5), "", ShiftStep::whole));
  EXPECT_EQ(shifted.error().slug, "shard_silent");
  own(4, c());
  EXPECT_EQ(run(router().group("coupon"))->earliest_due, clock.wall() + hours(1));
}

TEST_F(SilenceTest, where_no_names_can_be_kept_those_made_here_are_done_without) {
  const Answer<GroupCancelAnswer> full =
      Refusal(Error{"full", "As many named operations are remembered as may be.", "operation"});
  const Answer<GroupCancelAnswer> done = GroupCancelAnswer{1, 0};
  fakes.push_back(std::make_unique<Receiver>(loop, [&](const ReceivedRequest& request) {
    const bool is_named = request.body.find("made-") != std::string::npos ||
                          request.body.find("mine") != std::string::npos;
    return Reaction{carillon::http_answer("200 OK", encode_answer(is_named ? full : done))};
  }));
  send_to(4, fakes.back()->url());
  EXPECT_EQ(run(router().cancel_group("coupon", ""))->cancelled, 1U);
  const auto named = run(router().cancel_group("coupon", "mine"));
  ASSERT_FALSE(named) << named->cancelled;
  EXPECT_EQ(named.error().slug, "full");
}

TEST_F(SilenceTest, a_shard_that_promises_pages_and_sends_none_is_not_asked_for_ever) {
  fakes.push_back(std::make_unique<Receiver>(loop, [](const ReceivedRequest&) {
    Answer<Page> empty = Page();
    empty->next_cursor = "1-2-3";
    return Reaction{carillon::http_answer("200 OK", encode_answer(empty))};
  }));
  send_to(4, fakes.back()->url());
  ASSERT_TRUE(run(router().list({}, "", 10)));
}

TEST_F(SilenceTest, what_only_counts_names_the_shards_that_are_missing) {
  add_one_each(hours(1));
  send_to(2, node_that({.bytes = "", .then = Reaction::Then::close}).url());
  a().map.owners[4].reset();
  const Stats stats = run(router().stats());
  EXPECT_THAT(stats.silent, ElementsAre(2U, 4U));
  EXPECT_EQ(stats.counts[0], 3U);
  EXPECT_THAT(run(router().target("shop"))->silent, ElementsAre(2U, 4U));
  EXPECT_EQ(run(router().target("shop"))->waiting, 3U);
  EXPECT_THAT(run(router().targets("", 10))[0].silent, ElementsAre(2U, 4U));
  EXPECT_THAT(run(router().lanes())[0].silent, ElementsAre(2U, 4U));
  EXPECT_THAT(run(router().target_counts("")).silent, ElementsAre(2U, 4U));
  own(4, c());
  EXPECT_EQ(run(router().wheel()).error().slug, "shard_silent");
  EXPECT_EQ(
      run(router().forecast(minutes(1), clock.wall(), clock.wall() + hours(1), {})).error().slug,
      "shard_silent");
  for (ShardNumber shard = 0; shard < kShards; ++shard) {
    a().map.locals[shard] = nullptr;
    a().map.owners[shard].reset();
  }
  EXPECT_EQ(run(router().stats()).silent.size(), kShards);
  EXPECT_EQ(run(router().lanes()).at(0).silent.size(), kShards);
}

}  // namespace
}  // namespace carillon::test
