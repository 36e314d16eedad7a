#include "tests/end_to_end/carillond.h"

#include <csignal>
#include <thread>

#include <gtest/gtest.h>

namespace carillon::test {
namespace {

constexpr auto kPatience = std::chrono::seconds(60);
constexpr auto kPollPause = std::chrono::milliseconds(5);

bool becomes_ready(client::ApiClient& api, Process& process) {
  const auto deadline = std::chrono::steady_clock::now() + kPatience;
  while (std::chrono::steady_clock::now() < deadline) {
    const auto answer = api.call("GET", "/readyz");
    if (answer && answer->ok()) return true;
    if (process.wait(kPollPause)) return false;
  }
  return false;
}

}  // namespace

std::string program(const std::string& name) {
  return std::string(CARILLON_BIN_DIR) + "/" + name;
}

Carillond::Carillond(std::string data_dir, std::vector<std::string> arguments)
    : data_dir_(std::move(data_dir)), arguments_(std::move(arguments)) {}

bool Carillond::start() {
  std::vector<std::string> command = wrapper_;
  command.insert(command.end(),
                 {program("carillond"), "--data-dir", data_dir_, "--listen", "127.0.0.1:0"});
  command.insert(command.end(), arguments_.begin(), arguments_.end());
  process_ = std::make_unique<Process>(std::move(command));
  const auto line = process_->wait_for_line("listening on (http\\S+)", kPatience);
  if (!line) {
    ADD_FAILURE() << "carillond did not listen:\n" << process_->errors();
    return false;
  }
  url_ = line->at(1);
  const bool ready = becomes_ready(*connect(), *process_);
  if (!ready) ADD_FAILURE() << "carillond did not become ready:\n" << process_->errors();
  return ready;
}

void Carillond::kill() {
  process_->signal(SIGKILL);
  const auto ending = process_->wait(kPatience);
  EXPECT_EQ(ending, (Ending{-1, SIGKILL})) << process_->errors();
}

int Carillond::stop() {
  process_->signal(SIGTERM);
  const auto ending = process_->wait(kPatience);
  return ending ? ending->code : -1;
}

std::unique_ptr<client::ApiClient> Carillond::connect() const {
  return std::make_unique<client::ApiClient>(client::parse_endpoint(url_).value(),
                                             client::ApiClient::Options{});
}

client::ApiAnswer Carillond::call(std::string_view method, std::string_view path,
                                  std::string_view body) const {
  const auto answer = connect()->call(method, path, body);
  if (answer) return *answer;
  ADD_FAILURE() << method << " " << path << ": " << answer.error().detail;
  return {};
}

}  // namespace carillon::test
