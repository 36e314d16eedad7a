// The headers that targets and tasks add to pushes: which may be set, and how many.
#pragma once

#include <string_view>
#include <vector>

#include "base/result.h"

namespace carillon {

/// A header that a task or target may not set: token rules, CR/LF/NUL, and the names of
/// docs/api.md#headers. Error slug: bad_header.
[[nodiscard]] Result<> check_push_header(std::string_view name, std::string_view value);

/// Holds the headers that one task or target adds to its pushes against the rules for each and for
/// all: at most 64 names, no two of them equal but for case, 16 KiB in all.
class PushHeaderRules {
 public:
  /// The next header; its name must outlive this. Errors about the field `headers`: bad_header,
  /// duplicate_field; bad_value past the bounds. Being bounded, the look at all earlier names is
  /// cheap.
  [[nodiscard]] Result<> take(std::string_view name, std::string_view value);

 private:
  std::vector<std::string_view> names_;
  std::size_t bytes_ = 0;
};

}  // namespace carillon
