// What the tests of the HTTP sink share: a loop, a clock that stands, and pushes that are waited
// for.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <gtest/gtest.h>

#include "delivery/http/sink.h"
#include "tests/delivery/http_target.h"
#include "tests/delivery/receiver.h"
#include "tests/support/test_names.h"

namespace carillon {

/// Stands still. Dues are measured on a clock that was moved ahead by hand, as with `--clock
/// manual`; what a push and its receiver tell each other is real time.
class HandSetClock final : public Clock {
 public:
  WallTime wall() override { return real() + std::chrono::days(400); }
  WallTime real() override { return WallTime(Millis(1'800'000'001'999)); }
  MonoTime mono() override { return MonoTime(wall().time_since_epoch()); }
};

class HttpSinkFixture : public testing::Test {
 protected:
  ~HttpSinkFixture() override {
    sink.reset();
    receiver.reset();
    // Lets what was closed run out: a leak would show under the address sanitizer.
    work.reset();
    loop.restart();
    loop.run_for(std::chrono::seconds(5));
  }

  [[nodiscard]] static TargetSettings settings_for(const std::string& url) {
    TargetSettings settings = http_target("test", url);
    settings.timeout = std::chrono::seconds(10);
    return settings;
  }

  [[nodiscard]] static Push make_push(const TargetSettings& settings,
                                      const std::string& body = "{\"n\":1}") {
    const auto row = std::make_shared<const std::string>(body);
    Push push;
    push.target = std::make_shared<const TargetSettings>(settings);
    push.row = row;
    push.content.id = "task-1";
    push.content.body = *row;
    push.content.content_type = "application/json";
    push.content.webhook_id = "msg_1";
    push.due = WallTime(Millis(1'800'000'000'123));
    return push;
  }

  [[nodiscard]] SinkOptions options() {
    return {.loop = loop, .clock = clock, .urls = urls, .lookup = names};
  }

  /// From now on the name has these addresses, and is looked up anew for each connection.
  void resolve_as(const std::string& host, std::initializer_list<const char*> addresses) {
    names.set(host, addresses);
    SinkOptions anew = options();
    anew.resolving.fresh_for = anew.resolving.stale_for = {};
    sink = std::make_unique<HttpSink>(anew);
  }

  /// Runs the loop until `done` says so; fails the test after half a minute.
  template <typename Done>
  void run_until(const Done& done) {
    const auto give_up = std::chrono::steady_clock::now() + std::chrono::seconds(30);
    while (!done()) {
      loop.run_one_for(std::chrono::seconds(1));
      ASSERT_LT(std::chrono::steady_clock::now(), give_up) << "it never came";
    }
  }

  PushResult deliver(Push push) {
    std::optional<PushResult> result;
    sink->push(std::move(push), [&result](PushResult came) {
      EXPECT_FALSE(result.has_value()) << "called back twice";
      result = std::move(came);
    });
    EXPECT_FALSE(result.has_value()) << "called back from inside push()";
    run_until([&] { return result.has_value(); });
    return result.value_or(PushResult());
  }
  PushResult deliver(const TargetSettings& settings) { return deliver(make_push(settings)); }

  /// A receiver that reacts to each request with `reaction`, and what comes of one push to it.
  PushResult deliver_to(Reaction reaction, Millis timeout = std::chrono::seconds(10)) {
    receiver = std::make_unique<Receiver>(
        loop, [reaction = std::move(reaction)](const ReceivedRequest&) { return reaction; });
    TargetSettings settings = settings_for(receiver->url());
    settings.timeout = timeout;
    return deliver(settings);
  }

  using Kind = PushResult::Kind;
  boost::asio::io_context loop{1};
  std::optional<boost::asio::executor_work_guard<boost::asio::io_context::executor_type>> work{
      boost::asio::make_work_guard(loop)};
  HandSetClock clock;
  std::unique_ptr<Receiver> receiver;
  TestNames names;
  UrlPolicy urls;
  std::unique_ptr<HttpSink> sink = std::make_unique<HttpSink>(options());
};

}  // namespace carillon
