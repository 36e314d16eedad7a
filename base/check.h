// Assertions that stay on in release builds: a programmer's mistake ends the process, loudly,
// before it can write anything wrong.
#pragma once

namespace carillon {

[[noreturn]] void check_failed(const char* expression, const char* file, int line);

}  // namespace carillon

/// Ends the process with the place and the expression if `condition` is false.
#define CARILLON_CHECK(condition) \
  ((condition) ? static_cast<void>(0) : ::carillon::check_failed(#condition, __FILE__, __LINE__))
