#include <gtest/gtest.h>
#include <openssl/sha.h>

#include "tests/api/test_server.h"

namespace carillon::test {
namespace {

bool has(const HttpAnswer& answer, std::string_view text) {
  return answer.body.find(text) != std::string::npos;
}
/// "409 task_exists" of a problem; the status alone of anything else.
std::string problem(const HttpAnswer& answer) {
  std::string out = std::to_string(answer.status);
  const std::string mark = "{\"type\":\"/problems/";
  if (answer.header("content-type") != "application/problem+json" || !answer.body.starts_with(mark))
    return out;
  EXPECT_TRUE(has(answer, "\"title\":\"")) << answer.body;
  EXPECT_TRUE(has(answer, "\"status\":" + out)) << answer.body;
  return out + " " +
         answer.body.substr(mark.size(), answer.body.find('"', mark.size()) - mark.size());
}
std::string field_of(const HttpAnswer& answer) {
  const std::string mark = "\"field\":\"";
  const std::size_t at = answer.body.find(mark);
  if (at == std::string::npos) return "";
  return answer.body.substr(at + mark.size(),
                            answer.body.find('"', at + mark.size()) - at - mark.size());
}

class Api : public testing::Test {
 protected:
  TestServer server_;
  HttpClient client_{server_.url()};

  /// Makes `id` a dead letter: its target refuses connections.
  void make_dead(const std::string& id, const std::string& more = "") {
    client_.request("PUT", "/v1/targets/closed", R"({"url":"http://127.0.0.1:1/"})");
    const std::string task = R"({"id":")" + id +
                             R"(","delay":"1h","target":"closed","group":"dead",)"
                             R"("retry":{"max_attempts":1})" +
                             more + "}";
    ASSERT_EQ(client_.post("/v1/tasks", task).status, 201);
    ASSERT_EQ(client_.post("/v1/clock:advance", R"({"by":"1h"})").status, 200);
    for (int i = 0; i < 100'000; ++i) {
      if (client_.get("/v1/dead/" + id).status == 200) return;
    }
    FAIL() << "it is not dead";
  }
};

TEST_F(Api, AddAnswersTheTaskAndWhereItIs) {
  const HttpAnswer added = client_.post("/v1/tasks", R"({"id":"a/b c","delay":"90s",
      "target":"http://127.0.0.1:9/x","payload":{"n": 1.50},"group":"g","expire_after":"1m",
      "headers":{"x-a":"1"},"retry":{"max_attempts":2}})");
  ASSERT_EQ(added.status, 201) << added.body;
  EXPECT_EQ(added.header("location"), "/v1/tasks/a%2Fb%20c");
  EXPECT_EQ(added.header("content-type"), "application/json");
  EXPECT_EQ(added.header("cache-control"), "no-store");
  EXPECT_NE(added.header("date"), "");
  for (const char* text :
       {R"("id":"a/b c")", R"("state":"scheduled")", R"("due_at":"2026-11-21T00:01:30.000Z")",
        R"("created_at":"2026-11-21T00:00:00.000Z")", R"("target":"http://127.0.0.1:9/x")",
        R"("group":"g")", R"("attempt":0)", R"("payload":{"n": 1.50})", R"("expire_after":"1m")",
        R"("headers":{"x-a":"1"})", R"("max_attempts":2)"}) {
    EXPECT_TRUE(has(added, text)) << text << " in " << added.body;
  }
  EXPECT_FALSE(has(added, "lane"));
  const HttpAnswer read = client_.get(added.header("location"));
  EXPECT_EQ(read.status, 200);
  EXPECT_EQ(read.body, added.body);
}

