#include "base/result.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>

#include "base/check.h"
#include "base/log.h"

namespace carillon {
namespace {

template <typename... Parts>
[[noreturn]] void end_with(const char* format, Parts... parts) {
  char words[1024];
  const int length = std::snprintf(words, sizeof words, format, parts...);
  if (length > 0) {
    const std::size_t all = std::min(static_cast<std::size_t>(length), sizeof words - 1);
    write_last_words(std::string_view(words, all));
  }
  std::abort();
}

}  // namespace

void throw_exception_from_error(const Error& error, const boost::source_location& where) {
  end_with("carillon: value() of a failed Result (%s: %s) at %s:%d\n", error.slug.c_str(),
           error.detail.c_str(), where.file_name(), static_cast<int>(where.line()));
}

void check_failed(const char* expression, const char* file, int line) {
  end_with("carillon: check failed: %s at %s:%d\n", expression, file, line);
}

}  // namespace carillon
