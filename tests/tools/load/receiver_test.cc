#include "tools/load/receiver.h"

#include <gtest/gtest.h>

#include "base/time.h"
#include "tests/support/http_client.h"
#include "tools/client/api_client.h"

namespace carillon::load {
namespace {

struct Shape {
  std::string id = "a";
  std::string webhook = "msg_a";
  WallTime due{};
  int attempt = 1;
};

std::string push_text(const Shape& shape) {
  return "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nwebhook-id: " + shape.webhook +
         "\r\ncarillon-task-id: " + shape.id + "\r\ncarillon-due-at: " + format_moment(shape.due) +
         "\r\ncarillon-attempt: " + std::to_string(shape.attempt) + "\r\n\r\n{}";
}

WallTime now_millis() {
  return std::chrono::floor<Millis>(wall_now());
}

class ReceiverTest : public ::testing::Test {
 protected:
  void start(Receiver::Options options = {}) {
    options.keep_arrivals = true;
    auto started = Receiver::start(options);
    ASSERT_TRUE(started);
    receiver = std::move(*started);
    std::string where = receiver->url();
    where.pop_back();
    client = std::make_unique<test::HttpClient>(where);
  }
  int push(const Shape& shape) {
    client->send(push_text(shape));
    return client->read_answer().status;
  }
  std::unique_ptr<Receiver> receiver;
  std::unique_ptr<test::HttpClient> client;
};

TEST_F(ReceiverTest, NumbersOfAcceptedTasksAreAddedUp) {
  start();
  const WallTime due = now_millis();
  ASSERT_EQ(push({.id = "t-17", .webhook = "a", .due = due}), 200);
  ASSERT_EQ(push({.id = "none", .webhook = "b", .due = due}), 200);
  receiver->set_failing({.share = 1});
  ASSERT_EQ(push({.id = "t-1000", .webhook = "c", .due = due}), 503);
  receiver->set_failing({});
  ASSERT_EQ(push({.id = "25", .webhook = "d", .due = due}), 200);
  ASSERT_TRUE(receiver->wait_for_accepted(3, Millis(5000)));
  EXPECT_EQ(receiver->summary().number_sum, 42U);
}

TEST_F(ReceiverTest, PushIsAcceptedAndRecorded) {
  start();
  const WallTime due = now_millis() - Millis(50);
  EXPECT_EQ(push({.id = "a%20b", .due = due}), 200);
  ASSERT_TRUE(receiver->wait_for_accepted(1, Millis(5000)));
  const auto arrivals = receiver->take_arrivals();
  ASSERT_EQ(arrivals.size(), 1U);
  EXPECT_EQ(arrivals[0].task_id, "a b");
  EXPECT_EQ(arrivals[0].webhook_hash, hash_of("msg_a"));
  EXPECT_EQ(arrivals[0].body_hash, hash_of("{}"));
  EXPECT_EQ(arrivals[0].due, due);
  EXPECT_EQ(arrivals[0].answered, 200);
  const auto summary = receiver->summary();
  EXPECT_EQ(summary.early, 0U);
  EXPECT_GE(summary.lateness.max(), std::chrono::milliseconds(50));
  EXPECT_TRUE(receiver->take_arrivals().empty());
}

TEST_F(ReceiverTest, APushOfSeveralTasksIsSoManyAndTheAnswerNamesThoseThatFail) {
  start();
  const auto push_both = [&](int attempt) {
    std::string body;
    for (const char* id : {"t-17", "t-25"}) {
      body += std::string(body.empty() ? R"({"tasks":[{"id":")" : R"(,{"id":")") + id +
              R"(","webhook_id":"msg_)" + id + R"(","due_at":")" + format_moment(now_millis()) +
              R"(","attempt":)" + std::to_string(attempt) + R"(,"payload":{"n":1}})";
    }
    body += "]}";
    client->send("POST / HTTP/1.1\r\nContent-Length: " + std::to_string(body.size()) +
                 "\r\nwebhook-id: msg_x\r\ncarillon-tasks: 2\r\n\r\n" + body);
    return client->read_answer();
  };
  receiver->set_failing({.attempts = 1});
  EXPECT_EQ(push_both(1).body, R"({"results":[{"webhook_id":"msg_t-17","status":503},)"
                               R"({"webhook_id":"msg_t-25","status":503}]})");
  EXPECT_EQ(push_both(2).body, "");
  ASSERT_TRUE(receiver->wait_for_accepted(2, Millis(5000)));
  EXPECT_EQ(receiver->summary().received, 4U);
  EXPECT_EQ(receiver->summary().number_sum, 42U);
  EXPECT_EQ(receiver->take_arrivals()[0].body_hash, hash_of(R"({"n":1})"));
}

TEST_F(ReceiverTest, PushBeforeItsDueIsEarly) {
  start();
  push({.due = now_millis() + Millis(60'000)});
  ASSERT_TRUE(receiver->wait_for_accepted(1, Millis(5000)));
  EXPECT_EQ(receiver->summary().early, 1U);
}

TEST_F(ReceiverTest, ManualClockDecidesWhatIsEarly) {
  start();
  const WallTime later = now_millis() + std::chrono::hours(1);
  receiver->set_clock(later);
  push({.due = later});
  push({.webhook = "msg_b", .due = later + Millis(1)});
  ASSERT_TRUE(receiver->wait_for_accepted(2, Millis(5000)));
  EXPECT_EQ(receiver->summary().early, 1U);
}

TEST_F(ReceiverTest, SecondPushOfAnAcceptedTaskIsADuplicateARetryIsNot) {
  start();
  receiver->set_failing({.share = 0, .attempts = 1, .status = 500});
  EXPECT_EQ(push({.attempt = 1}), 500);
  EXPECT_EQ(push({.attempt = 2}), 200);
  ASSERT_TRUE(receiver->wait_for_accepted(1, Millis(5000)));
  EXPECT_EQ(receiver->summary().duplicates, 0U);
  EXPECT_EQ(push({.attempt = 3}), 200);
  ASSERT_TRUE(receiver->wait_for_accepted(2, Millis(5000)));
  EXPECT_EQ(receiver->summary().duplicates, 1U);
  EXPECT_EQ(receiver->summary().received, 3U);
}

TEST_F(ReceiverTest, FailShareOfOneRefusesAll) {
  start();
  receiver->set_failing({.share = 1, .attempts = 0, .status = 410});
  for (int i = 0; i < 10; ++i) EXPECT_EQ(push({}), 410);
}

TEST_F(ReceiverTest, PipelinedAndSplitPushesAreAllTaken) {
  start();
  const std::string two = push_text({.webhook = "1"}) + push_text({.webhook = "2"});
  for (const std::string_view piece :
       {std::string_view(two).substr(0, 100), std::string_view(two).substr(100, 150),
        std::string_view(two).substr(250)}) {
    client->send(piece);
  }
  EXPECT_EQ(client->read_answer().status, 200);
  EXPECT_EQ(client->read_answer().status, 200);
  EXPECT_TRUE(receiver->wait_for_accepted(2, Millis(5000)));
}

TEST_F(ReceiverTest, DelayedAnswersComeTogetherNotOneAfterTheOther) {
  start({.answer_delay = Millis(300)});
  std::string where = receiver->url();
  where.pop_back();
  std::vector<std::unique_ptr<test::HttpClient>> clients;
  const auto begin = std::chrono::steady_clock::now();
  for (int i = 0; i < 20; ++i) {
    clients.push_back(std::make_unique<test::HttpClient>(where));
    clients.back()->send(push_text({.webhook = std::to_string(i)}));
  }
  for (const auto& each : clients) EXPECT_EQ(each->read_answer().status, 200);
  const auto took = std::chrono::steady_clock::now() - begin;
  EXPECT_GE(took, std::chrono::milliseconds(300));
  EXPECT_LT(took, std::chrono::milliseconds(3000));
}

TEST_F(ReceiverTest, NonsenseIsRefusedAndCounted) {
  start();
  client->send("nonsense\r\n\r\n");
  EXPECT_EQ(client->read_answer().status, 400);
  EXPECT_TRUE(client->closed_by_peer());
  client->close();
  EXPECT_EQ(push({}), 200);
  ASSERT_TRUE(receiver->wait_for_accepted(1, Millis(5000)));
  EXPECT_EQ(receiver->summary().bad, 1U);
}

TEST_F(ReceiverTest, ConnectionCloseIsHonoured) {
  start();
  client->send("POST / HTTP/1.1\r\nConnection: close\r\nContent-Length: 0\r\n\r\n");
  EXPECT_EQ(client->read_answer().status, 200);
  EXPECT_TRUE(client->closed_by_peer());
}

TEST(Receiver, AddressInUseIsAnError) {
  const auto first = Receiver::start({});
  ASSERT_TRUE(first);
  const std::string url = (*first)->url();
  const std::string port = url.substr(url.rfind(':') + 1);
  Receiver::Options options;
  options.port = static_cast<std::uint16_t>(std::stoi(port));
  const auto second = Receiver::start(options);
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().slug, "network");
}

}  // namespace
}  // namespace carillon::load
