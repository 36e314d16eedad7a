// What the server asks of the operating system for its own process, and what it finds there.
#pragma once

#include <cstdint>

namespace carillon {

/// Files it makes are its owner's alone; a peer that went away is an error of a write, not a
/// signal; the soft limit of open files is raised to the hard one.
void prepare_process();

/// How many files and sockets may be open at once.
[[nodiscard]] std::uint64_t open_files_max();

/// The memory that this process may use: that of the machine, or less by its control group.
[[nodiscard]] std::uint64_t memory_available();

/// How many waiting tasks fit: `memory_max` bytes, or where that is 0 three quarters of
/// `available`, less what the process needs before it holds any.
[[nodiscard]] std::uint64_t tasks_that_fit(std::uint64_t memory_max, std::uint64_t available);

}  // namespace carillon
