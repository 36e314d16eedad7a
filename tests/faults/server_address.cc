#include "tests/faults/server_address.h"

#include <chrono>

namespace carillon::test {
namespace {

constexpr std::chrono::minutes kPatience{2};
constexpr std::chrono::seconds kSameServers{1};

}  // namespace

void ServerAddress::publish(std::vector<std::string> urls) {
  const std::lock_guard lock(mutex_);
  urls_ = std::move(urls);
  if (!urls_.empty()) ++generation_;
  changed_.notify_all();
}

std::optional<ServerAddress::Known> ServerAddress::wait(std::uint64_t after) {
  std::unique_lock lock(mutex_);
  changed_.wait_for(lock, kSameServers, [&] { return !urls_.empty() && generation_ > after; });
  if (!changed_.wait_for(lock, kPatience, [&] { return !urls_.empty(); })) return std::nullopt;
  return Known{urls_[turn_++ % urls_.size()], generation_};
}

}  // namespace carillon::test
