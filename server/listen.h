// The addresses that the settings say to listen on.
#pragma once

#include <string_view>
#include <vector>

#include "base/result.h"
#include "http/bind.h"
#include "server/options.h"

namespace carillon {

/// "127.0.0.1:8080", "[::1]:8080", "name:0" or "unix:/run/x". Error slug `config`.
[[nodiscard]] Result<ListenAddress> parse_listen(std::string_view text);

/// All of `listen` and `probe_listen`, without TLS. Error slug `config`: one cannot be read, or
/// other machines can reach it and no token is set. What a name resolves to is only known when it
/// is listened on, so that rule goes along in `loopback_only`.
[[nodiscard]] Result<std::vector<ListenAddress>> listen_addresses(const Options& options);

}  // namespace carillon
