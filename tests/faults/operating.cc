#include "tests/faults/operating.h"

#include <filesystem>

#include <gtest/gtest.h>

#include "tests/end_to_end/carillond.h"
#include "tests/end_to_end/json_find.h"

namespace carillon::test {
namespace {

constexpr std::size_t kDoomedMax = 40;
constexpr std::uint64_t kVerifyOneIn = 8;  // of the checkpoints

std::string target_body(const std::string& url, std::uint64_t concurrency, int attempts) {
  return R"({"url":")" + url + R"(","concurrency":)" + std::to_string(concurrency) +
         R"(,"retry":{"max_attempts":)" + std::to_string(attempts) +
         R"(,"backoff_min":"10ms","backoff_max":"200ms"}})";
}

}  // namespace

OperatingClient::OperatingClient(ServerAddress& address, SharedLedger& ledger, Options options)
    : caller_(address, options.served),
      ledger_(ledger),
      options_(std::move(options)),
      random_(options_.seed) {}

client::ApiAnswer OperatingClient::ask(std::string_view method, const std::string& path,
                                       const std::string& body) {
  while (!caller_.given_up()) {
    if (Answer answer = caller_.call(method, path, body)) return std::move(*answer);
  }
  return {};
}

client::ApiAnswer OperatingClient::look(
    const std::string& path, const std::function<bool(const client::ApiAnswer&)>& holds) {
  while (!caller_.given_up()) {
    if (Answer answer = caller_.look(path, holds)) return std::move(*answer);
  }
  return {};
}

void OperatingClient::set_up() {
  put_target();
  const auto answer =
      ask("PUT", "/v1/targets/" + options_.doomed_target, target_body(options_.doomed_url, 8, 2));
  EXPECT_TRUE(answer.ok()) << answer.body;
}

void OperatingClient::step() {
  switch (random_() % 12) {
    case 0:
      return put_target();
    case 1:
      return pause_and_resume();
    case 2:
      return make_and_delete_target();
    case 3:
    case 4:
    case 5:
      return add_doomed();
    case 6:
    case 7:
      return redrive();
    case 8:
      return random_() % 4 == 0 ? redrive_all() : remove_dead();
    case 9:
      return checkpoint();
    case 10:
      return look_at_target();
    default:
      return look();
  }
}

void OperatingClient::put_target() {
  const std::uint64_t before = concurrency_;
  concurrency_ = 16 + random_() % 100;
  const std::string path = "/v1/targets/" + options_.target;
  const std::string body = target_body(options_.url, concurrency_, 1000);
  Answer answer = caller_.call("PUT", path, body);
  if (!answer) {
    // Either as it was or as it was to be, before it is asked again.
    const auto seen = ask("GET", path);
    const auto shown = static_cast<std::uint64_t>(number_at(seen.body, "/concurrency"));
    EXPECT_TRUE(shown == concurrency_ || shown == before || seen.status == 404) << seen.body;
    answer = ask("PUT", path, body);
  }
  EXPECT_TRUE(answer->ok()) << answer->body;
}

void OperatingClient::look_at_target() {
  const auto is_set = [&](const client::ApiAnswer& seen) {
    return number_at(seen.body, "/concurrency") == static_cast<std::int64_t>(concurrency_);
  };
  const auto seen = look("/v1/targets/" + options_.target, is_set);
  EXPECT_TRUE(is_set(seen)) << seen.body << ", and not " << concurrency_;
}

void OperatingClient::set_paused(const std::string& target, bool paused) {
  const auto answer = ask("POST", "/v1/targets/" + target + (paused ? ":pause" : ":resume"));
  EXPECT_EQ(answer.status, 200U) << answer.body;
}

void OperatingClient::pause(bool paused) {
  set_paused(options_.target, paused);
  set_paused(options_.doomed_target, paused);
}

void OperatingClient::pause_and_resume() {
  pause(true);
  const auto is_paused = [](const client::ApiAnswer& seen) {
    return seen.body.find("\"paused\":true") != std::string::npos;
  };
  const auto seen = look("/v1/targets/" + options_.target, is_paused);
  EXPECT_TRUE(is_paused(seen)) << seen.body;
  pause(false);
}

void OperatingClient::make_and_delete_target() {
  const std::string path = "/v1/targets/passing-" + std::to_string(++made_);
  Answer answer = caller_.call("PUT", path, target_body(options_.url, 1, 1));
  if (answer) {
    EXPECT_EQ(answer->status, 201U) << answer->body;
  } else {
    const auto seen = ask("GET", path);
    answer = ask("PUT", path, target_body(options_.url, 1, 1));
    if (seen.status == 200) {
      EXPECT_EQ(answer->status, 200U) << answer->body;
    }
  }
  answer = caller_.call("DELETE", path);
  if (answer) {
    EXPECT_EQ(answer->status, 204U) << answer->body;
  } else {
    answer = ask("DELETE", path);
    EXPECT_TRUE(answer->status == 204 || answer->status == 404) << answer->body;
  }
  const auto is_gone = [](const client::ApiAnswer& seen) { return seen.status == 404; };
  EXPECT_TRUE(is_gone(look(path, is_gone))) << path;
}

void OperatingClient::add_doomed() {
  if (doomed_.size() >= kDoomedMax) return forget_finished();
  Doomed task;
  task.id = "doomed-" + std::to_string(++made_);
  task.payload = '"' + task.id + '"';
  const WallTime due = wall_now_up();
  task.entry = ledger_([&](Ledger& ledger) {
    return ledger.add_asked({.id = task.id, .body = hash_of_payload(task.payload), .due = due});
  });
  const std::string body = R"({"id":")" + task.id + R"(","due_at":)" +
                           std::to_string(due.time_since_epoch().count()) + R"(,"target":")" +
                           options_.doomed_target + R"(","payload":)" + task.payload + "}";
  Answer answer = caller_.call("POST", "/v1/tasks", body);
  // Asked again it might be another task, were the first one finished by now: so it is looked for.
  if (!answer) answer = ask("GET", "/v1/tasks/" + task.id);
  if (answer->ok()) {
    ledger_([&](Ledger& ledger) { ledger.add_answered(task.entry, true); });
  } else {
    EXPECT_EQ(answer->status, 404U) << answer->body;
  }
  doomed_.push_back(std::move(task));
}

