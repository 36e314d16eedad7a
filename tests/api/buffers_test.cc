// What the server holds for clients that do not read, or do not finish what they send.
#include <gtest/gtest.h>

#include "tests/api/test_server.h"

namespace carillon::test {
namespace {

constexpr std::size_t kMib = std::size_t{1} << 20;

class Buffers : public testing::Test {
 protected:
  Buffers() { setup_.http.limits.buffer_bytes_max = 4 * kMib; }

  static double metric(HttpClient& client, const std::string& name) {
    const std::string body = client.get("/metrics").body;
    const std::size_t at = body.find("\n" + name + " ");
    EXPECT_NE(at, std::string::npos) << name;
    return std::stod(body.substr(at + name.size() + 2));
  }
  static std::vector<std::unique_ptr<HttpClient>> clients(const TestServer& server, int count) {
    std::vector<std::unique_ptr<HttpClient>> all;
    for (int i = 0; i < count; ++i) all.push_back(std::make_unique<HttpClient>(server.url()));
    return all;
  }

  ServerSetup setup_;
};

TEST_F(Buffers, OfClientsThatDoNotReadAreBoundedAndTheSlowestGiveWay) {
  const TestServer server(setup_);
  HttpClient good(server.url());
  const std::string large = task_json("large", R"("body":")" + std::string(1'000'000, 'x') + "\"");
  ASSERT_EQ(good.post("/v1/tasks", large).status, 201);
  std::string asked;
  for (int i = 0; i < 20; ++i) asked += "GET /v1/tasks/large HTTP/1.1\r\nhost: localhost\r\n\r\n";
  const auto slow = clients(server, 12);
  for (const auto& client : slow) {
    ASSERT_TRUE(client->send(asked));
    EXPECT_LE(metric(good, "carillon_http_buffer_bytes"), 4.0 * kMib);
  }
  while (metric(good, "carillon_http_connections_given_up_total") < 8) {
  }
  EXPECT_TRUE(slow.front()->closed_by_peer()) << "it has waited longest";
  EXPECT_EQ(good.get("/v1/tasks/large").status, 200);
}

TEST_F(Buffers, OfBodiesThatDoNotEndAreBoundedAndTheSlowestAreTold) {
  setup_.api.limits.batch_bytes_max = 2 * kMib;
  const TestServer server(setup_);
  HttpClient good(server.url());
  const std::string part =
      "POST /v1/tasks:batchCreate HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n"
      "content-length: 2000000\r\n\r\n" +
      std::string(1'500'000, ' ');
  const auto slow = clients(server, 8);
  for (const auto& client : slow) {
    ASSERT_TRUE(client->send(part));
    EXPECT_LE(metric(good, "carillon_http_buffer_bytes"), 4.0 * kMib);
  }
  const HttpAnswer refused = slow.front()->read_answer();
  EXPECT_EQ(refused.status, 503);
  EXPECT_NE(refused.body.find("/problems/overloaded"), std::string::npos) << refused.body;
  EXPECT_NE(refused.header("retry-after"), "");
  EXPECT_TRUE(slow.front()->closed_by_peer());
  EXPECT_EQ(good.post("/v1/tasks:batchCreate", "[" + std::string(1'500'000, ' ') + "]").status,
            200);
}

TEST_F(Buffers, AreGivenBackWithTheRequest) {
  const TestServer server(setup_);
  HttpClient good(server.url());
  for (int i = 0; i < 20; ++i) {
    const std::string body =
        "[" + task_json("t" + std::to_string(i), R"("body":")" + std::string(900'000, 'x') + "\"") +
        "]";
    ASSERT_EQ(good.post("/v1/tasks:batchCreate", body).status, 200);
    ASSERT_EQ(good.get("/v1/tasks/t" + std::to_string(i)).status, 200);
  }
  ASSERT_EQ(good.get("/v1/export").status, 200);
  EXPECT_EQ(metric(good, "carillon_http_buffer_bytes"), 0);
  EXPECT_EQ(metric(good, "carillon_http_connections_given_up_total"), 0);
}

TEST_F(Buffers, OfAnExportAreAPieceAtATime) {
  const TestServer server(setup_);
  HttpClient good(server.url());
  std::size_t bytes = 0;
  for (int i = 0; i < 2'500; ++i) {
    const std::string task = task_json("t" + std::to_string(i));
    ASSERT_EQ(good.post("/v1/tasks", task).status, 201);
  }
  HttpClient reader(server.url());
  const HttpAnswer answer = reader.get("/v1/export");
  ASSERT_EQ(answer.status, 200);
  EXPECT_EQ(answer.header("transfer-encoding"), "chunked");
  for (const char c : answer.body) bytes += c == '\n' ? 1 : 0;
  EXPECT_EQ(bytes, 2'500U);
  EXPECT_EQ(reader.get("/healthz").status, 200) << "the connection is kept";
}

}  // namespace
}  // namespace carillon::test
