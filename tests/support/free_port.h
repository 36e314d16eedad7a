// Ports for servers that cannot choose one themselves and say which.
#pragma once

namespace carillon::test {

/// A port of 127.0.0.1 at which nobody listens, from 20,000 to 31,999: the kernel gives none of
/// these to clients, nor to servers that leave the choice to it. Another test may take it before it
/// is used, so whoever cannot listen there asks for another.
[[nodiscard]] int free_port();

}  // namespace carillon::test
