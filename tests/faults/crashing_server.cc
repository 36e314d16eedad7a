#include "tests/faults/crashing_server.h"

#include <csignal>

#include <gtest/gtest.h>

#include "tests/end_to_end/carillond.h"

namespace carillon::test {
namespace {

constexpr Millis kPatience = std::chrono::minutes(2);
constexpr Millis kHeldWithin = std::chrono::seconds(20);
constexpr Millis kPollPause{3};

/// The log is cleaned all the time, and finished tasks are forgotten while the run goes on. Where
/// commits are held, the queue to storage is full before the memory for clients is.
const Process::Environment kSettings = {{"CARILLON_LOG_SLACK_BYTES", "16KiB"},
                                        {"CARILLON_RETAIN_FINISHED", "4s"},
                                        {"CARILLON_LIMITS_BUFFER_BYTES_MAX", "256MiB"}};

}  // namespace

CrashingServer::CrashingServer(std::string data_dir, ServerAddress& address)
    : data_dir_(std::move(data_dir)), address_(address) {}

void CrashingServer::launch(const std::string& failpoint) {
  Process::Environment environment = kSettings;
  if (!failpoint.empty()) environment.emplace_back("CARILLON_FAILPOINT", failpoint);
  launched_ = std::chrono::steady_clock::now();
  process_ = std::make_unique<Process>(
      std::vector<std::string>{program("carillond_failpoints"), "--data-dir", data_dir_, "--listen",
                               "127.0.0.1:0"},
      environment);
}

bool CrashingServer::await_ready() {
  const auto line = process_->wait_for_line("listening on (http\\S+)", kPatience);
  if (!line) return false;
  url_ = line->at(1);
  client::ApiClient api(client::parse_endpoint(url_).value(), {});
  while (true) {
    const auto answer = api.call("GET", "/readyz");
    const auto took = std::chrono::steady_clock::now() - launched_;
    if (answer && answer->ok()) {
      longest_until_ready_ =
          std::max(longest_until_ready_, std::chrono::duration_cast<Millis>(took));
      address_.publish({url_});
      return true;
    }
    if (ends_within(kPollPause)) return false;
    if (took > kPatience) {
      ADD_FAILURE() << "not ready: " << log();
      return false;
    }
  }
}

void CrashingServer::kill() {
  address_.withdraw();
  process_->signal(SIGKILL);
  const auto ending = process_->wait(kPatience);
  EXPECT_EQ(ending, (Ending{-1, SIGKILL})) << log();
}

Ending CrashingServer::stop() {
  address_.withdraw();
  process_->signal(SIGTERM);
  const auto ending = process_->wait(kPatience);
  EXPECT_TRUE(ending) << log();
  return ending.value_or(Ending{});
}

bool CrashingServer::ends_within(Millis patience) {
  if (!process_->wait(patience)) return false;
  address_.withdraw();
  return true;
}

bool CrashingServer::held_at(const std::string& failpoint) {
  return process_->wait_for_line("^failpoint " + failpoint + "$", kHeldWithin).has_value();
}

bool CrashingServer::ended_at(const std::string& failpoint) const {
  return process_->wait(kPatience) == Ending{-1, SIGKILL} &&
         log().find("failpoint " + failpoint + "\n") != std::string::npos;
}

}  // namespace carillon::test
