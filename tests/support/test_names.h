// Host names of a test: each resolves to what the test says, all others to nothing. So no test asks
// the machine's resolver, whose answers depend on its hosts file and its network.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <utility>

#include "net/resolver.h"

namespace carillon {

/// Copies share their names. Any thread may ask.
class TestNames {
 public:
  void set(const std::string& host, std::initializer_list<const char*> addresses) {
    Resolver::Addresses parsed;
    for (const char* address : addresses) {
      parsed.push_back(boost::asio::ip::make_address(address));
    }
    const std::lock_guard lock(shared_->mutex);
    shared_->addresses[host] = std::move(parsed);
  }

  /// For what takes a `Resolver::Lookup`.
  Result<Resolver::Addresses> operator()(const std::string& host) const {
    const std::lock_guard lock(shared_->mutex);
    const auto found = shared_->addresses.find(host);
    if (found != shared_->addresses.end()) return found->second;
    return Error{"network", "cannot resolve " + host + ": the test names it nowhere", ""};
  }

 private:
  struct Shared {
    std::mutex mutex;
    std::map<std::string, Resolver::Addresses> addresses;
  };
  std::shared_ptr<Shared> shared_ = std::make_shared<Shared>();
};

}  // namespace carillon
