#include "api/routes.h"

#include <set>

#include <gtest/gtest.h>

namespace carillon {
namespace {

struct Found {
  std::string pattern, name, allow;
};
Found find(std::string_view method, std::string_view path) {
  const RouteMatch<ApiRoute> match = find_route(routes(), method, path);
  const bool found = match.route != nullptr && match.allow.empty();
  return {found ? std::string(match.route->pattern) : "", std::string(match.name), match.allow};
}

TEST(FindRoute, FindsNamesAndCustomMethods) {
  EXPECT_EQ(find("POST", "/v1/tasks").pattern, "/v1/tasks");
  EXPECT_EQ(find("POST", "/v1/tasks:batchCreate").pattern, "/v1/tasks:batchCreate");
  EXPECT_EQ(find("GET", "/v1/tasks/a").name, "a");
  EXPECT_EQ(find("GET", "/v1/tasks/user:coupon").name, "user:coupon");
  EXPECT_EQ(find("DELETE", "/v1/tasks/user:cancel").name, "user:cancel");
  EXPECT_EQ(find("GET", "/v1/tasks/a%2Fb").name, "a%2Fb");
  EXPECT_EQ(find("POST", "/v1/groups/a:b:cancel").pattern, "/v1/groups/{group}:cancel");
  EXPECT_EQ(find("POST", "/v1/groups/a:b:cancel").name, "a:b");
  EXPECT_EQ(find("GET", "/v1/groups/a%3Acancel").name, "a%3Acancel");
  EXPECT_EQ(find("GET", "/v1/dead/user:coupon").name, "user:coupon");
  EXPECT_EQ(find("POST", "/v1/dead/user:coupon:redrive").name, "user:coupon");
}

TEST(FindRoute, FindsTheDashboardsFiles) {
  EXPECT_EQ(find("GET", "/").pattern, "/");
  EXPECT_EQ(find("GET", "/ui").pattern, "/ui");
  EXPECT_EQ(find("GET", "/ui/").pattern, "/ui/*path");
  EXPECT_EQ(find("GET", "/ui/").name, "");
  EXPECT_EQ(find("GET", "/ui/pages/find.js").name, "pages/find.js");
  EXPECT_EQ(find("POST", "/").allow, "GET, HEAD");
}

TEST(FindRoute, TakesHeadWhereGetIs) {
  EXPECT_EQ(find("HEAD", "/v1/stats").pattern, "/v1/stats");
  EXPECT_EQ(find("HEAD", "/v1/tasks:batchCreate").pattern, "");
}

TEST(FindRoute, SaysWhatIsAllowed) {
  EXPECT_EQ(find("PUT", "/v1/tasks").allow, "POST, GET, HEAD");
  EXPECT_EQ(find("GET", "/v1/groups/a:cancel").allow, "POST");
  EXPECT_EQ(find("get", "/healthz").allow, "GET, HEAD");
}

TEST(FindRoute, KnowsNothingElse) {
  for (const char* path : {"", "*", "/u", "/uix", "/index.html", "/v1", "/v1/", "/v1/tasks/",
                           "/v1/tasks/a/b", "/v1/task", "//v1/tasks", "/v1/tasks:nothing",
                           "/v1/groups/", "/v1/groups/:cancel/", "/V1/tasks", "/v1/dead:"}) {
    const Found found = find("POST", path);
    EXPECT_EQ(found.pattern, "") << path;
    EXPECT_EQ(found.allow, "") << path;
  }
}

TEST(Routes, AreThereOnce) {
  std::set<std::pair<std::string_view, std::string_view>> seen;
  for (const ApiRoute& route : routes()) {
    EXPECT_TRUE(seen.emplace(route.method, route.pattern).second) << route.pattern;
    EXPECT_NE(route.handler, nullptr);
  }
}

}  // namespace
}  // namespace carillon
