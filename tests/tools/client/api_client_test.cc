// The client against the load tool's receiver, which takes any request that has a length.

#include "tools/client/api_client.h"

#include <gtest/gtest.h>

#include "tests/support/raw_server.h"
#include "tools/load/receiver.h"

namespace carillon::client {
namespace {

using load::Receiver;

class ApiClientTest : public ::testing::Test {
 protected:
  void start(const Receiver::Options& options = {}) {
    auto started = Receiver::start(options);
    ASSERT_TRUE(started);
    receiver = std::move(*started);
  }
  [[nodiscard]] ApiClient make_client(Millis timeout = std::chrono::seconds(20)) const {
    ApiClient::Options options;
    options.timeout = timeout;
    return {parse_endpoint(receiver->url()).value(), options};
  }
  std::unique_ptr<Receiver> receiver;
};

TEST_F(ApiClientTest, OneConnectionServesManyCalls) {
  start();
  ApiClient api = make_client();
  for (int i = 0; i < 5; ++i) {
    const auto answer = api.call("POST", "/x", "{}");
    ASSERT_TRUE(answer) << answer.error().detail;
    EXPECT_EQ(answer->status, 200U);
    EXPECT_TRUE(answer->ok());
  }
  EXPECT_EQ(receiver->summary().connections, 1U);
}

TEST_F(ApiClientTest, RefusalIsAnAnswerAndNoError) {
  start();
  receiver->set_failing({.share = 1, .attempts = 0, .status = 409});
  const auto answer = make_client().call("POST", "/x", "{}");
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->status, 409U);
  EXPECT_FALSE(answer->ok());
}

TEST_F(ApiClientTest, ConnectionThatWasClosedMeanwhileIsMadeAnew) {
  start();
  ApiClient api = make_client();
  receiver->set_failing({});
  ASSERT_TRUE(api.call("POST", "/x", "{}"));
  const std::string url = receiver->url();
  const auto port = static_cast<std::uint16_t>(std::stoi(url.substr(url.rfind(':') + 1)));
  receiver.reset();
  Receiver::Options same;
  same.port = port;
  start(same);
  const auto answer = api.call("POST", "/x", "{}");
  ASSERT_TRUE(answer) << answer.error().detail;
  EXPECT_EQ(answer->status, 200U);
}

TEST_F(ApiClientTest, NobodyListeningIsUnreachable) {
  start();
  ApiClient api = make_client();
  receiver.reset();
  const auto answer = api.call("GET", "/x");
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().slug, "unreachable");
}

TEST_F(ApiClientTest, SilentServerIsUnreachableAfterTheTimeout) {
  Receiver::Options slow;
  slow.answer_delay = std::chrono::hours(1);
  start(slow);
  ApiClient api = make_client(Millis(100));
  const auto answer = api.call("POST", "/x", "{}");
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().slug, "unreachable");
}

/// What comes of a call, or of a stream, to a server that answers with `answer` and goes on.
std::string error_of(const std::string& answer, Millis timeout, bool stream,
                     bool limit_streams = false) {
  const test::RawServer server(answer, Millis(20));
  ApiClient::Options options;
  options.timeout = timeout;
  options.limit_streams = limit_streams;
  ApiClient api(parse_endpoint(server.url()).value(), options);
  std::size_t bytes = 0;
  const auto done = stream ? api.stream("/x",
                                        [&bytes](std::string_view piece) {
                                          bytes += piece.size();
                                          return bytes < 20;  // enough of it
                                        })
                           : api.call("GET", "/x");
  return done ? "" : done.error().slug + ": " + done.error().detail;
}

TEST(ApiClient, TimeoutIsOfTheWholeCallHoweverItTrickles) {
  const std::string endless = "HTTP/1.1 200 OK\r\ncontent-type: application/x-ndjson\r\n\r\n";
  EXPECT_NE(error_of(endless, Millis(150), false).find("unreachable: "), std::string::npos);
  EXPECT_NE(error_of(endless, Millis(150), false).find("150ms (--timeout)"), std::string::npos);
  EXPECT_EQ(error_of(endless, Millis(300), true), "") << "a stream may take longer in all";
  EXPECT_NE(error_of(endless, Millis(150), true, true), "") << "unless that was asked for";
}

TEST(ApiClient, StreamOfAnotherTypeIsNotTaken) {
  const std::string page = "HTTP/1.1 200 OK\r\ncontent-type: text/html\r\n\r\n";
  EXPECT_NE(error_of(page, Millis(5000), true).find("text/html"), std::string::npos);
}

TEST(ApiClient, MissingSocketIsUnreachable) {
  ApiClient api(parse_endpoint("unix:/nonexistent/carillon.sock").value(), {});
  const auto answer = api.call("GET", "/x");
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().slug, "unreachable");
}

}  // namespace
}  // namespace carillon::client
