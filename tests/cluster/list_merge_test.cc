// Pages of all shards against a naive model of them.

#include "cluster/list_merge.h"

#include <random>

#include <gmock/gmock.h>

#include "tests/cluster/cluster_fixture.h"
#include "tests/support/sized.h"

namespace carillon::test {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using testing::ElementsAre;
using testing::IsEmpty;

TEST(ClusterCursor, IsReadAsItWasWrittenAndNothingElseIs) {
  const ClusterKey last{{1'800'000'000'000, 0xfedcba9876543210, 17}, 255};
  const std::string text = format_cluster_cursor(last);
  const auto read = parse_cluster_cursor(text);
  ASSERT_TRUE(read);
  EXPECT_EQ(read->key, last.key);
  EXPECT_EQ(read->shard, 255U);
  EXPECT_LT(text.size(), 60U);
  for (const std::string bad : {"", "-", "1-2-3", "1-2-3-", "1-2-3-x", "1-2-3-4-5", "a-2-3-4"})
    EXPECT_FALSE(parse_cluster_cursor(bad)) << bad;
  for (std::size_t size = 0; size < text.size() - 3; ++size)
    EXPECT_FALSE(parse_cluster_cursor(text.substr(0, size)));
}

TEST(ClusterCursor, IsAPlaceInEveryShard) {
  const ClusterKey last{{1000, 7, 17}, 3};
  EXPECT_EQ(shard_cursor(last, 3), "1000-7-17");
  EXPECT_EQ(shard_cursor(last, 2), "1000-7-0");
  EXPECT_EQ(shard_cursor(last, 4), "1000-7-18446744073709551615");
}

class ListMergeTest : public ClusterTest {
 protected:
  ListMergeTest() { put_target(); }

  struct Row {
    WallTime due;
    std::uint64_t key;
    std::string id;
    std::string group;
    auto operator<=>(const Row&) const = default;
  };

  /// So that many have their due in common.
  void add_some(int count, std::mt19937_64& random) {
    std::vector<NewTask> tasks;
    for (int i = 0; i < count; ++i) {
      const std::string id = "t" + std::to_string(rows.size());
      const std::string group = random() % 3 == 0 ? "g" : "";
      const Millis delay = hours(1) + minutes(random() % 20);
      AddRequest request = task(id, delay);
      request.content.group = group;
      tasks.push_back(router().plan(std::move(request))->task);
      rows.push_back({clock.wall() + delay, keys.task(id).low, id, group});
    }
    for (const auto& answer : run(router().add_batch(std::move(tasks)))) ASSERT_TRUE(answer);
    std::ranges::sort(rows);
  }
  /// All pages, each of them full but the last.
  std::vector<std::string> listed(const TaskFilter& filter, std::size_t limit) {
    std::vector<std::string> ids;
    std::string cursor;
    for (;;) {
      const auto page = run(router().list(filter, cursor, limit));
      EXPECT_TRUE(page);
      EXPECT_THAT(page->silent, IsEmpty());
      for (const TaskView& one : page->tasks) ids.emplace_back(one.content.id);
      cursor = page->next_cursor;
      if (cursor.empty()) return ids;
      EXPECT_EQ(page->tasks.size(), limit);
    }
  }
  template <typename Fits>
  [[nodiscard]] std::vector<std::string> expected(const Fits& fits) const {
    std::vector<std::string> ids;
    for (const Row& row : rows) {
      if (fits(row)) ids.push_back(row.id);
    }
    return ids;
  }

