// Every member of the tasks' service, over five shards on three nodes.

#include "cluster/router.h"

#include <filesystem>

#include <gmock/gmock.h>

#include "tests/cluster/cluster_fixture.h"

namespace carillon::test {
namespace {

using std::chrono::days;
using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class RouterTest : public ClusterTest {
 protected:
  RouterTest() { put_target(); }
  [[nodiscard]] std::uint64_t count(ShardNumber shard, State state) const {
    return shards[shard]->stats_now().counts[static_cast<std::size_t>(state)];
  }
  /// A dead letter in each shard.
  void make_dead() {
    put_target(/*max_attempts=*/1);
    reaction.bytes = carillon::http_answer("500 Broken");
    for (ShardNumber shard = 0; shard < kShards; ++shard)
      ASSERT_TRUE(add(task(id_in(shard), seconds(0))));
    for (const auto& shard : shards) run(shard->advance_clock(Millis(0)));
    run_until([&] {
      return std::ranges::all_of(shards, [](const auto& shard) {
        return shard->stats_now().counts[static_cast<std::size_t>(State::dead)] == 1;
      });
    });
  }
};

TEST_F(RouterTest, a_task_is_in_the_shard_of_its_id) {
  add_one_each(hours(1));
  for (ShardNumber shard = 0; shard < kShards; ++shard) {
    EXPECT_EQ(count(shard, State::scheduled), 1U);
    const auto task = run(router().get(id_in(shard)));
    ASSERT_TRUE(task);
    EXPECT_EQ(task->content.id, id_in(shard));
    EXPECT_EQ(task->content.body, R"({"order":17})");
    EXPECT_EQ(task->due_at, clock.wall() + hours(1) + shard * minutes(1));
  }
  EXPECT_EQ(run(router().get("nobody")).error().slug, "not_found");
}

TEST_F(RouterTest, the_shard_of_a_task_says_what_it_waits_for) {
  add_one_each(hours(1));
  for (ShardNumber shard = 0; shard < kShards; ++shard) {
    const auto told = run(router().explain(id_in(shard)));
    ASSERT_TRUE(told) << told.error().detail;
    EXPECT_EQ(told->state, State::scheduled);
    ASSERT_TRUE(told->waiting);
    EXPECT_EQ(told->waiting->what, WaitsFor::due);
    EXPECT_EQ(told->waiting->until, clock.wall() + hours(1) + shard * minutes(1));
  }
  EXPECT_EQ(run(router().explain("nobody")).error().slug, "not_found");
}

TEST_F(RouterTest, ids_with_the_same_part_in_braces_are_together) {
  for (int i = 0; i < 20; ++i) {
    const std::string id = "{user:42}:" + std::to_string(i);
    ASSERT_TRUE(add(task(id, hours(1))));
    ASSERT_TRUE(run(router().get(id)));
  }
  const ShardNumber shard = shard_of(keys, "user:42", kShards);
  EXPECT_EQ(count(shard, State::scheduled), 20U);
}

TEST_F(RouterTest, adds_are_answered_as_by_one_shard) {
  for (ShardNumber shard = 0; shard < kShards; ++shard) {
    const std::string id = id_in(shard);
    EXPECT_EQ(add(task(id, hours(1)))->how, Added::created);
    const auto again = add(task(id, hours(1)));
    EXPECT_EQ(again->how, Added::same);
    EXPECT_EQ(again->task->content.id, id);
    const auto other = add(task(id, hours(2)));
    EXPECT_EQ(other.error().slug, "task_exists");
    ASSERT_TRUE(other.error().standing);
    EXPECT_EQ(other.error().standing->state, State::scheduled);
    AddRequest replacing = task(id, hours(2));
    replacing.if_exists = IfExists::replace;
    EXPECT_EQ(add(std::move(replacing))->how, Added::replaced);
    AddRequest nowhere = task(id_in(shard, 1), hours(1));
    nowhere.content.target = "nowhere";
    EXPECT_EQ(add(std::move(nowhere)).error().slug, "unknown_target");
  }
  EXPECT_EQ(add(task("far", days(31))).error().slug, "beyond_horizon");
}

TEST_F(RouterTest, a_task_without_an_id_gets_one_and_goes_to_its_shard) {
  for (int i = 0; i < 20; ++i) {
    auto planned = router().plan(task("", hours(1)));
    const std::string id = planned->made_id;
    EXPECT_EQ(planned->task.shard, shard_of(keys, id, kShards));
    ASSERT_TRUE(run(router().add(std::move(planned->task))));
    EXPECT_TRUE(run(router().get(id)));
  }
}

TEST_F(RouterTest, the_owner_of_the_shard_stamps_a_delay) {
  b().clock.set(clock.wall() + seconds(7));
  const std::string there = id_in(2);
  const auto added = add(task(there, hours(1)));
  ASSERT_TRUE(added);
  EXPECT_EQ(added->how, Added::created);
  ASSERT_TRUE(added->task) << "it is not what was planned";
  EXPECT_EQ(added->task->due_at, clock.wall() + hours(1) + seconds(7));
  EXPECT_EQ(added->task->content.id, there);
  EXPECT_EQ(added->task->content.body, R"({"order":17})");
  EXPECT_EQ(run(router().get(there))->due_at, added->task->due_at);

  AddRequest at = task(id_in(2, 1), hours(1));
  at.due_at = clock.wall() + hours(1);
  at.delay.reset();
  EXPECT_FALSE(add(std::move(at))->task);
  EXPECT_EQ(run(router().get(id_in(2, 1)))->due_at, clock.wall() + hours(1));

  EXPECT_FALSE(add(task(id_in(0), hours(1)))->task) << "here nobody stamps anew";
  EXPECT_FALSE(add(task(id_in(4), hours(1)))->task) << "the same time there";
}

TEST_F(RouterTest, a_batch_is_answered_in_its_order) {
  std::vector<NewTask> tasks;
  std::vector<std::string> ids;
  for (int i = 0; i < 200; ++i) ids.push_back("batch-" + std::to_string(i % 150));
  for (const std::string& id : ids) tasks.push_back(router().plan(task(id, hours(1)))->task);
  b().clock.set(clock.wall() + seconds(7));
  const auto answers = run(router().add_batch(std::move(tasks)));
  ASSERT_EQ(answers.size(), 200U);
  for (std::size_t i = 0; i < answers.size(); ++i)
    EXPECT_EQ(answers[i].value(), i < 150 ? Added::created : Added::same) << i;
  for (const std::string& id : ids) {
    const bool by_b = shard_of(keys, id, kShards) / 2 == 1;
    EXPECT_EQ(run(router().get(id))->due_at, clock.wall() + hours(1) + seconds(by_b ? 7 : 0));
  }

  std::vector<std::string_view> cancelled(ids.begin() + 100, ids.end());
  cancelled.emplace_back("nobody");
  const auto cancels = run(router().cancel_batch(cancelled, false));
  ASSERT_EQ(cancels.size(), 101U);
  for (std::size_t i = 0; i < 100; ++i) EXPECT_TRUE(cancels[i]) << i;
  EXPECT_EQ(cancels.back().error().slug, "not_found");
  EXPECT_TRUE(run(router().add_batch({})).empty());
  EXPECT_TRUE(run(router().cancel_batch({}, false)).empty());
}

TEST_F(RouterTest, a_task_is_changed_pushed_and_cancelled_where_it_is) {
  for (ShardNumber shard = 0; shard < kShards; ++shard) {
    const std::string id = id_in(shard);
    ASSERT_TRUE(add(task(id, hours(1))));
    ChangeRequest change;
    change.body = ChangeRequest::Body{"other", "text/plain", false};
    change.headers = std::vector<Header>{{"x-one", "1"}};
    change.delay = hours(3);
    const auto changed = run(router().change(id, change));
    ASSERT_TRUE(changed);
    EXPECT_EQ(changed->content.body, "other");
    EXPECT_EQ(changed->content.headers, *change.headers);
    EXPECT_EQ(changed->due_at, clock.wall() + hours(3));
    const auto cancelled = run(router().cancel(id, false));
    ASSERT_TRUE(cancelled);
    EXPECT_EQ(cancelled->attempts, 0U);
    const auto again = run(router().cancel(id, false));
    EXPECT_EQ(again.error().slug, "task_finished");
    EXPECT_EQ(again.error().standing->state, State::cancelled);

    const std::string pushed = id_in(shard, 1);
    ASSERT_TRUE(add(task(pushed, hours(1))));
    EXPECT_EQ(run(router().push_now(pushed))->due_at, clock.wall());
    EXPECT_EQ(run(router().push_now("nobody")).error().slug, "not_found");
  }
}

TEST_F(RouterTest, a_group_is_counted_and_cancelled_in_all_shards) {
  add_one_each(hours(1), "coupon");
  const auto group = run(router().group("coupon"));
  ASSERT_TRUE(group);
  EXPECT_EQ(group->counts[static_cast<std::size_t>(State::scheduled)], kShards);
  EXPECT_EQ(group->earliest_due, clock.wall() + hours(1));
  EXPECT_EQ(group->latest_due, clock.wall() + hours(1) + minutes(4));
  EXPECT_EQ(run(router().group("none")).error().slug, "not_found");

  EXPECT_EQ(run(router().cancel_group("coupon", "once"))->cancelled, kShards);
  EXPECT_EQ(run(router().cancel_group("coupon", "once"))->cancelled, kShards) << "as before";
  EXPECT_EQ(run(router().cancel_group("coupon", ""))->cancelled, 0U);
  EXPECT_EQ(run(router().cancel_group("none", "")).error().slug, "not_found");
}

TEST_F(RouterTest, a_group_that_only_some_shards_have_is_there) {
  AddRequest one = task(id_in(3), hours(1));
  one.content.group = "one";
  ASSERT_TRUE(add(std::move(one)));
  EXPECT_EQ(run(router().shift_group("one", minutes(5), "", ShiftStep::whole)).value(), 1U);
  EXPECT_EQ(run(router().group("one"))->earliest_due, clock.wall() + hours(1) + minutes(5));
  EXPECT_EQ(run(router().cancel_group("one", ""))->cancelled, 1U);
  EXPECT_EQ(run(router().shift_group("none", minutes(5), "", ShiftStep::whole)).error().slug,
            "not_found");
}

TEST_F(RouterTest, a_shift_moves_nothing_where_one_shard_refuses) {
  add_one_each(days(29), "coupon");
  const std::string far = id_in(2, 1);
  AddRequest request = task(far, days(29) + hours(23));
  request.content.group = "coupon";
  ASSERT_TRUE(add(std::move(request)));
  EXPECT_EQ(run(router().shift_group("coupon", hours(2), "", ShiftStep::whole)).error().slug,
            "beyond_horizon");
  EXPECT_EQ(run(router().group("coupon"))->earliest_due, clock.wall() + days(29));
  EXPECT_EQ(run(router().shift_group("coupon", minutes(30), "once", ShiftStep::whole)).value(),
            kShards + 1U);
  EXPECT_EQ(run(router().shift_group("coupon", minutes(30), "once", ShiftStep::whole)).value(),
            kShards + 1U);
  EXPECT_EQ(run(router().group("coupon"))->earliest_due, clock.wall() + days(29) + minutes(30));
  EXPECT_EQ(run(router().shift_group("coupon", minutes(31), "once", ShiftStep::whole)).error().slug,
            "operation_reused");
}

TEST_F(RouterTest, dead_letters_of_all_shards_are_listed_redriven_and_removed) {
  make_dead();
  const auto dead = run(router().list({.state = State::dead}, "", 100));
  ASSERT_TRUE(dead);
  EXPECT_EQ(dead->tasks.size(), kShards);
  EXPECT_TRUE(dead->tasks.front().note.error.size() > 0) << "with its note";
  ASSERT_TRUE(run(router().remove_dead(id_in(1))));
  EXPECT_EQ(run(router().remove_dead(id_in(1))).error().slug, "not_found");
  reaction.bytes = carillon::http_answer("200 OK");
  const auto redriven = run(router().redrive(id_in(4), "once"));
  ASSERT_TRUE(redriven);
  EXPECT_EQ(redriven->content.id, id_in(4));
  EXPECT_TRUE(run(router().redrive(id_in(4), "once"))) << "as before";
  EXPECT_EQ(run(router().redrive_all({.target = "shop"}, "all")).value(), kShards - 2U);
  EXPECT_EQ(run(router().redrive_all({.target = "shop"}, "all")).value(), kShards - 2U);
  EXPECT_EQ(run(router().redrive_all({.target = "other"}, "all")).error().slug, "operation_reused");
  EXPECT_EQ(run(router().redrive_all({}, "")).value(), 0U);
}

TEST_F(RouterTest, dead_letters_of_all_shards_are_purged) {
  make_dead();
  EXPECT_EQ(run(router().purge_dead({.target = "other"})).value(), 0U);
  EXPECT_EQ(run(router().purge_dead({})).value(), kShards);
}

TEST_F(RouterTest, an_export_has_every_pending_task_of_every_shard_once) {
  std::multiset<std::string> added;
  for (int i = 0; i < 40; ++i) {
    const std::string id = "e" + std::to_string(i);
    ASSERT_TRUE(add(task(id, hours(1))));
    added.insert(id);
  }
  ASSERT_TRUE(run(router().cancel("e7", false)));
  added.erase("e7");
  std::multiset<std::string> seen;
  const auto its = router().export_pending();
  for (;;) {
    const auto some = run(its->next());
    ASSERT_TRUE(some) << some.error().detail;
    if (some->empty()) break;
    for (const TaskView& one : *some) {
      seen.emplace(one.content.id);
      EXPECT_EQ(one.content.body, R"({"order":17})");
    }
  }
  EXPECT_EQ(seen, added);
}

TEST_F(RouterTest, an_export_breaks_off_where_a_shard_is_lost) {
  add_one_each(hours(1));
  const auto its = router().export_pending();
  ASSERT_TRUE(run(its->next()));
  ASSERT_TRUE(run(its->next()));
  a().map.owners[2].reset();
  EXPECT_EQ(run(its->next()).error().slug, "shard_silent");
}

TEST_F(RouterTest, stats_are_those_of_all_shards) {
  add_one_each(hours(1));
  const Stats stats = run(router().stats());
  EXPECT_EQ(stats.counts[static_cast<std::size_t>(State::scheduled)], kShards);
  EXPECT_EQ(stats.pending_max, kShards * options.shard.pending_max);
  EXPECT_EQ(stats.now, clock.wall());
  ASSERT_EQ(stats.lanes.size(), 1U);
  EXPECT_EQ(stats.lanes[0].waiting, kShards);
  EXPECT_THAT(stats.silent, IsEmpty());
  // Each of the three nodes counted once, and not each shard; here all are this process.
  const Stats one = shards[0]->stats_now();
  EXPECT_GT(stats.memory_resident_bytes, 2 * one.memory_resident_bytes);
  EXPECT_LT(stats.memory_resident_bytes, 4 * one.memory_resident_bytes);
  EXPECT_EQ(run(router().counters()).added, 2U) << "of its own shards alone";
}

TEST_F(RouterTest, forecast_and_wheel_are_those_of_all_shards) {
  add_one_each(minutes(1));
  const auto buckets =
      run(router().forecast(minutes(2), clock.wall(), clock.wall() + hours(1), {}));
  ASSERT_EQ(buckets->size(), 3U);
  EXPECT_EQ((*buckets)[0].from, clock.wall());
  EXPECT_EQ((*buckets)[0].tasks, 1U);
  EXPECT_EQ((*buckets)[1].tasks, 2U);
  EXPECT_EQ((*buckets)[2].tasks, 2U);
  const auto none = run(router().forecast(minutes(2), clock.wall(), clock.wall() + hours(1),
                                          {.group = {}, .target = "no"}));
  EXPECT_TRUE(none->empty());
  std::uint64_t tasks = 0;
  const auto levels = run(router().wheel());
  for (const WheelLevel& level : *levels) tasks += level.tasks;
  EXPECT_EQ(tasks, kShards);
}

TEST_F(RouterTest, targets_are_what_they_are_set_to_with_the_counts_of_all_shards) {
  add_one_each(hours(1));
  const auto shop = run(router().target("shop"));
  ASSERT_TRUE(shop);
  EXPECT_EQ(shop->waiting, kShards);
  EXPECT_EQ(shop->settings, *settings.find_target("shop")) << "which no shard was asked";
  EXPECT_EQ(run(router().target("none")).error().slug, "not_found");
  TargetSettings other = shop->settings;
  other.name = "other";
  const auto change = [&](const TargetSettings*) { return Result<TargetSettings>(other); };
  EXPECT_TRUE(run(router().change_target("other", change))->made);
  EXPECT_EQ(run(router().change_target(
                    "shop",
                    [&](const TargetSettings*) { return Result<TargetSettings>(shop->settings); }))
                ->view.waiting,
            kShards);
  const auto all = run(router().targets("", 10));
  ASSERT_EQ(all.size(), 2U);
  EXPECT_EQ(all[0].settings.name, "other");
  EXPECT_EQ(all[0].waiting, 0U);
  EXPECT_EQ(all[1].waiting, kShards);
  EXPECT_EQ(run(router().targets("other", 10)).size(), 1U);
  EXPECT_EQ(run(router().targets("", 1)).size(), 1U);
  EXPECT_EQ(run(router().target_counts("other")).waiting, kShards);
  EXPECT_EQ(run(router().pause_target("shop", true))->waiting, kShards);
  EXPECT_EQ(run(router().delete_target("shop", false)).error().slug, "target_in_use");
  EXPECT_TRUE(run(router().delete_target("other", false)));
}

TEST_F(RouterTest, to_resume_a_target_ends_the_holds_of_all_shards) {
  const WallTime until = clock.wall() + std::chrono::minutes(1);
  for (const auto& shard : shards) {
    shard->hold_target("shop", HoldReason::unavailable, until);
    ASSERT_TRUE(run(shard->target("shop"))->held);
  }
  const auto resumed = run(router().pause_target("shop", false));
  ASSERT_TRUE(resumed);
  EXPECT_FALSE(resumed->held);
  for (const auto& shard : shards) EXPECT_FALSE(run(shard->target("shop"))->held);
}

TEST_F(RouterTest, a_target_is_tried_by_whoever_owns_a_shard) {
  const auto here = run(router().test_target("shop"));
  ASSERT_TRUE(here);
  EXPECT_TRUE(here->delivered);
  own(0, b());
  own(1, c());
  const auto there = run(router().test_target("shop"));
  ASSERT_TRUE(there);
  EXPECT_EQ(there->status, 200U);
  EXPECT_EQ(receiver.requests().size(), 2U);
  EXPECT_EQ(run(router().test_target("none")).error().slug, "not_found");
}

TEST_F(RouterTest, lanes_have_the_counts_of_all_shards) {
  ASSERT_TRUE(run(router().put_lane("bulk", {.weight = 3, .reserved = 100}))->made);
  AddRequest request = task(id_in(2), hours(1));
  request.content.lane = "bulk";
  ASSERT_TRUE(add(std::move(request)));
  const auto lanes = run(router().lanes());
  ASSERT_EQ(lanes.size(), 2U);
  EXPECT_EQ(lanes[0].name, "default");
  EXPECT_EQ(lanes[1].waiting, 1U);
  EXPECT_EQ(lanes[1].settings.weight, 3U);
  const auto again = run(router().put_lane("bulk", {.weight = 4}));
  EXPECT_FALSE(again->made);
  EXPECT_EQ(again->view.waiting, 1U);
  EXPECT_TRUE(run(router().delete_lane("bulk")));
}

TEST_F(RouterTest, makes_no_checkpoint_and_says_what_to_do) {
  const std::string dir = testing::TempDir() + "carillon-checkpoint-" + std::to_string(::getpid());
  EXPECT_THAT(run(router().checkpoint(dir)).error().detail, HasSubstr("GET /v1/export"));
  EXPECT_FALSE(std::filesystem::exists(dir));
}

TEST_F(RouterTest, is_ready_while_a_shard_has_an_owner) {
  EXPECT_EQ(router().not_ready_because(), "");
  EXPECT_FALSE(run(router().short_of_space()));
  logs[1]->disk()->short_of_space = true;
  EXPECT_TRUE(run(router().short_of_space()));
  a().map.locals.assign(kShards, nullptr);
  EXPECT_EQ(router().not_ready_because(), "");
  a().map.owners.assign(kShards, std::nullopt);
  EXPECT_NE(router().not_ready_because(), "");
  EXPECT_FALSE(router().clock_is_manual());
  EXPECT_EQ(router().now(), clock.wall());
}

}  // namespace
}  // namespace carillon::test
