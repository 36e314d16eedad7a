// On how many threads a test's server serves connections: as many as CTest says for this run of the
// program (carillon_test_on_loops in cmake/Carillon.cmake), or as many as it does by itself.
#pragma once

#include <cstdlib>
#include <string>

#include "http/options.h"

namespace carillon::test {

inline std::size_t http_threads() {
  const char* const said = std::getenv("CARILLON_TEST_HTTP_THREADS");
  return said == nullptr ? HttpOptions().threads : std::stoul(said);
}

}  // namespace carillon::test
