#include <thread>

#include <gtest/gtest.h>

#include "tests/api/test_server.h"

namespace carillon::test {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

std::string post_text(const std::string& body, const std::string& headers = "") {
  return "POST /v1/tasks HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n" +
         headers + "content-length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
}
std::string chunk(std::string_view bytes) {
  char size[20];
  std::snprintf(size, sizeof size, "%zx\r\n", bytes.size());
  return size + std::string(bytes) + "\r\n";
}
constexpr const char* kChunkedHead =
    "POST /v1/tasks HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n"
    "transfer-encoding: chunked\r\n\r\n";

TEST(Connection, IsKeptAlive) {
  const TestServer server;
  HttpClient client(server.url());
  for (int i = 0; i < 50; ++i) {
    const HttpAnswer answer = client.post("/v1/tasks", task_json("t" + std::to_string(i)));
    ASSERT_EQ(answer.status, 201) << answer.body;
    ASSERT_TRUE(answer.keep_alive);
    ASSERT_EQ(client.get("/v1/tasks/nothing").status, 404);
  }
  const HttpAnswer metrics = client.get("/metrics");
  EXPECT_NE(metrics.body.find("carillon_http_connections_accepted_total 1"), std::string::npos)
      << metrics.body;
}

TEST(Connection, AnswersPipelinedRequestsInOrder) {
  const TestServer server;
  HttpClient client(server.url());
  std::string all;
  for (int i = 0; i < 100; ++i) {
    all += post_text(task_json("p" + std::to_string(i)));
    all += "GET /v1/tasks/p" + std::to_string(i) + " HTTP/1.1\r\nhost: localhost\r\n\r\n";
  }
  ASSERT_TRUE(client.send(all));
  for (int i = 0; i < 100; ++i) {
    const std::string id = "\"id\":\"p" + std::to_string(i) + "\"";
    const HttpAnswer added = client.read_answer();
    ASSERT_EQ(added.status, 201) << i;
    ASSERT_NE(added.body.find(id), std::string::npos);
    const HttpAnswer read = client.read_answer();
    ASSERT_EQ(read.status, 200) << i;
    ASSERT_NE(read.body.find(id), std::string::npos);
  }
}

TEST(Connection, TakesRequestsInPiecesOfAnySize) {
  const TestServer server;
  HttpClient client(server.url());
  const std::string request = post_text(task_json("pieces"));
  for (const char& byte : request) ASSERT_TRUE(client.send({&byte, 1}));
  EXPECT_EQ(client.read_answer().status, 201);
}

TEST(Connection, TakesChunkedBodiesAndWhatFollowsThem) {
  const TestServer server;
  HttpClient client(server.url());
  const std::string body = task_json("chunked");
  std::string request = kChunkedHead;
  for (const char& byte : body) request += chunk({&byte, 1});
  request += "0\r\nx-trailer: ignored\r\n\r\n";
  request += "GET /v1/tasks/chunked HTTP/1.1\r\nhost: localhost\r\n\r\n";
  ASSERT_TRUE(client.send(request));
  EXPECT_EQ(client.read_answer().status, 201);
  EXPECT_EQ(client.read_answer().status, 200);
  for (const char& byte : kChunkedHead + chunk(task_json("slowly")) + "0\r\n\r\n")
    ASSERT_TRUE(client.send({&byte, 1}));
  EXPECT_EQ(client.read_answer().status, 201);
}

TEST(Connection, TakesAnEmptyChunkedBodyInPieces) {
  const TestServer server;
  HttpClient client(server.url());
  for (const char& byte : kChunkedHead + std::string("0\r\n\r\n"))
    ASSERT_TRUE(client.send({&byte, 1}));
  EXPECT_EQ(client.read_answer().status, 400);
  EXPECT_EQ(client.get("/healthz").status, 200);
}

TEST(Connection, TakesBodiesUpToTheLimit) {
  ServerSetup setup;
  setup.api.limits.body_bytes_max = 200'000;
  const TestServer server(setup);
  HttpClient client(server.url());
  const std::string frame = task_json("large", R"("body":"")");
  const auto of_size = [&](std::size_t size) {
    return task_json("large", R"("body":")" + std::string(size - frame.size(), 'x') + "\"");
  };
  EXPECT_EQ(client.post("/v1/tasks", of_size(200'000)).status, 201);
  EXPECT_EQ(client.get("/v1/tasks/large").status, 200);
  const HttpAnswer refused = client.post("/v1/tasks", of_size(200'001));
  EXPECT_EQ(refused.status, 413);
  EXPECT_FALSE(refused.keep_alive);
}

TEST(Connection, RefusesLargeBodiesWithoutReadingThem) {
  const TestServer server;
  HttpClient sized(server.url());
  ASSERT_TRUE(
      sized.send("POST /v1/tasks HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n"
                 "content-length: 10000000000\r\n\r\n{"));
  EXPECT_EQ(sized.read_answer().status, 413);
  EXPECT_TRUE(sized.closed_by_peer());

  HttpClient chunked(server.url());
  ASSERT_TRUE(chunked.send(kChunkedHead));
  const std::string piece = chunk(std::string(65536, ' '));
  for (int i = 0; i < 17; ++i) chunked.send(piece);
  EXPECT_EQ(chunked.read_answer().status, 413);
  EXPECT_TRUE(chunked.closed_by_peer());
}

TEST(Connection, AnswersExpectContinue) {
  const TestServer server;
  HttpClient client(server.url());
  const std::string body = task_json("expected");
  const std::string head = post_text(body, "expect: 100-continue\r\n");
  ASSERT_TRUE(client.send(std::string_view(head).substr(0, head.size() - body.size())));
  EXPECT_EQ(client.read_answer().status, 100);
  ASSERT_TRUE(client.send(body));
  EXPECT_EQ(client.read_answer().status, 201);

  // What is refused by its head alone is not asked for.
  ASSERT_TRUE(
      client.send("POST /v1/nothing HTTP/1.1\r\nhost: localhost\r\nexpect: 100-continue\r\n"
                  "content-length: 100\r\n\r\n"));
  EXPECT_EQ(client.read_answer().status, 404);
  EXPECT_TRUE(client.closed_by_peer());

  HttpClient other(server.url());
  ASSERT_TRUE(other.send(post_text(body, "expect: miracles\r\n")));
  EXPECT_EQ(other.read_answer().status, 417);
}

TEST(Connection, HeadHasTheHeadOfGet) {
  const TestServer server;
  HttpClient client(server.url());
  const HttpAnswer get = client.get("/healthz");
  const HttpAnswer head = client.request("HEAD", "/healthz");
  EXPECT_EQ(head.status, 200);
  EXPECT_EQ(head.body, "");
  EXPECT_EQ(head.header("content-length"), get.header("content-length"));
  EXPECT_EQ(client.request("HEAD", "/v1/export").status, 200);
  EXPECT_EQ(client.request("HEAD", "/nothing").status, 404);
  EXPECT_EQ(client.get("/healthz").status, 200);
}

TEST(Connection, SpeaksHttp10) {
  const TestServer server;
  HttpClient client(server.url());
  ASSERT_TRUE(client.send("GET /healthz HTTP/1.0\r\n\r\n"));
  EXPECT_EQ(client.read_answer().status, 200);
  EXPECT_TRUE(client.closed_by_peer());
  HttpClient kept(server.url());
  for (int i = 0; i < 2; ++i) {
    ASSERT_TRUE(kept.send("GET /healthz HTTP/1.0\r\nconnection: keep-alive\r\n\r\n"));
    EXPECT_EQ(kept.read_answer().header("connection"), "keep-alive");
  }
  ASSERT_EQ(kept.post("/v1/tasks", task_json("old")).status, 201);
  ASSERT_TRUE(kept.send("GET /v1/export HTTP/1.0\r\nconnection: keep-alive\r\n\r\n"));
  const HttpAnswer exported = kept.read_answer();
  EXPECT_EQ(exported.header("transfer-encoding"), "");
  EXPECT_NE(exported.body.find("\"old\""), std::string::npos);
}

TEST(Connection, ClosesWhenAsked) {
  const TestServer server;
  HttpClient client(server.url());
  const HttpAnswer answer = client.get("/healthz", {{"connection", "close"}});
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.header("connection"), "close");
  EXPECT_TRUE(client.closed_by_peer());
}

TEST(Connection, StaysOpenAfterRefusalsWhoseBodyHasCome) {
  const TestServer server;
  HttpClient client(server.url());
  EXPECT_EQ(client.post("/v1/nothing", "{}").status, 404);
  EXPECT_EQ(client.post("/v1/tasks", "{").status, 400);
  const HttpAnswer answer = client.post("/v1/tasks", "{}", {{"content-type", "text/plain"}});
  EXPECT_EQ(answer.status, 415);
  EXPECT_TRUE(answer.keep_alive);
  EXPECT_EQ(client.post("/v1/tasks", task_json("after")).status, 201);
}

TEST(Connection, SlowClientsAreTimedOut) {
  ServerSetup setup;
  setup.http.limits.header_timeout = milliseconds(50);
  setup.http.limits.body_timeout = milliseconds(50);
  setup.http.limits.idle_timeout = milliseconds(50);
  const TestServer server(setup);
  HttpClient idle(server.url());
  ASSERT_TRUE(idle.connect());
  EXPECT_EQ(idle.read_to_end(), "");
  HttpClient header(server.url());
  ASSERT_TRUE(header.send("GET / HTTP/1.1\r\nhost:"));
  EXPECT_EQ(header.read_answer().status, 408);
  EXPECT_TRUE(header.closed_by_peer());
  HttpClient body(server.url());
  const std::string whole = post_text("{}");
  ASSERT_TRUE(body.send(std::string_view(whole).substr(0, whole.size() - 1)));
  EXPECT_EQ(body.read_answer().status, 408);
  HttpClient chunked(server.url());
  ASSERT_TRUE(chunked.send(std::string(kChunkedHead) + "5\r\nab"));
  EXPECT_EQ(chunked.read_answer().status, 408);
}

TEST(Connection, ReaderThatStopsReadingIsDropped) {
  ServerSetup setup;
  setup.http.limits.body_timeout = milliseconds(100);
  const TestServer server(setup);
  HttpClient client(server.url());
  const std::string large = task_json("large", R"("body":")" + std::string(1'000'000, 'x') + "\"");
  ASSERT_EQ(client.post("/v1/tasks", large).status, 201);
  std::string asked;
  for (int i = 0; i < 200; ++i) asked += "GET /v1/tasks/large HTTP/1.1\r\nhost: localhost\r\n\r\n";
  ASSERT_TRUE(client.send(asked));
  HttpClient other(server.url());
  // The server gives the reader up, not itself: its connection goes, this one stays.
  for (int i = 0; i < 2000; ++i) {
    if (other.get("/metrics").body.find("carillon_http_connections 1\n") != std::string::npos)
      return;
    std::this_thread::sleep_for(milliseconds(5));
  }
  ADD_FAILURE() << "the connection is still there";
}

TEST(Connection, TooManyAreToldSo) {
  ServerSetup setup;
  setup.http.limits.connections_max = 2;
  const TestServer server(setup);
  HttpClient first(server.url());
  HttpClient second(server.url());
  ASSERT_EQ(first.get("/healthz").status, 200);
  ASSERT_EQ(second.get("/healthz").status, 200);
  HttpClient third(server.url());
  ASSERT_TRUE(third.connect());
  const HttpAnswer refused = third.read_answer();
  EXPECT_EQ(refused.status, 503);
  EXPECT_NE(refused.header("retry-after"), "");
  EXPECT_TRUE(third.closed_by_peer());
  EXPECT_EQ(first.get("/healthz").status, 200);
}

TEST(Connection, PagesOfOtherOriginsAreRefused) {
  const TestServer server;
  const auto status = [&](const std::string& name, const std::string& value) {
    return HttpClient(server.url()).get("/healthz", {{name, value}}).status;
  };
  EXPECT_EQ(status("origin", "http://evil.example"), 403);
  EXPECT_EQ(status("origin", "null"), 403);
  EXPECT_EQ(status("sec-fetch-site", "cross-site"), 403);
  EXPECT_EQ(status("origin", "http://localhost"), 200);
  EXPECT_EQ(status("origin", "http://LOCALHOST"), 200);
  EXPECT_EQ(status("sec-fetch-site", "same-origin"), 200);
}

TEST(Drain, ClosesIdleConnectionsAndAcceptsNoMore) {
  TestServer server;
  HttpClient idle(server.url());
  ASSERT_EQ(idle.get("/healthz").status, 200);
  server.drain(seconds(20));
  EXPECT_TRUE(idle.closed_by_peer());
  EXPECT_FALSE(HttpClient(server.url()).connect());
}

TEST(Drain, AnswersWhatIsUnderWay) {
  TestServer server;
  HttpClient client(server.url());
  ASSERT_EQ(client.get("/healthz").status, 200);
  const std::string request = post_text(task_json("last"));
  ASSERT_TRUE(client.send(std::string_view(request).substr(0, request.size() - 5)));
  // Its head must have come before the drain begins: a second connection's answer says so.
  ASSERT_EQ(HttpClient(server.url()).get("/healthz").status, 200);
  std::thread drain([&] { server.drain(seconds(20)); });
  HttpClient probe(server.url());
  while (probe.connect()) std::this_thread::yield();
  ASSERT_TRUE(client.send(std::string_view(request).substr(request.size() - 5)));
  const HttpAnswer answer = client.read_answer();
  EXPECT_EQ(answer.status, 201);
  EXPECT_EQ(answer.header("connection"), "close");
  EXPECT_TRUE(client.closed_by_peer());
  client.close();
  drain.join();
}

}  // namespace
}  // namespace carillon::test
