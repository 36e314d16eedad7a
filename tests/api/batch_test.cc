#include <gtest/gtest.h>

#include "tests/api/test_server.h"

namespace carillon::test {
namespace {

const HttpClient::Headers kLines = {{"content-type", "application/x-ndjson"}};

bool has(const HttpAnswer& answer, std::string_view text) {
  return answer.body.find(text) != std::string::npos;
}

class Batch : public testing::Test {
 protected:
  HttpAnswer create(const std::string& body, const HttpClient::Headers& headers = {}) {
    return client_.post("/v1/tasks:batchCreate", body, headers);
  }
  TestServer server_;
  HttpClient client_{server_.url()};
};

TEST_F(Batch, EachTaskHasTheStatusOfASingleCall) {
  ASSERT_EQ(client_.post("/v1/tasks", task_json("there", R"("body":"x")")).status, 201);
  const HttpAnswer answer =
      create("[" + task_json("a") + "," + task_json("there", R"("body":"x")") + "," +
             task_json("there", R"("body":"y")") + "," + task_json("b", R"("grup":"g")") + ",7," +
             R"({"delay":"40d","id":"far","target":"http://127.0.0.1:9/"}])");
  ASSERT_EQ(answer.status, 200) << answer.body;
  EXPECT_TRUE(has(answer, R"({"results":[{"id":"a","status":201},{"id":"there","status":200},)"
                          R"({"id":"there","type":"/problems/task_exists")"))
      << answer.body;
  EXPECT_TRUE(has(answer, R"("type":"/problems/unknown_field")"));
  EXPECT_TRUE(has(answer, R"("field":"grup")"));
  EXPECT_TRUE(has(answer, R"("type":"/problems/bad_type")"));
  EXPECT_TRUE(has(answer, R"({"id":"far","type":"/problems/beyond_horizon")"));
  EXPECT_TRUE(has(answer, R"("created":1,"failed":4})")) << answer.body;
  EXPECT_EQ(client_.get("/v1/tasks/a").status, 200);
}

TEST_F(Batch, LinesThatAreNoJsonFailAlone) {
  const HttpAnswer answer =
      create(task_json("a") + "\r\n\n{\n" + task_json("b", R"("payload":{"k": 1})") + "\n[}\n  \n",
             kLines);
  ASSERT_EQ(answer.status, 200) << answer.body;
  EXPECT_TRUE(has(answer, R"({"results":[{"id":"a","status":201},{"type":"/problems/bad_json")"))
      << answer.body;
  EXPECT_TRUE(has(answer, R"({"id":"b","status":201},{"type":"/problems/bad_json")"));
  EXPECT_TRUE(has(answer, R"("created":2,"failed":2})"));
  EXPECT_TRUE(has(client_.get("/v1/tasks/b"), R"("payload":{"k": 1})"));
}

TEST_F(Batch, BrokenArrayIsRefusedWhole) {
  const HttpAnswer answer = create("[" + task_json("a") + ",");
  EXPECT_EQ(answer.status, 400);
  EXPECT_TRUE(has(answer, "/problems/bad_json"));
  EXPECT_EQ(client_.get("/v1/tasks/a").status, 404);
  EXPECT_EQ(create(task_json("a")).status, 400);
}

TEST_F(Batch, EmptyOnesAreFine) {
  EXPECT_EQ(create("[]").body, R"({"results":[],"created":0,"failed":0})");
  EXPECT_EQ(create("\n", kLines).body, R"({"results":[],"created":0,"failed":0})");
}

TEST_F(Batch, TenThousandPassAndOneMoreDoesNot) {
  std::string lines;
  std::string array = "[";
  for (int i = 0; i < 10'000; ++i) {
    const std::string task = task_json("t" + std::to_string(i));
    lines += task + "\n";
    array += task + ",";
  }
  const HttpAnswer answer = create(lines, kLines);
  ASSERT_EQ(answer.status, 200);
  EXPECT_TRUE(has(answer, R"("created":10000,"failed":0})"));
  const HttpAnswer more = create(lines + task_json("more"), kLines);
  EXPECT_EQ(more.status, 413);
  EXPECT_TRUE(has(more, "/problems/batch_too_large"));
  EXPECT_EQ(create(array + task_json("more") + "]").status, 413);
}

TEST_F(Batch, MayBeLargerThanASingleTask) {
  const std::string body = R"("body":")" + std::string(700'000, 'x') + "\"";
  const HttpAnswer answer = create("[" + task_json("a", body) + "," + task_json("b", body) + "]");
  EXPECT_TRUE(has(answer, R"("created":2)")) << answer.body.substr(0, 300);
  EXPECT_EQ(create(std::string((std::size_t{16} << 20) + 1, ' ')).status, 413);
}

TEST_F(Batch, ATaskTooLargeForASingleCallIsTooLargeHereAndSaysItsId) {
  const std::string large(std::size_t{2} << 20, 'x');
  const HttpAnswer answer =
      create("[" + task_json("large", R"("body":")" + large + "\"") + "," + task_json("small") +
             "," + task_json("typo", R"("grup":"g")") + "]");
  ASSERT_EQ(answer.status, 200) << answer.body;
  EXPECT_TRUE(has(answer, R"({"id":"large","type":"/problems/body_too_large")")) << answer.body;
  EXPECT_TRUE(has(answer, R"({"id":"small","status":201})"));
  EXPECT_TRUE(has(answer, R"({"id":"typo","type":"/problems/unknown_field")")) << answer.body;
}

TEST_F(Batch, CancelAnswersEachId) {
  ASSERT_EQ(client_.post("/v1/tasks", task_json("a")).status, 201);
  const HttpAnswer answer = client_.post("/v1/tasks:batchCancel", R"({"ids":["a","nothing","a"]})");
  ASSERT_EQ(answer.status, 200) << answer.body;
  EXPECT_TRUE(has(answer, R"({"results":[{"id":"a","status":200,"state":"cancelled","attempts":0},)"
                          R"({"id":"nothing","type":"/problems/not_found")"))
      << answer.body;
  EXPECT_TRUE(has(answer, R"("cancelled":1,"failed":2})")) << answer.body;
  EXPECT_EQ(client_.post("/v1/tasks:batchCancel", R"({"ids":[]})").status, 200);
  EXPECT_EQ(client_.post("/v1/tasks:batchCancel", "{}").status, 400);
  EXPECT_EQ(client_.post("/v1/tasks:batchCancel", R"({"ids":"a"})").status, 400);
  EXPECT_EQ(client_.post("/v1/tasks:batchCancel", R"({"ids":[1]})").status, 400);
}

TEST_F(Batch, ExportIsTakenBack) {
  std::string lines;
  for (int i = 0; i < 3000; ++i)
    lines +=
        task_json("t" + std::to_string(i), R"("payload":{"n":)" + std::to_string(i) + "}") + "\n";
  ASSERT_TRUE(has(create(lines, kLines), R"("created":3000)"));
  const HttpAnswer exported = client_.get("/v1/export");
  EXPECT_EQ(exported.status, 200);
  EXPECT_EQ(exported.header("transfer-encoding"), "chunked");
  EXPECT_EQ(exported.header("content-type"), "application/x-ndjson");
  EXPECT_EQ(std::count(exported.body.begin(), exported.body.end(), '\n'), 3000);
  const TestServer copy;
  HttpClient other(copy.url());
  const HttpAnswer imported = other.post("/v1/tasks:batchCreate", exported.body, kLines);
  EXPECT_TRUE(has(imported, R"("created":3000,"failed":0})")) << imported.body.substr(0, 300);
  EXPECT_EQ(other.get("/v1/tasks/t2999").body, client_.get("/v1/tasks/t2999").body);
}

}  // namespace
}  // namespace carillon::test