TEST_F(Api, AddMakesIdsThatAreThere) {
  const HttpAnswer added =
      client_.post("/v1/tasks", R"({"delay":"1s","target":"http://127.0.0.1:9/"})");
  ASSERT_EQ(added.status, 201) << added.body;
  EXPECT_EQ(client_.get(added.header("location")).status, 200);
}

TEST_F(Api, SameTaskAgainIsNoConflict) {
  EXPECT_EQ(client_.post("/v1/tasks", task_json("a", R"("body":"x")")).status, 201);
  EXPECT_EQ(client_.post("/v1/tasks", task_json("a", R"("body":"x")")).status, 200);
  const HttpAnswer other = client_.post("/v1/tasks", task_json("a", R"("body":"y")"));
  EXPECT_EQ(problem(other), "409 task_exists");
  EXPECT_TRUE(has(other, R"("state":"scheduled")")) << other.body;
  EXPECT_EQ(client_.post("/v1/tasks", task_json("a", R"("body":"y","if_exists":"replace")")).status,
            200);
  EXPECT_TRUE(has(client_.get("/v1/tasks/a"), R"("body":"y")"));
}

TEST_F(Api, IdsMayHaveColonsAndSlashes) {
  for (const auto& [id, path] :
       std::vector<std::pair<std::string, std::string>>{{"user:coupon", "user:coupon"},
                                                        {"user:cancel", "user:cancel"},
                                                        {"user:redrive", "user%3Aredrive"},
                                                        {"a/b", "a%2Fb"},
                                                        {"%2F", "%252F"},
                                                        {"\xc3\xa9 +?#", "%C3%A9%20+%3F%23"}}) {
    ASSERT_EQ(client_.post("/v1/tasks", task_json(id)).status, 201) << id;
    EXPECT_EQ(client_.get("/v1/tasks/" + path).status, 200) << path;
    const HttpAnswer cancelled = client_.request("DELETE", "/v1/tasks/" + path);
    EXPECT_EQ(cancelled.status, 200) << path;
    EXPECT_TRUE(has(cancelled, R"("state":"cancelled","attempts":0)")) << cancelled.body;
  }
  for (const char* path : {"%", "%zz", "%00", "%0a", "%ff", "%7F"})
    EXPECT_EQ(problem(client_.get(std::string("/v1/tasks/") + path)), "400 bad_id") << path;
  EXPECT_EQ(problem(client_.get("/v1/tasks/" + std::string(256, 'x'))), "400 bad_id");
}

TEST_F(Api, ChangeMovesAndReplaces) {
  ASSERT_EQ(client_.post("/v1/tasks", task_json("a", R"("group":"g","body":"x")")).status, 201);
  const HttpAnswer changed =
      client_.request("PATCH", "/v1/tasks/a", R"({"delay":"2d","group":null,"payload":{"new":1}})");
  ASSERT_EQ(changed.status, 200) << changed.body;
  EXPECT_TRUE(has(changed, R"("due_at":"2026-11-23T00:00:00.000Z")")) << changed.body;
  EXPECT_TRUE(has(changed, R"("payload":{"new":1})"));
  EXPECT_FALSE(has(changed, "\"group\""));
  EXPECT_EQ(client_.get("/v1/tasks/a").body, changed.body);
  EXPECT_EQ(problem(client_.request("PATCH", "/v1/tasks/b", R"({"delay":1})")), "404 not_found");
  EXPECT_EQ(problem(client_.request("PATCH", "/v1/tasks/a", "{}")), "400 missing_field");
  EXPECT_EQ(client_
                .request("PATCH", "/v1/tasks/a", R"({"delay":1})",
                         {{"content-type", "application/merge-patch+json"}})
                .status,
            200);
}

TEST_F(Api, CancelIsFinalAndSaysSo) {
  ASSERT_EQ(client_.post("/v1/tasks", task_json("a")).status, 201);
  ASSERT_EQ(client_.request("DELETE", "/v1/tasks/a").status, 200);
  const HttpAnswer again = client_.request("DELETE", "/v1/tasks/a");
  EXPECT_EQ(problem(again), "409 task_finished");
  EXPECT_TRUE(has(again, R"("state":"cancelled","attempt":0,"at":"2026)")) << again.body;
  EXPECT_EQ(client_.post("/v1/tasks", task_json("a")).status, 201);
  EXPECT_EQ(problem(client_.request("DELETE", "/v1/tasks/nothing")), "404 not_found");
}

TEST_F(Api, ListsPagesInDueOrder) {
  for (int i = 9; i >= 0; --i) {
    ASSERT_EQ(client_
                  .post("/v1/tasks", R"({"id":"t)" + std::to_string(i) + R"(","delay":")" +
                                         std::to_string(i + 1) +
                                         R"(h","target":"http://127.0.0.1:9/","group":"g"})")
                  .status,
              201);
  }
  std::string order, cursor;
  for (int page = 0; page < 4; ++page) {
    const HttpAnswer answer =
        client_.get("/v1/tasks?group=g&limit=3" + (cursor.empty() ? "" : "&cursor=" + cursor));
    ASSERT_EQ(answer.status, 200) << answer.body;
    for (std::size_t at = 0; (at = answer.body.find("\"id\":\"t", at)) != std::string::npos; ++at)
      order += answer.body[at + 7];
    const std::size_t next = answer.body.find("\"next_cursor\":\"");
    if (next == std::string::npos) break;
    cursor = answer.body.substr(next + 15, answer.body.find('"', next + 15) - next - 15);
  }
  EXPECT_EQ(order, "0123456789");
  EXPECT_TRUE(has(client_.get("/v1/tasks?state=scheduled&due_from=2026-11-21T09:30:00%2B00:00"),
                  R"({"tasks":[{"id":"t9")"));
  EXPECT_TRUE(has(client_.get("/v1/tasks?state=dead"), R"({"tasks":[])"));
  EXPECT_EQ(problem(client_.get("/v1/tasks?limit=0")), "400 bad_parameter");
  EXPECT_EQ(problem(client_.get("/v1/tasks?limit=1001")), "400 bad_parameter");
  EXPECT_EQ(problem(client_.get("/v1/tasks?state=asleep")), "400 bad_parameter");
  EXPECT_EQ(problem(client_.get("/v1/tasks?due_to=soon")), "400 bad_time");
  EXPECT_EQ(problem(client_.get("/v1/tasks?cursor=x")), "400 bad_cursor");
  EXPECT_EQ(problem(client_.get("/v1/tasks?grup=g")), "400 unknown_parameter");
  EXPECT_EQ(field_of(client_.get("/v1/tasks?grup=g")), "grup");
}

