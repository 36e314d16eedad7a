#include "tests/faults/caller.h"

#include <thread>

#include <gtest/gtest.h>

#include "tools/load/receiver.h"

namespace carillon::test {
namespace {

/// A GET may show what was true a second ago. The rest is for this machine.
constexpr Millis kOldMax{1500};
constexpr Millis kLookAgainAfter{100};

}  // namespace

Ledger::Moment moment_now() {
  return load::wall_now().time_since_epoch().count();
}

WallTime wall_now_up() {
  return std::chrono::ceil<Millis>(load::wall_now());
}

std::uint64_t hash_of_payload(std::string_view json) {
  return load::hash_of(json);
}

Caller::Answer Caller::call(std::string_view method, std::string_view path, std::string_view body) {
  if (given_up_) return std::nullopt;
  if (!api_) {
    const auto known = address_.wait(generation_);
    if (!known) {
      given_up_ = true;
      ADD_FAILURE() << "no server for minutes";
      return std::nullopt;
    }
    generation_ = known->generation;
    api_ = std::make_unique<client::ApiClient>(client::parse_endpoint(known->url).value(),
                                               client::ApiClient::Options{});
  }
  const auto answer = api_->call(method, path, body);
  if (answer && answer->status != 429 && answer->status != 503) return *answer;
  ++unanswered_;
  api_.reset();
  return std::nullopt;
}

Caller::Answer Caller::look(std::string_view path,
                            const std::function<bool(const client::ApiAnswer&)>& holds) {
  const auto until = std::chrono::steady_clock::now() + kOldMax;
  Answer seen = call("GET", path);
  while (served_.by_cluster && seen && !holds(*seen) && std::chrono::steady_clock::now() < until) {
    std::this_thread::sleep_for(kLookAgainAfter);
    seen = call("GET", path);
  }
  return seen;
}

}  // namespace carillon::test
