// By which connections the pushes of a target go: a key of each target's settings, made once.
#pragma once

#include <algorithm>
#include <memory>
#include <string>
#include <unordered_map>
#include <utility>

#include "delivery/target.h"

namespace carillon {

class BrokerRoutes {
 public:
  /// `make` makes the key of settings that are new.
  template <typename Make>
  [[nodiscard]] const std::string& key_of(const std::shared_ptr<const TargetSettings>& target,
                                          const Make& make) {
    const auto found = routes_.find(target.get());
    if (found != routes_.end()) return found->second.key;
    if (routes_.size() >= routes_max_) {
      std::erase_if(routes_,
                    [](const auto& entry) { return entry.second.settings.use_count() == 1; });
      routes_max_ = std::max(kRoutesMin, routes_.size() * 2);
    }
    return routes_.emplace(target.get(), Route{target, make(*target)}).first->second.key;
  }

 private:
  static constexpr std::size_t kRoutesMin = 64;
  struct Route {
    std::shared_ptr<const TargetSettings> settings;  // keeps the key of `routes_` in use
    std::string key;
  };
  std::unordered_map<const TargetSettings*, Route> routes_;
  std::size_t routes_max_ = kRoutesMin;
};

}  // namespace carillon
