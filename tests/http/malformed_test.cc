#include <gtest/gtest.h>

#include "tests/http/thing_server.h"

namespace carillon::test {
namespace {

/// Sends bytes on a connection of its own; the answer's status, and that the server closes.
int status_of_refusal(const ThingServer& server, const std::string& bytes) {
  HttpClient client(server.url());
  EXPECT_TRUE(client.send(bytes));
  const HttpAnswer answer = client.read_answer();
  EXPECT_FALSE(answer.keep_alive) << bytes;
  EXPECT_EQ(answer.header("content-type"), "text/plain") << bytes;
  EXPECT_TRUE(client.closed_by_peer()) << bytes;
  return answer.status;
}

TEST(Malformed, IsRefusedAndTheConnectionClosed) {
  const ThingServer server;
  const std::string post = "POST /things HTTP/1.1\r\nhost: localhost\r\n";
  const std::string body = thing("smuggled");
  const std::string length = "content-length: " + std::to_string(body.size()) + "\r\n";
  const std::string chunked =
      "content-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n";
  for (const std::string& bytes : {
           std::string("\r\n\r\n"),
           std::string("hello\r\n\r\n"),
           std::string("GET / HTTP/1.1\r\n\r\n"),
           std::string("GET / HTTP/1.1\r\nhost: localhost\r\nhost: b\r\n\r\n"),
           std::string("GET / HTTP/3.0\r\nhost: localhost\r\n\r\n"),
           std::string("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
           std::string("GET / HTTP/1.1\r\nhost: localhost\r\n folded: b\r\n\r\n"),
           std::string("GET / HTTP/1.1\r\nhost: localhost\r\nx: b\r\n c\r\n\r\n"),
           std::string("GET / HTTP/1.1\r\nhost : a\r\n\r\n"),
           std::string("GET / HTTP/1.1\r\nhost: localhost\r\nno colon\r\n\r\n"),
           std::string("GET / HTTP/1.1\r\nhost: localhost\r\nx: \x01\r\n\r\n"),
           std::string("G@T / HTTP/1.1\r\nhost: localhost\r\n\r\n"),
           std::string("GET /a b HTTP/1.1\r\nhost: localhost\r\n\r\n"),
           post + "transfer-encoding: gzip\r\n\r\n",
           post + "transfer-encoding: gzip, chunked\r\n\r\n",
           post + "transfer-encoding: chunked, identity\r\n\r\n",
           post + "transfer-encoding: chunked\r\n" + length + "\r\n" + body,
           post + length + "transfer-encoding: gzip\r\n\r\n" + body,
           post + length + length + "\r\n" + body,
           post + "content-length: 5, 5\r\n\r\nhello",
           post + "content-length: -5\r\n\r\nhello",
           post + "content-length: five\r\n\r\nhello",
           "POST /things HTTP/1.0\r\nhost: localhost\r\n" + chunked,
           post + chunked + "zz\r\nhello\r\n0\r\n\r\n",
           post + chunked + "-1\r\nhello\r\n0\r\n\r\n",
           post + chunked + "5\r\nhelloXX0\r\n\r\n",
           post + chunked + "5 \r\nhello\r\n0\r\n\r\n",
           post + chunked + "ffffffffffffffffffff\r\nhello\r\n0\r\n\r\n",
           post + chunked + "5;a=\"b\nc\"\r\nhello\r\n0\r\n\r\n",
           post + chunked + "5;a=\"b\rc\"\r\nhello\r\n0\r\n\r\n",
           post + chunked + "5;a=b\nhello\r\n0\r\n\r\n",
           post + chunked + "0;a=\"b\nc\"\r\n\r\n",
           post + chunked + "0\r\nbad trailer\r\n\r\n",
           post + chunked + "0\r\nx: a\nb: c\r\n\r\n",
           post + chunked + "0\r\ncontent-length: 5\r\n\r\n",
           post + "authorization: a\r\nauthorization: b\r\n" + length + "\r\n" + body,
       }) {
    EXPECT_EQ(status_of_refusal(server, bytes), 400) << bytes;
  }
  // None of it was taken for a request.
  HttpClient client(server.url());
  EXPECT_EQ(client.get("/things/smuggled").status, 404);
}

TEST(Malformed, TooLargeHeadsAreRefused) {
  const ThingServer server;
  const std::string get = "GET / HTTP/1.1\r\nhost: localhost\r\n";
  std::string many = get;
  for (int i = 0; i < 101; ++i) many += "x: y\r\n";
  EXPECT_EQ(status_of_refusal(server, many + "\r\n"), 431);
  EXPECT_EQ(status_of_refusal(server, get + "x: " + std::string(17000, 'y') + "\r\n\r\n"), 431);
  EXPECT_EQ(status_of_refusal(server, get + "x: " + std::string(17000, 'y')), 431);
  EXPECT_EQ(status_of_refusal(server, "GET /" + std::string(8192, 'a') + " HTTP/1.1\r\n\r\n"), 414);
  EXPECT_EQ(status_of_refusal(server, "GET /" + std::string(9000, 'a')), 414);
}

TEST(Malformed, EndlessChunkHeadIsRefused) {
  const ThingServer server;
  const std::string head =
      "POST /things HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n"
      "transfer-encoding: chunked\r\n\r\n5;";
  EXPECT_EQ(status_of_refusal(server, head + std::string(40000, 'x')), 400);
}

TEST(Malformed, HalfRequestsEndQuietly) {
  const ThingServer server;
  for (const char* bytes : {"", "GET", "GET / HTTP/1.1\r\nhost: localhost\r\n",
                            "POST /things HTTP/1.1\r\nhost: localhost\r\ncontent-type: "
                            "application/json\r\ncontent-length: 10\r\n\r\n{"}) {
    HttpClient client(server.url());
    ASSERT_TRUE(client.connect());
    ASSERT_TRUE(client.send(bytes));
    client.finish_sending();
    EXPECT_EQ(client.read_to_end(), "") << bytes;
  }
}

TEST(Malformed, RandomBytesNeverHarm) {
  const ThingServer server;
  std::uint32_t random = 12345;
  const std::string good =
      "POST /things HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n"
      "content-length: 2\r\n\r\n{}";
  for (int round = 0; round < 300; ++round) {
    std::string bytes = good;
    for (int change = 0; change < 3; ++change) {
      random = random * 1664525 + 1013904223;
      bytes[(random >> 8) % bytes.size()] = static_cast<char>(random >> 24);
    }
    HttpClient client(server.url());
    client.send(bytes);
    client.finish_sending();
    EXPECT_TRUE(client.closed_by_peer()) << bytes;
  }
  EXPECT_EQ(HttpClient(server.url()).get("/health").status, 200);
}

}  // namespace
}  // namespace carillon::test
