// Errors that targets and connections of every kind have.
#pragma once

#include <string>
#include <string_view>
#include <utility>

#include "base/result.h"

namespace carillon {

/// A member of a target's settings has a value that cannot be used.
[[nodiscard]] inline Error bad_value(std::string_view field, std::string detail) {
  return {.slug = "bad_value", .detail = std::move(detail), .field = std::string(field)};
}

/// Something is wrong with a connection, or with what the other end says.
[[nodiscard]] inline Error network_error(std::string detail) {
  return {.slug = "network", .detail = std::move(detail), .field = {}};
}

}  // namespace carillon
