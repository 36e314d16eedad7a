// A disk that fills up: long before storage fails adds are refused and all else goes on; if it
// fills to its end all the same, nothing that was acknowledged is lost.
#include <algorithm>
#include <iostream>
#include <random>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/end_to_end/json_find.h"
#include "tests/end_to_end/scenarios.h"
#include "tests/faults/small_disk.h"

namespace carillon::test {
namespace {

using ::testing::HasSubstr;

constexpr std::size_t kBatch = 100;
constexpr std::size_t kBulkyBytes = 64 << 10;
constexpr std::size_t kBulkyAtOnce = 100;
constexpr std::chrono::seconds kPatience{120};
constexpr Millis kPollPause{20};

class DiskFull : public ::testing::Test {
 protected:
  /// A server on `disk` that wants so much to stay free.
  std::unique_ptr<Carillond> start_on(const SmallDisk& disk, const std::string& disk_free_min) {
    write_file(config_ / "carillon.toml", "disk_free_min = \"" + disk_free_min + "\"\n");
    auto server = std::make_unique<Carillond>(
        disk / "data", std::vector<std::string>{"--config", config_ / "carillon.toml"});
    if (!server->start()) return nullptr;
    put_target(*server, *receiver_, 16);
    return server;
  }

  std::vector<Subscribers::Index> plan(const std::string& name, std::size_t count, WallTime due) {
    std::vector<Subscribers::Index> tasks;
    for (std::size_t i = 0; i < count; ++i) {
      tasks.push_back(people_.plan("people-" + name + std::to_string(i), due));
    }
    return tasks;
  }

  /// Letters that no compression makes small.
  std::string bulk() {
    std::string text(kBulkyBytes, '\0');
    for (char& letter : text) letter = static_cast<char>('0' + random_() % 64);
    std::ranges::replace(text, '\\', '/');
    return text;
  }

  /// Adds tasks of 64 KiB; how many were taken, -1 where there was no answer.
  std::int64_t add_bulky(client::ApiClient& api) {
    std::string body;
    for (std::size_t i = 0; i < kBulkyAtOnce; ++i) {
      body += R"({"delay":"1d","target":"receiver","payload":")" + bulk() + "\"}\n";
    }
    const auto answer = api.call("POST", "/v1/tasks:batchCreate", body, "application/x-ndjson");
    if (!answer || !answer->ok()) return -1;
    const std::int64_t created = number_at(answer->body, "/created");
    EXPECT_EQ(created + number_at(answer->body, "/failed"), std::int64_t{kBulkyAtOnce});
    if (created < std::int64_t{kBulkyAtOnce}) {
      EXPECT_THAT(answer->body, HasSubstr(R"("type":"/problems/no_space")"));
    }
    bulky_taken_ += created;
    return created;
  }

  /// Adds until none is taken.
  void fill_until_refused(const Carillond& server) {
    const auto api = server.connect();
    const auto deadline = std::chrono::steady_clock::now() + kPatience;
    std::int64_t created = 1;
    while (created > 0 && std::chrono::steady_clock::now() < deadline) created = add_bulky(*api);
    ASSERT_EQ(created, 0);
  }

