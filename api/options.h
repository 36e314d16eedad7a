// What can be set of the API.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace carillon {

enum class Role { read, write, admin };  // each includes the ones before it

/// What is kept of a token: SHA-256 of the text that follows "Bearer ".
struct Token {
  std::string name;    // for logs; never secret
  std::string sha256;  // 32 bytes
  Role role = Role::read;
};

struct ApiLimits {
  std::size_t body_bytes_max = std::size_t{1} << 20;
  std::size_t batch_bytes_max = std::size_t{16} << 20;
  std::size_t batch_tasks_max = 10'000;
  std::size_t json_depth_max = 64;
};

struct ApiOptions {
  ApiLimits limits;
  std::vector<Token> tokens;  // none: everyone may do everything
  bool dashboard = true;      // whether /ui/ is served
  std::string version;        // shown by /v1/stats
  /// Files of secrets that targets set over the API may name lie in it; empty: they name none.
  std::string secrets_dir;
};

}  // namespace carillon
