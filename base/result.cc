#include "base/result.h"

#include <cstdio>
#include <cstdlib>

#include "base/check.h"

namespace carillon {

void throw_exception_from_error(const Error& error, const boost::source_location& where) {
  std::fprintf(stderr, "carillon: value() of a failed Result (%s: %s) at %s:%u\n",
               error.slug.c_str(), error.detail.c_str(), where.file_name(),
               static_cast<unsigned>(where.line()));
  std::abort();
}

void check_failed(const char* expression, const char* file, int line) {
  std::fprintf(stderr, "carillon: check failed: %s at %s:%d\n", expression, file, line);
  std::abort();
}

}  // namespace carillon
