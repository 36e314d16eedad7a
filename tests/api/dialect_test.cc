// What a route may choose beside JSON and problems, and what the server's own errors look like.
#include <array>

#include <gtest/gtest.h>

#include "api/handlers.h"
#include "tests/api/test_server.h"

namespace carillon::test {
namespace {

using std::chrono::milliseconds;

void format_plainly(HttpResponse& response, const Refusal& refusal) {
  response.status = problem_kind(refusal.slug).status;
  response.content_type = "text/plain";
  response.body = refusal.slug;
}

Async<Answer<>> echo(Call& call) {
  call.response.content_type = call.request.content_type;
  call.response.body = call.name + "|" +
                       std::string(call.request.fields.find("x-own").value_or("none")) + "|" +
                       std::string(call.request.body);
  co_return Answer<>();
}
Async<Answer<>> fail(Call&) {
  co_return Error{"not_found", "Nothing is here", ""};
}

constexpr ApiRoute kRoutes[] = {
    {{"POST", "/plain/*path"},
     echo,
     Role::read,
     Takes::anything,
     Access::serving,
     "",
     format_plainly},
    {{"GET", "/failing"}, fail, Role::read, Takes::nothing, Access::serving, "", format_plainly},
    {{"POST", "/problems/{id}"}, echo, Role::admin, Takes::json},
};

class Dialects : public testing::Test {
 protected:
  Dialects() { setup_.routes = kRoutes; }

  /// "status slug" of an answer whose type is that of the dialect.
  static std::string plainly(const HttpAnswer& answer) {
    EXPECT_EQ(answer.header("content-type"), "text/plain");
    return std::to_string(answer.status) + " " + answer.body;
  }
  /// The answer to these bytes on a connection of its own.
  static HttpAnswer ask(const TestServer& server, const std::string& bytes) {
    HttpClient client(server.url());
    EXPECT_TRUE(client.send(bytes));
    return client.read_answer();
  }

