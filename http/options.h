// What can be set of the server.
#pragma once

#include <chrono>
#include <cstddef>
#include <string>
#include <vector>

#include "base/time.h"

namespace carillon {

struct HttpLimits {
  std::size_t header_bytes_max = std::size_t{16} << 10;
  std::size_t header_fields_max = 100;
  std::size_t uri_bytes_max = std::size_t{8} << 10;
  std::size_t connections_max = 10'000;
  std::size_t handshakes_max = 512;  // of TLS, under way at once; each takes some 60 KiB
  /// Of bodies that come in and answers that wait to go out, of all connections together.
  std::size_t buffer_bytes_max = std::size_t{64} << 20;
  Millis header_timeout{std::chrono::seconds(10)};
  Millis body_timeout{std::chrono::seconds(60)};
  Millis idle_timeout{std::chrono::seconds(60)};
};

/// One less than there are processors: the engine has one for itself. At least one, so that a flood
/// of requests delays no push; at most eight, which bring more requests than a shard can take.
[[nodiscard]] std::size_t http_threads_by_processors();

struct HttpOptions {
  /// Threads on which connections are served (http/threads.h); 0: on the loop of the engine.
  std::size_t threads = http_threads_by_processors();
  HttpLimits limits;
  /// Names that this server answers to beside `localhost` and IP addresses; see http/host_rule.h.
  std::vector<std::string> hosts;
};

}  // namespace carillon
