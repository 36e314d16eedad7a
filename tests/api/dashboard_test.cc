// The dashboard's files as a client gets them; tests/npm/dashboard.js looks at them in a browser.
#include <gtest/gtest.h>

#include "tests/api/test_server.h"
#include "ui/assets.h"

namespace carillon::test {
namespace {

constexpr std::string_view kPolicy =
    "default-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'";

class Dashboard : public testing::Test {
 protected:
  TestServer server_;
  HttpClient client_{server_.url()};
};

TEST_F(Dashboard, IsOnePageWithItsFiles) {
  const HttpAnswer page = client_.get("/ui/");
  EXPECT_EQ(page.status, 200);
  EXPECT_EQ(page.header("content-type"), "text/html; charset=utf-8");
  EXPECT_TRUE(page.body.starts_with("<!doctype html>")) << page.body;
  EXPECT_EQ(page.header("content-encoding"), "");
  EXPECT_EQ(client_.get("/ui/index.html").body, page.body);
  EXPECT_EQ(client_.get("/ui/app.js").header("content-type"), "text/javascript; charset=utf-8");
  for (const char* path : {"/ui/nothing.js", "/ui/../v1/stats", "/ui/pages", "/ui/pages/",
                           "/ui/%2e%2e/app.js", "/ui//app.js", "/ui/assets.h"})
    EXPECT_EQ(client_.get(path).status, 404) << path;
}

TEST_F(Dashboard, EveryFileIsGuarded) {
  for (const UiAsset& asset : ui_assets()) {
    const HttpAnswer answer = client_.get("/ui/" + std::string(asset.path));
    EXPECT_EQ(answer.status, 200) << asset.path;
    EXPECT_EQ(answer.body.size(), asset.size) << asset.path;
    EXPECT_EQ(answer.header("content-security-policy"), kPolicy) << asset.path;
    EXPECT_EQ(answer.header("x-content-type-options"), "nosniff") << asset.path;
    EXPECT_EQ(answer.header("x-frame-options"), "DENY") << asset.path;
    EXPECT_EQ(answer.header("referrer-policy"), "no-referrer") << asset.path;
  }
}

TEST_F(Dashboard, IsSmall) {
  std::size_t bytes = 0;
  for (const UiAsset& asset : ui_assets()) bytes += asset.gzip.size();
  EXPECT_LT(bytes, 100'000U);
}

TEST_F(Dashboard, IsSentCompressedToWhoeverTakesThat) {
  for (const char* takes : {"gzip", "deflate, gzip, br", "gzip;q=0.8, br", "br,GZIP"}) {
    const HttpAnswer answer = client_.get("/ui/app.js", {{"accept-encoding", takes}});
    EXPECT_EQ(answer.header("content-encoding"), "gzip") << takes;
    EXPECT_EQ(answer.header("vary"), "accept-encoding");
    EXPECT_TRUE(answer.body.starts_with("\x1f\x8b"));
  }
  for (const char* takes : {"br", "identity", "gzip;q=0, br", "gzipped", ""}) {
    const HttpAnswer answer = client_.get("/ui/app.js", {{"accept-encoding", takes}});
    EXPECT_EQ(answer.header("content-encoding"), "") << takes;
    EXPECT_EQ(answer.status, 200);
  }
}

TEST_F(Dashboard, IsNotSentAgainToWhoeverHasIt) {
  const std::string etag = client_.get("/ui/app.js").header("etag");
  ASSERT_GT(etag.size(), 10U);
  EXPECT_NE(etag, client_.get("/ui/style.css").header("etag"));
  for (const std::string& had : {etag, "W/" + etag, "\"other\", " + etag}) {
    const HttpAnswer answer = client_.get("/ui/app.js", {{"if-none-match", had}});
    EXPECT_EQ(answer.status, 304) << had;
    EXPECT_EQ(answer.header("etag"), etag);
    EXPECT_EQ(answer.body, "");
  }
  EXPECT_EQ(client_.get("/ui/app.js", {{"if-none-match", "\"other\""}}).status, 200);
}

TEST_F(Dashboard, IsWhereBrowsersAreSent) {
  for (const char* path : {"/", "/ui"}) {
    const HttpAnswer answer =
        client_.get(path, {{"accept", "text/html,application/xhtml+xml,*/*;q=0.8"}});
    EXPECT_EQ(answer.status, 307) << path;
    EXPECT_EQ(answer.header("location"), "/ui/") << path;
  }
  EXPECT_EQ(client_.get("/").status, 404);
  EXPECT_EQ(client_.get("/", {{"accept", "application/json"}}).status, 404);
  EXPECT_EQ(client_.post("/", "{}").status, 405);
  EXPECT_EQ(client_.request("HEAD", "/ui/").status, 200);
}

TEST_F(Dashboard, IsForNoPageOfAnotherOrigin) {
  EXPECT_EQ(client_.get("/ui/", {{"origin", "http://evil.example"}}).status, 403);
  HttpClient second(server_.url());
  ASSERT_TRUE(second.send("GET /ui/ HTTP/1.1\r\nhost: evil.example\r\n\r\n"));
  EXPECT_EQ(second.read_answer().status, 421);
}

TEST(DashboardSetting, TurnsItOff) {
  ServerSetup setup;
  setup.api.dashboard = false;
  TestServer server(setup);
  HttpClient client(server.url());
  for (const char* path : {"/", "/ui", "/ui/", "/ui/app.js"}) {
    const HttpAnswer answer = client.get(path, {{"accept", "text/html"}});
    EXPECT_EQ(answer.status, 404) << path;
    EXPECT_EQ(answer.header("content-type"), "application/problem+json") << path;
  }
  setup.api.dashboard = true;
  server.reload(setup);
  EXPECT_EQ(client.get("/ui/").status, 200);
}

TEST(DashboardWithTokens, IsThereForAllAndItsCallsAreNot) {
  ServerSetup setup;
  // SHA-256 of "abc", which has a zero byte.
  setup.api.tokens = {
      {"looker",
       std::string("\xba\x78\x16\xbf\x8f\x01\xcf\xea\x41\x41\x40\xde\x5d\xae\x22\x23"
                   "\xb0\x03\x61\xa3\x96\x17\x7a\x9c\xb4\x10\xff\x61\xf2\x00\x15\xad",
                   32),
       Role::read}};
  const TestServer server(setup);
  HttpClient client(server.url());
  EXPECT_EQ(client.get("/ui/").status, 200);
  EXPECT_EQ(client.get("/v1/whoami").status, 401);
  EXPECT_EQ(client.get("/v1/whoami", {{"authorization", "Bearer abc"}}).body, R"({"role":"read"})");
}

TEST(DashboardBeforeTheEngineIsReady, IsThere) {
  ServerSetup setup;
  setup.recovered = false;
  const TestServer server(setup);
  HttpClient client(server.url());
  EXPECT_EQ(client.get("/ui/").status, 200);
  EXPECT_EQ(client.get("/v1/whoami").body, R"({"role":"admin"})");
}

}  // namespace
}  // namespace carillon::test
