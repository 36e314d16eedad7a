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

/// A thread's last write into a write-ahead log, but for the zeros of space ahead of it.
struct LogWrite {
  int fd = -1;
  off_t offset = 0;
  std::size_t bytes = 0;
};
thread_local LogWrite last_write;

/// A kill in the middle of pwrite(2) leaves a part of it. RocksDB writes a batch just before it
/// syncs: half of it is made zeros again, which is what was there.
void tear(int fd) {
  if (last_write.fd != fd || !reached("commit.torn_write")) return;
  const std::size_t kept = last_write.bytes / 2;
  const std::string zeros(last_write.bytes - kept, '\0');
  const off_t at = last_write.offset + static_cast<off_t>(kept);
  if (::syscall(SYS_pwrite64, fd, zeros.data(), zeros.size(), at) > 0) end("commit.torn_write");
}

ssize_t write_file(int fd, const void* bytes, std::size_t count, off_t offset) {
  const ssize_t written = ::syscall(SYS_pwrite64, fd, bytes, count, offset);
  const std::string_view written_bytes(static_cast<const char*>(bytes), count);
  const bool zeros = written_bytes.find_first_not_of('\0') == std::string_view::npos;
  if (!zeros && path_of(fd).ends_with(".log")) last_write = {fd, offset, count};
  return written;
}

int sync_file(long call, int fd) {
  const std::string path = path_of(fd);
  const bool log = path.ends_with(".log") && last_write.fd == fd;
  if (log) {
    tear(fd);
    reach_failpoint("commit.before_sync");
  } else if (!path.ends_with(".log")) {
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
extern "C" ssize_t pwrite(int fd, const void* bytes, size_t count, off_t offset) {
  return carillon::write_file(fd, bytes, count, offset);
}
extern "C" ssize_t pwrite64(int fd, const void* bytes, size_t count, off_t offset) {
  return carillon::write_file(fd, bytes, count, offset);
}
extern "C" int fsync(int fd) {
  return carillon::sync_file(SYS_fsync, fd);
}