void OperatingClient::redrive() {
  if (doomed_.empty()) return;
  const Doomed& task = doomed_[random_() % doomed_.size()];
  set_paused(options_.doomed_target, true);
  const Answer answer = caller_.call("POST", "/v1/dead/" + task.id + ":redrive");
  if (answer) {
    EXPECT_TRUE(answer->status == 200 || answer->status == 404) << answer->body;
    if (answer->ok()) ++redriven_;
  }
  set_paused(options_.doomed_target, false);
}

void OperatingClient::redrive_all() {
  set_paused(options_.doomed_target, true);
  const Answer answer = caller_.call("POST", "/v1/dead:redrive", "{}");
  if (answer) {
    EXPECT_EQ(answer->status, 200U) << answer->body;
    redriven_ += static_cast<std::uint64_t>(number_at(answer->body, "/redriven"));
  }
  set_paused(options_.doomed_target, false);
}

void OperatingClient::remove_dead() {
  if (doomed_.empty()) return;
  std::swap(doomed_[random_() % doomed_.size()], doomed_.back());
  const Doomed& task = doomed_.back();
  ledger_([&](Ledger& ledger) { ledger.cancel_asked(task.entry); });
  const std::string path = "/v1/dead/" + task.id;
  const Answer answer = caller_.call("DELETE", path);
  const auto again = ask("DELETE", path);
  EXPECT_TRUE(!answer || answer->status != 204 || again.status == 404) << again.body;
  const bool removed = (answer && answer->status == 204) || again.status == 204;
  const bool there = look("/v1/tasks/" + task.id, [&](const client::ApiAnswer& seen) {
                       return seen.ok() != removed;
                     }).ok();
  if (removed) {
    EXPECT_FALSE(there) << task.id;
  }
  if (removed || there) {
    ledger_([&](Ledger& ledger) {
      ledger.cancel_answered(task.entry, removed, Ledger::kAttemptsUntold,
                             removed ? moment_now() : 0);
    });
  }
  if (!there) doomed_.pop_back();
}

void OperatingClient::forget_finished() {
  std::erase_if(doomed_, [&](const Doomed& task) {
    const auto seen = ask("GET", "/v1/tasks/" + task.id);
    return seen.status == 404 || text_at(seen.body, "/state") == "delivered";
  });
  if (doomed_.size() >= kDoomedMax) redrive_all();
}

/// A node of a cluster makes one of each shard that it owns.
std::vector<std::string> OperatingClient::copies_in(const std::string& dir) const {
  std::vector<std::string> copies;
  if (!std::filesystem::exists(dir)) return copies;
  if (!options_.served.by_cluster) return {dir};
  for (const auto& entry : std::filesystem::directory_iterator(dir)) {
    const std::string copy = entry.path();
    if (copy.find(".incomplete-") == std::string::npos) copies.push_back(copy);
  }
  return copies;
}

/// A copy that has its name is whole, also when the server was killed while it answered.
void OperatingClient::checkpoint() {
  const std::string dir = options_.checkpoints + "/copy";
  const Answer answer = caller_.call("POST", "/v1/admin/checkpoint", R"({"dir":")" + dir + "\"}");
  if (answer &&
      answer->body.find("A node of a cluster makes no checkpoints") != std::string::npos) {
    return;
  }
  if (answer) {
    EXPECT_EQ(answer->status, 200U) << answer->body;
  }
  const std::vector<std::string> copies = copies_in(dir);
  if (answer) {
    EXPECT_FALSE(copies.empty());
  }
  for (const std::string& copy : copies) {
    if (answer && checkpoints_ % kVerifyOneIn > 0) break;
    const auto verified = run_program({program("carillon-replay"), "verify", copy});
    EXPECT_EQ(verified.ending, (Ending{0, 0})) << verified.output << verified.errors;
  }
  if (!copies.empty()) ++checkpoints_;
  std::error_code ignored;
  std::filesystem::remove_all(dir, ignored);
}

void OperatingClient::look() {
  for (const char* path : {"/v1/stats", "/v1/tasks?limit=50", "/v1/dead?limit=50", "/v1/targets",
                           "/v1/forecast?bucket=1s", "/metrics"}) {
    const Answer answer = caller_.call("GET", path);
    if (!answer) return;
    EXPECT_EQ(answer->status, 200U) << path << ": " << answer->body;
  }
}

}  // namespace carillon::test
