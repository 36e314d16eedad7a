// Lists as a client pages through them.
#include <gtest/gtest.h>

#include "tests/api/test_server.h"

namespace carillon::test {
namespace {

class Lists : public testing::Test {
 protected:
  /// Follows the cursors; how many tasks were on each page.
  std::vector<std::size_t> walk(const std::string& path) {
    std::vector<std::size_t> pages;
    std::string cursor;
    do {
      const HttpAnswer answer = client_.get(path + (cursor.empty() ? "" : "&cursor=" + cursor));
      EXPECT_EQ(answer.status, 200) << answer.body;
      std::size_t tasks = 0;
      for (std::size_t at = 0; (at = answer.body.find("{\"id\":", at)) != std::string::npos; ++at) {
        ++tasks;
      }
      pages.push_back(tasks);
      const std::string mark = "\"next_cursor\":\"";
      const std::size_t next = answer.body.find(mark);
      cursor =
          next == std::string::npos
              ? ""
              : answer.body.substr(next + mark.size(),
                                   answer.body.find('"', next + mark.size()) - next - mark.size());
    } while (!cursor.empty() && pages.size() < 100);
    return pages;
  }
  void add(const std::string& id, const std::string& target, const std::string& more = "") {
    const std::string task = R"({"id":")" + id + R"(","delay":"1h","target":")" + target +
                             R"(","payload":"secret")" + more + "}";
    ASSERT_EQ(client_.post("/v1/tasks", task).status, 201);
  }

  TestServer server_;
  HttpClient client_{server_.url()};
};

using Pages = std::vector<std::size_t>;

TEST_F(Lists, PagesAreFullAndTheLastHasNoCursor) {
  ASSERT_EQ(client_.request("PUT", "/v1/lanes/fast", "{}").status, 201);
  for (int i = 0; i < 12; ++i) {
    const std::string path = i % 2 == 0 ? "even" : "odd";
    add("t" + std::to_string(i), "http://127.0.0.1:9/" + path,
        i % 3 == 0 ? R"(,"lane":"fast","group":"g")" : "");
  }
  EXPECT_EQ(walk("/v1/tasks?limit=4"), (Pages{4, 4, 4}));
  EXPECT_EQ(walk("/v1/tasks?limit=12"), (Pages{12}));
  EXPECT_EQ(walk("/v1/tasks?limit=5&state=scheduled"), (Pages{5, 5, 2}));
  EXPECT_EQ(walk("/v1/tasks?limit=3&target=http://127.0.0.1:9/odd"), (Pages{3, 3}));
  EXPECT_EQ(walk("/v1/tasks?limit=2&target=http://127.0.0.1:9/none"), (Pages{0}));
  EXPECT_EQ(walk("/v1/tasks?limit=2&lane=fast"), (Pages{2, 2}));
  EXPECT_EQ(walk("/v1/tasks?limit=3&group=g"), (Pages{3, 1}));
  EXPECT_EQ(walk("/v1/tasks?limit=3&due_to=2020-01-01T00:00:00Z"), (Pages{0}));
  EXPECT_EQ(client_.get("/v1/tasks?limit=12").body.find("secret"), std::string::npos);
  EXPECT_EQ(client_.get("/v1/tasks?cursor=1-2-").status, 400);
  EXPECT_EQ(client_.get("/v1/tasks?cursor=1-2-3x").status, 400);
}

TEST_F(Lists, DeadLettersOfAGroupAreFullPages) {
  const std::string once = R"(,"retry":{"max_attempts":1})";
  for (int i = 0; i < 9; ++i) {
    add("t" + std::to_string(i), "http://127.0.0.1:1/",
        once + (i % 3 == 0 ? R"(,"group":"g")" : R"(,"group":"other")"));
  }
  ASSERT_EQ(client_.post("/v1/clock:advance", R"({"by":"1h"})").status, 200);
  for (int i = 0; i < 1000; ++i) {
    if (client_.get("/v1/stats").body.find("\"dead\":9") != std::string::npos) break;
    client_.post("/v1/clock:advance", R"({"by":"1ms"})");
  }
  EXPECT_EQ(walk("/v1/dead?limit=2&group=g"), (Pages{2, 1}));
  EXPECT_EQ(walk("/v1/dead?limit=3"), (Pages{3, 3, 3}));
  EXPECT_EQ(walk("/v1/dead?limit=3&target=http://127.0.0.1:1/x"), (Pages{0}));
}

TEST_F(Lists, AForecastCanBeOfOneTarget) {
  add("a", "http://127.0.0.1:9/");
  add("b", "http://127.0.0.1:10/");
  EXPECT_NE(
      client_.get("/v1/forecast?bucket=1d&target=http://127.0.0.1:10/").body.find("\"tasks\":1"),
      std::string::npos);
  EXPECT_EQ(client_.get("/v1/forecast?bucket=1d&target=nobody").body,
            R"({"bucket":"1d","buckets":[]})");
}

}  // namespace
}  // namespace carillon::test
