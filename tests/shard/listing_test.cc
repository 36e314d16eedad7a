// Pages of listings against the plain truth: all tasks, filtered and sorted.

#include "shard/listing.h"

#include <algorithm>
#include <map>
#include <random>
#include <set>

#include <gtest/gtest.h>

#include "tests/shard/hand_driver.h"

namespace carillon {
namespace {

constexpr std::uint64_t kFollowTheWheel = UINT64_MAX;
constexpr std::uint64_t kLookAtAll = 0;

Listing::Page page_of(Shard& shard, const ListFilter& filter, std::optional<ListKey> after,
                      std::size_t wanted, std::uint64_t scan_from = kFollowTheWheel) {
  Listing listing(shard, filter, after, wanted, scan_from);
  while (!listing.step()) {
  }
  return listing.take();
}

/// (due, number) of all pages.
using Row = std::pair<WallTime, TaskNumber>;
std::vector<Row> all_pages(Shard& shard, const ListFilter& filter, std::size_t limit,
                           std::uint64_t scan_from = kFollowTheWheel) {
  std::vector<Row> rows;
  std::optional<ListKey> after;
  for (bool more = true; more;) {
    const Listing::Page page = page_of(shard, filter, after, limit, scan_from);
    for (const auto& found : page.tasks) rows.emplace_back(found.task.asked_due, found.task.number);
    EXPECT_TRUE(page.tasks.size() == limit || !page.more) << "a page that is not full";
    after = page.upto;
    more = page.more;
  }
  return rows;
}

/// The same by looking at everything. Makes all tasks follow their groups.
std::vector<Row> plainly(Shard& shard, const ListFilter& filter) {
  std::vector<Row> rows;
  for (std::uint32_t at = 0; at < shard.positions(); ++at) {
    const auto task = shard.at(at);
    if (!task || (filter.group && task->group != *filter.group) ||
        (filter.target && task->target != *filter.target) ||
        (filter.state && task->state != *filter.state) ||
        (filter.due_from && task->asked_due < *filter.due_from) ||
        (filter.due_to && task->asked_due >= *filter.due_to)) {
      continue;
    }
    rows.emplace_back(task->asked_due, task->number);
  }
  return rows;
}

bool by_due(const Row& a, const Row& b) {
  return a.first < b.first;
}

/// Random commands, ticks, commits and outcomes.
class Traffic {
 public:
  explicit Traffic(std::uint64_t seed, std::uint64_t ids)
      : random(seed), ids_(ids), driver(options(seed)) {
    for (std::uint64_t target = 1; target <= 3; ++target) driver.put_target(target, 20);
    driver.run();
  }

