// Who is served at all: by the Host header, the role, the door, and what the body is.
#include <gtest/gtest.h>
#include <openssl/sha.h>

#include "tests/api/test_server.h"
#include "tests/support/temp_dir.h"

namespace carillon::test {
namespace {

using Headers = HttpClient::Headers;

bool has(const HttpAnswer& answer, std::string_view text) {
  return answer.body.find(text) != std::string::npos;
}

Token token(const std::string& text, Role role) {
  unsigned char digest[SHA256_DIGEST_LENGTH];
  SHA256(reinterpret_cast<const unsigned char*>(text.data()), text.size(), digest);
  return Token{text, std::string(reinterpret_cast<char*>(digest), sizeof digest), role};
}
ServerSetup with_tokens() {
  ServerSetup setup;
  setup.api.tokens = {token("r", Role::read), token("w", Role::write), token("a", Role::admin)};
  return setup;
}
Headers as(const std::string& who) {
  return {{"authorization", "Bearer " + who}};
}

/// The answer to a request with these lines behind the request line, on a connection of its own.
HttpAnswer ask(const TestServer& server, const std::string& line, const std::string& headers) {
  HttpClient client(server.url());
  EXPECT_TRUE(client.send(line + "\r\n" + headers + "\r\n"));
  return client.read_answer();
}
HttpAnswer get_from(const TestServer& server, const std::string& host) {
  return ask(server, "GET /v1/stats HTTP/1.1", "host: " + host + "\r\n");
}

TEST(Host, OfAnotherNameIsRefusedWithoutTokens) {
  const TestServer server;
  EXPECT_EQ(get_from(server, "localhost:8080").status, 200);
  EXPECT_EQ(get_from(server, "127.0.0.1").status, 200);
  EXPECT_EQ(get_from(server, "[::1]:8080").status, 200);
  const HttpAnswer refused = get_from(server, "evil.example");
  EXPECT_EQ(refused.status, 421);
  EXPECT_EQ(refused.header("content-type"), "application/problem+json");
  EXPECT_TRUE(has(refused, R"("type":"/problems/wrong_host")")) << refused.body;
  EXPECT_FALSE(refused.keep_alive);
  // A page whose name was given this machine's address: to its browser all is of one origin.
  const std::string rebound =
      "host: evil.example:8080\r\norigin: http://evil.example:8080\r\n"
      "sec-fetch-site: same-origin\r\n";
  for (const char* line : {"GET /v1/export HTTP/1.1", "PUT /v1/targets/t HTTP/1.1",
                           "POST /v1/admin/checkpoint HTTP/1.1", "GET /healthz HTTP/1.1"}) {
    EXPECT_EQ(ask(server, line, rebound).status, 421) << line;
  }
}

TEST(Host, OfTheRequestTargetWins) {
  const TestServer server;
  EXPECT_EQ(ask(server, "GET http://evil.example/v1/stats HTTP/1.1", "host: localhost\r\n").status,
            421);
  EXPECT_EQ(ask(server, "GET http://localhost/v1/stats HTTP/1.1", "host: evil.example\r\n").status,
            200);
}

TEST(Host, ThatIsMissingIsServedOnlyWhereNoBrowserLeavesItOut) {
  const TestServer server;
  EXPECT_EQ(ask(server, "GET /v1/stats HTTP/1.0", "").status, 200);
  EXPECT_EQ(ask(server, "GET /v1/stats HTTP/1.1", "host:\r\n").status, 421);
}

TEST(Host, ThatIsConfiguredIsServedFromTheNextReloadOn) {
  ServerSetup setup;
  TestServer server(setup);
  HttpClient client(server.url());
  EXPECT_EQ(get_from(server, "carillon:8080").status, 421);
  setup.http.hosts = {"carillon"};
  server.reload(setup);
  EXPECT_EQ(get_from(server, "carillon:8080").status, 200);
  EXPECT_EQ(get_from(server, "evil.example").status, 421);
}

TEST(Host, DoesNotMatterWithTokens) {
  ServerSetup setup = with_tokens();
  TestServer server(setup);
  const std::string headers = "host: evil.example\r\nauthorization: Bearer r\r\n";
  EXPECT_EQ(ask(server, "GET /v1/stats HTTP/1.1", headers).status, 200);
  EXPECT_EQ(get_from(server, "evil.example").status, 401);
  // The rule is back with the tokens' end: also for a request that had begun to come, and on a
  // connection whose last request had the name.
  HttpClient begun(server.url());
  ASSERT_TRUE(begun.send("GET /v1/stats HTTP/1.1\r\nhost: evil"));
  HttpClient client(server.url());
  const std::string request = "GET /v1/stats HTTP/1.1\r\n" + headers + "\r\n";
  ASSERT_TRUE(client.send(request));
  EXPECT_EQ(client.read_answer().status, 200);
  setup.api.tokens.clear();
  server.reload(setup);
  ASSERT_TRUE(client.send(request));
  EXPECT_EQ(client.read_answer().status, 421);
  ASSERT_TRUE(begun.send(".example\r\n\r\n"));
  EXPECT_EQ(begun.read_answer().status, 421);
}

TEST(Host, DoesNotMatterOnAUnixSocket) {
  const TempDir dir;
  ServerSetup setup;
  setup.listen = {.unix_path = dir / "socket"};
  const TestServer server(setup);
  EXPECT_EQ(get_from(server, "any.name").status, 200);
}

TEST(Roles, AreNeededAsTheRoutesSay) {
  const TestServer server(with_tokens());
  HttpClient client(server.url());
  const std::string target = R"({"url":"http://127.0.0.1:9/"})";
  struct Case {
    const char* method;
    const char* path;
    std::string body;
    Role role;
  };
  for (const auto& [method, path, body, role] : std::vector<Case>{
           {"GET", "/metrics", "", Role::read},
           {"GET", "/v1/tasks", "", Role::read},
           {"GET", "/v1/dead", "", Role::read},
           {"GET", "/v1/targets", "", Role::read},
           {"GET", "/v1/stats", "", Role::read},
           {"POST", "/v1/tasks", task_json("t"), Role::write},
           {"PATCH", "/v1/tasks/t", R"({"delay":"1h"})", Role::write},
           {"POST", "/v1/tasks:batchCreate", "[]", Role::write},
           {"POST", "/v1/tasks:batchCancel", R"({"ids":[]})", Role::write},
           {"DELETE", "/v1/tasks/t", "", Role::write},
           {"POST", "/v1/groups/g:cancel", "", Role::write},
           {"POST", "/v1/dead:redrive", "", Role::write},
           {"POST", "/v1/dead:purge", "", Role::write},
           {"PUT", "/v1/targets/t", target, Role::admin},
           {"POST", "/v1/targets/t:pause", "", Role::admin},
           {"POST", "/v1/targets/t:resume", "", Role::admin},
           {"DELETE", "/v1/targets/t", "", Role::admin},
           {"GET", "/v1/export", "", Role::admin},
           {"POST", "/v1/admin/checkpoint", R"({"dir":"x"})", Role::admin},
           {"POST", "/v1/clock:advance", R"({"by":1})", Role::admin},
       }) {
    for (const auto& [who, has_role] :
         {std::pair("r", Role::read), {"w", Role::write}, {"a", Role::admin}}) {
      const HttpAnswer answer = client.request(method, path, body, as(who));
      EXPECT_EQ(answer.status == 403, has_role < role) << who << " " << method << " " << path;
      EXPECT_NE(answer.status, 401) << path;
    }
    EXPECT_EQ(client.request(method, path, body).status, 401) << path;
  }
}

class Secret : public testing::Test {
 protected:
  /// What `who` is shown at `path`.
  std::string shown(const std::string& path, const std::string& who) {
    const HttpAnswer answer = client_.get(path, as(who));
    EXPECT_EQ(answer.status, 200) << path << " " << answer.body;
    return answer.body;
  }
  static bool tells(const std::string& text) { return text.find("hidden") != std::string::npos; }

