#include "api/trace_context.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/api/test_server.h"

namespace carillon::test {
namespace {

using testing::HasSubstr;
using testing::Not;

constexpr std::string_view kParent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

class KeepTrace : public testing::Test {
 protected:
  std::vector<Header> kept(std::string_view parent, std::string_view state,
                           std::vector<Header> headers = {}) {
    keep_trace(parent, state, headers);
    return headers;
  }
};

TEST_F(KeepTrace, BothAreKept) {
  EXPECT_EQ(kept(kParent, "a=1,b=2"),
            (std::vector<Header>{{"traceparent", kParent}, {"tracestate", "a=1,b=2"}}));
}

TEST_F(KeepTrace, AStateWithoutAParentOrWithABrokenOneIsNotKept) {
  EXPECT_TRUE(kept("", "a=1").empty());
  EXPECT_TRUE(kept("00-short", "a=1").empty());
}

TEST_F(KeepTrace, ABrokenStateIsNotKept) {
  EXPECT_EQ(kept(kParent, std::string(513, 'a')).size(), 1U);
  EXPECT_EQ(kept(kParent, "a=\x01").size(), 1U);
}

TEST_F(KeepTrace, TheTasksOwnHeaderWins) {
  EXPECT_EQ(kept(kParent, "a=1", {{"TraceParent", "mine"}}).size(), 1U);
}

TEST(TraceOfAnAdd, GoesWithTheTaskAndDoesNotMakeItAnother) {
  TestServer server;
  HttpClient client(server.url());
  const std::string task = R"({"id":"t","delay":"1h","target":"http://127.0.0.1:9/","payload":1})";
  const std::string parent(kParent);
  EXPECT_EQ(client.post("/v1/tasks", task, {{"traceparent", parent}, {"tracestate", "a=1"}}).status,
            201);
  EXPECT_THAT(client.get("/v1/tasks/t").body,
              HasSubstr(R"("headers":{"traceparent":")" + parent + R"(","tracestate":"a=1"})"));
  EXPECT_EQ(client.post("/v1/tasks", task).status, 200) << "the same task, from another request";
  const std::string two = R"({"id":"two","delay":"1h","target":"http://127.0.0.1:9/"})";
  EXPECT_EQ(
      client.post("/v1/tasks", two, {{"traceparent", parent}, {"traceparent", parent}}).status,
      201);
  EXPECT_THAT(client.get("/v1/tasks/two").body, Not(HasSubstr("traceparent")));
}

}  // namespace
}  // namespace carillon::test
