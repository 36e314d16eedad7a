#include <gtest/gtest.h>

#include "base/json_syntax.h"
#include "tests/api/test_server.h"

namespace carillon::test {
namespace {

bool has(const HttpAnswer& answer, std::string_view text) {
  return answer.body.find(text) != std::string::npos;
}

class Operate : public testing::Test {
 protected:
  TestServer server_;
  HttpClient client_{server_.url()};
};

TEST_F(Operate, AnswersAreJson) {
  ASSERT_EQ(client_.post("/v1/tasks", task_json("a", R"("group":"g")")).status, 201);
  for (const char* path : {"/healthz", "/readyz", "/openapi.json", "/v1/stats", "/v1/wheel",
                           "/v1/forecast", "/v1/history", "/v1/alarms", "/v1/audit", "/v1/tasks",
                           "/v1/targets", "/v1/dead", "/v1/groups/g"}) {
    const HttpAnswer answer = client_.get(path);
    EXPECT_EQ(answer.status, 200) << path;
    EXPECT_EQ(answer.header("content-type"), "application/json") << path;
    EXPECT_TRUE(check_json(answer.body, 64)) << path << answer.body;
  }
}

TEST_F(Operate, StatsCount) {
  ASSERT_EQ(client_.post("/v1/tasks", task_json("a")).status, 201);
  const HttpAnswer stats = client_.get("/v1/stats");
  EXPECT_TRUE(has(stats, R"("scheduled":1)")) << stats.body;
  EXPECT_TRUE(has(stats, R"("now":"2026-11-21T00:00:00.000Z")")) << stats.body;
  EXPECT_TRUE(has(stats, R"("lateness_ms":{"count":0)")) << stats.body;
}

TEST_F(Operate, MetricsCountAnswers) {
  client_.get("/v1/nothing");
  const HttpAnswer metrics = client_.get("/metrics");
  EXPECT_EQ(metrics.status, 200);
  EXPECT_TRUE(metrics.header("content-type").starts_with("text/plain"));
  EXPECT_TRUE(has(metrics, R"(carillon_http_answers_total{status="4xx"} 1)")) << metrics.body;
  EXPECT_TRUE(has(metrics, "carillon_http_connections 1"));
}

TEST_F(Operate, ForecastCountsByDue) {
  for (int i = 0; i < 3; ++i)
    ASSERT_EQ(client_.post("/v1/tasks", task_json("t" + std::to_string(i))).status, 201);
  const HttpAnswer answer = client_.get("/v1/forecast?bucket=1h&to=2026-11-23T00:00:00Z");
  EXPECT_EQ(answer.body,
            R"({"bucket":"1h","buckets":[{"from":"2026-11-22T00:00:00.000Z","tasks":3}]})");
  for (const char* query : {"bucket=0s", "bucket=x", "from=x", "from=2000&to=1000",
                            "bucket=1ms&from=0&to=1000000000"}) {
    EXPECT_EQ(client_.get(std::string("/v1/forecast?") + query).status, 400) << query;
  }
}

TEST_F(Operate, HistoryTellsWhatCameToPass) {
  for (int i = 0; i < 2; ++i) {
    ASSERT_EQ(client_.post("/v1/tasks", task_json("t" + std::to_string(i))).status, 201);
    ASSERT_EQ(client_.post("/v1/clock:advance", R"({"by":"10s"})").status, 200);
    server_.look();
  }
  const HttpAnswer answer = client_.get("/v1/history");
  EXPECT_TRUE(
      has(answer, R"({"step":"10s","points":[{"from":"2026-11-21T00:00:00.000Z","added":1,)"))
      << answer.body;
  EXPECT_TRUE(has(answer, R"({"from":"2026-11-21T00:00:10.000Z","added":1,)")) << answer.body;
  EXPECT_TRUE(has(client_.get("/v1/history?step=1m"), R"("added":2,"cancelled":0,)"));
  EXPECT_EQ(client_.get("/v1/history?to=2026-11-21T00:00:00Z").body,
            R"({"step":"10s","points":[]})");
  for (const char* query : {"step=9s", "step=x", "from=x", "from=2000&to=1000"})
    EXPECT_EQ(client_.get(std::string("/v1/history?") + query).status, 400) << query;
}

TEST_F(Operate, AuditNotesWhoChangedSettingsOrManyTasks) {
  ASSERT_EQ(client_.post("/v1/tasks", task_json("a", R"("group":"g")")).status, 201);
  ASSERT_EQ(client_.request("PUT", "/v1/lanes/bulk", R"({"weight":2})").status, 201);
  ASSERT_EQ(client_.post("/v1/groups/g:cancel", "{}").status, 200);
  ASSERT_EQ(client_.request("DELETE", "/v1/targets/nobody").status, 404);
  EXPECT_EQ(
      client_.get("/v1/audit").body,
      R"({"entries":[)"
      R"({"at":"2026-11-21T00:00:00.000Z","action":"DELETE /v1/targets/{name}","of":"nobody","status":404},)"
      R"({"at":"2026-11-21T00:00:00.000Z","action":"POST /v1/groups/{group}:cancel","of":"g","status":200,)"
      R"("result":{"cancelled":1,"firing":0}},)"
      R"({"at":"2026-11-21T00:00:00.000Z","action":"PUT /v1/lanes/{name}","of":"bulk","status":201}]})");
  EXPECT_TRUE(has(client_.get("/v1/audit?limit=1"), "nobody"));
  EXPECT_EQ(client_.get("/v1/audit?limit=0").status, 400);
}

TEST_F(Operate, AlarmsSayWhatAndWhatToDo) {
  EXPECT_EQ(client_.get("/v1/alarms").body, R"({"alarms":[]})");
  ASSERT_EQ(client_
                .post("/v1/tasks", R"({"id":"a","delay":0,"target":"http://127.0.0.1:9/",)"
                                   R"("retry":{"max_attempts":1}})")
                .status,
            201);
  ASSERT_EQ(client_.post("/v1/clock:advance", R"({"by":"10s"})").status, 200);
  server_.look();
  const HttpAnswer answer = client_.get("/v1/alarms");
  EXPECT_TRUE(
      has(answer, R"({"alarms":[{"alarm":"dead_letters","since":"2026-11-21T00:00:10.000Z",)"))
      << answer.body;
  EXPECT_TRUE(has(client_.get("/metrics"), R"(carillon_alarms_open{alarm="dead_letters"} 1)"));
}

TEST_F(Operate, ManualClockMovesOnlyForward) {
  const HttpAnswer moved = client_.post("/v1/clock:advance", R"({"by":"30d"})");
  EXPECT_EQ(moved.body, R"({"now":"2026-12-21T00:00:00.000Z"})");
  EXPECT_EQ(client_.post("/v1/clock:advance", R"({"by":"-1s"})").status, 400);
  EXPECT_EQ(client_.post("/v1/clock:advance", "{}").status, 400);
}

TEST(OperateSystemClock, CannotBeMoved) {
  ServerSetup setup;
  setup.manual_clock = false;
  const TestServer server(setup);
  HttpClient client(server.url());
  EXPECT_EQ(client.post("/v1/clock:advance", R"({"by":"1s"})").status, 404);
}

TEST_F(Operate, CheckpointSaysWhyItFailed) {
  const HttpAnswer answer = client_.post("/v1/admin/checkpoint", R"({"dir":"/tmp/copy"})");
  EXPECT_EQ(answer.status, 409) << answer.body;  // a log in memory has nothing to copy
  EXPECT_TRUE(has(answer, "/problems/checkpoint_failed"));
  EXPECT_EQ(client_.post("/v1/admin/checkpoint", R"({"dir":"copy"})").status, 400);
  EXPECT_EQ(client_.post("/v1/admin/checkpoint", R"({})").status, 400);
}

}  // namespace
}  // namespace carillon::test