  std::vector<Row> rows;
};

TEST_F(ListMergeTest, pages_are_full_in_due_order_and_have_every_task_once) {
  std::mt19937_64 random(seed_or(17));
  add_some(static_cast<int>(sized(400, 5'000)), random);
  for (const std::size_t limit : {1UL, 3UL, 7UL, 50UL, 399UL, 400UL, 401UL, 1000UL})
    EXPECT_EQ(listed({}, limit), expected([](const Row&) { return true; })) << limit;
  EXPECT_EQ(listed({.group = "g"}, 10), expected([](const Row& row) { return row.group == "g"; }));
  const WallTime from = clock.wall() + hours(1) + minutes(5);
  const WallTime to = from + minutes(3);
  EXPECT_EQ(listed({.due_from = from, .due_to = to}, 10),
            expected([&](const Row& row) { return row.due >= from && row.due < to; }));
  EXPECT_THAT(listed({.target = "other"}, 10), IsEmpty());
}

TEST_F(ListMergeTest, tasks_that_are_all_in_one_shard_fill_pages_too) {
  for (int i = 0; i < 60; ++i) ASSERT_TRUE(add(task(id_in(3, i), hours(1))));
  const auto page = run(router().list({}, "", 40));
  ASSERT_TRUE(page);
  EXPECT_EQ(page->tasks.size(), 40U);
  EXPECT_EQ(run(router().list({}, page->next_cursor, 40))->tasks.size(), 20U);
}

TEST_F(ListMergeTest, a_page_goes_on_where_the_one_before_ended_whatever_comes_meanwhile) {
  std::mt19937_64 random(seed_or(18));
  add_some(200, random);
  const auto expected_before = expected([](const Row&) { return true; });
  std::vector<std::string> seen;
  std::string cursor;
  for (bool more = true; more;) {
    const auto page = run(router().list({}, cursor, 20));
    ASSERT_TRUE(page);
    for (const TaskView& one : page->tasks) seen.emplace_back(one.content.id);
    cursor = page->next_cursor;
    more = !cursor.empty();
    if (rows.size() < 260) add_some(20, random);
  }
  std::set<std::string> once(seen.begin(), seen.end());
  EXPECT_EQ(once.size(), seen.size());
  for (const std::string& id : expected_before) EXPECT_TRUE(once.contains(id)) << id;
}

TEST_F(ListMergeTest, two_tasks_of_one_id_and_due_are_two_pages_where_a_page_is_one) {
  put_target(/*max_attempts=*/1);
  reaction.bytes = carillon::http_answer("500 Broken");
  const std::string id = id_in(2);
  AddRequest request = task(id, hours(1));
  request.due_at = clock.wall();
  request.delay.reset();
  ASSERT_TRUE(add(request));
  run(shards[2]->advance_clock(Millis(0)));
  const auto is_dead = [this] {
    return shards[2]->stats_now().counts[static_cast<std::size_t>(State::dead)] == 1;
  };
  run_until(is_dead);
  ASSERT_TRUE(run(router().pause_target("shop", true)));
  ASSERT_TRUE(add(request));
  EXPECT_EQ(listed({}, 1), std::vector<std::string>(2, id));
  EXPECT_EQ(listed({}, 2), std::vector<std::string>(2, id));
}

/// Where a shard has room for one page at a time, nobody may keep it while he waits for another.
class TightListMergeTest : public ClusterTest {
 protected:
  TightListMergeTest() : ClusterTest(std::uint64_t{20} << 10) { put_target(); }
};

TEST_F(TightListMergeTest, pages_do_not_wait_for_each_other_for_ever) {
  for (const ShardNumber shard : {0U, 3U}) {
    for (int i = 0; i < 60; ++i) ASSERT_TRUE(add(task(id_in(shard, i), hours(1))));
  }
  int done = 0;
  for (int i = 0; i < 20; ++i) {
    boost::asio::co_spawn(loop, router().list({}, "", 50),
                          [&](const std::exception_ptr&, const Answer<Page>& page) {
                            done += page && page->tasks.size() == 50 ? 1 : 0;
                          });
  }
  run_until([&] { return done == 20; });
}

TEST_F(ListMergeTest, a_shard_that_does_not_answer_is_named) {
  add_one_each(hours(1));
  a().map.owners[2].reset();
  const auto page = run(router().list({}, "", 10));
  ASSERT_TRUE(page);
  EXPECT_EQ(page->tasks.size(), kShards - 1U);
  EXPECT_THAT(page->silent, ElementsAre(2U));
  EXPECT_EQ(page->next_cursor, "");
}

TEST_F(ListMergeTest, where_no_shard_answers_the_list_is_refused) {
  a().map.locals.assign(kShards, nullptr);
  a().map.owners.assign(kShards, std::nullopt);
  EXPECT_EQ(run(router().list({}, "", 10)).error().slug, "shard_silent");
}

TEST_F(ListMergeTest, refuses_a_cursor_that_it_did_not_give_out) {
  EXPECT_EQ(run(router().list({}, "rubbish", 10)).error().slug, "bad_cursor");
  EXPECT_EQ(run(router().list({.target = "http://"}, "", 10)).error().slug, "bad_url");
}

}  // namespace
}  // namespace carillon::test
