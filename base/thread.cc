#include "base/thread.h"

#include <cstdint>
#include <cstdlib>

#include <pthread.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace carillon {
namespace {

/// sched_setattr(2). Debian 12's header with it cannot stand beside pthread.h.
struct SchedulingAttributes {
  std::uint32_t size = 0;
  std::uint32_t policy = 0;
  std::uint64_t flags = 0;
  std::int32_t nice = 0;
  std::uint32_t priority = 0;
  std::uint64_t runtime = 0;  // ns; of an ordinary thread: its slice
  std::uint64_t deadline = 0;
  std::uint64_t period = 0;
};
static_assert(sizeof(SchedulingAttributes) == 48);

constexpr std::uint32_t kOrdinary = 0;          // SCHED_OTHER
constexpr std::uint64_t kNotInherited = 1;      // SCHED_FLAG_RESET_ON_FORK
constexpr std::uint64_t kShortestNs = 100'000;  // what the kernel takes as the least

}  // namespace

void begin_thread(const char* name) {
  pthread_setname_np(pthread_self(), name);
  // Volatile, or the compiler leaves both calls out.
  void* volatile first = std::malloc(1);
  std::free(first);
}

void yield_to_others() {
  constexpr int kNice = 10;
  // On Linux this is of the calling thread alone.
  static_cast<void>(::setpriority(PRIO_PROCESS, 0, kNice));
}

void ask_for_short_slices() {
  SchedulingAttributes attributes;
  if (::syscall(SYS_sched_getattr, 0, &attributes, sizeof(attributes), 0) != 0) return;
  // Whoever was given another class on purpose keeps it.
  if (attributes.policy != kOrdinary) return;
  attributes.runtime = kShortestNs;
  attributes.flags = kNotInherited;
  // Where it is not allowed, nothing is lost but time.
  static_cast<void>(::syscall(SYS_sched_setattr, 0, &attributes, 0));
}

}  // namespace carillon
