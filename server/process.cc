#include "server/process.h"

#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <fstream>
#include <new>
#include <string>
#include <string_view>

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"

namespace carillon {
namespace {

// 41 for its entry and index; of what only some tasks have, 12 for its group and 56 where it was
// moved, is retried or expires, of which few have both.
constexpr std::uint64_t kBytesPerTask = 100;
// Code, RocksDB's caches and memtables, idle connections.
constexpr std::uint64_t kBytesBesideTasks = std::uint64_t{192} << 20;
constexpr std::uint64_t kTasksMin = 10'000;
// RocksDB's tables (512) and logs, timers, listeners, standard streams.
constexpr std::uint64_t kFilesOfStorage = 640;

[[noreturn]] void out_of_memory() {
  // Nothing here may allocate.
  write_last_words("carillond: out of memory; the process ends, what was acknowledged is kept\n");
  std::_Exit(static_cast<int>(ExitCode::out_of_memory));
}

/// The limit of control group `path`, version 2; the most there is where it has none.
std::uint64_t cgroup_limit(const std::string& path) {
  std::uint64_t bytes = 0;
  std::ifstream file("/sys/fs/cgroup" + path + "/memory.max");
  return file >> bytes ? bytes : UINT64_MAX;
}

/// This process's own control group, version 2: "/system.slice/carillond.service".
std::string own_cgroup() {
  std::ifstream file("/proc/self/cgroup");
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with("0::")) return line.substr(3);
  }
  return {};
}

/// Whoever closed a standard stream would have its number given to a file or a socket, and log
/// lines written into that.
void open_standard_streams() {
  for (const int stream : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
    if (::fcntl(stream, F_GETFD) < 0) static_cast<void>(::open("/dev/null", O_RDWR));
  }
}

}  // namespace

void prepare_process() {
  open_standard_streams();
  ::umask(077);
  // A peer that went away and a file that reached its limit (ulimit -f) are errors of a write. The
  // others would end the process, and mean nothing to it; SIGHUP does once it serves.
  for (const int signal : {SIGPIPE, SIGXFSZ, SIGHUP, SIGUSR1, SIGUSR2, SIGALRM}) {
    std::signal(signal, SIG_IGN);
  }
  std::set_new_handler(out_of_memory);
  rlimit files{};
  if (::getrlimit(RLIMIT_NOFILE, &files) == 0) {
    files.rlim_cur = files.rlim_max;
    ::setrlimit(RLIMIT_NOFILE, &files);
  }
}

std::uint64_t open_files_max() {
  rlimit files{};
  return ::getrlimit(RLIMIT_NOFILE, &files) == 0 ? files.rlim_cur : 1024;
}

FileShares share_files(std::uint64_t files, std::uint64_t clients_wanted) {
  const std::uint64_t rest = files - std::min(kFilesOfStorage, files / 2);
  const std::uint64_t clients = std::min(clients_wanted, rest / 2);
  return {clients, rest - clients};
}

std::uint64_t memory_available() {
  const auto machine = static_cast<std::uint64_t>(::sysconf(_SC_PHYS_PAGES)) *
                       static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
  std::uint64_t least = std::min(machine, cgroup_limit(""));
  // Each group above limits too.
  for (std::string path = own_cgroup(); path.size() > 1; path.resize(path.rfind('/'))) {
    least = std::min(least, cgroup_limit(path));
  }
  return least;
}

MemoryShares share_memory(std::uint64_t memory_max, std::uint64_t available,
                          std::uint64_t buffers_wanted) {
  const std::uint64_t memory =
      memory_max != 0 ? memory_max
                      : available / 4 * 3 - std::min(available / 4 * 3, kBytesBesideTasks);
  const std::uint64_t buffers = std::min(buffers_wanted, memory / 2);
  return {std::max(kTasksMin, (memory - buffers) / kBytesPerTask), buffers};
}

}  // namespace carillon
