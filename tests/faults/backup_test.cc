// A backup made while the server runs: everything acknowledged before it began is in it, and what
// is in it is a prefix of what was done; a kill in its middle leaves nothing that looks like one.
// And data of an earlier format, kept from when it was current, opens.
#include <algorithm>
#include <filesystem>
#include <iostream>
#include <random>
#include <set>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/end_to_end/json_find.h"
#include "tests/end_to_end/scenarios.h"
#include "tests/support/temp_dir.h"

namespace carillon::test {
namespace {

using ::testing::HasSubstr;

constexpr std::size_t kBatch = 50;
constexpr std::chrono::seconds kPatience{60};

std::multiset<std::string> lines_of(const std::string& text) {
  std::multiset<std::string> lines;
  for (std::size_t from = 0; from < text.size();) {
    const std::size_t end = std::min(text.find('\n', from), text.size());
    lines.insert(text.substr(from, end - from));
    from = end + 1;
  }
  return lines;
}

std::string export_of(const Carillond& server) {
  std::string lines;
  const auto answer = server.connect()->stream("/v1/export", [&lines](std::string_view piece) {
    lines += piece;
    return true;
  });
  EXPECT_TRUE(answer && answer->ok());
  return lines;
}

class Backup : public ::testing::Test {
 protected:
  void start_adding() {
    ASSERT_TRUE(server_.start());
    put_target(server_, *receiver_, 16);
    const WallTime due = wall_millis() + std::chrono::hours(1);
    for (std::size_t i = 0; i < 500'000; ++i) {
      tasks_.push_back(people_.plan("t" + std::to_string(i), due));
    }
    adder_ = std::thread([this] {
      const std::span<const Subscribers::Index> all = tasks_;
      people_.add_all(*server_.connect(), all.subspan(done_), kBatch);
    });
  }
  void wait_for_batches(std::size_t count) const {
    while (people_.batches_answered() < count) std::this_thread::yield();
  }
  [[nodiscard]] client::ApiAnswer checkpoint(const std::string& dir) const {
    const auto answer =
        server_.connect()->call("POST", "/v1/admin/checkpoint", R"({"dir":")" + dir + R"("})");
    return answer ? *answer : client::ApiAnswer{};
  }
  void kill() {
    server_.kill();
    if (adder_.joinable()) adder_.join();
  }
  ~Backup() override {
    if (adder_.joinable()) kill();
  }

  /// The copy holds the first so many of the tasks, and nothing else; how many.
  std::size_t prefix_in(const std::string& dir) {
    Carillond restored(dir);
    if (!restored.start()) return 0;
    std::vector<bool> there(tasks_.size());
    std::size_t count = 0;
    for (const std::string& line : lines_of(export_of(restored))) {
      there.at(static_cast<std::size_t>(std::stoul(text_at(line, "/id").substr(1)))) = true;
      ++count;
    }
    EXPECT_EQ(std::find(there.begin(), there.end(), false) - there.begin(),
              static_cast<std::ptrdiff_t>(count))
        << "tasks are missing between others";
    EXPECT_EQ(count % kBatch, 0U) << "a batch by half";
    EXPECT_EQ(restored.stop(), 0);
    return count;
  }

