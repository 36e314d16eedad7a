// Changing the settings of a target of kind `http`, which in themselves do not change.
#pragma once

#include <memory>

#include "delivery/http/settings.h"

namespace carillon {

/// Those of `target`, in a copy that is its own from now on; good until the next call.
inline HttpSettings& http_of(TargetSettings& target) {
  auto own = std::make_shared<HttpSettings>(http_settings(target));
  HttpSettings& its = *own;
  target.own = std::move(own);
  return its;
}

inline TargetSettings http_target(const std::string& name, const std::string& url) {
  TargetSettings target;
  target.name = name;
  http_of(target).url = url;
  return target;
}

}  // namespace carillon