  void step() {
    const std::uint64_t what = random() % 100;
    if (what < 45) {
      driver.shard().submit(driver.add(any_id(), any_due(), random() % 4, 1 + random() % 3), 0);
    } else if (what < 55) {
      const std::uint64_t id = any_id();
      const auto old = driver.shard().find(fingerprint(id));
      // Often just the content is new.
      const WallTime due = old && random() % 4 != 0 ? old->asked_due : any_due();
      command::Add add = driver.add(id, due, random() % 4, 1 + random() % 3);
      add.if_exists = IfExists::replace;
      driver.shard().submit(add, 0);
    } else if (what < 60) {
      driver.shard().submit(command::Move{fingerprint(any_id()), any_due()}, 0);
    } else if (what < 70) {
      driver.shard().submit(command::Cancel{fingerprint(any_id())}, 0);
    } else if (what < 71 && random() % 20 == 0) {
      driver.shard().submit(command::GroupCancel{group_key(1 + random() % 3)}, 0);
    } else if (what < 73) {
      const auto by = Millis(static_cast<std::int64_t>(random() % 40'000) - 20'000);
      driver.shard().submit(command::GroupShift{group_key(1 + random() % 3), by}, 0);
    } else if (what < 80) {
      const std::int64_t back = random() % 10 == 0 ? 3000 : 0;
      const auto by = static_cast<std::int64_t>(random() % (1ULL << (random() % 14)));
      driver.set_now(driver.now() + Millis(by - back));
      driver.shard().tick(driver.now());
    } else if (what < 92) {
      driver.seal();
      driver.commit();
    } else {
      finish_a_push();
    }
    for (const Fired& fired : driver.take().fired) pushes_.push_back(fired);
  }
  void settle() {
    driver.commit();
    driver.run([this] {
      for (const Fired& fired : driver.take().fired) pushes_.push_back(fired);
    });
  }
  /// Those that wait or are being pushed: fingerprint and due.
  std::map<std::uint64_t, WallTime> pending() {
    std::map<std::uint64_t, WallTime> tasks;
    for (std::uint32_t at = 0; at < driver.shard().positions(); ++at) {
      const auto task = driver.shard().at(at);
      if (task && !finished(task->state)) tasks[task->task.low] = task->asked_due;
    }
    return tasks;
  }
  ListFilter any_filter() {
    ListFilter filter;
    if (random() % 3 == 0) filter.group = group_key(1 + random() % 4);
    if (random() % 4 == 0) filter.target = target_key(1 + random() % 4);
    if (random() % 3 == 0) filter.state = static_cast<State>(random() % kStates);
    if (random() % 3 == 0) filter.due_from = any_due() - Millis(30'000);
    if (random() % 3 == 0) filter.due_to = any_due();
    return filter;
  }

  std::mt19937_64 random;

 private:
  static ShardOptions options(std::uint64_t seed) {
    ShardOptions options;
    options.retain_finished = Millis(seed % 3 == 0 ? 0 : 30'000);
    return options;
  }
  std::uint64_t any_id() { return 1 + random() % ids_; }
  /// Of all levels, and often of the same moment.
  WallTime any_due() {
    const std::int64_t reach = std::int64_t{1} << (random() % 32);
    const auto ahead = static_cast<std::int64_t>(random()) % reach;
    const WallTime due = driver.now() + Millis(std::abs(ahead));
    if (random() % 2 == 0) return due;
    return WallTime(due.time_since_epoch() / 4096 * 4096);
  }
  void finish_a_push() {
    if (pushes_.empty()) return;
    const std::size_t index = random() % pushes_.size();
    const Fired push = pushes_[index];
    pushes_.erase(pushes_.begin() + static_cast<std::ptrdiff_t>(index));
    const std::uint64_t how = random() % 10;
    const State state = how < 5 ? State::delivered : how < 8 ? State::retrying : State::dead;
    const Millis pause(static_cast<std::int64_t>(random() % 60'000));
    driver.shard().outcome(push, state, driver.now() + pause, {});
  }

  std::uint64_t ids_;
  std::vector<Fired> pushes_;

 public:
  HandDriver driver;
};

TEST(ListingTest, every_page_is_what_looking_at_all_tasks_says) {
  for (std::uint64_t seed = 1; seed <= 12; ++seed) {
    Traffic traffic(seed, 2000);
    for (int round = 0; round < 40; ++round) {
      for (int i = 0; i < 400; ++i) traffic.step();
      const ListFilter filter = traffic.any_filter();
      const std::size_t limit = 1 + traffic.random() % 300;
      Shard& shard = traffic.driver.shard();
      const std::uint64_t scan_from = round % 3 == 0 ? kLookAtAll : kFollowTheWheel;
      std::vector<Row> listed = all_pages(shard, filter, limit, scan_from);
      std::vector<Row> truth = plainly(shard, filter);
      ASSERT_TRUE(std::ranges::is_sorted(listed, by_due));
      std::ranges::sort(listed);
      std::ranges::sort(truth);
      ASSERT_EQ(listed, truth) << "seed " << seed << ", round " << round;
      shard.check_invariants();
    }
  }
}

TEST(ListingTest, who_is_pending_throughout_a_walk_and_is_not_moved_is_in_it_once) {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    Traffic traffic(seed, 9000);
    for (int i = 0; i < 20'000; ++i) traffic.step();
    std::map<std::uint64_t, WallTime> throughout = traffic.pending();
    ASSERT_GT(throughout.size(), 1000U);
    const ListFilter filter;
    std::map<std::uint64_t, int> seen;
    std::optional<ListKey> after;
    for (bool more = true; more;) {
      Listing listing(traffic.driver.shard(), filter, after, 1 + traffic.random() % 500,
                      seed % 4 == 0 ? kLookAtAll : kFollowTheWheel);
      do {
        for (std::uint64_t i = traffic.random() % 30; i > 0; --i) traffic.step();
        std::map<std::uint64_t, WallTime> now = traffic.pending();
        std::erase_if(throughout, [&](const auto& task) {
          const auto found = now.find(task.first);
          return found == now.end() || found->second != task.second;
        });
      } while (!listing.step());
      const Listing::Page page = listing.take();
      for (const auto& found : page.tasks) {
        if (!finished(found.task.state)) ++seen[found.task.task.low];
      }
      ASSERT_TRUE(std::ranges::is_sorted(page.tasks, {}, &Listing::Found::key));
      more = page.more;
      after = page.upto;
    }
    ASSERT_GT(throughout.size(), 300U) << "the test looks at next to nothing";
    for (const auto& [id, due] : throughout) ASSERT_EQ(seen[id], 1) << "seed " << seed;
  }
}

TEST(ListingTest, equal_dues_go_over_pages_also_where_entries_are_used_again) {
  ShardOptions forgetful;
  forgetful.retain_finished = Millis(0);
  HandDriver driver(forgetful);
  driver.put_target(1);
  driver.run();
  const WallTime due = driver.now() + std::chrono::hours(20);
  for (std::uint64_t id = 1; id <= 1000; ++id) driver.shard().submit(driver.add(id, due), 0);
  driver.run();
  ListFilter filter;
  std::set<TaskNumber> seen;
  Listing::Page page = page_of(driver.shard(), filter, std::nullopt, 100);
  for (const auto& found : page.tasks) seen.insert(found.task.number);
  // Half of those that were not shown go, and others take their entries.
  std::set<TaskNumber> left;
  for (std::uint64_t id = 1; id <= 1000; ++id) {
    const TaskNumber number = driver.shard().find(fingerprint(id))->number;
    if (seen.contains(number)) continue;
    if (id % 2 == 0) {
      driver.shard().submit(command::Cancel{fingerprint(id)}, 0);
    } else {
      left.insert(number);
    }
  }
  driver.run();
  for (std::uint64_t id = 2001; id <= 2400; ++id) driver.shard().submit(driver.add(id, due), 0);
  driver.run();
  std::size_t rows = seen.size();
  while (page.more) {
    page = page_of(driver.shard(), filter, page.upto, 100);
    rows += page.tasks.size();
    for (const auto& found : page.tasks) seen.insert(found.task.number);
  }
  EXPECT_EQ(seen.size(), rows) << "none twice";
  EXPECT_TRUE(std::ranges::includes(seen, left));
}

TEST(ListingTest, a_task_keeps_its_place_when_its_content_is_replaced_at_the_same_due) {
  HandDriver driver;
  driver.put_target(1);
  driver.run();
  const WallTime due = driver.now() + std::chrono::hours(1);
  for (std::uint64_t id = 1; id <= 20; ++id) driver.shard().submit(driver.add(id, due), 0);
  driver.run();
  const Listing::Page first = page_of(driver.shard(), {}, std::nullopt, 10);
  for (const auto& found : first.tasks) {
    command::Add again = driver.add(1, due);
    again.task.task = found.task.task;
    again.if_exists = IfExists::replace;
    driver.shard().submit(again, 0);
  }
  driver.run();
  const Listing::Page second = page_of(driver.shard(), {}, first.upto, 20);
  EXPECT_EQ(second.tasks.size(), 10U);
  for (const auto& found : second.tasks) EXPECT_LE(found.task.number, 20U) << "was shown already";
}

TEST(ListingTest, due_from_is_inclusive_and_due_to_exclusive_on_every_way) {
  HandDriver driver;
  driver.put_target(1);
  driver.run();
  const WallTime due = driver.now() + std::chrono::hours(2);
  for (int i = -2; i <= 2; ++i) {
    driver.shard().submit(
        driver.add(static_cast<std::uint64_t>(10 + i), due + Millis(i), /*group=*/1), 0);
  }
  driver.run();
  for (const std::uint64_t scan_from : {kFollowTheWheel, kLookAtAll}) {
    for (const bool by_group : {false, true}) {
      ListFilter filter;
      if (by_group) filter.group = group_key(1);
      filter.due_from = due;
      EXPECT_EQ(all_pages(driver.shard(), filter, 2, scan_from).size(), 3U);
      filter.due_from.reset();
      filter.due_to = due;
      EXPECT_EQ(all_pages(driver.shard(), filter, 2, scan_from).size(), 2U);
      filter.due_from = due;
      EXPECT_TRUE(all_pages(driver.shard(), filter, 2, scan_from).empty());
    }
  }
}

TEST(ListingTest, what_a_group_did_shows_at_once) {
  HandDriver driver;
  driver.put_target(1);
  driver.run();
  const WallTime due = driver.now() + std::chrono::hours(1);
  for (std::uint64_t id = 1; id <= 9000; ++id) driver.shard().submit(driver.add(id, due, 1), 0);
  driver.shard().submit(driver.add(9001, due + std::chrono::minutes(30), 2), 0);
  driver.run();
  driver.shard().submit(command::GroupShift{group_key(1), std::chrono::hours(1)}, 0);
  driver.seal();
  driver.commit();  // and no tick: no member has followed it
  const Listing::Page first = page_of(driver.shard(), {}, std::nullopt, 2);
  ASSERT_EQ(first.tasks.size(), 2U);
  EXPECT_EQ(first.tasks[0].task.task, fingerprint(9001));
  EXPECT_EQ(first.tasks[1].task.due, due + std::chrono::hours(1));
  driver.run();
  driver.shard().submit(command::GroupCancel{group_key(1)}, 0);
  driver.seal();
  driver.commit();
  ListFilter filter;
  filter.state = State::cancelled;
  EXPECT_EQ(all_pages(driver.shard(), filter, 1000).size(), 9000U);
  filter.state = State::scheduled;
  EXPECT_EQ(all_pages(driver.shard(), filter, 1000).size(), 1U);
}

TEST(ListingTest, a_page_by_due_looks_at_no_more_than_is_around_it) {
  HandDriver driver;
  driver.put_target(1);
  driver.run();
  for (std::uint64_t id = 1; id <= 200'000; ++id) {
    const Millis ahead(static_cast<std::int64_t>(id) * 7000);
    driver.shard().submit(driver.add(id, driver.now() + ahead), 0);
  }
  driver.run();
  ListFilter filter;
  filter.due_from = driver.now() + std::chrono::hours(100);
  Listing listing(driver.shard(), filter, std::nullopt, 100);
  int steps = 1;
  while (!listing.step()) ++steps;
  EXPECT_EQ(listing.take().tasks.size(), 100U);
  EXPECT_LT(steps, 10) << "of about a thousand tasks each";
}

TEST(ListingTest, where_the_counts_say_that_there_is_nothing_it_takes_one_step) {
  HandDriver driver;
  driver.put_target(1);
  driver.put_target(2);
  driver.run();
  for (std::uint64_t id = 1; id <= 50'000; ++id) {
    driver.shard().submit(driver.add(id, driver.now() + std::chrono::hours(1), 1), 0);
  }
  driver.run();
  std::vector<ListFilter> filters(5);
  filters[0].group = group_key(2);
  filters[1].target = target_key(2);
  filters[2].target = target_key(99);
  filters[3].state = State::dead;
  filters[4].group = group_key(1);
  filters[4].state = State::firing;
  for (const ListFilter& filter : filters) {
    Listing listing(driver.shard(), filter, std::nullopt, 10);
    EXPECT_TRUE(listing.step());
    EXPECT_TRUE(listing.take().tasks.empty());
  }
}

TEST(RefSetTest, members_are_met_in_order_across_stretches) {
  RefSet set;
  const std::vector<EntryRef> members{0, 63, 64, 16'383, 16'384, 70'000, 1'000'000};
  for (const EntryRef ref : members) set.insert(ref);
  set.insert(64);
  set.insert(5);
  set.erase(5);
  set.erase(6);
  EXPECT_EQ(set.size(), members.size());
  std::vector<EntryRef> met;
  for (EntryRef ref = set.next(0); ref != kNoEntry; ref = set.next(ref + 1)) met.push_back(ref);
  EXPECT_EQ(met, members);
}

}  // namespace
}  // namespace carillon
