// Keys of tasks over the API: which are taken, and what changes of them.
#include <gtest/gtest.h>

#include "tests/api/test_server.h"

namespace carillon::test {
namespace {

bool has(const HttpAnswer& answer, std::string_view text) {
  return answer.body.find(text) != std::string::npos;
}

class KeysApi : public testing::Test {
 protected:
  KeysApi() {
    put("queue", R"({"kind":"amqp","url":"amqp://127.0.0.1:1","exchange":"x","keys":["eu.*"]})");
    put("other", R"({"kind":"amqp","url":"amqp://127.0.0.1:1","exchange":"x","keys":["us.*"]})");
    put("web", R"({"url":"http://127.0.0.1:1/"})");
  }
  void put(const std::string& name, const std::string& settings) {
    EXPECT_LT(client_.request("PUT", "/v1/targets/" + name, settings).status, 300);
  }
  [[nodiscard]] static std::string task(const std::string& id, const std::string& more) {
    return R"({"id":")" + id + R"(","delay":"1h","payload":1,)" + more + "}";
  }
  [[nodiscard]] static bool is_refused(const HttpAnswer& answer) {
    return answer.status == 422 && has(answer, "/problems/key_not_allowed") &&
           has(answer, R"("field":"key")");
  }
  TestServer server_;
  HttpClient client_{server_.url()};
};

TEST_F(KeysApi, AKeyIsTakenWhereTheTargetAllowsItAndShown) {
  const HttpAnswer added =
      client_.post("/v1/tasks", task("a", R"("target":"queue","key":"eu.due")"));
  EXPECT_EQ(added.status, 201) << added.body;
  EXPECT_TRUE(has(added, R"("key":"eu.due")"));
  EXPECT_TRUE(has(client_.get("/v1/tasks/a"), R"("key":"eu.due")"));
  EXPECT_EQ(client_.post("/v1/tasks", task("a", R"("target":"queue","key":"eu.due")")).status, 200);
  EXPECT_EQ(client_.post("/v1/tasks", task("a", R"("target":"queue","key":"eu.x")")).status, 409)
      << "another key is another task";
}

TEST_F(KeysApi, WhatTheTargetDoesNotAllowIsRefused) {
  EXPECT_TRUE(
      is_refused(client_.post("/v1/tasks", task("a", R"("target":"queue","key":"us.due")"))));
  EXPECT_TRUE(is_refused(client_.post("/v1/tasks", task("a", R"("target":"web","key":"eu.due")"))));
  EXPECT_TRUE(is_refused(
      client_.post("/v1/tasks", task("a", R"("target":"http://127.0.0.1:1/","key":"eu.due")"))));
  EXPECT_TRUE(has(client_.post("/v1/tasks", task("a", R"("target":"none","key":"eu.due")")),
                  "/problems/unknown_target"));
}

TEST_F(KeysApi, OfABatchOnlyThatTaskIsRefused) {
  const HttpAnswer answer = client_.post("/v1/tasks:batchCreate",
                                         "[" + task("a", R"("target":"queue","key":"eu.1")") + "," +
                                             task("b", R"("target":"queue","key":"us.1")") + "," +
                                             task("c", R"("target":"queue")") + "," +
                                             task("d", R"("target":"web","key":"eu.1")") + "]");
  EXPECT_TRUE(has(answer, R"("created":2)")) << answer.body;
  EXPECT_EQ(client_.get("/v1/tasks/a").status, 200);
  EXPECT_EQ(client_.get("/v1/tasks/b").status, 404);
  EXPECT_EQ(client_.get("/v1/tasks/c").status, 200);
  EXPECT_EQ(client_.get("/v1/tasks/d").status, 404);
}

TEST_F(KeysApi, AChangeOfKeyOrTargetIsLookedAtTogether) {
  client_.post("/v1/tasks", task("a", R"("target":"queue","key":"eu.due")"));
  const auto change = [&](const std::string& members) {
    return client_.request("PATCH", "/v1/tasks/a", members);
  };
  EXPECT_TRUE(is_refused(change(R"({"key":"us.due"})")));
  EXPECT_TRUE(is_refused(change(R"({"target":"other"})")));
  EXPECT_EQ(change(R"({"target":"other","key":"us.due"})").status, 200);
  EXPECT_TRUE(is_refused(change(R"({"target":"web"})")));
  const HttpAnswer without = change(R"({"target":"web","key":null})");
  EXPECT_EQ(without.status, 200) << without.body;
  EXPECT_FALSE(has(without, R"("key")"));
}

TEST_F(KeysApi, WhatIsNotAllowedAnyMoreCanStillBeChangedOtherwise) {
  client_.post("/v1/tasks", task("a", R"("target":"queue","key":"eu.due")"));
  put("queue", R"({"kind":"amqp","url":"amqp://127.0.0.1:1","exchange":"x"})");
  EXPECT_EQ(client_.request("PATCH", "/v1/tasks/a", R"({"payload":2})").status, 200);
  EXPECT_EQ(client_.request("PATCH", "/v1/tasks/a", R"({"delay":"2h"})").status, 200);
}

}  // namespace
}  // namespace carillon::test
