// Merging over the API: what is taken, refused, shown and changed.
#include <gtest/gtest.h>

#include "tests/api/test_server.h"

namespace carillon::test {
namespace {

bool has(const HttpAnswer& answer, std::string_view text) {
  return answer.body.find(text) != std::string::npos;
}

class MergesApi : public testing::Test {
 protected:
  MergesApi() {
    EXPECT_EQ(put("mail", R"({"url":"http://127.0.0.1:9/"})"), 201);
    EXPECT_EQ(put("bus", R"({"kind":"redis","url":"redis://127.0.0.1:9/0","stream":"due"})"), 201);
  }
  int put(const std::string& name, const std::string& settings) {
    return client_.request("PUT", "/v1/targets/" + name, settings).status;
  }
  HttpAnswer add(const std::string& id, const std::string& target, const std::string& more) {
    return client_.post("/v1/tasks", R"({"id":")" + id + R"(","delay":"10m","target":")" + target +
                                         R"(","merge_within":)" + more + "}");
  }
  TestServer server_;
  HttpClient client_{server_.url()};
};

TEST_F(MergesApi, ATaskShowsItsMergeWithinAndAPatchChangesAndEndsIt) {
  const HttpAnswer added = add("{ann}:1", "mail", R"("90s")");
  EXPECT_EQ(added.status, 201);
  EXPECT_TRUE(has(added, R"("merge_within":"90s")")) << added.body;
  EXPECT_TRUE(has(client_.get("/v1/export"), R"("merge_within":"90s")"));
  const HttpAnswer again = add("{ann}:1", "mail", "90000");
  EXPECT_EQ(again.status, 200) << again.body;
  EXPECT_EQ(add("{ann}:1", "mail", "80000").status, 409);
  const HttpAnswer longer =
      client_.request("PATCH", "/v1/tasks/%7Bann%7D:1", R"({"merge_within":"1h"})");
  EXPECT_TRUE(has(longer, R"("merge_within":"1h")")) << longer.body;
  const HttpAnswer ended =
      client_.request("PATCH", "/v1/tasks/%7Bann%7D:1", R"({"merge_within":null})");
  EXPECT_EQ(ended.status, 200);
  EXPECT_FALSE(has(ended, "merge_within")) << ended.body;
}

TEST_F(MergesApi, WhatCannotBeMergedIsRefused) {
  for (const auto& [id, target] :
       {std::pair("ann", "mail"), std::pair("{ann", "mail"), std::pair("{}ann", "mail"),
        std::pair("{ann}", "bus"), std::pair("{ann}", "http://127.0.0.1:9/")}) {
    const HttpAnswer refused = add(id, target, R"("1m")");
    EXPECT_EQ(refused.status, 422) << id << " " << target << refused.body;
    EXPECT_TRUE(has(refused, "/problems/unmergeable") && has(refused, R"("field":"merge_within")"))
        << refused.body;
  }
  for (const char* within : {"0", "3600001", R"("2h")", R"("soon")", "true"}) {
    EXPECT_EQ(add("{ann}", "mail", within).status, 400) << within;
  }
  EXPECT_EQ(add("{ann}", "mail", "null").status, 201) << "as if absent";
}

TEST_F(MergesApi, ATargetOfAnotherKindRefusesAChangeToIt) {
  EXPECT_EQ(add("{ann}", "mail", R"("1m")").status, 201);
  const HttpAnswer moved = client_.request("PATCH", "/v1/tasks/%7Bann%7D", R"({"target":"bus"})");
  EXPECT_EQ(moved.status, 422);
  EXPECT_EQ(
      client_.request("PATCH", "/v1/tasks/%7Bann%7D", R"({"target":"bus","merge_within":null})")
          .status,
      200);
}

TEST_F(MergesApi, ExplainSaysThatAnotherTakesItAlong) {
  EXPECT_EQ(add("{ann}:1", "mail", R"("1m")").status, 201);
  const HttpAnswer later = client_.post(
      "/v1/tasks", R"({"id":"{ann}:2","delay":"630s","target":"mail","merge_within":"1m"})");
  EXPECT_EQ(later.status, 201);
  const HttpAnswer why = client_.get("/v1/tasks/%7Bann%7D:2/explain");
  EXPECT_TRUE(has(why, R"("waiting_for":"merge")")) << why.body;
}

}  // namespace
}  // namespace carillon::test
