// Preloaded into a server under test: a wall clock that a test sets while the server runs, without
// touching the machine's.
//
// libfaketime moves what a process reads, too, but a timer that stands is not cancelled then. The
// kernel does that when the clock is set (TFD_TIMER_CANCEL_ON_SET), and the server lives by it, so
// it is done here: a thread takes the offset from the file that STEPPED_CLOCK names (milliseconds,
// 8 bytes, shared memory), and cancels the timers in the same moment.
//
// What is moved: clock_gettime, gettimeofday, time, timers of timerfd_create on the wall clock, and
// what pthread_cond_timedwait waits for.
#include <array>
#include <atomic>
#include <cerrno>
#include <cstdint>
#include <cstdlib>
#include <mutex>
#include <thread>

#include <dlfcn.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

namespace {

constexpr std::int64_t kMillion = 1'000'000;
constexpr std::int64_t kBillion = 1'000'000'000;

template <typename Function>
Function* system_function(const char* name, const char* version = nullptr) {
  void* const found =
      version == nullptr ? ::dlsym(RTLD_NEXT, name) : ::dlvsym(RTLD_NEXT, name, version);
  if (found == nullptr) std::abort();
  return reinterpret_cast<Function*>(found);
}

std::atomic<std::int64_t> offset_ns{0};

struct WallTimer {
  bool cancel_on_set = false;
  bool cancelled = false;
};
std::mutex timers_mutex;
std::array<WallTimer, 4096> timers;  // by file descriptor
std::array<bool, 4096> on_wall_clock;
std::atomic<int> cancelled_timers{0};

bool known(int fd) {
  return fd >= 0 && static_cast<std::size_t>(fd) < timers.size();
}

timespec moved(const timespec& time, std::int64_t by_ns) {
  const std::int64_t ns = time.tv_sec * kBillion + time.tv_nsec + by_ns;
  const std::int64_t at = ns < 1 ? 1 : ns;  // a timer at zero would be no timer
  return {at / kBillion, at % kBillion};
}

bool is_wall_clock(clockid_t clock) {
  return clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE;
}

/// The clock is set: timers that want to know are due at once, and reading them fails.
void step_to(std::int64_t offset) {
  static const auto arm = system_function<decltype(timerfd_settime)>("timerfd_settime");
  const std::lock_guard lock(timers_mutex);
  offset_ns = offset;
  for (std::size_t fd = 0; fd < timers.size(); ++fd) {
    if (!timers[fd].cancel_on_set) continue;
    const itimerspec at_once{{0, 0}, {0, 1}};
    if (!timers[fd].cancelled) ++cancelled_timers;
    timers[fd].cancelled = true;
    if (arm(static_cast<int>(fd), 0, &at_once, nullptr) == 0) continue;
    timers[fd] = {};  // closed meanwhile
    --cancelled_timers;
  }
}

void follow(const std::atomic<std::int64_t>* offset_ms) {
  sigset_t all;
  ::sigfillset(&all);
  ::pthread_sigmask(SIG_BLOCK, &all, nullptr);
  for (;;) {
    const std::int64_t wanted = *offset_ms * kMillion;
    if (wanted != offset_ns) step_to(wanted);
    ::usleep(1000);
  }
}

[[gnu::constructor]] void begin() {
  const char* const path = std::getenv("STEPPED_CLOCK");
  const int fd = path == nullptr ? -1 : ::open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0) std::abort();
  void* const shared =
      ::mmap(nullptr, sizeof(std::atomic<std::int64_t>), PROT_READ, MAP_SHARED, fd, 0);
  ::close(fd);
  if (shared == MAP_FAILED) std::abort();
  const auto* const offset_ms = static_cast<const std::atomic<std::int64_t>*>(shared);
  offset_ns = *offset_ms * kMillion;
  std::thread(follow, offset_ms).detach();
}

}  // namespace

extern "C" int clock_gettime(clockid_t clock, timespec* time) noexcept {
  static const auto system = system_function<decltype(clock_gettime)>("clock_gettime");
  const int done = system(clock, time);
  if (done == 0 && is_wall_clock(clock)) *time = moved(*time, offset_ns);
  return done;
}

extern "C" int gettimeofday(timeval* time, void* /*zone*/) noexcept {
  timespec now{};
  clock_gettime(CLOCK_REALTIME, &now);
  *time = {now.tv_sec, now.tv_nsec / 1000};
  return 0;
}

extern "C" time_t time(time_t* into) noexcept {
  timespec now{};
  clock_gettime(CLOCK_REALTIME, &now);
  if (into != nullptr) *into = now.tv_sec;
  return now.tv_sec;
}

extern "C" int timerfd_create(clockid_t clock, int flags) noexcept {
  static const auto system = system_function<decltype(timerfd_create)>("timerfd_create");
  const int fd = system(clock, flags);
  const std::lock_guard lock(timers_mutex);
  if (known(fd)) {
    on_wall_clock[static_cast<std::size_t>(fd)] = is_wall_clock(clock);
    timers[static_cast<std::size_t>(fd)] = {};
  }
  return fd;
}

extern "C" int timerfd_settime(int fd, int flags, const itimerspec* when,
                               itimerspec* before) noexcept {
  static const auto system = system_function<decltype(timerfd_settime)>("timerfd_settime");
  const std::lock_guard lock(timers_mutex);
  if (!known(fd) || !on_wall_clock[static_cast<std::size_t>(fd)] ||
      (flags & TFD_TIMER_ABSTIME) == 0) {
    return system(fd, flags, when, before);
  }
  WallTimer& timer = timers[static_cast<std::size_t>(fd)];
  timer.cancel_on_set = (flags & TFD_TIMER_CANCEL_ON_SET) != 0;
  const bool told = !timer.cancelled;
  if (!told) {
    timer.cancelled = false;
    --cancelled_timers;
  }
  const itimerspec real{when->it_interval, moved(when->it_value, -offset_ns)};
  const int done = system(fd, flags, &real, before);
  if (done != 0 || told) return done;
  errno = ECANCELED;
  return -1;
}

extern "C" ssize_t read(int fd, void* into, size_t size) {
  static const auto system = system_function<decltype(read)>("read");
  const ssize_t got = system(fd, into, size);
  if (cancelled_timers == 0 || !known(fd)) return got;
  {
    const std::lock_guard lock(timers_mutex);
    WallTimer& timer = timers[static_cast<std::size_t>(fd)];
    if (!timer.cancelled) return got;
    timer.cancelled = false;
    --cancelled_timers;
  }
  // So that the next step may well come before the timer is set again.
  ::usleep(3000);
  errno = ECANCELED;
  return -1;
}

extern "C" int pthread_cond_timedwait(pthread_cond_t* condition, pthread_mutex_t* mutex,
                                      const timespec* until) {
  static const auto system =
      system_function<decltype(pthread_cond_timedwait)>("pthread_cond_timedwait", "GLIBC_2.3.2");
  // A monotonic clock has not got that far since the machine started.
  const bool on_wall = until->tv_sec > kBillion;
  const timespec real = on_wall ? moved(*until, -offset_ns) : *until;
  return system(condition, mutex, &real);
}
