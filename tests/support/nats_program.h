// The program of NATS servers for tests.
#pragma once

#include <string>

namespace carillon::test {

/// The path that tools/nats-server.sh prints. Fetched once, and kept.
[[nodiscard]] const std::string& nats_program();

}  // namespace carillon::test
