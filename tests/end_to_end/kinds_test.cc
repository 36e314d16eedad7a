// A target whose kind is changed while its tasks flow: from HTTP to RabbitMQ to NATS and back. None
// is lost, and none comes to two receivers but where the outcome of the first push was unknown.

#include <map>
#include <set>
#include <string>

#include <gtest/gtest.h>

#include "tests/end_to_end/broker_fixture.h"
#include "tests/support/nats_server.h"
#include "tests/support/rabbit_server.h"

namespace carillon::test {
namespace {

class KindsEndToEnd : public BrokerEndToEnd {
 protected:
  KindsEndToEnd() {
    rabbit.make_queue("due");
    nats.make_stream("orders", "due");
  }
  [[nodiscard]] std::string to_http() const {
    return R"({"url":")" + web->url() + "\"" + kHasty + "}";
  }
  [[nodiscard]] std::string to_rabbit() const {
    return R"({"kind":"amqp","url":")" + rabbit.url() + R"(","routing_key":"due")" + kHasty +
           R"(,"timeout":"5s"})";
  }
  [[nodiscard]] std::string to_nats() const {
    return R"({"kind":"nats","url":")" + nats.url() + R"(","subject":"due")" + kHasty +
           R"(,"timeout":"5s"})";
  }

  /// Takes in what has come, and notes of each task the attempts that came and where.
  void take_arrivals() {
    for (const load::Arrival& one : web->take_arrivals()) {
      note("http", one.task_id, one.attempt, one.webhook_hash);
    }
    for (const RabbitMessage& one : rabbit.take("due")) {
      note("amqp", one.headers.at("carillon-task-id"),
           static_cast<std::uint32_t>(std::stoul(one.headers.at("carillon-attempt"))),
           load::hash_of(one.message_id));
    }
    for (const StreamMessage& one : nats.take("orders")) {
      note("nats", one.headers.at("carillon-task-id"),
           static_cast<std::uint32_t>(std::stoul(one.headers.at("carillon-attempt"))),
           load::hash_of(one.headers.at("Nats-Msg-Id")));
    }
  }
  void note(const std::string& kind, const std::string& id, std::uint32_t attempt,
            std::uint64_t webhook) {
    Task& task = tasks[id];
    EXPECT_TRUE(task.attempts.emplace(attempt, kind).second)
        << "attempt " << attempt << " of " << id << " came twice";
    EXPECT_TRUE(task.webhook == 0 || task.webhook == webhook) << id << " has two webhook-ids";
    task.webhook = webhook;
    ++arrived[kind];
  }

  struct Task {
    std::map<std::uint32_t, std::string> attempts;  // and the kind that each came to
    std::uint64_t webhook = 0;
  };
  std::unique_ptr<load::Receiver> web = start_receiver();
  RabbitServer rabbit;
  NatsServer nats;
  std::map<std::string, Task> tasks;
  std::map<std::string, int> arrived;  // by kind
};

TEST_F(KindsEndToEnd, EachTaskComesOnceWhileTheKindChanges) {
  constexpr int kTasks = 6000;
  put(to_http());
  add_many("t", kTasks, 4000);
  for (const std::string& settings : {to_rabbit(), to_nats(), to_http(), to_nats(), to_rabbit()}) {
    const auto before = stat(server, "/counts/delivered");
    wait_until([&] { return stat(server, "/counts/delivered") >= before + 500; });
    put(settings);
  }
  wait_until_idle(server, std::chrono::seconds(120));
  take_arrivals();
  EXPECT_EQ(tasks.size(), static_cast<std::size_t>(kTasks));
  for (const auto& [id, task] : tasks) EXPECT_EQ(task.attempts.size(), 1U) << id;
  for (const char* kind : {"http", "amqp", "nats"}) EXPECT_GE(arrived[kind], 100) << kind;
  EXPECT_EQ(stat(server, "/counts/dead"), 0);
}

TEST_F(KindsEndToEnd, NoneIsLostWhereTheReceiverThatIsLeftHasGone) {
  constexpr int kTasks = 3000;
  put(to_nats());
  add_many("t", kTasks, 2500);
  wait_until([&] { return stat(server, "/counts/delivered") >= 300; });
  nats.kill();
  wait_until([&] { return stat(server, "/counts/retrying") > 0; });
  put(to_rabbit());
  wait_until_idle(server, std::chrono::seconds(120));
  nats.start();
  take_arrivals();
  EXPECT_EQ(tasks.size(), static_cast<std::size_t>(kTasks));
  int twice = 0;
  for (const auto& [id, task] : tasks) {
    twice += task.attempts.size() > 1 ? 1 : 0;
    EXPECT_EQ(task.attempts.rbegin()->second == "amqp" || task.attempts.size() == 1, true) << id;
  }
  // What was on its way when the server was killed: no more than may be under way at once.
  EXPECT_LE(twice, 1000);
  EXPECT_EQ(stat(server, "/counts/dead"), 0);
}

}  // namespace
}  // namespace carillon::test
