// An engine over a shared log that is thrown away while calls, reads and pushes are under way: who
// waits for an answer keeps it alive, and what comes later is dropped.
#include <atomic>
#include <deque>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "engine/engine.h"
#include "tests/delivery/http_target.h"
#include "tests/engine/held_sink.h"
#include "tests/storage/model_log.h"

namespace carillon {
namespace {

namespace asio = boost::asio;

using std::chrono::hours;
using std::chrono::seconds;
using testing::AnyOf;
using testing::Each;
using testing::IsEmpty;
using testing::SizeIs;

/// The machine's, whose monotonic time can be moved on.
class MovedClock final : public Clock {
 public:
  WallTime wall() override { return system_.wall(); }
  MonoTime mono() override { return system_.mono() + moved_.load(); }
  void move(Millis by) { moved_ = moved_.load() + by; }

 private:
  SystemClock system_;
  std::atomic<Millis> moved_{Millis(0)};
};

/// A loop's thread of callers, beside the engine's, which is the test's own.
class DiscardTest : public testing::Test {
 protected:
  DiscardTest() {
    make_engine();
    loop.restart();
    TargetSettings target = http_target("shop", "http://receiver/");
    const auto put = [target](const TargetSettings*) { return Result<TargetSettings>(target); };
    asked<Answer<PutAnswer<TargetView>>>(
        [put](Engine& its) { return its.change_target("shop", put); });
    run_until([&] { return waiting == 0; });
    for (int i = 0; i < 30; ++i) ask_to_add("old" + std::to_string(i), hours(1));
    run_until([&] { return waiting == 0; });
    EXPECT_THAT(heard(), Each("done"));
  }
  ~DiscardTest() override {
    callers_guard.reset();
    callers_thread.join();
  }

  void make_engine() {
    EngineOptions options;
    options.shared_log = true;
    options.on_fenced = [this] { engine.reset(); };
    const auto unmake = [this](Engine* its) {
      asio::post(loop, [this, its] {
        delete its;
        discarded = true;
      });
    };
    engine = {new Engine(loop, clock, log, sink, urls, std::move(options)), unmake};
    EXPECT_TRUE(engine->recover([](auto, auto) {}));
    log.take_over([this](Appended how) {
      ASSERT_EQ(how, Appended::committed);
      engine->start(Millis(2000));
    });
    run_until([&] { return engine->not_ready_because().empty(); });
  }
  [[nodiscard]] ModelLog::Options log_options() {
    return {.post = [this](ModelLog::Step step) { hold_or_post(reads_held, std::move(step)); },
            .carry = [this](ModelLog::Step step) { hold_or_post(net_held, std::move(step)); },
            .wait = [](const ModelLog::Step&) {}};
  }
  void hold_or_post(const bool& held, ModelLog::Step step) {
    if (!held) return asio::post(loop, std::move(step));
    (&held == &reads_held ? reads : steps).push_back(std::move(step));
  }
  void release(bool& held, std::deque<ModelLog::Step>& some) {
    held = false;
    for (auto& step : std::exchange(some, {})) asio::post(loop, std::move(step));
  }

  /// A call on the callers' thread, which keeps the engine alive until it is answered.
  template <typename T>
  void asked(std::function<Async<T>(Engine&)> what) {
    ++waiting;
    asio::co_spawn(callers, call<T>(engine, std::move(what)), asio::detached);
  }
  template <typename T>
  Async<void> call(std::shared_ptr<Engine> its, std::function<Async<T>(Engine&)> what) {
    {
      const T answer = co_await what(*its);
      const std::lock_guard lock(mutex);
      answers.push_back(answer ? "done" : answer.error().slug);
    }
    its.reset();
    --waiting;
  }
  void ask_to_add(const std::string& id, Millis delay) {
    AddRequest request;
    request.content.id = id;
    request.content.target = "shop";
    request.content.group = "orders";
    request.content.body = "1";
    request.delay = delay;
    const NewTask task = engine->plan(std::move(request)).value().task;
    asked<Answer<AddAnswer>>([task](Engine& its) { return its.add(task); });
  }
  void ask_all_kinds() {
    for (int i = 0; i < 10; ++i) ask_to_add("new" + std::to_string(i), hours(1));
    for (int i = 0; i < 10; ++i) {
      asked<Answer<TaskView>>([](Engine& its) { return its.get("old1"); });
      asked<Answer<CancelAnswer>>([](Engine& its) { return its.cancel("unknown", false); });
    }
    asked<Answer<Page>>([](Engine& its) { return its.list({.state = State::scheduled}, "", 20); });
    asked<Answer<GroupView>>([](Engine& its) { return its.group("orders"); });
    asked<Answer<GroupCancelAnswer>>(
        [](Engine& its) { return its.cancel_group("orders", "once"); });
    asked<Answer<std::uint64_t>>([](Engine& its) { return its.redrive_all({}, "twice"); });
    asked<Answer<std::uint64_t>>([](Engine& its) { return its.redrive_all({}, "twice"); });
    ChangeRequest change;
    change.target = "shop";
    asked<Answer<TaskView>>([change](Engine& its) { return its.change("nobody", change); });
    asked<Answer<TestPush>>([](Engine& its) { return its.test_target("nobody"); });
  }
  void lose_shard() {
    ModelLog other({.post = [this](ModelLog::Step step) { asio::post(loop, std::move(step)); },
                    .carry = [](const ModelLog::Step& step) { step(); },
                    .wait = [](const ModelLog::Step&) {}},
                   stream);
    ASSERT_TRUE(other.read(1, [](Batch&&) {}, {}));
    std::optional<Appended> how;
    other.take_over([&](Appended ended) { how = ended; });
    ASSERT_EQ(how, Appended::committed);
  }
  [[nodiscard]] std::vector<std::string> heard() {
    const std::lock_guard lock(mutex);
    return std::exchange(answers, {});
  }
  template <typename Done>
  void run_until(const Done& done) {
    const auto give_up = std::chrono::steady_clock::now() + seconds(30);
    while (!done()) {
      ASSERT_LT(std::chrono::steady_clock::now(), give_up) << "nothing came";
      loop.run_one_for(std::chrono::milliseconds(10));
      loop.restart();
    }
  }
  /// All that the loop has to do at this moment, and what comes within a while.
  void run_for(Millis time) {
    loop.run_for(time);
    loop.restart();
  }

