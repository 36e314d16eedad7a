#include "tests/faults/caller.h"

#include <gtest/gtest.h>

#include "tools/load/receiver.h"

namespace carillon::test {

Ledger::Moment moment_now() {
  return load::wall_now().time_since_epoch().count();
}

WallTime wall_now_up() {
  return std::chrono::ceil<Millis>(load::wall_now());
}

std::uint64_t hash_of_payload(std::string_view json) {
  return load::hash_of(json);
}

std::optional<client::ApiAnswer> Caller::call(std::string_view method, std::string_view path,
                                              std::string_view body) {
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

}  // namespace carillon::test
