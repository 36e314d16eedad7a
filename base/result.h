// Expected failures as values.
//
// Operation: a function that can fail for a reason outside the program's control returns Result<T>;
// the caller looks (`if (!r)`), adds what it knows with `Error::in`, and passes it up. What a
// client must hear has a slug of docs/api.md (`task_exists`), which becomes the problem's type;
// what only an operator sees has the slug `internal`, `config`, `storage` or `network`.
//
// A programmer's mistake is not an Error: see base/check.h.
#pragma once

#include <string>
#include <string_view>
#include <utility>

#include <boost/system/result.hpp>

namespace carillon {

struct Error {
  std::string slug;    // stable, for machines: "unknown_field"
  std::string detail;  // for a person: what was wrong, where, and what to do
  std::string field;   // the JSON field or setting at fault, empty where none is

  /// The same error with the place it happened put before the detail: "targets.mail: bad url".
  [[nodiscard]] Error in(std::string_view place) && {
    detail = std::string(place) + ": " + detail;
    return std::move(*this);
  }
  /// The same error, about this field.
  [[nodiscard]] Error at_field(std::string_view name) && {
    field = name;
    return std::move(*this);
  }
};

/// Never called: a Result is looked at before it is used. Required by boost::system::result.
[[noreturn]] void throw_exception_from_error(const Error& error,
                                             const boost::source_location& where);

template <typename T = void>
using Result = boost::system::result<T, Error>;

}  // namespace carillon
