// What the end-to-end tests of brokers share: a real carillond whose target `queue` a broker is.
#pragma once

#include <map>
#include <string>
#include <thread>

#include <gtest/gtest.h>

#include "tests/end_to_end/json_find.h"
#include "tests/end_to_end/scenarios.h"
#include "tests/support/temp_dir.h"

namespace carillon::test {

class BrokerEndToEnd : public ::testing::Test {
 protected:
  BrokerEndToEnd() { EXPECT_TRUE(server.start()); }

  void put(const std::string& settings) {
    const auto answer = server.call("PUT", "/v1/targets/queue", settings);
    ASSERT_LT(answer.status, 300U) << answer.body;
  }
  /// Settings that make no test wait for long; for the end of a target's JSON.
  static constexpr const char* kHasty =
      R"(,"retry":{"max_attempts":1000,"backoff_min":"50ms","backoff_max":"200ms"})";

  void add(const std::string& id, const std::string& delay = "1ms") {
    const auto answer = server.call("POST", "/v1/tasks",
                                    R"({"id":")" + id + R"(","delay":")" + delay +
                                        R"(","target":"queue","payload":{"of":")" + id + "\"}}");
    ASSERT_EQ(answer.status, 201U) << answer.body;
  }
  /// Adds `count` tasks that are due spread over the next `spread_ms`.
  void add_many(const std::string& prefix, int count, int spread_ms) {
    std::string batch = "[";
    for (int i = 0; i < count; ++i) {
      batch += std::string(i == 0 ? "" : ",") + R"({"id":")" + prefix + std::to_string(i) +
               R"(","delay":)" + std::to_string(1 + i * spread_ms / count) +
               R"(,"target":"queue","payload":{}})";
    }
    const auto answer = server.call("POST", "/v1/tasks:batchCreate", batch + "]");
    ASSERT_EQ(number_at(answer.body, "/created"), count) << answer.body.substr(0, 500);
  }
  [[nodiscard]] std::string state_of(const std::string& id) const {
    return text_at(server.call("GET", "/v1/tasks/" + id).body, "/state");
  }
  template <typename Done>
  void wait_until(const Done& done) {
    const auto give_up = std::chrono::steady_clock::now() + std::chrono::seconds(60);
    while (!done()) {
      ASSERT_LT(std::chrono::steady_clock::now(), give_up) << "it never came";
      std::this_thread::yield();
    }
  }
  TempDir dir;
  Carillond server{dir / "data"};
};

/// What holds for every kind of broker. `Broker` has freeze and go_on.
class OneBrokerEndToEnd : public BrokerEndToEnd {
 protected:
  /// Settings that lead to the broker, with `more` at their end.
  [[nodiscard]] virtual std::string to_broker(const std::string& more = {}) const = 0;
  /// How often each task came.
  [[nodiscard]] virtual std::map<std::string, int> arrived() = 0;

  /// `come`: how many messages have. Each time the broker goes away and is back.
  template <typename Come, typename Away, typename Back>
  void expect_nothing_lost_over(int times, int tasks, int spread_ms, const Come& come,
                                const Away& away, const Back& back) {
    put(to_broker());
    for (int i = 0; i < times; ++i) {
      const auto before = come();
      add_many("t" + std::to_string(i) + "-", tasks, spread_ms);
      wait_until([&] { return come() >= before + 300; });
      away();
      back();
    }
    wait_until_idle(server, std::chrono::seconds(120));
    EXPECT_EQ(stat(server, "/counts/dead"), 0);
  }
  template <typename Broker, typename Come>
  void expect_nothing_lost_where_stopped(Broker& broker, const Come& come) {
    put(to_broker(R"(,"timeout":"2s")"));
    constexpr int kTasks = 3000;
    add_many("t", kTasks, 1500);
    wait_until([&] { return come() >= 300; });
    broker.freeze();
    wait_until([&] { return stat(server, "/counts/retrying") > 0; });
    broker.go_on();
    wait_until_idle(server, std::chrono::seconds(120));
    EXPECT_EQ(arrived().size(), static_cast<std::size_t>(kTasks));
    EXPECT_EQ(stat(server, "/counts/dead"), 0);
  }

  /// Of three tasks the second is cancelled while the broker is away.
  template <typename Away, typename Back>
  void expect_cancelled_never_arrives(const Away& away, const Back& back,
                                      const std::string& more = {}) {
    put(to_broker(more));
    add("before");
    wait_until([&] { return state_of("before") == "delivered"; });
    away();
    add("gone");
    wait_until([&] { return state_of("gone") == "retrying"; });
    wait_until([&] { return server.call("DELETE", "/v1/tasks/gone").ok(); });
    back();
    expect_before_and_after();
  }
  template <typename Broker>
  void expect_cancelled_while_stopped_never_arrives(Broker& broker) {
    put(to_broker());
    add("before");
    wait_until([&] { return state_of("before") == "delivered"; });
    // Longer than a second: a broker that has been silent for so long is asked for a sign of life.
    const auto later = std::chrono::steady_clock::now() + std::chrono::milliseconds(1100);
    wait_until([&] { return std::chrono::steady_clock::now() > later; });
    broker.freeze();
    // On the connection that there is, and on one that its kernel takes and it does not.
    for (const std::string timeout : {"15s", "1s"}) {
      if (timeout == "1s") put(to_broker(R"(,"timeout":"1s")"));
      add("late" + timeout);
      wait_until([&] { return state_of("late" + timeout) == "retrying"; });
      wait_until([&] { return server.call("DELETE", "/v1/tasks/late" + timeout).ok(); });
    }
    broker.go_on();
    put(to_broker());
    expect_before_and_after();
  }

  /// `words`: what the broker says of a wrong password.
  void expect_refused_credentials_are_failed_attempts(const std::string& words) {
    put(to_broker(R"(,"username":"carillon","password":"wrong-word")"));
    add("one");
    wait_until([&] { return state_of("one") == "retrying"; });
    const std::string shown = server.call("GET", "/v1/tasks/one").body;
    EXPECT_NE(shown.find(words), std::string::npos) << shown;
    EXPECT_EQ(shown.find("wrong-word"), std::string::npos) << shown;
    put(to_broker(R"(,"username":"carillon","password":"right")"));
    wait_until([&] { return state_of("one") == "delivered"; });
    EXPECT_EQ(arrived(), (std::map<std::string, int>{{"one", 1}}));
  }

 private:
  void expect_before_and_after() {
    add("after");
    wait_until([&] { return state_of("after") == "delivered"; });
    wait_until_idle(server);
    EXPECT_EQ(arrived(), (std::map<std::string, int>{{"before", 1}, {"after", 1}}));
  }
};

}  // namespace carillon::test
