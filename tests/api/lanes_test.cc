// Lanes over the API, and tasks that are in them.
#include <gtest/gtest.h>

#include "tests/api/test_server.h"

namespace carillon::test {
namespace {

bool has(const HttpAnswer& answer, std::string_view text) {
  return answer.body.find(text) != std::string::npos;
}

class LanesApi : public testing::Test {
 protected:
  HttpAnswer put(const std::string& name, const std::string& settings) {
    return client_.request("PUT", "/v1/lanes/" + name, settings);
  }
  TestServer server_;
  HttpClient client_{server_.url()};
};

TEST_F(LanesApi, OneIsMadeChangedShownAndDeleted) {
  const HttpAnswer made = put("fast", R"({"weight":8,"reserved":0.3})");
  EXPECT_EQ(made.status, 201);
  EXPECT_EQ(made.header("location"), "/v1/lanes/fast");
  EXPECT_TRUE(has(made, R"({"name":"fast","weight":8,"reserved":0.3,"waiting":0,"backlog":0,)"
                        R"("in_flight":0,"lateness_ms":{)"))
      << made.body;
  EXPECT_EQ(put("fast", R"({"weight":4})").status, 200);
  EXPECT_TRUE(has(client_.get("/v1/lanes/fast"), R"("weight":4,"reserved":0)"));
  const HttpAnswer listed = client_.get("/v1/lanes");
  EXPECT_TRUE(has(listed, R"({"lanes":[{"name":"default","weight":1,"reserved":0)")) << listed.body;
  EXPECT_TRUE(has(client_.get("/v1/stats"), R"("lanes":{"default":{"waiting":0)"));
  EXPECT_EQ(client_.request("DELETE", "/v1/lanes/fast").status, 204);
  EXPECT_EQ(client_.request("DELETE", "/v1/lanes/fast").status, 404);
  EXPECT_EQ(client_.get("/v1/lanes/fast").status, 404);
}

TEST_F(LanesApi, WhatIsOutOfBoundsIsRefused) {
  for (const std::string bad :
       {R"({"weight":0})", R"({"weight":1001})", R"({"weight":1.5})", R"({"reserved":0.91})",
        R"({"reserved":-0.1})", R"({"reserved":"0.1"})", R"({"wait":1})", "[]", ""}) {
    EXPECT_EQ(put("fast", bad).status, 400) << bad;
  }
  EXPECT_EQ(put("..", "{}").status, 400);
  EXPECT_EQ(put("one", R"({"reserved":0.6})").status, 201);
  const HttpAnswer more = put("two", R"({"reserved":0.4})");
  EXPECT_EQ(more.status, 422);
  EXPECT_TRUE(has(more, "/problems/too_much_reserved"));
  for (int i = 2; i <= 15; ++i) EXPECT_EQ(put("lane" + std::to_string(i), "{}").status, 201);
  EXPECT_TRUE(has(put("another", "{}"), "/problems/too_many_lanes"));
}

TEST_F(LanesApi, ATaskIsInALaneThatExistsAndKeepsItFromDeletion) {
  const std::string task = task_json("a", R"("lane":"fast")");
  const HttpAnswer unknown = client_.post("/v1/tasks", task);
  EXPECT_EQ(unknown.status, 422);
  EXPECT_TRUE(has(unknown, "/problems/unknown_lane") && has(unknown, R"("field":"lane")"));
  put("fast", "{}");
  EXPECT_EQ(client_.post("/v1/tasks", task).status, 201);
  EXPECT_TRUE(
      has(client_.get("/v1/forecast?bucket=1d&to=2026-12-01T00:00:00Z&lane=fast"), R"("tasks":1)"));
  EXPECT_TRUE(has(client_.get("/v1/forecast?bucket=1d&to=2026-12-01T00:00:00Z&lane=default"),
                  R"("buckets":[])"));
  EXPECT_TRUE(has(client_.get("/v1/forecast?bucket=1d&to=2026-12-01T00:00:00Z&lane=none"),
                  R"("buckets":[])"));
  EXPECT_TRUE(has(client_.get("/v1/lanes/fast"), R"("waiting":1)"));
  const HttpAnswer refused = client_.request("DELETE", "/v1/lanes/fast");
  EXPECT_EQ(refused.status, 409);
  EXPECT_TRUE(has(refused, "/problems/lane_in_use"));
  EXPECT_EQ(client_.request("DELETE", "/v1/lanes/default").status, 409);
  EXPECT_EQ(client_.request("PATCH", "/v1/tasks/a", R"({"lane":"slow"})").status, 422);
  EXPECT_EQ(client_.request("PATCH", "/v1/tasks/a", R"({"lane":null})").status, 200);
  EXPECT_EQ(client_.request("DELETE", "/v1/lanes/fast").status, 204);
}

TEST_F(LanesApi, AFinishedTaskThatOutlivedItsLaneIsShownInTheDefaultOne) {
  put("fast", "{}");
  client_.post("/v1/tasks", task_json("a", R"("lane":"fast")"));
  client_.request("DELETE", "/v1/tasks/a");
  EXPECT_TRUE(has(client_.get("/v1/tasks/a"), R"("lane":"fast")"));
  client_.request("DELETE", "/v1/lanes/fast");
  EXPECT_TRUE(has(client_.get("/v1/tasks/a"), R"("lane":"default")"));
}

TEST_F(LanesApi, OnExpireGoesWithExpireAfter) {
  EXPECT_EQ(client_.post("/v1/tasks", task_json("a", R"("on_expire":"dead")")).status, 400);
  EXPECT_EQ(
      client_.post("/v1/tasks", task_json("a", R"("expire_after":"1h","on_expire":"die")")).status,
      400);
  const HttpAnswer added =
      client_.post("/v1/tasks", task_json("a", R"("expire_after":"1h","on_expire":"dead")"));
  EXPECT_EQ(added.status, 201);
  EXPECT_TRUE(has(added, R"("expire_after":"1h","on_expire":"dead")")) << added.body;
  const HttpAnswer changed = client_.request("PATCH", "/v1/tasks/a", R"({"on_expire":null})");
  EXPECT_EQ(changed.status, 200);
  EXPECT_FALSE(has(changed, "on_expire")) << changed.body;
}

}  // namespace
}  // namespace carillon::test