  TestServer server_{with_tokens()};
  HttpClient client_{server_.url()};
};

TEST_F(Secret, OfATaskIsShownToThoseWhoMaySetIt) {
  const HttpAnswer added = client_.post(
      "/v1/tasks",
      R"({"id":"t","delay":"1d","target":"http://127.0.0.1:9/hook?key=hidden","group":"g",)"
      R"("headers":{"authorization":"Bearer hidden","x-plain":"hidden too"}})",
      as("w"));
  ASSERT_EQ(added.status, 201) << added.body;
  EXPECT_TRUE(tells(added.body));
  for (const std::string path : {"/v1/tasks/t", "/v1/tasks", "/v1/tasks?group=g"}) {
    EXPECT_TRUE(tells(shown(path, "w"))) << path;
    EXPECT_TRUE(tells(shown(path, "a"))) << path;
    const std::string masked = shown(path, "r");
    EXPECT_FALSE(tells(masked)) << masked;
    EXPECT_NE(masked.find(R"("target":"http://127.0.0.1:9/hook?***")"), std::string::npos)
        << masked;
  }
  EXPECT_NE(shown("/v1/tasks/t", "r").find(R"("headers":{"authorization":"***","x-plain":"***"})"),
            std::string::npos);
  EXPECT_TRUE(tells(shown("/v1/export", "a")));
}

TEST_F(Secret, OfADeadLetterIsShownToThoseWhoMaySetIt) {
  ASSERT_EQ(client_
                .post("/v1/tasks",
                      R"({"id":"t","delay":0,"target":"http://127.0.0.1:1/?key=hidden",)"
                      R"("headers":{"x":"hidden"},"retry":{"max_attempts":1}})",
                      as("w"))
                .status,
            201);
  while (client_.get("/v1/dead/t", as("r")).status != 200) {
  }
  for (const std::string path : {"/v1/dead/t", "/v1/dead"}) {
    EXPECT_TRUE(tells(shown(path, "w"))) << path;
    EXPECT_FALSE(tells(shown(path, "r"))) << shown(path, "r");
  }
}

TEST_F(Secret, OfATargetIsShownToThoseWhoMaySetIt) {
  ASSERT_EQ(client_
                .request("PUT", "/v1/targets/shop",
                         R"({"url":"http://127.0.0.1:9/hook?key=hidden",)"
                         R"("headers":{"authorization":"hidden"}})",
                         as("a"))
                .status,
            201);
  for (const std::string path : {"/v1/targets/shop", "/v1/targets"}) {
    EXPECT_TRUE(tells(shown(path, "a"))) << path;
    for (const char* who : {"r", "w"}) {
      const std::string masked = shown(path, who);
      EXPECT_FALSE(tells(masked)) << masked;
      EXPECT_NE(masked.find(R"("url":"http://127.0.0.1:9/hook?***")"), std::string::npos) << masked;
      EXPECT_NE(masked.find(R"("headers":{"authorization":"***"})"), std::string::npos) << masked;
    }
  }
}

TEST(Probes, AreServedWithoutTokenAndNothingElseIs) {
  ServerSetup setup = with_tokens();
  setup.listen.probes_only = true;
  const TestServer server(setup);
  HttpClient client(server.url());
  for (const char* path : {"/healthz", "/readyz", "/metrics"})
    EXPECT_EQ(client.get(path).status, 200) << path;
  for (const char* path : {"/v1/stats", "/v1/tasks", "/openapi.json", "/v1/export", "/nothing"})
    EXPECT_EQ(client.get(path, as("a")).status, 404) << path;
  EXPECT_EQ(client.post("/v1/tasks", task_json("t"), as("a")).status, 404);
  EXPECT_EQ(client.post("/healthz", "").status, 405);
  EXPECT_EQ(get_from(server, "any.name").status, 404);
}

TEST(Body, WithAContentCodingIsRefused) {
  const TestServer server;
  HttpClient client(server.url());
  for (const char* coding : {"gzip", "GZIP", "deflate", "br", "identity, gzip", "unheard-of"}) {
    for (const char* path : {"/v1/tasks", "/v1/tasks:batchCreate", "/v1/dead:purge"}) {
      const HttpAnswer refused = client.post(path, "[]", {{"content-encoding", coding}});
      EXPECT_EQ(refused.status, 415) << path << " " << coding;
      EXPECT_EQ(refused.header("accept-encoding"), "identity") << coding;
      EXPECT_TRUE(has(refused, "/problems/unsupported_media_type")) << refused.body;
    }
  }
  EXPECT_EQ(
      client
          .post("/v1/tasks", "{}", {{"content-encoding", "identity"}, {"content-encoding", "gzip"}})
          .status,
      415);
  EXPECT_EQ(client.request("PUT", "/v1/targets/t", "{}", {{"content-encoding", "gzip"}}).status,
            415);
  EXPECT_EQ(client.post("/v1/tasks", task_json("a"), {{"content-encoding", "Identity"}}).status,
            201);
  EXPECT_EQ(client.get("/v1/tasks/a", {{"content-encoding", "gzip"}}).status, 200);
}

TEST(Body, OfAnotherTypeOrCharsetIsRefused) {
  const TestServer server;
  HttpClient client(server.url());
  const auto status = [&](const char* path, const std::string& body, const char* type) {
    return client.post(path, body, {{"content-type", type}}).status;
  };
  int next = 0;
  const auto task = [&] { return task_json("t" + std::to_string(++next)); };
  for (const char* type : {"application/json; charset=utf-8", "Application/JSON;charset=\"UTF-8\"",
                           "application/json;profile=x"}) {
    EXPECT_EQ(status("/v1/tasks", task(), type), 201) << type;
  }
  for (const char* type :
       {"application/json; charset=iso-8859-1", "application/json;charset=\"utf-16\"", "text/json",
        "application/jsonx", "application/x-ndjson", "json", "application/json; charset"}) {
    EXPECT_EQ(status("/v1/tasks", task(), type), 415) << type;
  }
  EXPECT_EQ(status("/v1/tasks:batchCreate", task(), "Application/X-NDJSON; charset=utf-8"), 200);
  EXPECT_EQ(status("/v1/tasks:batchCreate", task(), "application/x-ndjson; charset=latin1"), 415);
  EXPECT_EQ(client
                .request("PATCH", "/v1/tasks/t1", R"({"delay":1})",
                         {{"content-type", "application/merge-patch+json; charset=utf-16"}})
                .status,
            415);
}

}  // namespace
}  // namespace carillon::test
