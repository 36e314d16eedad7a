#include "http/route.h"

#include <gtest/gtest.h>

namespace carillon {
namespace {

TEST(MatchPath, TakesThePathOfAPatternThatIsFixed) {
  EXPECT_EQ(match_path("/v1/tasks", "/v1/tasks"), "");
  for (const char* path : {"", "/", "/v1/task", "/v1/tasks/", "/v1/taskss"})
    EXPECT_EQ(match_path("/v1/tasks", path), std::nullopt) << path;
}

TEST(MatchPath, TakesOneSegmentForANameInBraces) {
  EXPECT_EQ(match_path("/v1/tasks/{id}", "/v1/tasks/a%2Fb"), "a%2Fb");
  EXPECT_EQ(match_path("/v1/tasks/{id}:push", "/v1/tasks/a:b:push"), "a:b");
  for (const char* path : {"/v1/tasks/", "/v1/tasks/:push", "/v1/tasks/a", "/v1/tasks/a/b:push"})
    EXPECT_EQ(match_path("/v1/tasks/{id}:push", path), std::nullopt) << path;
}

TEST(MatchPath, TakesTheRestOfThePathForAStar) {
  EXPECT_EQ(match_path("/ui/*path", "/ui/"), "");
  EXPECT_EQ(match_path("/ui/*path", "/ui/app.js"), "app.js");
  EXPECT_EQ(match_path("/ui/*path", "/ui/a/b%2F:c/"), "a/b%2F:c/");
  for (const char* path : {"", "/", "/ui", "/u/i/", "/UI/"})
    EXPECT_EQ(match_path("/ui/*path", path), std::nullopt) << path;
}

constexpr HttpRoute kRoutes[] = {{"GET", "/a/{x}:do"}, {"POST", "/a/{x}"}, {"PUT", "/a/{x}"},
                                 {"GET", "/a/*rest"},  {"GET", "/b"},      {"DELETE", "/b"}};

RouteMatch<HttpRoute> find(std::string_view method, std::string_view path) {
  return find_route(std::span<const HttpRoute>(kRoutes), method, path);
}

TEST(FindRoute, TakesTheFirstPatternThatFits) {
  EXPECT_EQ(find("GET", "/a/1:do").name, "1");
  EXPECT_EQ(find("PUT", "/a/1").route, &kRoutes[2]);
  EXPECT_EQ(find("GET", "/a/1/2").route, &kRoutes[3]);
  EXPECT_EQ(find("GET", "/a/1/2").name, "1/2");
  EXPECT_EQ(find("GET", "/c").route, nullptr);
}

TEST(FindRoute, SaysWhichMethodsAPathHas) {
  EXPECT_EQ(find("GET", "/a/1").allow, "POST, PUT");
  EXPECT_EQ(find("POST", "/b").allow, "GET, HEAD, DELETE");
  EXPECT_EQ(find("POST", "/b").route->pattern, "/b")
      << "whose errors are written as its route says";
  EXPECT_EQ(find("HEAD", "/b").allow, "");
}

}  // namespace
}  // namespace carillon
