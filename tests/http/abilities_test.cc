// What the server offers to a service beside JSON: the rest of a path, all headers, bodies and
// answers of any type, and errors in the service's own way, also those that are the server's.
#include <gtest/gtest.h>

#include "tests/http/thing_server.h"

namespace carillon::test {
namespace {

using std::chrono::milliseconds;

TEST(RestOfPath, GoesToTheHandlerAsItWasSent) {
  const ThingServer server;
  HttpClient client(server.url());
  EXPECT_EQ(client.get("/pages/").body, "<p></p>");
  EXPECT_EQ(client.get("/pages/a/b%2Fc/?q").body, "<p>a/b%2Fc/</p>");
  EXPECT_EQ(client.get("/pages").status, 404);
}

TEST(Headers, AreAllThereForTheHandler) {
  const ThingServer server;
  HttpClient client(server.url());
  for (int i = 0; i < 3; ++i) {  // the same head again is not parsed again
    EXPECT_EQ(client.get("/headers", {{"X-Own", "1"}, {"cookie", "a=b"}, {"x-own", "2"}}).body,
              "host=localhost\nX-Own=1\ncookie=a=b\nx-own=2\n");
  }
  EXPECT_EQ(client.get("/headers").body, "host=localhost\n");
}

TEST(RawBodies, OfAnyTypePassBothWays) {
  const ThingServer server;
  HttpClient client(server.url());
  std::string bytes;
  for (int byte = 0; byte < 256; ++byte) bytes += static_cast<char>(byte);
  const HttpAnswer answer = client.post("/echo", bytes, {{"content-type", "image/x-own; a=b"}});
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.header("content-type"), "image/x-own; a=b");
  EXPECT_EQ(answer.body, bytes);
}

TEST(Caching, IsAsTheHandlerSaysAndElseForbidden) {
  const ThingServer server;
  HttpClient client(server.url());
  EXPECT_EQ(client.get("/health").header("cache-control"), "no-store");
  const HttpAnswer page = client.get("/pages/a");
  EXPECT_EQ(page.header("cache-control"), "max-age=60");
  EXPECT_EQ(page.header("content-type"), "text/html; charset=utf-8");
  const HttpAnswer unchanged = client.get("/pages/a", {{"if-none-match", "\"1\""}});
  EXPECT_EQ(unchanged.status, 304);
  EXPECT_EQ(unchanged.body, "");
  EXPECT_EQ(unchanged.header("content-length"), "");
  EXPECT_EQ(client.get("/health").header("cache-control"), "no-store") << "after a page";
}

class Dialect : public testing::Test {
 protected:
  /// The answer to these bytes on a connection of its own.
  static HttpAnswer ask(const ThingServer& server, const std::string& bytes) {
    HttpClient client(server.url());
    EXPECT_TRUE(client.send(bytes));
    return client.read_answer();
  }
  static void expect_page(const HttpAnswer& answer, int status, const std::string& slug) {
    EXPECT_EQ(answer.status, status);
    EXPECT_EQ(answer.header("content-type"), "text/html; charset=utf-8");
    EXPECT_EQ(answer.body, "<h1>" + slug + "</h1>");
  }

  ThingSetup setup_;
  const std::string page_ = "POST /pages/a HTTP/1.1\r\nhost: localhost\r\n";
  const std::string get_page_ = "GET /pages/a HTTP/1.1\r\nhost: localhost\r\n";
};

TEST_F(Dialect, OfTheRouteIsThatOfTheServersOwnErrorsThere) {
  setup_.body_bytes_max = 10;
  setup_.http.limits.body_timeout = milliseconds(50);
  const ThingServer server(setup_);
  expect_page(ask(server, page_ + "\r\n"), 405, "method_not_allowed");
  expect_page(ask(server, get_page_ + "content-length: 11\r\n\r\n"), 413, "body_too_large");
  expect_page(ask(server, get_page_ + "content-length: 5\r\n\r\n1"), 408, "request_timeout");
  expect_page(ask(server, get_page_ + "content-length: 5\r\nexpect: miracles\r\n\r\n"), 417,
              "unsupported_expectation");
  expect_page(ask(server, get_page_ + "transfer-encoding: chunked\r\n\r\nz\r\n"), 400,
              "bad_request");
  expect_page(ask(server, get_page_ + "origin: http://evil.example\r\n\r\n"), 403, "cross_origin");
  expect_page(ask(server, "GET http://evil.example/pages/a HTTP/1.1\r\nhost: a\r\n\r\n"), 421,
              "wrong_host");
}

TEST_F(Dialect, IsTheServicesOwnWhereNoHeadSaysTheRoute) {
  setup_.http.limits.header_timeout = milliseconds(50);
  setup_.http.limits.connections_max = 1;
  const ThingServer server(setup_);
  HttpClient client(server.url());
  ASSERT_EQ(client.get("/pages/a").status, 200);
  HttpClient second(server.url());
  ASSERT_TRUE(second.connect());
  EXPECT_TRUE(second.read_answer().body.starts_with("too_many_connections: "));
  // What was asked before on this connection makes no difference.
  ASSERT_TRUE(client.send("GET /pages/a HTTP/1.1\r\nhost:"));
  EXPECT_TRUE(client.read_answer().body.starts_with("request_timeout: "));
}

TEST_F(Dialect, HasItsBodyAlsoAfterAHeadRequest) {
  const ThingServer server;
  HttpClient client(server.url());
  ASSERT_EQ(client.request("HEAD", "/health").status, 200);
  ASSERT_TRUE(client.send("nonsense\r\n\r\n"));
  const HttpAnswer answer = client.read_answer();
  EXPECT_EQ(answer.status, 400);
  EXPECT_TRUE(answer.body.starts_with("bad_request: ")) << answer.body;
}

TEST_F(Dialect, HasNoBodyForAHeadRequestWhoseHeadIsRefused) {
  const ThingServer server;
  HttpClient client(server.url());
  ASSERT_TRUE(
      client.send("HEAD /health HTTP/1.1\r\nhost: localhost\r\nexpect: a\r\nexpect: b\r\n\r\n"));
  const std::string answer = client.read_to_end().value_or("");
  EXPECT_TRUE(answer.starts_with("HTTP/1.1 400 ")) << answer;
  EXPECT_TRUE(answer.ends_with("\r\n\r\n")) << answer;
}

}  // namespace
}  // namespace carillon::test
