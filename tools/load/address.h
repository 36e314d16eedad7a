// A server's address as the kernel takes it.
#pragma once

#include <sys/socket.h>

#include "base/result.h"
#include "tools/client/endpoint.h"

namespace carillon::load {

struct Address {
  sockaddr_storage bytes{};
  socklen_t size = 0;
};

/// Resolves `server`, blocking. Error slugs: unreachable; bad_server where it wants TLS.
[[nodiscard]] Result<Address> resolve(const client::Endpoint& server);

/// A socket that is connected to `server`: when `blocking`, by the time of the answer, else maybe
/// only once it is writable. Negative, with errno, where it cannot be.
[[nodiscard]] int connect_socket(const Address& server, bool blocking);

}  // namespace carillon::load
