#include "tests/cluster_faults/probes.h"

#include <algorithm>
#include <map>
#include <thread>

#include <gtest/gtest.h>

#include "tests/end_to_end/json_find.h"
#include "tests/end_to_end/scenarios.h"

namespace carillon::test {
namespace {

constexpr std::size_t kWaiting = 60, kFiring = 24;
constexpr Millis kWaitingOver = std::chrono::seconds(4);
constexpr Millis kPlanting{1000};     // for the calls that plant them
constexpr Millis kTakesItsTime{900};  // the slow receiver
constexpr Millis kPatience = std::chrono::minutes(1);
constexpr Millis kPollPause{50};
const std::string kPrefix = "probe-";

}  // namespace

Probes::Probes(ServerAddress& address, const Served& served)
    : caller_(address, served),
      quick_(start_receiver(Millis(0))),
      slow_(start_receiver(kTakesItsTime)) {}

void Probes::set_up() {
  put_target("quick", *quick_);
  put_target("slow", *slow_);
}

void Probes::put_target(const std::string& name, const load::Receiver& receiver) {
  Caller::Answer answer;
  while (!answer && !caller_.given_up()) {
    answer = caller_.call("PUT", "/v1/targets/" + name,
                          R"({"url":")" + receiver.url() +
                              R"(","concurrency":240,"retry":{"max_attempts":1000,)"
                              R"("backoff_min":"10ms","backoff_max":"200ms"}})");
  }
  EXPECT_TRUE(answer && answer->ok()) << answer->body;
}

void Probes::add(const std::string& target, WallTime first, Millis over, std::size_t count) {
  std::string body = "[";
  for (std::size_t i = 0; i < count; ++i) {
    const auto part = over * static_cast<std::int64_t>(i) / static_cast<std::int64_t>(count);
    planted_.push_back(kPrefix + std::to_string(++made_));
    body += (i > 0 ? "," : "") + (R"({"id":")" + planted_.back() + R"(","due_at":)") +
            std::to_string((first + part).time_since_epoch().count()) + R"(,"target":")" + target +
            R"(","payload":1})";
  }
  body += "]";
  Caller::Answer answer;
  // What is there already is the same.
  const auto is_done = [&] {
    return answer && answer->body.find(R"("status":503)") == std::string::npos;
  };
  while (!is_done() && !caller_.given_up()) {
    answer = caller_.call("POST", "/v1/tasks:batchCreate", body);
  }
}

void Probes::plant() {
  planted_.clear();
  const WallTime fault = wall_now_up() + kPlanting;
  add("slow", fault - Millis(150), Millis(0), kFiring);
  add("quick", fault, kWaitingOver, kWaiting);
  std::this_thread::sleep_until(fault);
}

std::vector<load::Arrival> Probes::take_quick() {
  std::vector<load::Arrival> planted;
  for (load::Arrival& arrival : quick_->take_arrivals()) {
    if (arrival.task_id.starts_with(kPrefix)) {
      planted.push_back(std::move(arrival));
    } else {
      others_.insert(arrival.task_id);
    }
  }
  return planted;
}

bool Probes::has_come(const std::string& id) {
  static_cast<void>(take_quick());
  return others_.contains(id);
}

Probes::Late Probes::harvest(WallTime fault) {
  const auto is_delivered = [&](const std::string& id) {
    const auto seen = caller_.call("GET", "/v1/tasks/" + id);
    // Not there: finished, and forgotten by now.
    return seen && (seen->status == 404 || text_at(seen->body, "/state") == "delivered");
  };
  const auto deadline = std::chrono::steady_clock::now() + kPatience;
  while (!planted_.empty() && std::chrono::steady_clock::now() < deadline) {
    std::erase_if(planted_, is_delivered);
    std::this_thread::sleep_for(kPollPause);
  }
  EXPECT_TRUE(planted_.empty()) << planted_.size() << " are not delivered: " << planted_.front();

  Late late;
  std::map<std::string, Millis> waited;
  for (const load::Arrival& arrival : take_quick()) {
    const auto after = std::chrono::ceil<Millis>(arrival.at - std::max(fault, arrival.due));
    waited.try_emplace(arrival.task_id, after);
  }
  EXPECT_EQ(waited.size(), kWaiting);
  for (const auto& [id, after] : waited) late.waiting = std::max(late.waiting, after);
  std::map<std::string, std::size_t> pushes;
  for (const load::Arrival& arrival : slow_->take_arrivals()) {
    if (++pushes[arrival.task_id] == 1) continue;
    ++late.fired_again;
    late.firing = std::max(late.firing, std::chrono::ceil<Millis>(arrival.at - fault));
  }
  EXPECT_EQ(pushes.size(), kFiring);
  return late;
}

}  // namespace carillon::test
