// What the server holds for clients that do not read, or do not finish what they send.
#include <gtest/gtest.h>

#include "tests/http/thing_server.h"
#include "tests/support/http_threads.h"

namespace carillon::test {
namespace {

constexpr std::size_t kMib = std::size_t{1} << 20;

class Buffers : public testing::Test {
 protected:
  Buffers() { setup_.http.limits.buffer_bytes_max = 4 * kMib; }

  static std::vector<std::unique_ptr<HttpClient>> clients(const ThingServer& server, int count) {
    std::vector<std::unique_ptr<HttpClient>> all;
    for (int i = 0; i < count; ++i) all.push_back(std::make_unique<HttpClient>(server.url()));
    return all;
  }

  ThingSetup setup_;
};

TEST_F(Buffers, OfClientsThatDoNotReadAreBoundedAndTheSlowestGiveWay) {
  const ThingServer server(setup_);
  HttpClient good(server.url());
  const std::string large = thing("large", R"("body":")" + std::string(1'000'000, 'x') + "\"");
  ASSERT_EQ(good.post("/things", large).status, 201);
  std::string asked;
  for (int i = 0; i < 20; ++i) asked += "GET /things/large HTTP/1.1\r\nhost: localhost\r\n\r\n";
  const auto slow = clients(server, 12);
  for (const auto& client : slow) {
    ASSERT_TRUE(client->send(asked));
    EXPECT_LE(server.stats().buffer_bytes, 4 * kMib);
  }
  while (server.stats().given_up < 8) {
  }
  // On several threads another one's answers may have come to a halt before its own.
  if (http_threads() <= 1) {
    EXPECT_TRUE(slow.front()->closed_by_peer()) << "it has waited longest";
  }
  EXPECT_EQ(good.get("/things/large").status, 200);
}

TEST_F(Buffers, OfBodiesThatDoNotEndAreBoundedAndTheSlowestAreTold) {
  setup_.body_bytes_max = 2 * kMib;
  const ThingServer server(setup_);
  HttpClient good(server.url());
  const std::string part =
      "POST /things HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n"
      "content-length: 2000000\r\n\r\n" +
      std::string(1'500'000, ' ');
  const auto slow = clients(server, 8);
  for (const auto& client : slow) {
    ASSERT_TRUE(client->send(part));
    EXPECT_LE(server.stats().buffer_bytes, 4 * kMib);
  }
  const HttpAnswer refused = slow.front()->read_answer();
  EXPECT_EQ(refused.status, 503);
  EXPECT_TRUE(refused.body.starts_with("overloaded")) << refused.body;
  EXPECT_TRUE(slow.front()->closed_by_peer());
  EXPECT_EQ(good.post("/things", thing("good") + std::string(1'500'000, ' ')).status, 201);
}

TEST_F(Buffers, AreGivenBackWithTheRequest) {
  const ThingServer server(setup_);
  HttpClient good(server.url());
  for (int i = 0; i < 20; ++i) {
    const std::string body =
        thing("t" + std::to_string(i), R"("body":")" + std::string(900'000, 'x') + "\"");
    ASSERT_EQ(good.post("/things", body).status, 201);
    ASSERT_EQ(good.get("/things/t" + std::to_string(i)).status, 200);
  }
  ASSERT_EQ(good.get("/things").status, 200);
  EXPECT_EQ(server.stats().buffer_bytes, 0U);
  EXPECT_EQ(server.stats().given_up, 0U);
}

TEST_F(Buffers, OfAStreamAreAPieceAtATime) {
  const ThingServer server(setup_);
  HttpClient good(server.url());
  std::size_t bytes = 0;
  for (int i = 0; i < 2'500; ++i) {
    const std::string task = thing("t" + std::to_string(i));
    ASSERT_EQ(good.post("/things", task).status, 201);
  }
  HttpClient reader(server.url());
  const HttpAnswer answer = reader.get("/things");
  ASSERT_EQ(answer.status, 200);
  EXPECT_EQ(answer.header("transfer-encoding"), "chunked");
  for (const char c : answer.body) bytes += c == '\n' ? 1 : 0;
  EXPECT_EQ(bytes, 2'500U);
  EXPECT_EQ(reader.get("/health").status, 200) << "the connection is kept";
}

TEST_F(Buffers, OfAStreamThatBreaksOffLookLikeNoWholeAnswer) {
  const ThingServer server(setup_);
  HttpClient client(server.url());
  ASSERT_EQ(client.post("/things", thing("a")).status, 201);
  ASSERT_EQ(client.post("/things", thing("broken")).status, 201);
  ASSERT_TRUE(client.send("GET /things HTTP/1.1\r\nhost: localhost\r\n\r\n"));
  const auto answer = client.read_to_end();
  ASSERT_TRUE(answer.has_value());
  EXPECT_TRUE(answer->starts_with("HTTP/1.1 200"));
  EXPECT_NE(answer->find(thing("a")), std::string::npos);
  EXPECT_FALSE(answer->ends_with("0\r\n\r\n"));
}

}  // namespace
}  // namespace carillon::test
