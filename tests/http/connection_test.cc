#include <thread>

#include <gtest/gtest.h>

#include "tests/http/thing_server.h"

namespace carillon::test {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

std::string post_text(const std::string& body, const std::string& headers = "") {
  return "POST /things HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n" +
         headers + "content-length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
}
std::string chunk(std::string_view bytes) {
  char size[20];
  std::snprintf(size, sizeof size, "%zx\r\n", bytes.size());
  return size + std::string(bytes) + "\r\n";
}
constexpr const char* kChunkedHead =
    "POST /things HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n"
    "transfer-encoding: chunked\r\n\r\n";

TEST(Connection, IsKeptAlive) {
  const ThingServer server;
  HttpClient client(server.url());
  for (int i = 0; i < 50; ++i) {
    const HttpAnswer answer = client.post("/things", thing("t" + std::to_string(i)));
    ASSERT_EQ(answer.status, 201) << answer.body;
    ASSERT_TRUE(answer.keep_alive);
    ASSERT_EQ(client.get("/things/nothing").status, 404);
  }
  EXPECT_EQ(server.stats().accepted, 1U);
}

TEST(Connection, AnswersPipelinedRequestsInOrder) {
  const ThingServer server;
  HttpClient client(server.url());
  std::string all;
  for (int i = 0; i < 100; ++i) {
    all += post_text(thing("p" + std::to_string(i)));
    all += "GET /things/p" + std::to_string(i) + " HTTP/1.1\r\nhost: localhost\r\n\r\n";
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
  const ThingServer server;
  HttpClient client(server.url());
  const std::string request = post_text(thing("pieces"));
  for (const char& byte : request) ASSERT_TRUE(client.send({&byte, 1}));
  EXPECT_EQ(client.read_answer().status, 201);
}

TEST(Connection, TakesChunkedBodiesAndWhatFollowsThem) {
  const ThingServer server;
  HttpClient client(server.url());
  const std::string body = thing("chunked");
  std::string request = kChunkedHead;
  for (const char& byte : body) request += chunk({&byte, 1});
  request += "0\r\nx-trailer: ignored\r\n\r\n";
  request += "GET /things/chunked HTTP/1.1\r\nhost: localhost\r\n\r\n";
  ASSERT_TRUE(client.send(request));
  EXPECT_EQ(client.read_answer().status, 201);
  EXPECT_EQ(client.read_answer().status, 200);
  for (const char& byte : kChunkedHead + chunk(thing("slowly")) + "0\r\n\r\n")
    ASSERT_TRUE(client.send({&byte, 1}));
  EXPECT_EQ(client.read_answer().status, 201);
}

TEST(Connection, TakesAnEmptyChunkedBodyInPieces) {
  const ThingServer server;
  HttpClient client(server.url());
  for (const char& byte : kChunkedHead + std::string("0\r\n\r\n"))
    ASSERT_TRUE(client.send({&byte, 1}));
  EXPECT_EQ(client.read_answer().status, 400) << "an empty text has no id";
  EXPECT_EQ(client.get("/health").status, 200);
}

TEST(Connection, TakesBodiesUpToTheLimit) {
  ThingSetup setup;
  setup.body_bytes_max = 200'000;
  const ThingServer server(setup);
  HttpClient client(server.url());
  const std::string frame = thing("large", R"("body":"")");
  const auto of_size = [&](std::size_t size) {
    return thing("large", R"("body":")" + std::string(size - frame.size(), 'x') + "\"");
  };
  EXPECT_EQ(client.post("/things", of_size(200'000)).status, 201);
  EXPECT_EQ(client.get("/things/large").status, 200);
  const HttpAnswer refused = client.post("/things", of_size(200'001));
  EXPECT_EQ(refused.status, 413);
  EXPECT_FALSE(refused.keep_alive);
}

TEST(Connection, RefusesLargeBodiesWithoutReadingThem) {
  const ThingServer server;
  HttpClient sized(server.url());
  ASSERT_TRUE(
      sized.send("POST /things HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n"
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
  const ThingServer server;
  HttpClient client(server.url());
  const std::string body = thing("expected");
  const std::string head = post_text(body, "expect: 100-continue\r\n");
  ASSERT_TRUE(client.send(std::string_view(head).substr(0, head.size() - body.size())));
  EXPECT_EQ(client.read_answer().status, 100);
  ASSERT_TRUE(client.send(body));
  EXPECT_EQ(client.read_answer().status, 201);

  // What is refused by its head alone is not asked for.
  ASSERT_TRUE(
      client.send("POST /nothing HTTP/1.1\r\nhost: localhost\r\nexpect: 100-continue\r\n"
                  "content-length: 100\r\n\r\n"));
  EXPECT_EQ(client.read_answer().status, 404);
  EXPECT_TRUE(client.closed_by_peer());

  HttpClient other(server.url());
  ASSERT_TRUE(other.send(post_text(body, "expect: miracles\r\n")));
  EXPECT_EQ(other.read_answer().status, 417);
}

TEST(Connection, HeadHasTheHeadOfGet) {
  const ThingServer server;
  HttpClient client(server.url());
  const HttpAnswer get = client.get("/health");
  const HttpAnswer head = client.request("HEAD", "/health");
  EXPECT_EQ(head.status, 200);
  EXPECT_EQ(head.body, "");
  EXPECT_EQ(head.header("content-length"), get.header("content-length"));
  EXPECT_EQ(client.request("HEAD", "/things").status, 200);
  EXPECT_EQ(client.request("HEAD", "/nothing").status, 404);
  EXPECT_EQ(client.get("/health").status, 200);
}

TEST(Connection, SpeaksHttp10) {
  const ThingServer server;
  HttpClient client(server.url());
  ASSERT_TRUE(client.send("GET /health HTTP/1.0\r\n\r\n"));
  EXPECT_EQ(client.read_answer().status, 200);
  EXPECT_TRUE(client.closed_by_peer());
  HttpClient kept(server.url());
  for (int i = 0; i < 2; ++i) {
    ASSERT_TRUE(kept.send("GET /health HTTP/1.0\r\nconnection: keep-alive\r\n\r\n"));
    EXPECT_EQ(kept.read_answer().header("connection"), "keep-alive");
  }
  ASSERT_EQ(kept.post("/things", thing("old")).status, 201);
  ASSERT_TRUE(kept.send("GET /things HTTP/1.0\r\nconnection: keep-alive\r\n\r\n"));
  const HttpAnswer exported = kept.read_answer();
  EXPECT_EQ(exported.header("transfer-encoding"), "");
  EXPECT_NE(exported.body.find("\"old\""), std::string::npos);
}

TEST(Connection, ClosesWhenAsked) {
  const ThingServer server;
  HttpClient client(server.url());
  const HttpAnswer answer = client.get("/health", {{"connection", "close"}});
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.header("connection"), "close");
  EXPECT_TRUE(client.closed_by_peer());
}

TEST(Connection, StaysOpenAfterRefusalsWhoseBodyHasCome) {
  const ThingServer server;
  HttpClient client(server.url());
  EXPECT_EQ(client.post("/nothing", "{}").status, 404);
  EXPECT_EQ(client.post("/things", "{").status, 400);
  const HttpAnswer answer = client.post("/things", "{}", {{"content-type", "text/plain"}});
  EXPECT_EQ(answer.status, 415);
  EXPECT_TRUE(answer.keep_alive);
  EXPECT_EQ(client.post("/things", thing("after")).status, 201);
}

TEST(Connection, SlowClientsAreTimedOut) {
  ThingSetup setup;
  setup.http.limits.header_timeout = milliseconds(50);
  setup.http.limits.body_timeout = milliseconds(50);
  setup.http.limits.idle_timeout = milliseconds(50);
  const ThingServer server(setup);
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
  ThingSetup setup;
  setup.http.limits.body_timeout = milliseconds(100);
  const ThingServer server(setup);
  HttpClient client(server.url());
  const std::string large = thing("large", R"("body":")" + std::string(1'000'000, 'x') + "\"");
  ASSERT_EQ(client.post("/things", large).status, 201);
  std::string asked;
  for (int i = 0; i < 200; ++i) asked += "GET /things/large HTTP/1.1\r\nhost: localhost\r\n\r\n";
  ASSERT_TRUE(client.send(asked));
  HttpClient other(server.url());
  ASSERT_EQ(other.get("/health").status, 200);
  // The server gives the reader up, not itself: its connection goes, the other stays.
  for (int i = 0; i < 2000; ++i) {
    if (server.stats().open == 1) {
      EXPECT_EQ(other.get("/health").status, 200);
      return;
    }
    std::this_thread::sleep_for(milliseconds(5));
  }
  ADD_FAILURE() << "the connection is still there";
}

TEST(Connection, TooManyAreToldSo) {
  ThingSetup setup;
  setup.http.limits.connections_max = 2;
  const ThingServer server(setup);
  HttpClient first(server.url());
  HttpClient second(server.url());
  ASSERT_EQ(first.get("/health").status, 200);
  ASSERT_EQ(second.get("/health").status, 200);
  HttpClient third(server.url());
  ASSERT_TRUE(third.connect());
  const HttpAnswer refused = third.read_answer();
  EXPECT_EQ(refused.status, 503);
  EXPECT_TRUE(third.closed_by_peer());
  EXPECT_EQ(first.get("/health").status, 200);
}

TEST(Connection, PagesOfOtherOriginsAreRefused) {
  const ThingServer server;
  const auto status = [&](const std::string& name, const std::string& value) {
    return HttpClient(server.url()).get("/health", {{name, value}}).status;
  };
  EXPECT_EQ(status("origin", "http://evil.example"), 403);
  EXPECT_EQ(status("origin", "null"), 403);
  EXPECT_EQ(status("sec-fetch-site", "cross-site"), 403);
  EXPECT_EQ(status("origin", "http://localhost"), 200);
  EXPECT_EQ(status("origin", "http://LOCALHOST"), 200);
  EXPECT_EQ(status("sec-fetch-site", "same-origin"), 200);
}

TEST(Connection, LinksOnPagesOfOtherOriginsLeadOnlyWhereTheyMay) {
  const ThingServer server;
  using Fields = std::vector<std::pair<std::string, std::string>>;
  const auto status = [&](const std::string& path, const std::string& mode, const std::string& dest,
                          const Fields& more = {}) {
    Fields fields{
        {"sec-fetch-site", "cross-site"}, {"sec-fetch-mode", mode}, {"sec-fetch-dest", dest}};
    fields.insert(fields.end(), more.begin(), more.end());
    return HttpClient(server.url()).get(path, fields).status;
  };
  EXPECT_EQ(status("/pages/", "navigate", "document"), 200);
  EXPECT_EQ(status("/pages/", "navigate", "iframe"), 403);
  EXPECT_EQ(status("/pages/", "no-cors", "script"), 403);
  EXPECT_EQ(status("/pages/", "cors", "document"), 403);
  EXPECT_EQ(status("/pages/", "navigate", "document", {{"origin", "http://evil.example"}}), 403);
  EXPECT_EQ(status("/health", "navigate", "document"), 403);
  HttpClient client(server.url());
  ASSERT_TRUE(
      client.send("POST /things HTTP/1.1\r\nhost: localhost\r\nsec-fetch-site: cross-site\r\n"
                  "sec-fetch-mode: navigate\r\nsec-fetch-dest: document\r\n\r\n"));
  EXPECT_EQ(client.read_answer().status, 403);
}

TEST(Drain, ClosesIdleConnectionsAndAcceptsNoMore) {
  ThingServer server;
  HttpClient idle(server.url());
  ASSERT_EQ(idle.get("/health").status, 200);
  server.drain(seconds(20));
  EXPECT_TRUE(idle.closed_by_peer());
  EXPECT_FALSE(HttpClient(server.url()).connect());
}

TEST(Drain, AnswersWhatIsUnderWay) {
  ThingServer server;
  HttpClient client(server.url());
  ASSERT_EQ(client.get("/health").status, 200);
  const std::string request = post_text(thing("last"));
  ASSERT_TRUE(client.send(std::string_view(request).substr(0, request.size() - 5)));
  // Its head must have come before the drain begins: a second connection's answer says so.
  ASSERT_EQ(HttpClient(server.url()).get("/health").status, 200);
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
