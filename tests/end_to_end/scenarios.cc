#include "tests/end_to_end/scenarios.h"

#include <algorithm>
#include <cmath>
#include <iostream>
#include <thread>

#include <gtest/gtest.h>

#include "tests/end_to_end/json_find.h"
#include "tools/load/report.h"

namespace carillon::test {

Coupon::Coupon(std::size_t users, WallTime due, const std::string& name) {
  for (std::size_t user = 0; user < users; ++user) {
    const std::string id = "user" + std::to_string(user) + ":" + name;
    subscribing.push_back(people.plan(id, due, name));
    if (user % 10 == 0) cancelling.push_back(subscribing.back());
    if (user % 40 == 0) again.push_back(people.plan(id, due, name));
  }
}

std::size_t Coupon::reminded() const {
  return subscribing.size() - cancelling.size() + again.size();
}

TimeOuts::TimeOuts(std::size_t count, WallTime start, Millis delay_min, Millis delay_max,
                   std::uint64_t seed) {
  std::mt19937_64 random(seed);
  std::uniform_real_distribution<double> magnitude(std::log(delay_min.count()),
                                                   std::log(delay_max.count()));
  for (std::size_t i = 0; i < count; ++i) {
    const Millis delay =
        std::clamp(Millis(std::llround(std::exp(magnitude(random)))), delay_min, delay_max);
    all.push_back(people.plan("order" + std::to_string(i), start + delay));
    if (i % 10 == 0) continue;
    std::uniform_int_distribution<std::int64_t> moment(0, delay.count() - 1);
    cancels.push_back({start + Millis(moment(random)), all.back()});
  }
  std::sort(cancels.begin(), cancels.end(),
            [](const Cancel& a, const Cancel& b) { return a.at < b.at; });
}

std::unique_ptr<load::Receiver> start_receiver(Millis answer_delay) {
  load::Receiver::Options options;
  options.keep_arrivals = true;
  options.answer_delay = answer_delay;
  auto started = load::Receiver::start(options);
  EXPECT_TRUE(started);
  return std::move(started.value());
}

void put_target(const Carillond& server, const load::Receiver& receiver, int concurrency,
                std::string_view more_settings) {
  const std::string settings = "{\"url\":\"" + receiver.url() +
                               "\",\"concurrency\":" + std::to_string(concurrency) +
                               std::string(more_settings) + "}";
  const auto answer = server.call("PUT", "/v1/targets/receiver", settings);
  EXPECT_TRUE(answer.ok()) << answer.status << " " << answer.body;
}

std::int64_t stat(const Carillond& server, std::string_view pointer) {
  return number_at(server.call("GET", "/v1/stats").body, pointer);
}

void wait_until_idle(const Carillond& server, std::chrono::seconds patience) {
  const auto deadline = std::chrono::steady_clock::now() + patience;
  std::string body;
  while (std::chrono::steady_clock::now() < deadline) {
    body = server.call("GET", "/v1/stats").body;
    const auto count = [&](const char* state) {
      return number_at(body, std::string("/counts/") + state);
    };
    if (count("scheduled") == 0 && count("firing") == 0 && count("retrying") == 0) return;
    std::this_thread::sleep_for(Millis(20));
  }
  ADD_FAILURE() << "tasks are still waiting or under way: " << body;
}

WallTime wall_millis() {
  return std::chrono::floor<Millis>(load::wall_now());
}

void report(std::string_view run, const load::ReceiverSummary& summary) {
  std::cout << "[ figures  ] " << run << ": " << load::format_receiver(summary, load::Format::json)
            << std::flush;
}

}  // namespace carillon::test
