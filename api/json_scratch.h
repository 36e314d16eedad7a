// What one request needs for reading JSON: everything that parsed views point into.
//
// Operation: each thread keeps those that were given back for the next request, which finds their
// memory in the processor's cache.
#pragma once

#include <cstddef>
#include <deque>
#include <memory>
#include <string>

#include "base/json.h"

namespace carillon {

struct JsonScratch {
  explicit JsonScratch(std::size_t depth_max) : reader(depth_max) {}

  /// One for texts that nest so deep: given back on this thread before, or new.
  [[nodiscard]] static std::unique_ptr<JsonScratch> take(std::size_t depth_max);
  /// Keeps it for the next request. Nothing for nothing.
  static void give_back(std::unique_ptr<JsonScratch> scratch);

  JsonReader reader;
  std::deque<std::string> decoded;  // bodies that came as base64
};

}  // namespace carillon
