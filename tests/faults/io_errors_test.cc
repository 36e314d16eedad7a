// System calls on the data directory that fail with EIO, one kind at a time, under load: nothing is
// acknowledged any more, /readyz says so, the process exits with 3, and a restart has everything
// that was acknowledged. strace, attached to the running server, makes them fail.
#include <atomic>
#include <iostream>
#include <set>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/json.h"
#include "tests/end_to_end/scenarios.h"
#include "tests/support/temp_dir.h"

namespace carillon::test {
namespace {

using ::testing::HasSubstr;
using ::testing::IsSubsetOf;

constexpr std::chrono::seconds kPatience{60};
constexpr std::size_t kBatch = 20;
constexpr std::size_t kFilesMax = 60;  // numbers that RocksDB gives its files in such a run

/// A system call that fails.
struct Fault {
  std::string call;
  std::string files;  // fails on these only, an ending of db/'s or a name; empty: on all
};
std::ostream& operator<<(std::ostream& out, const Fault& fault) {
  return out << fault.call << " " << fault.files;
}

/// Adds tasks without end over one connection, and knows which were acknowledged.
class Writer {
 public:
  Writer() = default;
  /// Goes on where `other` ended.
  Writer(const Writer& other)
      : asked_(other.asked_), acknowledged_(other.acknowledged_), count_(other.count()) {}

  /// Until there is no answer, or a refusal.
  void run(client::ApiClient& api) {
    while (!stopped_) {
      std::vector<std::string> ids;
      std::string body;
      for (std::size_t i = 0; i < kBatch; ++i) {
        ids.push_back("t" + std::to_string(asked_.size()));
        asked_.insert(ids.back());
        JsonWriter json(body);
        json.begin_object().key("id").string(ids.back()).key("delay").string("1h");
        json.key("target").string("receiver").key("payload").string(ids.back()).end_object();
        body += '\n';
      }
      const auto answer = api.call("POST", "/v1/tasks:batchCreate", body, "application/x-ndjson");
      if (!answer || !answer->ok() || answer->body.find(R"("failed":0)") == std::string::npos) {
        return;
      }
      acknowledged_.insert(ids.begin(), ids.end());
      count_ = acknowledged_.size();
    }
  }
  void stop() { stopped_ = true; }
  [[nodiscard]] std::size_t count() const { return count_; }
  /// When it has ended.
  [[nodiscard]] const std::set<std::string>& asked() const { return asked_; }
  [[nodiscard]] const std::set<std::string>& acknowledged() const { return acknowledged_; }

 private:
  std::set<std::string> asked_, acknowledged_;
  std::atomic<std::size_t> count_{0};
  std::atomic<bool> stopped_{false};
};

class IoErrors : public ::testing::TestWithParam<Fault> {
 protected:
  void start() {
    ASSERT_TRUE(server_.start());
    put_target(server_, *receiver_, 16);
  }

  /// From when it returns on, the calls fail.
  std::unique_ptr<Process> break_calls() {
    const Fault& fault = GetParam();
    std::vector<std::string> command{"/usr/bin/strace",
                                     "-f",
                                     "-o",
                                     "/dev/null",
                                     "-p",
                                     std::to_string(server_.process().pid()),
                                     "-e",
                                     "trace=" + fault.call,
                                     "-e",
                                     "inject=" + fault.call + ":error=EIO"};
    for (std::size_t number = 1; !fault.files.empty() && number < kFilesMax; ++number) {
      const std::string digits = std::to_string(number);
      const std::string name =
          fault.files.starts_with('.') ? "db/" + std::string(6 - digits.size(), '0') + digits : "";
      command.insert(command.end(), {"-P", server_.data_dir() + "/" + name + fault.files});
      if (name.empty()) break;
    }
    auto strace = std::make_unique<Process>(std::move(command));
    EXPECT_TRUE(strace->wait_for_line("attached", kPatience))
        << "strace must be installed and may attach as root:\n"
        << strace->errors();
    return strace;
  }