  asio::io_context loop{1};
  asio::executor_work_guard<asio::io_context::executor_type> guard{loop.get_executor()};
  asio::io_context callers{1};
  std::optional<asio::executor_work_guard<asio::io_context::executor_type>> callers_guard{
      callers.get_executor()};
  std::thread callers_thread{[this] { callers.run(); }};
  std::mutex mutex;
  std::vector<std::string> answers;
  std::atomic<int> waiting = 0;
  bool reads_held = false, net_held = false;
  std::deque<ModelLog::Step> reads, steps;
  MovedClock clock;
  UrlPolicy urls;
  HeldSink sink;
  std::shared_ptr<ModelStream> stream = std::make_shared<ModelStream>();
  ModelLog log{log_options(), stream};
  bool discarded = false;
  std::shared_ptr<Engine> engine;
};

TEST_F(DiscardTest, whoever_waits_for_a_commit_hears_that_the_shard_has_moved) {
  ask_to_add("due", Millis(0));
  run_until([&] { return sink.pushes.size() == 1 && waiting == 0; });
  EXPECT_THAT(heard(), Each("done"));
  net_held = true;
  clock.move(seconds(2));
  ask_all_kinds();
  run_for(Millis(50));
  EXPECT_THAT(heard(), IsEmpty()) << "nobody is answered from memory";
  lose_shard();
  release(net_held, steps);
  run_until([&] { return discarded && waiting == 0; });  // callers hear on a thread of their own
  const std::vector<std::string> all = heard();
  EXPECT_THAT(all, SizeIs(37));
  EXPECT_THAT(all, Each(AnyOf("moved", "outcome_unknown")));
  sink.end_all();
  run_for(Millis(10));
}

TEST_F(DiscardTest, whoever_waits_for_a_read_keeps_the_engine_until_it_comes) {
  reads_held = true;
  ask_to_add("due", Millis(0));
  asked<Answer<TaskView>>([](Engine& its) { return its.get("old1"); });
  asked<Answer<Page>>([](Engine& its) { return its.list({.state = State::scheduled}, "", 20); });
  run_until([&] { return waiting == 2 && reads.size() >= 2; });
  lose_shard();
  ask_to_add("late", hours(1));
  run_until([&] { return engine == nullptr; });
  run_for(Millis(50));
  EXPECT_FALSE(discarded);
  release(reads_held, reads);
  run_until([&] { return discarded && waiting == 0; });  // callers hear on a thread of their own
  sink.end_all();
  run_for(Millis(10));
}

TEST_F(DiscardTest, what_is_read_for_pushes_of_an_engine_that_is_gone_is_dropped) {
  reads_held = true;
  ask_to_add("due", Millis(600));
  run_until([&] { return waiting == 0; });
  run_until([&] { return !reads.empty(); });
  lose_shard();
  ask_to_add("late", hours(1));
  run_until([&] { return discarded; });
  release(reads_held, reads);
  run_for(Millis(10));
  EXPECT_THAT(sink.pushes, IsEmpty());
}

TEST_F(DiscardTest, an_engine_that_has_handed_over_is_discarded_with_a_push_under_way) {
  ask_to_add("pushed", Millis(0));
  run_until([&] { return sink.pushes.size() == 1 && waiting == 0; });
  EXPECT_THAT(heard(), Each("done"));
  std::optional<bool> all_durable;
  asio::co_spawn(loop, engine->hand_over(Millis(50)),
                 [&](const std::exception_ptr&, bool durable) { all_durable = durable; });
  run_until([&] { return engine->not_ready_because() == "handing over"; });
  ask_to_add("late", hours(1));
  run_until([&] { return all_durable.has_value() && waiting == 0; });
  EXPECT_EQ(all_durable, true);
  EXPECT_THAT(heard(), testing::ElementsAre("moved"));
  engine.reset();
  run_until([&] { return discarded; });
  sink.end_all();
  run_for(Millis(10));
}

TEST_F(DiscardTest, a_push_that_ends_in_time_is_handed_over_with_its_outcome) {
  ask_to_add("pushed", Millis(0));
  run_until([&] { return sink.pushes.size() == 1 && waiting == 0; });
  std::optional<bool> all_durable;
  asio::co_spawn(loop, engine->hand_over(seconds(20)),
                 [&](const std::exception_ptr&, bool durable) { all_durable = durable; });
  run_for(Millis(20));
  EXPECT_FALSE(all_durable);
  sink.end_all();
  run_until([&] { return all_durable.has_value(); });
  EXPECT_EQ(engine->stats_now().counts[static_cast<std::size_t>(State::delivered)], 1U);
  engine.reset();
  run_until([&] { return discarded; });
}

}  // namespace
}  // namespace carillon