  ServerSetup setup_;
};

TEST_F(Dialects, ARawRouteTakesAnyBodyHeaderAndPath) {
  const TestServer server(setup_);
  HttpClient client(server.url());
  const HttpAnswer answer = client.post("/plain/a/%2E%2e/b", std::string("\0\xff", 2),
                                        {{"content-type", "application/x-own"}, {"X-Own", "1"}});
  EXPECT_EQ(answer.status, 200) << answer.body;
  EXPECT_EQ(answer.header("content-type"), "application/x-own");
  EXPECT_EQ(answer.body, std::string("a/../b|1|\0\xff", 11));
  EXPECT_EQ(client.post("/plain/", "x", {{"content-type", "text/plain"}}).body, "|none|x");
}

TEST_F(Dialects, ARoutesErrorsAreInItsOwn) {
  setup_.api.limits.body_bytes_max = 10;
  setup_.http.limits.body_timeout = milliseconds(50);
  const TestServer server(setup_);
  HttpClient client(server.url());
  EXPECT_EQ(plainly(client.get("/failing")), "404 not_found");
  EXPECT_EQ(plainly(client.get("/plain/a")), "405 method_not_allowed");
  EXPECT_EQ(plainly(client.post("/plain/%zz", "")), "400 bad_id");
  EXPECT_EQ(plainly(client.get("/failing?x=1")), "400 unknown_parameter");
  EXPECT_EQ(plainly(client.post("/plain/a", "a", {{"content-encoding", "gzip"}})),
            "415 unsupported_media_type");
  EXPECT_EQ(plainly(client.post("/plain/a", "12345678901")), "413 body_too_large");
  EXPECT_EQ(plainly(ask(server,
                        "POST /plain/a HTTP/1.1\r\nhost: localhost\r\n"
                        "content-length: 5\r\n\r\n1")),
            "408 request_timeout");
}

TEST_F(Dialects, RolesAndReadinessHoldInEach) {
  setup_.recovered = false;
  const TestServer starting(setup_);
  const HttpAnswer early = HttpClient(starting.url()).post("/plain/a", "");
  EXPECT_EQ(plainly(early), "503 not_ready");
  EXPECT_NE(early.header("retry-after"), "");
  setup_.recovered = true;
  setup_.api.tokens = {{"nobody", std::string(32, '0'), Role::read}};
  const TestServer server(setup_);
  const HttpAnswer stranger = HttpClient(server.url()).post("/plain/a", "");
  EXPECT_EQ(plainly(stranger), "401 unauthorized");
  EXPECT_EQ(stranger.header("www-authenticate"), "Bearer");
}

/// "status slug" of a problem.
std::string problem(const HttpAnswer& answer) {
  EXPECT_EQ(answer.header("content-type"), "application/problem+json");
  constexpr std::string_view kType = R"({"type":"/problems/)";
  EXPECT_TRUE(answer.body.starts_with(kType)) << answer.body;
  return std::to_string(answer.status) + " " +
         answer.body.substr(kType.size(), answer.body.find('"', kType.size()) - kType.size());
}

TEST_F(Dialects, WhatHasNoneIsAProblem) {
  setup_.api.limits.body_bytes_max = 10;
  setup_.http.limits.header_timeout = milliseconds(50);
  setup_.http.limits.body_timeout = milliseconds(50);
  const TestServer server(setup_);
  HttpClient client(server.url());
  EXPECT_EQ(problem(client.get("/nowhere")), "404 not_found");
  EXPECT_EQ(problem(client.get("/problems/a")), "405 method_not_allowed");
  EXPECT_EQ(problem(client.post("/problems/a", "12345678901")), "413 body_too_large");
  const std::string post = "POST /problems/a HTTP/1.1\r\nhost: localhost\r\n";
  EXPECT_EQ(problem(ask(server, "nonsense\r\n\r\n")), "400 bad_request");
  EXPECT_EQ(problem(ask(server, post + "x: " + std::string(20'000, 'x'))), "431 headers_too_large");
  EXPECT_EQ(problem(ask(server, "GET /" + std::string(9'000, 'x'))), "414 uri_too_long");
  EXPECT_EQ(problem(ask(server, "GET /")), "408 request_timeout");
  EXPECT_EQ(problem(ask(server, post + "content-type: application/json\r\n"
                                       "content-length: 5\r\n\r\n1")),
            "408 request_timeout");
}

TEST(ServersErrors, ThatPassSayWhenToComeBack) {
  ServerSetup setup;
  setup.http.limits.connections_max = 1;
  const TestServer server(setup);
  HttpClient first(server.url());
  ASSERT_EQ(first.get("/healthz").status, 200);
  HttpClient second(server.url());
  ASSERT_TRUE(second.connect());
  const HttpAnswer refused = second.read_answer();
  EXPECT_EQ(problem(refused), "503 too_many_connections");
  EXPECT_EQ(refused.header("retry-after"), "1");
  EXPECT_TRUE(second.closed_by_peer());
}

TEST(ServersErrors, OfFullBuffersSayWhenToComeBack) {
  constexpr std::size_t kMib = std::size_t{1} << 20;
  ServerSetup setup;
  setup.http.limits.buffer_bytes_max = 4 * kMib;
  setup.api.limits.batch_bytes_max = 3 * kMib;
  const TestServer server(setup);
  const std::string part =
      "POST /v1/tasks:batchCreate HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n"
      "content-length: 3000000\r\n\r\n" +
      std::string(2'500'000, ' ');
  HttpClient slow(server.url());
  ASSERT_TRUE(slow.send(part));
  HttpClient other(server.url());
  ASSERT_TRUE(other.send(part));
  const HttpAnswer refused = slow.read_answer();
  EXPECT_EQ(problem(refused), "503 overloaded");
  EXPECT_EQ(refused.header("retry-after"), "1");
}

}  // namespace
}  // namespace carillon::test