  /// Of those that `people_` asked for; the bulky ones are only counted.
  void expect_ledger_holds(const Carillond& server) {
    people_.take_arrivals(*receiver_);
    std::string line, pending;
    const auto answer = server.connect()->stream("/v1/export", [&](std::string_view piece) {
      for (const char byte : piece) {
        line += byte;
        if (byte != '\n') continue;
        if (line.starts_with(R"({"id":"people-)")) pending += line;
        line.clear();
      }
      return true;
    });
    ASSERT_TRUE(answer && answer->ok());
    people_.take_pending(pending);
    const auto verdict = people_.ledger().judge({.may_repeat = true});
    EXPECT_TRUE(verdict.good()) << verdict.text();
    std::cout << "[ figures  ] " << verdict.text() << '\n';
  }

  const TempDir config_;
  std::unique_ptr<load::Receiver> receiver_ = start_receiver();
  Subscribers people_{"receiver"};
  std::minstd_rand random_{1};
  std::int64_t bulky_taken_ = 0;
};

constexpr const char* kSmallTask = R"({"id":"small","delay":"1h","target":"receiver"})";

TEST_F(DiskFull, AddsAreRefusedBeforeStorageFailsAndAllElseGoesOn) {
  const SmallDisk disk(320);
  const auto server = start_on(disk, "128MiB");
  ASSERT_TRUE(server);
  const WallTime due = wall_millis() + std::chrono::seconds(20);
  const auto coming = plan("coming", 200, due);
  const auto cancelled = plan("cancelled", 200, due + std::chrono::hours(1));
  const auto api = server->connect();
  ASSERT_EQ(people_.add_all(*api, coming, kBatch), coming.size());
  ASSERT_EQ(people_.add_all(*api, cancelled, kBatch), cancelled.size());
  ASSERT_TRUE(server->call("POST", "/v1/tasks", kSmallTask).ok());
  ASSERT_NO_FATAL_FAILURE(fill_until_refused(*server));
  std::cout << "[ figures  ] disk full: " << bulky_taken_ << " tasks of 64 KiB on 320 MiB, "
            << disk.free_mib() << " MiB left when the first was refused\n";

  const auto refused = server->call("POST", "/v1/tasks", R"({"delay":"1h","target":"receiver"})");
  EXPECT_EQ(refused.status, 507U);
  EXPECT_EQ(text_at(refused.body, "/type"), "/problems/no_space");
  EXPECT_EQ(server->call("PATCH", "/v1/tasks/small", R"({"payload":1})").status, 507U);
  EXPECT_EQ(server->call("PATCH", "/v1/tasks/small", R"({"delay":"2h"})").status, 200U);
  EXPECT_EQ(server->call("GET", "/v1/tasks/small").status, 200U);
  const auto ready = server->call("GET", "/readyz");
  EXPECT_EQ(ready.status, 200U);
  EXPECT_EQ(text_at(ready.body, "/refuses"), "no_space");
  EXPECT_THAT(server->call("GET", "/metrics").body,
              HasSubstr("carillon_refused_total{reason=\"no_space\"}"));
  EXPECT_EQ(people_.cancel_all(*api, cancelled, kBatch), cancelled.size());
  EXPECT_TRUE(receiver_->wait_for_accepted(coming.size(), std::chrono::minutes(2)));
  // Compactions that ended meanwhile may have given space back; it is refused before all is gone.
  ASSERT_NO_FATAL_FAILURE(fill_until_refused(*server));
  EXPECT_GT(disk.free_mib(), 16U) << "what must go on has room to";

  disk.enlarge(1024);
  const auto deadline = std::chrono::steady_clock::now() + kPatience;
  while (server->call("POST", "/v1/tasks", kSmallTask).status == 507U &&
         std::chrono::steady_clock::now() < deadline) {
    std::this_thread::sleep_for(kPollPause);
  }
  EXPECT_EQ(add_bulky(*api), std::int64_t{kBulkyAtOnce});
  EXPECT_EQ(text_at(server->call("GET", "/readyz").body, "/refuses"), "");
  EXPECT_EQ(stat(*server, "/counts/scheduled"), bulky_taken_ + 1);
  EXPECT_EQ(server->stop(), 0);
  ASSERT_TRUE(server->start());
  EXPECT_EQ(stat(*server, "/counts/scheduled"), bulky_taken_ + 1);
  ASSERT_NO_FATAL_FAILURE(expect_ledger_holds(*server));
}

TEST_F(DiskFull, FilledToItsEndByOthersStorageFailsAndARestartRecovers) {
  const SmallDisk disk(256);
  const auto server = start_on(disk, "0B");
  ASSERT_TRUE(server);
  const auto tasks = plan("task", 2'000, wall_millis() + std::chrono::hours(1));
  {
    const auto api = server->connect();
    ASSERT_EQ(people_.add_all(*api, tasks, kBatch), tasks.size());
    disk.fill();
    const auto deadline = std::chrono::steady_clock::now() + kPatience;
    while (add_bulky(*api) >= 0 && std::chrono::steady_clock::now() < deadline) {
    }
  }
  EXPECT_EQ(server->process().wait(kPatience), (Ending{3, 0})) << server->process().errors();

  const Finished again =
      run_program({program("carillond"), "--data-dir", disk / "data", "--listen", "127.0.0.1:0"});
  EXPECT_EQ(again.ending, (Ending{1, 0}));
  EXPECT_THAT(again.errors, HasSubstr("the disk is full"));

  disk.empty();
  ASSERT_TRUE(server->start());
  EXPECT_GE(stat(*server, "/counts/scheduled"),
            bulky_taken_ + static_cast<std::int64_t>(tasks.size()));
  ASSERT_NO_FATAL_FAILURE(expect_ledger_holds(*server));
  EXPECT_TRUE(server->call("POST", "/v1/tasks", kSmallTask).ok());
  EXPECT_EQ(server->call("DELETE", "/v1/tasks/small").status, 200U);
}

}  // namespace
}  // namespace carillon::test
