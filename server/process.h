// What the server asks of the operating system for its own process, and what it finds there.
#pragma once

#include <cstdint>

namespace carillon {

/// The exit codes of docs/operations.md.
enum class ExitCode : int {
  stopped = 0,
  start_failed = 1,
  usage = 2,
  storage_failed = 3,
  out_of_memory = 4,
};

/// Before anything is opened: standard streams that were closed lead to /dev/null. Files it makes
/// are its owner's alone; a peer that went away or a file at its limit is an error of a write, not
/// a signal, and other signals that would end the process without a word are ignored; the soft
/// limit of open files is raised to the hard one. From now on an allocation that fails ends the
/// process at once: whatever was being changed would be half done.
void prepare_process();

/// How many files and sockets may be open at once.
[[nodiscard]] std::uint64_t open_files_max();

/// How `files` descriptors are shared out, so that neither clients nor receivers take what storage
/// needs to go on.
struct FileShares {
  std::uint64_t clients = 0;  // at most `clients_wanted`, and half of what storage leaves
  std::uint64_t pushes = 0;
};
[[nodiscard]] FileShares share_files(std::uint64_t files, std::uint64_t clients_wanted);

/// The memory that this process may use: that of the machine, or less by its control group.
[[nodiscard]] std::uint64_t memory_available();

/// How memory is shared between tasks and buffers: contents, requests and answers on their way.
struct MemoryShares {
  std::uint64_t tasks = 0;    // how many fit
  std::uint64_t buffers = 0;  // bytes; all that is wanted, or half of the memory
};
/// The memory is `memory_max` bytes, or where that is 0 three quarters of `available` less what the
/// process needs before it holds anything.
[[nodiscard]] MemoryShares share_memory(std::uint64_t memory_max, std::uint64_t available,
                                        std::uint64_t buffers_wanted);

}  // namespace carillon
