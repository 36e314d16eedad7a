// carillon-replay on what a crash left behind agrees with what the client knows.

#include <algorithm>
#include <thread>

#include <gtest/gtest.h>

#include "tests/end_to_end/json_find.h"
#include "tests/end_to_end/scenarios.h"
#include "tests/support/temp_dir.h"

namespace carillon::test {
namespace {

constexpr std::size_t kBatch = 500;
constexpr Millis kPatience = std::chrono::seconds(60);

std::vector<std::string> sorted_lines(const std::string& text) {
  std::vector<std::string> lines;
  for (std::size_t from = 0; from < text.size();) {
    const std::size_t end = std::min(text.find('\n', from), text.size());
    lines.push_back(text.substr(from, end - from));
    from = end + 1;
  }
  std::sort(lines.begin(), lines.end());
  return lines;
}

/// What a server that is started on `dir` exports.
std::vector<std::string> served_from(const std::string& dir) {
  Carillond server(dir);
  if (!server.start()) return {};
  std::string lines;
  const auto answer = server.connect()->stream("/v1/export", [&lines](std::string_view piece) {
    lines += piece;
    return true;
  });
  EXPECT_TRUE(answer && answer->ok());
  EXPECT_EQ(server.stop(), 0);
  return sorted_lines(lines);
}

class ReplayTest : public ::testing::Test {
 protected:
  Finished replay(std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), program("carillon-replay"));
    return run_program(std::move(arguments));
  }
  std::string ok(std::vector<std::string> arguments) {
    const std::string name = arguments[0];
    const Finished finished = replay(std::move(arguments));
    EXPECT_EQ(finished.ending, (Ending{0, 0})) << name << ": " << finished.errors;
    return finished.output;
  }

  /// Some tasks are delivered, some wait, some are cancelled, and the server is killed while still
  /// more are being added.
  void crash() {
    receiver = start_receiver();
    Carillond server(data);
    ASSERT_TRUE(server.start());
    put_target(server, *receiver, 16);
    const auto api = server.connect();
    const std::size_t count = sized(5'000, 200'000);
    std::vector<Subscribers::Index> now, later, cancelled, last;
    for (std::size_t i = 0; i < 100; ++i) {
      now.push_back(people.plan("now" + std::to_string(i), wall_millis()));
    }
    const WallTime due = wall_millis() + std::chrono::hours(1);
    for (std::size_t i = 0; i < count; ++i) {
      later.push_back(people.plan("later" + std::to_string(i), due));
      if (i % 10 == 0) cancelled.push_back(later.back());
      last.push_back(people.plan("last" + std::to_string(i), due));
    }
    ASSERT_EQ(people.add_all(*api, now, kBatch), now.size());
    ASSERT_EQ(people.add_all(*api, later, kBatch), later.size());
    ASSERT_EQ(people.cancel_all(*api, cancelled, kBatch), cancelled.size());
    ASSERT_TRUE(receiver->wait_for_accepted(now.size(), kPatience));
    wait_for_delivered(server, now.size());
    std::thread adder([&] { people.add_all(*api, last, kBatch); });
    const auto enough = people.batches_answered() + last.size() / kBatch / 2;
    while (people.batches_answered() < enough) std::this_thread::yield();
    server.kill();
    adder.join();
    people.take_arrivals(*receiver);
  }

  static void wait_for_delivered(const Carillond& server, std::size_t count) {
    while (stat(server, "/counts/delivered") < static_cast<std::int64_t>(count)) {
      std::this_thread::sleep_for(Millis(5));
    }
  }

  TempDir dir;
  std::string data = dir / "data";
  std::unique_ptr<load::Receiver> receiver;
  Subscribers people{"receiver"};
};

TEST_F(ReplayTest, VerifySummaryAndExportAgreeWithTheClient) {
  ASSERT_NO_FATAL_FAILURE(crash());
  ok({"verify", data});
  const std::string exported = ok({"export", data});
  const auto pending = static_cast<std::int64_t>(sorted_lines(exported).size());
  EXPECT_EQ(number_at(ok({"summary", "--json", data}), "/tasks/scheduled"), pending);
  people.take_pending(exported);
  const auto verdict = people.ledger().judge({});
  EXPECT_TRUE(verdict.good()) << verdict.text();
  EXPECT_EQ(verdict.delivered, 100U);
}

TEST_F(ReplayTest, RebuiltDirectoryServesTheSamePendingTasks) {
  ASSERT_NO_FATAL_FAILURE(crash());
  const std::string rebuilt = dir / "rebuilt";
  ok({"rebuild", data, rebuilt});
  ok({"verify", rebuilt});
  const auto before = sorted_lines(ok({"export", data}));
  ASSERT_FALSE(before.empty());
  EXPECT_EQ(sorted_lines(ok({"export", rebuilt})), before);
  EXPECT_EQ(served_from(rebuilt), before);
  EXPECT_EQ(served_from(data), before);
}

TEST_F(ReplayTest, RunningServersDirectoryIsLeftAlone) {
  Carillond server(data);
  ASSERT_TRUE(server.start());
  EXPECT_EQ(replay({"verify", data}).ending, (Ending{1, 0}));
  EXPECT_EQ(replay({"verify", dir / "missing"}).ending, (Ending{1, 0}));
  EXPECT_EQ(replay({"nonsense"}).ending, (Ending{2, 0}));
}

}  // namespace
}  // namespace carillon::test