TEST_F(Api, EachRefusalOfABodyHasItsProblem) {
  const auto add = [&](const std::string& body) {
    return problem(client_.post("/v1/tasks", body));
  };
  EXPECT_EQ(add("{"), "400 bad_json");
  EXPECT_EQ(add(""), "400 bad_json");
  EXPECT_EQ(add("[]"), "400 bad_type");
  EXPECT_EQ(add("{\"a\":\xff}"), "400 bad_json");
  EXPECT_EQ(add(task_json("a", R"("x":1)")), "400 unknown_field");
  EXPECT_EQ(add(task_json("a", R"("id":"b")")), "400 duplicate_field");
  EXPECT_EQ(add(task_json("a", R"("payload":{"a":01})")), "400 bad_json");
  EXPECT_EQ(add(task_json("a", R"("payload":{"a":nul})")), "400 bad_json");
  EXPECT_EQ(add(task_json("a", "\"payload\":" + std::string(100, '[') + std::string(100, ']'))),
            "400 json_too_deep");
  EXPECT_EQ(add(std::string(900'000, '[')), "400 json_too_deep");
  EXPECT_EQ(add(task_json("")), "400 bad_id");
  EXPECT_EQ(add(R"({"delay":"soon","target":"http://a/"})"), "400 bad_duration");
  EXPECT_EQ(add(R"({"due_at":"soon","target":"http://a/"})"), "400 bad_time");
  EXPECT_EQ(add(R"({"delay":1,"target":"ftp://a/"})"), "400 bad_url");
  EXPECT_EQ(add(R"({"delay":1})"), "400 missing_field");
  EXPECT_EQ(add(R"({"delay":1,"due_at":1793000000000,"target":"http://a/"})"),
            "400 conflicting_fields");
  EXPECT_EQ(add(task_json("a", R"("headers":{"host":"x"})")), "400 bad_header");
  EXPECT_EQ(add(task_json("a", R"("if_exists":"x")")), "400 bad_value");
  EXPECT_EQ(add(R"({"delay":"31d","target":"http://127.0.0.1/"})"), "422 beyond_horizon");
  EXPECT_EQ(add(R"({"delay":1,"target":"http://169.254.169.254/"})"), "422 target_denied");
  EXPECT_EQ(add(R"({"delay":1,"target":"nowhere"})"), "422 unknown_target");
}

TEST_F(Api, UnknownRoutesMethodsAndTypesAreTold) {
  EXPECT_EQ(problem(client_.get("/v2/tasks")), "404 not_found");
  EXPECT_EQ(problem(client_.get("/v1/tasks/a")), "404 not_found");
  const HttpAnswer wrong = client_.request("PUT", "/v1/tasks", "{}");
  EXPECT_EQ(problem(wrong), "405 method_not_allowed");
  EXPECT_EQ(wrong.header("allow"), "POST, GET, HEAD");
  EXPECT_EQ(problem(client_.request("OPTIONS", "/v1/tasks")), "405 method_not_allowed");
  EXPECT_EQ(problem(client_.post("/v1/tasks", "{}", {{"content-type", "text/plain"}})),
            "415 unsupported_media_type");
  EXPECT_EQ(problem(client_.post("/v1/tasks", "{}", {{"content-type", "application/x-ndjson"}})),
            "415 unsupported_media_type");
  EXPECT_EQ(client_
                .post("/v1/tasks", task_json("typed"),
                      {{"content-type", "Application/JSON; charset=utf-8"}})
                .status,
            201);
  EXPECT_EQ(problem(client_.post("/v1/tasks?x=1", task_json("q"))), "400 unknown_parameter");
}

TEST_F(Api, GroupsAreCountedMovedAndCancelled) {
  for (int i = 0; i < 5; ++i)
    ASSERT_EQ(
        client_.post("/v1/tasks", task_json("t" + std::to_string(i), R"("group":"a:b")")).status,
        201);
  const HttpAnswer group = client_.get("/v1/groups/a:b");
  ASSERT_EQ(group.status, 200);
  EXPECT_TRUE(has(group, R"("scheduled":5)")) << group.body;
  EXPECT_TRUE(has(group, R"("earliest_due":"2026-11-22T00:00:00.000Z")")) << group.body;
  EXPECT_EQ(client_.post("/v1/groups/a:b:shift", R"({"by":"-2h"})").body, R"({"shifted":5})");
  EXPECT_TRUE(has(client_.get("/v1/tasks/t0"), R"("due_at":"2026-11-21T22:00:00.000Z")"));
  EXPECT_EQ(problem(client_.post("/v1/groups/a:b:shift", "{}")), "400 missing_field");
  EXPECT_EQ(problem(client_.post("/v1/groups/a:b:shift", R"({"by":"x"})")), "400 bad_duration");
  EXPECT_EQ(client_.post("/v1/groups/a%3Ab:cancel", "").body, R"({"cancelled":5,"firing":0})");
  EXPECT_EQ(problem(client_.get("/v1/groups/nobody")), "404 not_found");
}

TEST_F(Api, TargetsAreMadeChangedPausedAndDeleted) {
  const std::string settings = R"({"url":"https://example.com/hook","secrets":[)"
                               R"("whsec_MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE="]})";
  const HttpAnswer made = client_.request("PUT", "/v1/targets/shop", settings);
  ASSERT_EQ(made.status, 201) << made.body;
  EXPECT_EQ(made.header("location"), "/v1/targets/shop");
  EXPECT_TRUE(has(made, R"({"name":"shop",)")) << made.body;
  EXPECT_FALSE(has(made, "MDEyMz")) << "a secret is shown";
  EXPECT_EQ(client_.request("PUT", "/v1/targets/shop", settings).status, 200);
  EXPECT_TRUE(has(client_.get("/v1/targets"), R"({"targets":[{"name":"shop")"));
  ASSERT_EQ(client_.post("/v1/tasks", R"({"id":"a","delay":"1d","target":"shop"})").status, 201);
  EXPECT_TRUE(has(client_.get("/v1/targets/shop"), R"("waiting":1)"));
  EXPECT_TRUE(has(client_.post("/v1/targets/shop:pause", ""), R"("paused":true)"));
  EXPECT_TRUE(has(client_.post("/v1/targets/shop:resume", ""), R"("paused":false)"));
  EXPECT_EQ(problem(client_.request("DELETE", "/v1/targets/shop")), "409 target_in_use");
  EXPECT_EQ(client_.request("DELETE", "/v1/targets/shop?force").status, 204);
  EXPECT_EQ(problem(client_.get("/v1/targets/shop")), "404 not_found");
  EXPECT_EQ(problem(client_.post("/v1/targets/shop:pause", "")), "404 not_found");
  EXPECT_EQ(problem(client_.request("PUT", "/v1/targets/x", R"({"ulr":"http://a/"})")),
            "400 unknown_field");
  EXPECT_EQ(problem(client_.request("PUT", "/v1/targets/x", R"({"url":"a"})")), "400 bad_url");
  EXPECT_EQ(problem(client_.request("PUT", "/v1/targets/http:%2F%2Fa", settings)), "400 bad_id");
}

TEST_F(Api, ATargetIsTriedWithAPushThatIsStoredNowhere) {
  EXPECT_EQ(problem(client_.post("/v1/targets/nobody:test", "")), "404 not_found");
  ASSERT_EQ(
      client_.request("PUT", "/v1/targets/closed", R"({"url":"http://127.0.0.1:1/"})").status / 100,
      2);
  const HttpAnswer refused = client_.post("/v1/targets/closed:test", "");
  EXPECT_EQ(refused.status, 200);
  EXPECT_TRUE(has(refused, R"({"status":null,"delivered":false,"error":"connect to 127.0.0.1:1)"))
      << refused.body;
  EXPECT_TRUE(has(refused, R"("body":"","duration_ms":)")) << refused.body;
  EXPECT_EQ(client_.get("/v1/tasks").body, R"({"tasks":[]})");
  EXPECT_EQ(client_.get("/v1/dead").body, R"({"tasks":[]})");
}

TEST_F(Api, TargetsAreListedInPagesByName) {
  for (const char* name : {"b", "a", "d%20e", "c"}) {
    ASSERT_EQ(
        client_.request("PUT", std::string("/v1/targets/") + name, R"({"url":"http://a/"})").status,
        201);
  }
  std::string names;
  std::string cursor;
  int pages = 0;
  do {
    const HttpAnswer page = client_.get("/v1/targets?limit=2&cursor=" + cursor);
    ASSERT_EQ(page.status, 200) << page.body;
    for (std::size_t at = 0; (at = page.body.find(R"({"name":")", at)) != std::string::npos; ++at) {
      names += page.body.substr(at + 9, page.body.find('"', at + 9) - at - 9) + ";";
    }
    const std::size_t next = page.body.find(R"("next_cursor":")");
    cursor = next == std::string::npos
                 ? ""
                 : page.body.substr(next + 15, page.body.find('"', next + 15) - next - 15);
    ++pages;
  } while (!cursor.empty());
  EXPECT_EQ(names, "a;b;c;d e;");
  EXPECT_EQ(pages, 2);
  EXPECT_EQ(problem(client_.get("/v1/targets?cursor=%25")), "400 bad_cursor");
  EXPECT_EQ(problem(client_.get("/v1/targets?limit=0")), "400 bad_parameter");
  ASSERT_EQ(client_.request("DELETE", "/v1/targets/b").status, 204);
  EXPECT_FALSE(has(client_.get("/v1/targets"), R"("name":"b")"));
}

TEST_F(Api, ATargetThatWasReadCanBeSentBackAndPatched) {
  const std::string secret = "whsec_MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=";
  ASSERT_EQ(client_
                .request("PUT", "/v1/targets/shop",
                         R"({"url":"https://example.com/hook","headers":{"x-a":"1"},"secrets":[")" +
                             secret + R"("]})")
                .status,
            201);
  const std::string shown = client_.get("/v1/targets/shop").body;
  EXPECT_EQ(client_.request("PUT", "/v1/targets/shop", shown).body, shown);
  const HttpAnswer patched =
      client_.request("PATCH", "/v1/targets/shop", R"({"concurrency":5,"paused":true})");
  EXPECT_EQ(patched.status, 200);
  EXPECT_TRUE(has(patched, R"("concurrency":5)")) << patched.body;
  EXPECT_TRUE(has(patched, R"("paused":true)")) << patched.body;
  EXPECT_TRUE(has(patched, R"("secrets":["whsec_***"])")) << patched.body;
  EXPECT_TRUE(has(patched, R"("headers":{"x-a":"1"})")) << patched.body;
  EXPECT_EQ(problem(client_.request("PATCH", "/v1/targets/shop", R"({"url":"https://b/"})")),
            "422 secret_needed");
  EXPECT_EQ(problem(client_.request("PATCH", "/v1/targets/shop", R"({"kind":"sqs"})")),
            "400 bad_value");
  EXPECT_EQ(problem(client_.request("PATCH", "/v1/targets/shop",
                                    R"({"tls":{"ca_file":"/nonexistent/ca.pem"}})")),
            "422 unusable_file");
  EXPECT_EQ(problem(client_.request("PUT", "/v1/targets/other",
                                    R"({"url":"https://a/","tls":{"ca_file":"/dev/null"}})")),
            "422 unusable_file");
  EXPECT_EQ(problem(client_.request("PATCH", "/v1/targets/nobody", R"({"concurrency":5})")),
            "404 not_found");
}

TEST_F(Api, DeadLettersAreReadRedrivenAndPurged) {
  make_dead("one");
  const HttpAnswer dead = client_.get("/v1/dead/one");
  EXPECT_TRUE(has(dead, R"("state":"dead")")) << dead.body;
  EXPECT_TRUE(has(dead, R"("attempt":1)")) << dead.body;
  EXPECT_TRUE(has(dead, R"("last_error":")")) << dead.body;
  EXPECT_TRUE(has(client_.get("/v1/dead?group=dead"), R"({"tasks":[{"id":"one")"));
  EXPECT_TRUE(has(client_.get("/v1/dead?group=other"), R"({"tasks":[])"));
  ASSERT_EQ(client_.post("/v1/targets/closed:pause", "").status, 200);
  const HttpAnswer redriven = client_.post("/v1/dead/one:redrive", "");
  EXPECT_EQ(redriven.status, 200) << redriven.body;
  EXPECT_EQ(problem(client_.get("/v1/dead/one")), "404 not_found");
  EXPECT_EQ(problem(client_.post("/v1/dead/nothing:redrive", "")), "404 not_found");
  ASSERT_EQ(client_.request("DELETE", "/v1/tasks/one").status, 200);
  ASSERT_EQ(client_.post("/v1/targets/closed:resume", "").status, 200);
  make_dead("two");
  make_dead("three");
  EXPECT_EQ(client_.post("/v1/dead:purge", R"({"group":"other"})").body, R"({"purged":0})");
  EXPECT_EQ(problem(client_.post("/v1/dead:purge", R"({"grup":"x"})")), "400 unknown_field");
  EXPECT_EQ(client_.request("DELETE", "/v1/dead/two").status, 204);
  EXPECT_EQ(problem(client_.request("DELETE", "/v1/dead/two")), "404 not_found");
  EXPECT_EQ(client_.post("/v1/dead:redrive", R"({"target":"nobody"})").body, R"({"redriven":0})");
  EXPECT_EQ(client_.post("/v1/dead:purge", "").body, R"({"purged":1})");
}

TEST(ApiTokens, DecideWhatMayBeDone) {
  const auto token = [](const std::string& text, Role role) {
    unsigned char digest[SHA256_DIGEST_LENGTH];
    SHA256(reinterpret_cast<const unsigned char*>(text.data()), text.size(), digest);
    return Token{text, std::string(reinterpret_cast<char*>(digest), sizeof digest), role};
  };
  ServerSetup setup;
  setup.api.tokens = {token("r", Role::read), token("w", Role::write), token("a", Role::admin)};
  TestServer server(setup);
  HttpClient client(server.url());
  const auto as = [](const std::string& who) {
    return HttpClient::Headers{{"authorization", "Bearer " + who}};
  };
  const HttpAnswer none = client.get("/v1/stats");
  EXPECT_EQ(problem(none), "401 unauthorized");
  EXPECT_EQ(none.header("www-authenticate"), "Bearer");
  EXPECT_EQ(problem(client.get("/v1/stats", as("wrong"))), "401 unauthorized");
  EXPECT_EQ(problem(client.get("/v1/stats", {{"authorization", "Basic r"}})), "401 unauthorized");
  EXPECT_EQ(problem(client.get("/metrics")), "401 unauthorized");
  for (const char* path : {"/healthz", "/readyz", "/openapi.json"})
    EXPECT_EQ(client.get(path).status, 200);
  EXPECT_EQ(client.get("/v1/stats", as("r")).status, 200);
  EXPECT_EQ(client.get("/v1/stats", {{"authorization", "bearer r"}}).status, 200);
  EXPECT_EQ(problem(client.post("/v1/tasks", task_json("t"), as("r"))), "403 forbidden");
  EXPECT_EQ(client.post("/v1/tasks", task_json("t"), as("w")).status, 201);
  const std::string target = R"({"url":"http://a/"})";
  EXPECT_EQ(problem(client.request("PUT", "/v1/targets/t", target, as("w"))), "403 forbidden");
  EXPECT_EQ(client.request("PUT", "/v1/targets/t", target, as("a")).status, 201);
  setup.api.tokens.pop_back();
  server.reload(setup);
  EXPECT_EQ(problem(client.get("/v1/stats", as("a"))), "401 unauthorized");
}

TEST(ApiLimits, FullSaysWhenToComeBack) {
  ServerSetup setup;
  setup.engine.shard.pending_max = 2;
  const TestServer server(setup);
  HttpClient client(server.url());
  ASSERT_EQ(client.post("/v1/tasks", task_json("a")).status, 201);
  ASSERT_EQ(client.post("/v1/tasks", task_json("b")).status, 201);
  const HttpAnswer full = client.post("/v1/tasks", task_json("c"));
  EXPECT_EQ(problem(full), "429 full");
  EXPECT_NE(full.header("retry-after"), "");
}

TEST(ApiReadiness, OnlyProbesAreAnsweredBefore) {
  ServerSetup setup;
  setup.recovered = false;
  const TestServer server(setup);
  HttpClient client(server.url());
  EXPECT_EQ(client.get("/healthz").status, 200);
  EXPECT_EQ(client.get("/metrics").status, 200);
  const HttpAnswer ready = client.get("/readyz");
  EXPECT_EQ(problem(ready), "503 not_ready");
  EXPECT_TRUE(has(ready, "recovering")) << ready.body;
  const HttpAnswer add = client.post("/v1/tasks", task_json("early"));
  EXPECT_EQ(problem(add), "503 not_ready");
  EXPECT_NE(add.header("retry-after"), "");
}

TEST(ApiReadiness, DrainingIsSaid) {
  TestServer server;
  HttpClient client(server.url());
  EXPECT_EQ(client.get("/readyz").status, 200);
  server.drain_engine();
  const HttpAnswer ready = client.get("/readyz");
  EXPECT_EQ(problem(ready), "503 not_ready");
  EXPECT_TRUE(has(ready, "draining")) << ready.body;
}

}  // namespace
}  // namespace carillon::test
