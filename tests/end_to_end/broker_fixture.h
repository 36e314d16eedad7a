// What the end-to-end tests of brokers share: a real carillond whose target `queue` a broker is.
#pragma once

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

}  // namespace carillon::test
