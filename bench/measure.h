// What the benchmarks that run in one process measure: the processor's time and resident memory.
#pragma once

#include <cstdint>
#include <fstream>

#include <time.h>
#include <unistd.h>

namespace carillon::bench {

/// The thread's own time: what others do on a shared machine is not in it.
inline double nanos_of_thread() {
  timespec now{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) * 1e9 + static_cast<double>(now.tv_nsec);
}

/// Of this process.
inline std::int64_t resident_bytes() {
  std::int64_t pages = 0, resident = 0;
  std::ifstream("/proc/self/statm") >> pages >> resident;
  return resident * ::sysconf(_SC_PAGESIZE);
}

}  // namespace carillon::bench
