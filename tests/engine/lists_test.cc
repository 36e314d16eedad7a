// Lists, exports and pushes of large contents, over a real engine: pages are full, nothing is held
// beyond its bounds.

#include <algorithm>
#include <set>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/steady_timer.hpp>
#include <gtest/gtest.h>

#include "delivery/delivery.h"
#include "engine/allowance.h"
#include "engine/content_cache.h"
#include "engine/engine.h"
#include "engine/push_bytes.h"
#include "tests/delivery/http_target.h"
#include "tests/delivery/receiver.h"
#include "tests/storage/memory_log.h"

namespace carillon {
namespace {

namespace asio = boost::asio;
using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;

constexpr std::size_t kKiB = 1024;

class ListsTest : public testing::Test {
 protected:
  ListsTest() { boot(); }
  ~ListsTest() override { stop(); }

  void boot() {
    log = std::make_unique<MemoryLog>(
        [this](std::function<void()> back) { asio::post(loop, std::move(back)); }, AutoAck::yes);
    delivery = std::make_unique<Delivery>(SinkOptions{.loop = loop, .clock = clock, .urls = urls});
    engine = std::make_unique<Engine>(loop, clock, *log, *delivery, urls, options);
    ASSERT_TRUE(engine->recover([](auto, auto) {}));
    engine->start();
  }
  void stop() {
    engine.reset();
    delivery.reset();
    log.reset();
  }
  void boot_again() {
    stop();
    boot();
  }

  template <typename T>
  T run(Async<T> work) {
    std::optional<T> result;
    asio::co_spawn(loop, std::move(work), [&](const std::exception_ptr& error, T value) {
      EXPECT_EQ(error, nullptr);
      result.emplace(std::move(value));
    });
    run_until([&] { return result.has_value(); });
    return std::move(*result);
  }
  template <typename Done>
  void run_until(const Done& done) {
    const auto give_up = std::chrono::steady_clock::now() + seconds(60);
    while (!done()) {
      ASSERT_LT(std::chrono::steady_clock::now(), give_up) << "nothing came";
      loop.run_one_for(std::chrono::milliseconds(100));
      loop.restart();
    }
  }
  void put_target(const std::string& name, const std::string& url, std::uint32_t concurrency = 64,
                  int max_attempts = 8) {
    TargetSettings settings;
    settings.name = name;
    http_of(settings).url = url;
    settings.concurrency = concurrency;
    settings.retry.max_attempts = max_attempts;
    settings.retry.backoff_min = minutes(1);
    settings.breaker.failures = 0;  // however many of them fail
    const auto change = [&](const TargetSettings*) { return Result<TargetSettings>(settings); };
    ASSERT_TRUE(run(engine->change_target(name, change)));
  }
  static AddRequest task(std::string_view id, Millis delay, std::string_view target = "shop") {
    AddRequest request;
    request.content.id = id;
    request.content.target = target;
    request.content.content_type = "text/plain";
    request.content.body = "hello";
    request.delay = delay;
    return request;
  }
  void add(const AddRequest& request) {
    auto planned = engine->plan(request);
    ASSERT_TRUE(planned) << planned.error().detail;
    ASSERT_TRUE(run(engine->add(std::move(planned->task))));
  }
  void add_all(const std::vector<AddRequest>& requests) {
    std::vector<NewTask> adds;
    for (const AddRequest& request : requests) {
      adds.emplace_back(engine->plan(request).value().task);
    }
    for (const auto& answer : run(engine->add_batch(std::move(adds)))) ASSERT_TRUE(answer);
  }
  /// Ids page by page, as a client gets them: each page full but the last, which has no cursor.
  std::vector<std::string> walk(const TaskFilter& filter, std::size_t limit) {
    std::vector<std::string> ids;
    std::string cursor;
    do {
      Answer<Page> page = run(engine->list(filter, cursor, limit));
      if (!page) {
        ADD_FAILURE() << page.error().detail;
        break;
      }
      EXPECT_TRUE(page->next_cursor.empty() || page->tasks.size() == limit) << "not full";
      EXPECT_TRUE(cursor.empty() || !page->tasks.empty()) << "a cursor that led to nothing";
      for (const TaskView& one : page->tasks) ids.emplace_back(one.content.id);
      cursor = page->next_cursor;
    } while (!cursor.empty());
    return ids;
  }
  /// Exports everything: ids, and the largest piece.
  std::multiset<std::string> export_all(std::size_t& largest_bytes) {
    std::multiset<std::string> ids;
    const auto its = engine->export_pending();
    for (;;) {
      const std::vector<TaskView> some = run(its->next()).value();
      if (some.empty()) return ids;
      std::size_t bytes = 0;
      for (const TaskView& one : some) {
        ids.emplace(one.content.id);
        bytes += one.row->size();
      }
      largest_bytes = std::max(largest_bytes, bytes);
    }
  }
  [[nodiscard]] std::uint64_t count(State state) const {
    return engine->stats_now().counts[static_cast<std::size_t>(state)];
  }

