// What carillond_failpoints has beyond carillond: failpoints that end the process, those below
// RocksDB included. CARILLON_FAILPOINT=name:n in the environment says where, and at which hit of
// it.
#include "base/failpoint.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <charconv>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <string>

#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace carillon {
namespace {

struct Order {
  std::string name;
  int hits = 1;
  bool hold = false;
};

Order order() {
  const char* text = std::getenv("CARILLON_FAILPOINT");
  Order order{text == nullptr ? "" : text};
  const std::size_t colon = order.name.find(':');
  if (colon == std::string::npos) return order;
  std::from_chars(order.name.data() + colon + 1, order.name.data() + order.name.size(), order.hits);
  order.hold = order.name.ends_with(":hold");
  order.name.resize(colon);
  return order;
}

const Order& wanted() {
  static const Order wanted = order();
  return wanted;
}

/// True once: at the ordered failpoint and hit.
bool reached(std::string_view name) {
  static std::atomic<int> hits{0};
  return name == wanted().name && ++hits == wanted().hits;
}

[[noreturn]] void end(std::string_view name) {
  std::fprintf(stderr, "failpoint %.*s\n", static_cast<int>(name.size()), name.data());
  while (wanted().hold) ::pause();
  ::raise(SIGKILL);
  std::abort();
}

std::string path_of(int fd) {
  std::array<char, 4096> path{};
  const std::string link = "/proc/self/fd/" + std::to_string(fd);
  const ssize_t length = ::readlink(link.c_str(), path.data(), path.size());
  return {path.data(), length < 0 ? 0 : static_cast<std::size_t>(length)};
}

/// A kill in the middle of write(2) leaves a part of it. RocksDB writes a batch just before it
/// syncs: half of what the log has grown by is taken away again.
void tear(int fd) {
  static std::atomic<off_t> synced{0};
  struct stat file{};
  ::fstat(fd, &file);
  const off_t before = std::min(synced.exchange(file.st_size), file.st_size);
  if (!reached("commit.torn_write")) return;
  if (::ftruncate(fd, before + (file.st_size - before) / 2) == 0) end("commit.torn_write");
}

int sync_file(long call, int fd) {
  const std::string path = path_of(fd);
  const bool log = path.ends_with(".log");
  if (log) {
    tear(fd);
    reach_failpoint("commit.before_sync");
  } else {
    reach_failpoint(path.ends_with("/SYNCED") ? "mark.before_sync" : "file.before_sync");
  }
  const auto result = static_cast<int>(::syscall(call, fd));
  if (log) reach_failpoint("commit.after_sync");
  return result;
}

}  // namespace

void reach_failpoint(std::string_view name) {
  if (reached(name)) end(name);
}

}  // namespace carillon

// The program's own come before the C library's, for RocksDB's shared library, too.
extern "C" int fdatasync(int fd) {
  return carillon::sync_file(SYS_fdatasync, fd);
}
extern "C" int fsync(int fd) {
  return carillon::sync_file(SYS_fsync, fd);
}
