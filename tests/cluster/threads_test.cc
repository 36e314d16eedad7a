// The router on the threads of connections, of which there are several, as in the server: clients
// of one node add, read, list and cancel tasks of every shard at once.

#include "http/threads.h"

#include <atomic>
#include <thread>

#include "tests/cluster/cluster_fixture.h"
#include "tests/support/http_client.h"

namespace carillon::test {
namespace {

class ThreadsTest : public ClusterTest {
 protected:
  ThreadsTest() {
    put_target();
    // One that others call, too, on threads of its own.
    server =
        std::make_unique<HttpServer>(loop, threads.loops(), a().make_api(), Node::http_options());
    const auto bound = server->listen({.host = "127.0.0.1"});
    CARILLON_CHECK(bound);
    url = bound->front();
    main = std::thread([this] { loop.run(); });
  }
  ~ThreadsTest() override {
    loop.stop();
    main.join();
    threads.stop();
    server.reset();
    nodes.clear();  // their connections to others belong to the threads' loops
  }

  HttpThreads threads{3};
  std::unique_ptr<HttpServer> server;
  std::string url;
  std::thread main;
};

TEST_F(ThreadsTest, tasks_of_all_shards_are_served_by_all_threads) {
  constexpr int kClients = 6;
  constexpr int kTasks = 60;
  std::atomic<int> good = 0;
  const auto work = [&](int client) {
    HttpClient http(url);
    const std::string prefix = "c" + std::to_string(client) + "-";
    std::string batch = "[";
    for (int i = 0; i < kTasks; ++i) {
      const std::string id = prefix + std::to_string(i);
      const std::string json =
          R"({"id":")" + id + R"(","delay":"1d","target":"shop","payload":{}})";
      batch += (i == 0 ? "" : ",") + json;
      const bool added = http.post("/v1/tasks", json).status == 201;
      const bool there = http.get("/v1/tasks/" + id).status == 200;
      good += added && there ? 1 : 0;
    }
    const HttpAnswer again = http.post("/v1/tasks:batchCreate", batch + "]");
    good += again.body.find("\"failed\":0") != std::string::npos ? 1 : 0;
    good += http.get("/v1/tasks?limit=10").status == 200 ? 1 : 0;
    good += http.get("/v1/stats").status == 200 ? 1 : 0;
    good += http.request("DELETE", "/v1/tasks/" + prefix + "0").status == 200 ? 1 : 0;
  };
  std::vector<std::thread> clients;
  for (int i = 0; i < kClients; ++i) clients.emplace_back(work, i);
  for (std::thread& client : clients) client.join();
  EXPECT_EQ(good, kClients * (kTasks + 4));
  const HttpAnswer stats = HttpClient(url).get("/v1/stats");
  EXPECT_NE(stats.body.find("\"scheduled\":" + std::to_string(kClients * (kTasks - 1))),
            std::string::npos)
      << stats.body;
  const HttpAnswer exported = HttpClient(url).get("/v1/export");
  EXPECT_EQ(std::ranges::count(exported.body, '\n'), kClients * (kTasks - 1));
}

TEST_F(ThreadsTest, a_created_task_is_told_with_the_due_of_its_owner) {
  b().clock.set(clock.wall() + std::chrono::seconds(7));
  const std::string id = id_in(2);
  const HttpAnswer added = HttpClient(url).post(
      "/v1/tasks", R"({"id":")" + id + R"(","delay":"1h","target":"shop","payload":{"a":1}})");
  EXPECT_EQ(added.status, 201);
  EXPECT_EQ(added.header("location"), "/v1/tasks/" + id);
  const std::string due =
      format_moment(clock.wall() + std::chrono::hours(1) + std::chrono::seconds(7));
  EXPECT_NE(added.body.find(due), std::string::npos) << added.body;
  EXPECT_NE(added.body.find(R"("payload":{"a":1})"), std::string::npos) << added.body;
  EXPECT_EQ(HttpClient(url).get("/v1/tasks/" + id).body, added.body);
}

TEST_F(ThreadsTest, silent_shards_are_named_in_the_answers) {
  send_to(4, "http://127.0.0.1:9");
  HttpClient http(url);
  for (const char* path : {"/v1/tasks", "/v1/stats", "/v1/targets/shop", "/v1/lanes/default"})
    EXPECT_NE(http.get(path).body.find(R"("silent_shards":[4])"), std::string::npos) << path;
  const HttpAnswer shop = http.get("/v1/targets/shop");
  EXPECT_EQ(http.request("PUT", "/v1/targets/shop", shop.body).status, 200)
      << "what GET gives, PUT takes";
}

}  // namespace
}  // namespace carillon::test
