// What a task waits for, over the API.
#include <gtest/gtest.h>

#include "tests/api/test_server.h"

namespace carillon::test {
namespace {

bool has(const HttpAnswer& answer, std::string_view text) {
  return answer.body.find(text) != std::string::npos;
}

TEST(ExplainApi, ATaskIsExplainedWhateverItWaitsFor) {
  TestServer server;
  HttpClient client(server.url());
  EXPECT_EQ(client.get("/v1/tasks/nobody/explain").status, 404);
  EXPECT_EQ(client.post("/v1/tasks", task_json("a")).status, 201);
  const HttpAnswer due = client.get("/v1/tasks/a/explain");
  EXPECT_EQ(due.status, 200);
  EXPECT_TRUE(has(due, R"({"state":"scheduled","waiting_for":"due","detail":"it is not due yet",)"
                       R"("expected_at":"20)"))
      << due.body;
  EXPECT_EQ(client.request("PUT", "/v1/targets/shop", R"({"url":"http://127.0.0.1:9/"})").status,
            201);
  EXPECT_EQ(client.post("/v1/targets/shop:pause", "").status, 200);
  EXPECT_EQ(client.post("/v1/tasks", R"({"id":"b:c","delay":0,"target":"shop"})").status, 201);
  EXPECT_EQ(client.post("/v1/clock:advance", R"({"by":0})").status, 200);
  const HttpAnswer paused = client.get("/v1/tasks/b:c/explain");
  EXPECT_TRUE(has(paused, R"("waiting_for":"target_paused")")) << paused.body;
  EXPECT_TRUE(has(paused, R"("ahead":0})")) << paused.body;
  EXPECT_EQ(client.request("DELETE", "/v1/tasks/a").status, 200);
  const HttpAnswer over = client.get("/v1/tasks/a/explain");
  EXPECT_EQ(over.body, R"({"state":"cancelled","detail":"nothing: it is cancelled"})");
}

}  // namespace
}  // namespace carillon::test
