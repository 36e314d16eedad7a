// carillon import, from a real Redis and a real RabbitMQ.

#include <chrono>
#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "delivery/amqp/librabbitmq.h"
#include "tests/end_to_end/broker_fixture.h"
#include "tests/support/rabbit_server.h"
#include "tests/support/redis_server.h"

namespace carillon::test {
namespace {

using ::testing::HasSubstr;

class Import : public BrokerEndToEnd {
 protected:
  Import() { put(R"({"url":"http://127.0.0.1:1/","paused":true})"); }

  Finished run_import(std::vector<std::string> arguments) {
    std::vector<std::string> command = {program("carillon"), "--server", server.url(), "import",
                                        "--target",          "queue"};
    command.insert(command.end(), arguments.begin(), arguments.end());
    return run_program(command);
  }
  [[nodiscard]] std::string task(const std::string& id) const {
    return server.call("GET", "/v1/tasks/" + id).body;
  }
  [[nodiscard]] std::int64_t waiting() const {
    return number_at(server.call("GET", "/v1/targets/queue").body, "/waiting");
  }
  [[nodiscard]] static std::string in_an_hour() {
    using namespace std::chrono;
    return std::to_string(duration_cast<seconds>(system_clock::now().time_since_epoch()).count() +
                          3600);
  }
};

TEST_F(Import, MembersOfASortedSetAreDueAtTheirScores) {
  RedisServer redis;
  redis.ask({"ZADD", "jobs", "1893456000", "job-1"});
  redis.ask({"ZADD", "jobs", "1893456000.25", R"({"id":"job-2","user":7})"});
  redis.ask({"ZADD", "jobs", "1893456000500", R"({"no":"id"})"});
  // Beyond the horizon, which is 30 days: these stay, and are told of.
  const Finished far = run_import({"--redis", "jobs", "--from", redis.url()});
  EXPECT_EQ(far.ending.code, 1);
  EXPECT_THAT(far.output, HasSubstr("imported 0 tasks, 3 refused"));
  EXPECT_THAT(far.errors, HasSubstr("member \"job-1\""));
  redis.ask({"DEL", "jobs"});

  const std::string due = in_an_hour();
  redis.ask({"ZADD", "jobs", due, "job-1"});
  redis.ask({"ZADD", "jobs", due + ".25", R"({"id":"job-2","user":7})"});
  redis.ask({"ZADD", "jobs", due + "500", R"({"no":"id"})"});
  for (int times = 0; times < 2; ++times) {
    const Finished done =
        run_import({"--redis", "jobs", "--from", redis.url(), "--group", "moved"});
    EXPECT_EQ(done.ending.code, 0) << done.errors;
    EXPECT_THAT(done.output, HasSubstr("imported 3 tasks, 0 refused"));
    EXPECT_EQ(waiting(), 3) << "the same again is the same";
  }
  EXPECT_THAT(task("job-1"), HasSubstr(R"("group":"moved")"));
  EXPECT_THAT(task("job-2"), HasSubstr(R"("payload":{"id":"job-2","user":7})"));
  EXPECT_THAT(task("job-2"), HasSubstr(".250Z"));
  EXPECT_EQ(redis.ask({"ZCARD", "jobs"}), "3");
  const Finished moved = run_import({"--redis", "jobs", "--from", redis.url(), "--remove"});
  EXPECT_EQ(moved.ending.code, 0) << moved.errors;
  EXPECT_EQ(redis.ask({"ZCARD", "jobs"}), "0");
  EXPECT_EQ(waiting(), 3);
}

TEST_F(Import, ALargeSetIsImportedWholeAlsoWhereTheServerWasKilledMeanwhile) {
  RedisServer redis;
  constexpr int kMembers = 5000;
  for (int i = 0; i < kMembers; i += 500) {
    std::vector<std::string> words = {"ZADD", "jobs"};
    for (int k = i; k < i + 500; ++k) {
      words.push_back(in_an_hour());
      words.push_back("job-" + std::to_string(k));
    }
    redis.ask(words);
  }
  std::thread killer([&] {
    while (waiting() < 500) std::this_thread::yield();
    server.kill();
  });
  const Finished cut =
      run_import({"--redis", "jobs", "--from", redis.url(), "--remove", "--batch", "50"});
  killer.join();
  EXPECT_EQ(cut.ending.code, 3);
  ASSERT_TRUE(server.start());
  const Finished done = run_import({"--redis", "jobs", "--from", redis.url(), "--remove"});
  EXPECT_EQ(done.ending.code, 0) << done.errors;
  EXPECT_EQ(redis.ask({"ZCARD", "jobs"}), "0");
  EXPECT_EQ(waiting(), kMembers);
}

TEST_F(Import, WhatIsNoSetOfTimesIsNotImported) {
  RedisServer redis;
  redis.ask({"SET", "text", "x"});
  EXPECT_THAT(run_import({"--redis", "text", "--from", redis.url()}).errors,
              HasSubstr("no sorted set"));
  redis.ask({"ZADD", "ranks", "17", "anna"});
  const Finished ranks = run_import({"--redis", "ranks", "--from", redis.url()});
  EXPECT_EQ(ranks.ending.code, 2);
  EXPECT_THAT(ranks.errors, HasSubstr("is no moment"));
  EXPECT_EQ(waiting(), 0);
  EXPECT_EQ(run_import({"--redis", "none", "--from", "redis://127.0.0.1:1"}).ending.code, 3);
  EXPECT_EQ(run_import({"--redis", "a", "--amqp", "b"}).ending.code, 2);
}

/// Publishes messages past what is tested.
class Publisher {
 public:
  explicit Publisher(const RabbitServer& rabbit) : connection_(amqp_new_connection()) {
    const std::string url = rabbit.url();
    amqp_socket_t* const socket = amqp_tcp_socket_new(connection_);
    EXPECT_EQ(amqp_socket_open(socket, "127.0.0.1", std::stoi(url.substr(url.rfind(':') + 1))), 0);
    amqp_login(connection_, "/", 1, 131'072, 0, AMQP_SASL_METHOD_PLAIN, "guest", "guest");
    amqp_channel_open(connection_, 1);
    amqp_confirm_select(connection_, 1);
  }
  ~Publisher() { amqp_destroy_connection(connection_); }
  Publisher(const Publisher&) = delete;
  Publisher& operator=(const Publisher&) = delete;

  struct Message {
    std::string body;
    std::string id{};
    std::string expiration{};
    int delay_ms = -1;  // of the header x-delay; below 0: without
  };
  void publish(const std::string& queue, const Message& message) {
    amqp_basic_properties_t its{};
    const auto set = [&](amqp_flags_t flag, amqp_bytes_t& at, const std::string& text) {
      if (text.empty()) return;
      its._flags |= flag;
      at = amqp_cstring_bytes(text.c_str());
    };
    set(AMQP_BASIC_MESSAGE_ID_FLAG, its.message_id, message.id);
    set(AMQP_BASIC_EXPIRATION_FLAG, its.expiration, message.expiration);
    set(AMQP_BASIC_CONTENT_TYPE_FLAG, its.content_type, "text/plain");
    amqp_table_entry_t headers[2] = {};
    headers[0].key = amqp_cstring_bytes("x-team");
    headers[0].value.kind = AMQP_FIELD_KIND_UTF8;
    headers[0].value.value.bytes = amqp_cstring_bytes("shop");
    headers[1].key = amqp_cstring_bytes("x-delay");
    headers[1].value.kind = AMQP_FIELD_KIND_I32;
    headers[1].value.value.i32 = message.delay_ms;
    its._flags |= AMQP_BASIC_HEADERS_FLAG;
    its.headers = {message.delay_ms < 0 ? 1 : 2, headers};
    EXPECT_EQ(
        amqp_basic_publish(connection_, 1, amqp_empty_bytes, amqp_cstring_bytes(queue.c_str()), 0,
                           0, &its, amqp_cstring_bytes(message.body.c_str())),
        0);
    amqp_frame_t frame;
    EXPECT_EQ(amqp_simple_wait_frame(connection_, &frame), 0) << "the confirm";
  }

 private:
  amqp_connection_state_t connection_;
};

TEST_F(Import, MessagesOfAQueueWaitAsLongAsTheySay) {
  RabbitServer rabbit;
  rabbit.make_queue("waiting");
  Publisher publisher(rabbit);
  publisher.publish("waiting", {.body = "one", .id = "order-1", .delay_ms = 3'600'000});
  publisher.publish("waiting", {.body = "two", .id = "order-2", .expiration = "7200000"});
  publisher.publish("waiting", {.body = "three"});
  const std::vector<std::string> from = {"--amqp", "waiting", "--from", rabbit.url()};
  const Finished done = run_import(from);
  EXPECT_EQ(done.ending.code, 0) << done.errors;
  EXPECT_THAT(done.output, HasSubstr("imported 2 tasks, 0 refused"));
  EXPECT_THAT(done.errors, HasSubstr("1 messages do not say"));
  EXPECT_THAT(task("order-1"), HasSubstr(R"("body":"one")"));
  EXPECT_THAT(task("order-1"), HasSubstr(R"("x-team":"shop")"));
  EXPECT_THAT(task("order-1"), ::testing::Not(HasSubstr("x-delay")));
  EXPECT_THAT(task("order-2"), HasSubstr("text/plain"));
  wait_until([&] { return rabbit.length("waiting") == 1; });
  std::vector<std::string> all = from;
  all.insert(all.end(), {"--delay", "15m"});
  EXPECT_THAT(run_import(all).output, HasSubstr("imported 1 tasks, 0 refused"));
  wait_until([&] { return rabbit.length("waiting") == 0; });
  EXPECT_EQ(waiting(), 3);
}

TEST_F(Import, MessagesThatAreTheSameInEverythingAreTasksOfTheirOwn) {
  RabbitServer rabbit;
  rabbit.make_queue("waiting");
  Publisher publisher(rabbit);
  for (int times = 1; times <= 2; ++times) {
    for (int i = 0; i < 5; ++i) {
      publisher.publish("waiting", {.body = "tick", .delay_ms = 3'600'000});
    }
    const Finished done = run_import({"--amqp", "waiting", "--from", rabbit.url(), "--batch", "2"});
    EXPECT_EQ(done.ending.code, 0) << done.errors;
    EXPECT_EQ(waiting(), 5 * times);
  }
}

TEST_F(Import, AMessageIsAcknowledgedOnlyWhenCarillonHasItsTask) {
  RabbitServer rabbit;
  rabbit.make_queue("waiting");
  Publisher publisher(rabbit);
  constexpr int kMessages = 3000;
  for (int i = 0; i < kMessages; ++i) {
    publisher.publish("waiting", {.body = std::to_string(i), .delay_ms = 3'600'000});
  }
  std::thread killer([&] {
    while (waiting() < 300) std::this_thread::yield();
    server.kill();
  });
  const Finished cut = run_import({"--amqp", "waiting", "--from", rabbit.url(), "--batch", "20"});
  killer.join();
  EXPECT_EQ(cut.ending.code, 3);
  ASSERT_TRUE(server.start());
  const Finished done = run_import({"--amqp", "waiting", "--from", rabbit.url()});
  EXPECT_EQ(done.ending.code, 0) << done.errors;
  EXPECT_EQ(waiting(), kMessages);
  wait_until([&] { return rabbit.length("waiting") == 0; });
  // What a task cannot be stays where it is.
  publisher.publish("waiting", {.body = "far", .id = "far", .expiration = "4000000000"});
  const Finished far = run_import({"--amqp", "waiting", "--from", rabbit.url()});
  EXPECT_EQ(far.ending.code, 1);
  wait_until([&] { return rabbit.length("waiting") == 1; });
}

}  // namespace
}  // namespace carillon::test
