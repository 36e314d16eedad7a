// What tests of the engine share: a real engine over a log in memory, a clock that is moved by
// hand, and a real receiver, whose reaction each test chooses.
#pragma once

#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include <boost/asio/post.hpp>
#include <gtest/gtest.h>

#include "delivery/delivery.h"
#include "engine/engine.h"
#include "tests/delivery/http_target.h"
#include "tests/delivery/receiver.h"
#include "tests/storage/memory_log.h"
#include "tests/support/loop_test.h"
#include "tests/support/test_names.h"

namespace carillon {

class EngineTest : public test::LoopTest {
 protected:
  EngineTest() { boot(); }
  ~EngineTest() override { stop(); }

  void boot(AutoAck auto_ack = AutoAck::yes) {
    log = std::make_unique<MemoryLog>(
        [this](std::function<void()> back) { boost::asio::post(loop, std::move(back)); }, auto_ack,
        disk);
    delivery = std::make_unique<Delivery>(
        SinkOptions{.loop = loop, .clock = clock, .urls = urls, .lookup = TestNames()});
    engine = std::make_unique<Engine>(loop, clock, *log, *delivery, urls, options);
    ASSERT_TRUE(engine->recover([](auto, auto) {}));
    engine->start();
  }
  /// As a crash does: nothing is drained.
  void stop() {
    engine.reset();
    delivery.reset();
    log.reset();
  }
  void restart() {
    stop();
    boot();
  }

  [[nodiscard]] static AddRequest task(std::string_view id, Millis delay) {
    AddRequest request;
    request.content.id = id;
    request.content.target = "shop";
    request.content.body = R"({"order":17})";
    request.content.content_type = "application/json";
    request.content.body_is_json = true;
    request.delay = delay;
    return request;
  }
  void put_target(std::uint32_t concurrency = 64, int max_attempts = 8) {
    TargetSettings settings;
    settings.name = "shop";
    http_of(settings).url = receiver.url("/hook");
    settings.concurrency = concurrency;
    settings.retry.max_attempts = max_attempts;
    settings.retry.backoff_min = Millis(1);
    settings.retry.backoff_max = Millis(10);
    const auto change = [&](const TargetSettings*) { return Result<TargetSettings>(settings); };
    ASSERT_TRUE(run(engine->change_target(settings.name, change)));
  }
  Answer<AddAnswer> add(AddRequest request) {
    auto planned = engine->plan(std::move(request));
    if (!planned) return Refusal(planned.error());
    return run(engine->add(std::move(planned->task)));
  }
  std::vector<Answer<Added>> add_batch(const std::vector<AddRequest>& requests) {
    std::vector<NewTask> adds;
    for (const AddRequest& request : requests) {
      adds.emplace_back(engine->plan(request).value().task);
    }
    return run(engine->add_batch(std::move(adds)));
  }
  void advance(Millis by) { run(engine->advance_clock(by)); }
  [[nodiscard]] std::uint64_t count(State state) const {
    return engine->stats_now().counts[static_cast<std::size_t>(state)];
  }

  Reaction reaction{http_answer("200 OK")};
  Receiver receiver{loop, [this](const ReceivedRequest&) { return reaction; }};
  WallTime start{Millis(1'800'000'000'000)};
  ManualClock clock{start};
  EngineOptions options;
  std::shared_ptr<MemoryDisk> disk = std::make_shared<MemoryDisk>();
  std::unique_ptr<MemoryLog> log;
  UrlPolicy urls;
  std::unique_ptr<Delivery> delivery;
  std::unique_ptr<Engine> engine;
};

}  // namespace carillon