  /// Asks /readyz and, so that something is read from disk, for tasks, until there is no answer.
  /// Whether it said that storage failed.
  bool watch_readiness() {
    bool told = false;
    const auto deadline = std::chrono::steady_clock::now() + kPatience;
    const auto in_time = [deadline] { return std::chrono::steady_clock::now() < deadline; };
    const auto api = server_.connect();
    const auto reader = server_.connect();
    std::thread reads([&] {
      for (std::size_t i = 0; in_time(); ++i) {
        if (!reader->call("GET", "/v1/tasks/t" + std::to_string(i))) return;
      }
    });
    while (in_time()) {
      const auto answer = api->call("GET", "/readyz");
      if (!answer) break;
      told = told ||
             (answer->status == 503 && answer->body.find("storage failed") != std::string::npos);
    }
    reads.join();
    return told;
  }

  /// Ids of the export, whose payloads are right.
  std::set<std::string> exported() {
    std::string lines;
    const auto answer = server_.connect()->stream("/v1/export", [&](std::string_view piece) {
      lines += piece;
      return true;
    });
    EXPECT_TRUE(answer && answer->ok());
    std::set<std::string> ids;
    simdjson::dom::parser parser;
    for (const auto task : parser.parse_many(lines)) {
      std::string_view id;
      std::string_view payload;
      EXPECT_FALSE(task["id"].get(id) || task["payload"].get(payload));
      EXPECT_EQ(id, payload);
      ids.emplace(id);
    }
    return ids;
  }

  const TempDir dir_;
  std::unique_ptr<load::Receiver> receiver_ = start_receiver();
  Carillond server_{dir_ / "data"};
};

TEST_P(IoErrors, EndTheProcessWithExitCode3AndLoseNothingAcknowledged) {
  ASSERT_NO_FATAL_FAILURE(start());
  Writer writer;
  {
    // What was written before a stop is in tables, from which it must be read.
    std::thread before([&] { writer.run(*server_.connect()); });
    while (writer.count() < 2'000) std::this_thread::yield();
    writer.stop();
    before.join();
    ASSERT_EQ(server_.stop(), 0);
    ASSERT_TRUE(server_.start());
  }
  Writer second = writer;
  std::thread adding([&] { second.run(*server_.connect()); });
  while (second.count() < writer.count() + 200) std::this_thread::yield();
  {
    const auto strace = break_calls();
    const auto checkpoint = server_.connect();
    std::thread checkpoints([&] {
      // A flush, so that tables and directories are written, too.
      static_cast<void>(checkpoint->call("POST", "/v1/admin/checkpoint",
                                         R"({"dir":")" + (dir_ / "copy") + R"("})"));
    });
    EXPECT_TRUE(watch_readiness()) << "/readyz did not say that storage failed";
    second.stop();
    adding.join();
    checkpoints.join();
    EXPECT_EQ(server_.process().wait(kPatience), (Ending{3, 0})) << server_.process().errors();
  }
  ASSERT_TRUE(server_.start());
  const std::set<std::string> there = exported();
  EXPECT_THAT(second.acknowledged(), IsSubsetOf(there));
  EXPECT_THAT(there, IsSubsetOf(second.asked()));
  std::cout << "[ figures  ] " << GetParam() << ": " << second.acknowledged().size()
            << " acknowledged, " << second.asked().size() << " asked for, " << there.size()
            << " there after the restart\n";
  EXPECT_EQ(server_.stop(), 0);
}

INSTANTIATE_TEST_SUITE_P(calls, IoErrors,
                         ::testing::Values(Fault{"fdatasync", ""}, Fault{"fsync", "db"},
                                           Fault{"pwrite64", ".log"}, Fault{"pwrite64", "SYNCED"},
                                           Fault{"pread64", ".sst"}));

}  // namespace
}  // namespace carillon::test