  asio::io_context loop{1};
  asio::executor_work_guard<asio::io_context::executor_type> guard{loop.get_executor()};
  Reaction reaction{http_answer("200 OK")};
  Receiver receiver{loop, [this](const ReceivedRequest&) { return reaction; }};
  WallTime start{Millis(1'800'000'000'000)};
  ManualClock clock{start};
  EngineOptions options;
  std::unique_ptr<MemoryLog> log;
  UrlPolicy urls;
  std::unique_ptr<Delivery> delivery;
  std::unique_ptr<Engine> engine;
};

TEST_F(ListsTest, every_filter_has_full_pages_and_no_cursor_on_the_last) {
  put_target("shop", receiver.url("/hook"));
  const std::string wanted = receiver.url("/wanted");
  const std::string other = receiver.url("/other");
  std::vector<std::string> ids;
  for (int i = 0; i < 240; ++i) ids.push_back("t" + std::to_string(i));
  std::vector<AddRequest> requests;
  for (std::size_t i = 0; i < 240; ++i) {
    const std::string_view target = i % 4 == 0   ? std::string_view("shop")
                                    : i % 4 == 1 ? std::string_view(wanted)
                                                 : std::string_view(other);
    requests.push_back(task(ids[i], minutes(10 + i % 7), target));
    if (i % 3 == 0) requests.back().content.group = "third";
    if (i % 8 == 0) requests.back().content.lane = "fast";
  }
  ASSERT_TRUE(run(engine->put_lane("fast", {})));
  add_all(requests);
  for (const std::size_t limit : {1U, 7U, 20U, 60U, 240U, 1000U}) {
    EXPECT_EQ(walk({}, limit).size(), 240U);
    EXPECT_EQ(walk({.group = "third"}, limit).size(), 80U);
    EXPECT_EQ(walk({.group = "none"}, limit).size(), 0U);
    EXPECT_EQ(walk({.target = "shop"}, limit).size(), 60U);
    EXPECT_EQ(walk({.target = wanted}, limit).size(), 60U);
    EXPECT_EQ(walk({.target = receiver.url("/nobody")}, limit).size(), 0U);
    EXPECT_EQ(walk({.state = State::scheduled}, limit).size(), 240U);
    EXPECT_EQ(walk({.due_from = start + minutes(12), .due_to = start + minutes(13)}, limit).size(),
              34U);
    TaskFilter lane;
    lane.lane = "fast";
    EXPECT_EQ(walk(lane, limit).size(), 30U);
    TaskFilter rest;
    rest.lane = "default";
    EXPECT_EQ(walk(rest, limit).size(), 210U);
    lane.group = "third";
    EXPECT_EQ(walk(lane, limit).size(), 10U);
  }
}

TEST_F(ListsTest, dead_letters_of_a_group_have_full_pages) {
  put_target("shop", receiver.url("/hook"), 64, /*max_attempts=*/1);
  reaction = {http_answer("500 No")};
  std::vector<std::string> ids;
  for (int i = 0; i < 100; ++i) ids.push_back("t" + std::to_string(i));
  std::vector<AddRequest> requests;
  for (std::size_t i = 0; i < 100; ++i) {
    requests.push_back(task(ids[i], seconds(1)));
    if (i % 2 == 0) requests.back().content.group = "even";
  }
  add_all(requests);
  run(engine->advance_clock(seconds(1)));
  run_until([&] { return count(State::dead) == 100; });
  TaskFilter filter;
  filter.state = State::dead;
  EXPECT_EQ(walk(filter, 30).size(), 100U);
  filter.group = "even";
  EXPECT_EQ(walk(filter, 10).size(), 50U);
  ASSERT_TRUE(run(engine->pause_target("shop", true)));  // or they may be dead again by then
  EXPECT_EQ(*run(engine->redrive_all({.group = "even"}, "")), 50U);
  EXPECT_EQ(*run(engine->purge_dead({.target = "shop"})), 50U);
}

TEST_F(ListsTest, a_page_holds_no_payloads) {
  put_target("shop", receiver.url("/hook"));
  const std::string payload(200 * kKiB, 'x');
  for (int i = 0; i < 40; ++i) {
    const std::string id = "t" + std::to_string(i);
    AddRequest request = task(id, minutes(10));
    request.content.body = payload;
    request.content.headers = {{"x-note", "long"}};
    add(request);
  }
  const Answer<Page> page = run(engine->list({}, "", 1000));
  ASSERT_EQ(page->tasks.size(), 40U);
  for (const TaskView& one : page->tasks) {
    EXPECT_LT(one.row->size(), 300U);
    EXPECT_EQ(one.content.target, "shop");
  }
}

TEST_F(ListsTest, pages_that_nobody_reads_keep_others_waiting_and_nothing_else) {
  options.page_bytes_max = 100'000;
  boot_again();
  put_target("shop", receiver.url("/hook"));
  add(task("a", minutes(10)));
  std::vector<Page> held;
  held.push_back(std::move(*run(engine->list({}, "", 100))));
  held.back().held.resize(100'000);
  bool answered = false;
  asio::co_spawn(loop, engine->list({}, "", 100),
                 [&](const std::exception_ptr&, const Answer<Page>& page) {
                   answered = true;
                   EXPECT_EQ(page->tasks.size(), 2U);
                 });
  add(task("b", seconds(1)));
  run(engine->advance_clock(seconds(1)));
  run_until([&] { return count(State::delivered) == 1; });
  EXPECT_FALSE(answered);
  EXPECT_GE(engine->stats_now().memory_content_bytes, 100'000U);
  held.clear();
  run_until([&] { return answered; });
}

TEST_F(ListsTest, an_export_of_large_contents_comes_in_small_pieces) {
  put_target("shop", receiver.url("/hook"));
  const std::string payload(100 * kKiB, 'x');
  for (int i = 0; i < 50; ++i) {
    const std::string id = "t" + std::to_string(i);
    AddRequest request = task(id, minutes(10));
    if (i % 2 == 0) request.content.body = payload;
    add(request);
  }
  std::size_t largest_bytes = 0;
  const auto ids = export_all(largest_bytes);
  EXPECT_EQ(ids.size(), 50U);
  EXPECT_EQ(std::set<std::string>(ids.begin(), ids.end()).size(), 50U);
  EXPECT_LE(largest_bytes, 400 * kKiB);
}

TEST_F(ListsTest, an_export_has_each_task_once_that_is_pending_throughout_also_firing_ones) {
  put_target("shop", receiver.url("/hook"), /*concurrency=*/1000);
  put_target("broken", receiver.url("/broken"), /*concurrency=*/1000);
  reaction.then = Reaction::Then::hang;
  reaction.bytes.clear();
  std::vector<std::string> ids;
  for (int i = 0; i < 4000; ++i) ids.push_back("t" + std::to_string(i));
  std::vector<AddRequest> requests;
  for (std::size_t i = 0; i < ids.size(); ++i) {
    // A part is firing when it begins, a part fires meanwhile, a part is never due.
    const Millis delay = i % 3 == 0 ? seconds(1) : i % 3 == 1 ? seconds(2) : minutes(10);
    requests.push_back(task(ids[i], i % 300 == 0 || i % 3 == 2 ? delay : hours(1)));
    if (i % 300 == 1) requests.back().delay = seconds(2);
  }
  add_all(requests);
  run(engine->advance_clock(seconds(1)));
  ASSERT_GT(count(State::firing), 0U);
  const std::uint64_t firing = count(State::firing);
  std::multiset<std::string> seen;
  const auto its = engine->export_pending();
  for (bool first = true;; first = false) {
    const std::vector<TaskView> some = run(its->next()).value();
    if (some.empty()) break;
    for (const TaskView& one : some) seen.emplace(one.content.id);
    if (first) run(engine->advance_clock(seconds(1)));
  }
  EXPECT_GT(count(State::firing), firing);
  EXPECT_EQ(seen, std::multiset<std::string>(ids.begin(), ids.end()));
}

TEST_F(ListsTest, large_contents_under_way_are_bounded_and_keep_no_small_push_waiting) {
  options.push_bytes_max = 1000 * kKiB;
  boot_again();
  put_target("shop", receiver.url("/hook"), 100);
  Receiver good(loop);
  put_target("good", good.url("/hook"), 100);
  reaction.then = Reaction::Then::hang;
  reaction.bytes.clear();
  const std::string payload(100 * kKiB, 'x');
  for (int i = 0; i < 40; ++i) {
    const std::string id = "t" + std::to_string(i);
    AddRequest request = task(id, seconds(10));
    request.content.body = payload;
    add(request);
  }
  for (int i = 0; i < 40; ++i) {
    const std::string id = "g" + std::to_string(i);
    add(task(id, seconds(10), "good"));
  }
  run(engine->advance_clock(seconds(10)));
  run_until([&] { return good.requests().size() == 40; });
  run_until([&] { return receiver.requests().size() >= 4; });
  loop.run_for(std::chrono::milliseconds(100));
  loop.restart();
  EXPECT_LE(receiver.requests().size(), 5U) << "of those that hang, a half of the bytes";
  EXPECT_EQ(count(State::firing), 40U);
  EXPECT_LT(engine->stats_now().memory_content_bytes, 1100 * kKiB + options.content_cache_bytes);
  // As they end, the others have their turn.
  reaction = {http_answer("200 OK")};
  receiver.close_connections();
  run_until([&] { return count(State::firing) == 0; });
  EXPECT_GE(count(State::delivered), 75U);
}

TEST_F(ListsTest, contents_are_at_hand_before_they_are_due) {
  put_target("shop", receiver.url("/hook"));
  std::vector<std::string> ids;
  for (int i = 0; i < 100; ++i) ids.push_back("t" + std::to_string(i));
  std::vector<AddRequest> requests;
  for (const std::string& id : ids) requests.push_back(task(id, minutes(10)));
  add_all(requests);
  EXPECT_EQ(engine->stats_now().memory_content_bytes, 0U);
  run(engine->advance_clock(minutes(10) - Millis(100)));
  EXPECT_EQ(receiver.requests().size(), 0U);
  run_until([&] { return engine->stats_now().memory_content_bytes > 100U * 100; });
  run(engine->advance_clock(Millis(100)));
  run_until([&] { return count(State::delivered) == 100; });
  EXPECT_EQ(engine->stats_now().memory_content_bytes, 0U) << "nothing stays that was pushed";
}

TEST_F(ListsTest, no_more_is_fetched_ahead_than_the_cache_holds) {
  options.content_cache_bytes = 500 * kKiB;
  boot_again();
  put_target("shop", receiver.url("/hook"));
  const std::string payload(100 * kKiB, 'x');
  for (int i = 0; i < 30; ++i) {
    const std::string id = "t" + std::to_string(i);
    AddRequest request = task(id, minutes(10));
    request.content.body = payload;
    add(request);
  }
  run(engine->advance_clock(minutes(10) - Millis(100)));
  loop.run_for(std::chrono::milliseconds(50));
  loop.restart();
  EXPECT_GT(engine->stats_now().memory_content_bytes, 300 * kKiB);
  EXPECT_LE(engine->stats_now().memory_content_bytes, 500 * kKiB);
  run(engine->advance_clock(Millis(100)));
  run_until([&] { return count(State::delivered) == 30; });
}

TEST_F(ListsTest, a_forecast_counts_by_bucket_and_by_target) {
  put_target("shop", receiver.url("/hook"));
  put_target("other", receiver.url("/hook"));
  for (int i = 0; i < 10; ++i) add(task("s" + std::to_string(i), minutes(i)));
  add(task("o", minutes(5), "other"));
  const auto all = run(engine->forecast(minutes(5), start, start + minutes(10), {})).value();
  ASSERT_EQ(all.size(), 2U);
  EXPECT_EQ(all[1].from, start + minutes(5));
  EXPECT_EQ(all[1].tasks, 6U);
  const auto of_one = run(engine->forecast(minutes(5), start, start + minutes(10),
                                           {.group = {}, .target = "other"}))
                          .value();
  ASSERT_EQ(of_one.size(), 1U);
  EXPECT_EQ(of_one[0].tasks, 1U);
  EXPECT_TRUE(run(engine->forecast(minutes(5), start, start + minutes(10),
                                   {.group = {}, .target = "nobody"}))
                  .value()
                  .empty());
}

TEST(ContentCacheTest, the_longest_held_go_when_it_is_full) {
  ContentCache cache(10'000);
  for (TaskNumber number = 1; number <= 100; ++number) {
    cache.put(number, std::string(1000, 'x'));
    EXPECT_LE(cache.bytes(), 10'000U);
  }
  EXPECT_FALSE(cache.contains(92));
  EXPECT_TRUE(cache.contains(93));
  EXPECT_TRUE(cache.contains(100));
  for (TaskNumber number = 93; number <= 100; ++number) EXPECT_TRUE(cache.take(number));
  EXPECT_EQ(cache.bytes(), 0U);
  cache.put(101, std::string(50'000, 'x'));
  EXPECT_EQ(cache.bytes(), 0U) << "more than it may hold";
}

TEST(PushBytesTest, one_target_leaves_room_for_the_next) {
  constexpr std::uint64_t kRow = 10'000;
  const TargetKey greedy{1, 1};
  const TargetKey next{2, 2};
  PushBytes bytes(20 * kRow);
  int admitted = 0;
  while (bytes.admit(greedy, kRow)) ++admitted;
  EXPECT_EQ(admitted, 10);
  Fired fired;
  fired.target = greedy;
  for (fired.number = 1; fired.number <= 3; ++fired.number) bytes.park(fired, kRow);
  EXPECT_FALSE(bytes.next_admitted());
  EXPECT_TRUE(bytes.admit(next, kRow));
  EXPECT_TRUE(bytes.admit(next, PushBytes::kSmall));
  bytes.release(greedy, kRow);
  EXPECT_FALSE(bytes.admit(greedy, kRow)) << "behind those that wait already";
  bytes.release(greedy, kRow);
  const auto waited = bytes.next_admitted();
  ASSERT_TRUE(waited);
  EXPECT_EQ(waited->fired.number, 1U);
  EXPECT_EQ(bytes.bytes(), 10 * kRow);
}

TEST(PushBytesTest, one_that_is_larger_than_all_comes_through_alone) {
  PushBytes bytes(10'000);
  EXPECT_TRUE(bytes.admit({1, 1}, 50'000));
  EXPECT_FALSE(bytes.admit({2, 2}, 5000));
  bytes.release({1, 1}, 50'000);
  EXPECT_TRUE(bytes.admit({2, 2}, 5000));
}

class AllowanceTest : public testing::Test {
 protected:
  void ask(std::uint64_t amount) {
    asio::co_spawn(loop, allowance.take(amount),
                   [this, amount](const std::exception_ptr&, Allowance::Share share) {
                     came.push_back(amount);
                     shares.push_back(std::move(share));
                   });
    turn();
  }
  void turn() {
    loop.poll();
    loop.restart();
  }
  asio::io_context loop{1};
  Allowance allowance{loop, 10};
  std::vector<std::uint64_t> came;
  std::vector<Allowance::Share> shares;
};

TEST_F(AllowanceTest, who_waits_comes_in_order_also_before_one_that_would_fit) {
  ask(6);
  ask(5);
  ask(1);
  EXPECT_EQ(came, (std::vector<std::uint64_t>{6}));
  shares.clear();
  turn();
  EXPECT_EQ(came, (std::vector<std::uint64_t>{6, 5, 1}));
  EXPECT_EQ(allowance.taken(), 6U);
  shares.clear();
  EXPECT_EQ(allowance.taken(), 0U);
}

TEST_F(AllowanceTest, a_share_that_turns_out_smaller_or_larger_counts_as_that) {
  ask(8);
  ask(4);
  EXPECT_EQ(came.size(), 1U);
  shares[0].resize(6);
  turn();
  EXPECT_EQ(came.size(), 2U);
  shares[0].resize(100);
  EXPECT_EQ(allowance.taken(), 104U);
  ask(1);
  EXPECT_EQ(came.size(), 2U);
  shares.clear();
  turn();
  EXPECT_EQ(came.size(), 3U);
}

TEST_F(AllowanceTest, more_than_there_is_comes_through_alone) {
  ask(50);
  EXPECT_EQ(came.size(), 1U);
}

}  // namespace
}  // namespace carillon
