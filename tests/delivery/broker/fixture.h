// What the tests of brokers' sinks share: a loop, pushes, and waiting for what comes of them.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include <boost/asio/io_context.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "delivery/broker/sink.h"
#include "tests/support/test_names.h"

namespace carillon {

class RealClock final : public Clock {
 public:
  WallTime wall() override { return real(); }
  WallTime real() override { return std::chrono::floor<Millis>(std::chrono::system_clock::now()); }
  MonoTime mono() override { return std::chrono::steady_clock::now(); }
};

class BrokerSinkFixture : public testing::Test {
 protected:
  using Kind = PushResult::Kind;
  using Target = std::shared_ptr<const TargetSettings>;
  using Outcome = std::shared_ptr<std::optional<PushResult>>;

  ~BrokerSinkFixture() override {
    sink.reset();
    // Lets what was closed run out: a leak would show under the address sanitizer.
    loop.restart();
    loop.run_for(std::chrono::seconds(5));
  }

  /// The settings in `json`, which the test knows to be good.
  [[nodiscard]] static Target target_of(const std::string& json) {
    const Result<TargetSettings> settings = parse_target(json);
    EXPECT_TRUE(settings) << settings.error().detail << " in " << json;
    return std::make_shared<const TargetSettings>(*settings);
  }
  [[nodiscard]] static Push make_push(const Target& target, const std::string& body = "{\"n\":1}",
                                      const std::string& id = "task-1") {
    const auto row = std::make_shared<const std::string>(body + id);
    Push push;
    push.target = target;
    push.row = row;
    push.content.id = std::string_view(*row).substr(body.size());
    push.content.body = std::string_view(*row).substr(0, body.size());
    push.content.content_type = "application/json";
    push.content.webhook_id = "msg_1";
    push.due = WallTime(Millis(1'800'000'000'123));
    return push;
  }

  [[nodiscard]] static std::string every_byte() {
    std::string bytes;
    for (int byte = 0; byte < 256; ++byte) bytes.push_back(static_cast<char>(byte));
    return bytes;
  }
  /// A push with all that one can have.
  [[nodiscard]] static Push make_full_push(const Target& target, const std::string& body) {
    Push push = make_push(target, body, "{user:7}:a b");
    push.attempt = 3;
    push.content.group = "coupon7";
    push.content.headers = {{"X-Team", "shop"}, {"traceparent", "00-ab-cd-01"}};
    return push;
  }

  template <typename Done>
  void run_until(const Done& done) {
    const auto give_up = std::chrono::steady_clock::now() + std::chrono::seconds(60);
    while (!done()) {
      loop.restart();
      loop.run_one_for(std::chrono::milliseconds(100));
      ASSERT_LT(std::chrono::steady_clock::now(), give_up) << "it never came";
    }
  }
  /// Runs all that can go on by itself: what was written on this machine has then arrived.
  void settle() {
    for (int idle = 0; idle < 3;) {
      loop.restart();
      idle = loop.poll() == 0 ? idle + 1 : 0;
    }
  }

  /// Starts a push whose result will be in what is returned.
  [[nodiscard]] Outcome start(Push push) {
    auto result = std::make_shared<std::optional<PushResult>>();
    sink->push(std::move(push), [result](PushResult came) {
      EXPECT_FALSE(result->has_value()) << "called back twice";
      *result = std::move(came);
    });
    EXPECT_FALSE(result->has_value()) << "called back from inside push()";
    return result;
  }
  PushResult result_of(const Outcome& outcome) {
    run_until([&] { return outcome->has_value(); });
    return outcome->value_or(PushResult());
  }
  PushResult deliver(Push push) { return result_of(start(std::move(push))); }
  PushResult deliver(const Target& target) { return deliver(make_push(target)); }
  /// It can be no message: that is said of it, and nothing against the broker.
  void expect_no_message(Push push, const std::string& why) {
    const PushResult refused = deliver(std::move(push));
    EXPECT_EQ(refused.kind, PushResult::Kind::refused_for_good);
    EXPECT_FALSE(refused.may_be_seen);
    EXPECT_THAT(refused.error, testing::HasSubstr(why));
  }

  /// Pushes so many at once, each of a task of its own and with an id of its own; returns when all
  /// are delivered.
  void deliver_many(const Target& target, int count) {
    int delivered = 0;
    for (int i = 0; i < count; ++i) {
      Push push = make_push(target, "{}", "t" + std::to_string(i));
      push.content.webhook_id = push.content.id;
      sink->push(std::move(push), [&](const PushResult& result) {
        EXPECT_EQ(result.kind, PushResult::Kind::delivered) << result.error;
        ++delivered;
      });
    }
    EXPECT_EQ(sink->stats().in_flight, static_cast<std::uint64_t>(count));
    run_until([&] { return delivered == count; });
  }

  /// Pushes that are given up while the server is silent, and one before and one after. Each goes
  /// on a connection that is asked for a sign of life first. `make` makes a push of settings with
  /// `more` at their end and of a body.
  template <typename Server, typename Make>
  void give_up_while_silent(Server& server, const Make& make) {
    const std::string hasty = R"(,"timeout":"2s")";
    EXPECT_EQ(deliver(make(hasty, "before")).kind, Kind::delivered);
    server.freeze();
    const PushResult late = deliver(make(hasty, "late"));
    EXPECT_EQ(late.kind, Kind::failed);
    EXPECT_FALSE(late.may_be_seen) << "nothing is sent before a sign of life";
    // Nor over a connection that its kernel has taken and it has not.
    const PushResult on_new = deliver(make(R"(,"timeout":"1s")", "late, too"));
    EXPECT_EQ(on_new.kind, Kind::failed);
    EXPECT_FALSE(on_new.may_be_seen);
    server.go_on();
    EXPECT_EQ(deliver(make("", "after")).kind, Kind::delivered);
  }

  [[nodiscard]] SinkOptions options() {
    return {.loop = loop, .clock = clock, .urls = urls, .lookup = names};
  }
  void deny_loopback() { urls.set_egress(*Egress::make({.allow = {}, .deny = {"127.0.0.0/8"}})); }

  boost::asio::io_context loop{1};
  RealClock clock;
  TestNames names;
  UrlPolicy urls;
  std::unique_ptr<Sink> sink;
};

}  // namespace carillon