  const TempDir dir_;
  std::unique_ptr<load::Receiver> receiver_ = start_receiver();
  Carillond server_{dir_ / "data"};
  Subscribers people_{"receiver"};
  std::vector<Subscribers::Index> tasks_;
  std::size_t done_ = 0;
  std::thread adder_;
};

TEST_F(Backup, MadeUnderLoadIsAConsistentPrefixWithAllThatCameBeforeIt) {
  ASSERT_NO_FATAL_FAILURE(start_adding());
  wait_for_batches(sized(40, 1'000));
  const std::size_t before = people_.batches_answered() * kBatch;
  const auto made = checkpoint(dir_ / "copy");
  EXPECT_TRUE(made.ok()) << made.body;
  kill();
  const std::size_t after = people_.batches_answered() * kBatch + kBatch;
  std::filesystem::create_directory(dir_ / "elsewhere");
  std::filesystem::rename(dir_ / "copy", dir_ / "elsewhere/data");
  const std::size_t count = prefix_in(dir_ / "elsewhere/data");
  EXPECT_GE(count, before);
  EXPECT_LE(count, after);
  std::cout << "[ figures  ] backup: " << before << " tasks acknowledged before it, " << count
            << " in it, " << after - kBatch << " acknowledged when the server was killed\n";
  ASSERT_TRUE(server_.start());
  ASSERT_TRUE(people_.take_pending(*server_.connect()));
  const auto verdict = people_.ledger().judge({});
  EXPECT_TRUE(verdict.good()) << verdict.text();
}

TEST_F(Backup, KilledInItsMiddleLeavesNoneOfThatNameOrAWholeOne) {
  std::mt19937_64 random(seed_or(1));
  std::size_t whole = 0;
  const std::size_t rounds = sized(6, 100);
  ASSERT_NO_FATAL_FAILURE(start_adding());
  for (std::size_t round = 0; round < rounds; ++round) {
    wait_for_batches(10 * (round + 1));
    const std::string copy = dir_ / "copy";
    const std::size_t before = people_.batches_answered() * kBatch;
    std::thread asking([&] { static_cast<void>(checkpoint(copy)); });
    std::this_thread::sleep_for(std::chrono::milliseconds(random() % 100));  // a random moment
    kill();
    asking.join();
    if (std::filesystem::exists(copy)) {
      ++whole;
      EXPECT_GE(prefix_in(copy), before);
      std::filesystem::remove_all(copy);
    }
    done_ = people_.batches_answered() * kBatch;
    ASSERT_TRUE(server_.start());
    adder_ = std::thread([this] {
      const std::span<const Subscribers::Index> all = tasks_;
      people_.add_all(*server_.connect(), all.subspan(done_), kBatch);
    });
  }
  EXPECT_TRUE(checkpoint(dir_ / "copy").ok()) << "what was left is in the way";
  std::cout << "[ figures  ] backup: killed " << rounds << " times while it was made, " << whole
            << " were whole\n";
}

/// Directories as older versions left them, on Debian 12 with its RocksDB.
class OldFormat : public ::testing::TestWithParam<const char*> {
 protected:
  OldFormat() {
    std::filesystem::copy(fixture_ + "/data", data_, std::filesystem::copy_options::recursive);
  }
  const std::string fixture_ = CARILLON_SOURCE_DIR "/tests/fixtures/" + std::string(GetParam());
  const TempDir dir_;
  const std::string data_ = dir_ / "data";
};

TEST_P(OldFormat, OneOpensWithEveryTaskAsItWas) {
  std::multiset<std::string> expected;
  // Before format 4 a lane was a mere label, which is not defined.
  const bool has_lanes = GetParam() >= std::string("format-4");
  for (std::string line : lines_of(read_whole_file(fixture_ + "/export.ndjson"))) {
    const std::string label = R"("lane":"slow")";
    if (const auto at = line.find(label); at != std::string::npos && !has_lanes)
      line.replace(at, label.size(), R"("lane":"default")");
    expected.insert(std::move(line));
  }
  ASSERT_GT(expected.size(), 10U);
  const Finished verified = run_program({program("carillon-replay"), "verify", data_});
  EXPECT_EQ(verified.ending, (Ending{0, 0})) << verified.output << verified.errors;
  EXPECT_EQ(lines_of(run_program({program("carillon-replay"), "export", data_}).output), expected);
  Carillond server(data_);
  ASSERT_TRUE(server.start());
  EXPECT_EQ(lines_of(export_of(server)), expected);
  EXPECT_EQ(text_at(server.call("GET", "/v1/targets/later").body, "/url"),
            "http://127.0.0.1:9/hook");
  EXPECT_EQ(number_at(server.call("GET", "/v1/groups/tens").body, "/counts/scheduled"), 2);
  EXPECT_EQ(number_at(server.call("GET", "/v1/stats").body, "/counts/dead"), 1);
  EXPECT_TRUE(server.call("DELETE", "/v1/tasks/task-1").ok());
  EXPECT_TRUE(read_whole_file(data_ + "/FORMAT").starts_with("Carillon data directory, format 5\n"))
      << "what an older program would stumble over may be in it now";
  EXPECT_EQ(server.stop(), 0);
  Carillond again(data_);
  ASSERT_TRUE(again.start());
  EXPECT_EQ(lines_of(export_of(again)).size(), expected.size() - 1);
  EXPECT_EQ(again.stop(), 0);
}

TEST_P(OldFormat, NewerThanThisOneIsRefusedWithWhatToDo) {
  write_file(data_ + "/FORMAT", "Carillon data directory, format 6\n");
  const Finished refused =
      run_program({program("carillond"), "--data-dir", data_, "--listen", "127.0.0.1:0"});
  EXPECT_EQ(refused.ending, (Ending{1, 0}));
  EXPECT_THAT(refused.errors, HasSubstr("has format 6, written by a newer Carillon"));
  EXPECT_THAT(refused.errors, HasSubstr("carillon-replay"));
}

INSTANTIATE_TEST_SUITE_P(All, OldFormat,
                         ::testing::Values("format-1", "format-2", "format-3", "format-4"));

}  // namespace
}  // namespace carillon::test
