// Preloaded into a server under test: counts its calls for memory and its syncs, into the file that
// COUNTED_CALLS names (counted_calls.h, shared memory), and makes each sync take as long as an
// ordinary disk's. Without that, how many adds share a commit would depend on the machine's disk.
//
// What is counted is every call of malloc and its kin; `operator new` is one of them.
#include "tests/guards/counted_calls.h"

#include <cerrno>
#include <cstddef>
#include <cstdlib>

#include <dlfcn.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

extern "C" {
void* __libc_malloc(std::size_t size);
void* __libc_calloc(std::size_t count, std::size_t size);
void* __libc_realloc(void* block, std::size_t size);
void* __libc_memalign(std::size_t alignment, std::size_t size);
}

namespace {

using carillon::test::CountedCalls;

CountedCalls before_begin;
CountedCalls* counts = &before_begin;

// In the thread's own block: a thread-local that is made on first use would call malloc itself.
[[gnu::tls_model("initial-exec")]] thread_local int loop_thread = -1;

void count_allocation() {
  if (loop_thread < 0) loop_thread = ::gettid() == ::getpid() ? 1 : 0;
  ++(loop_thread == 1 ? counts->loop_allocations : counts->other_allocations);
}

[[gnu::constructor]] void begin() {
  const char* const path = std::getenv("COUNTED_CALLS");
  const int fd = path == nullptr ? -1 : ::open(path, O_RDWR | O_CLOEXEC);
  if (fd < 0) std::abort();
  void* const shared =
      ::mmap(nullptr, sizeof(CountedCalls), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  ::close(fd);
  if (shared == MAP_FAILED) std::abort();
  counts = static_cast<CountedCalls*>(shared);
}

}  // namespace

extern "C" void* malloc(std::size_t size) {
  count_allocation();
  return __libc_malloc(size);
}

extern "C" void* calloc(std::size_t count, std::size_t size) {
  count_allocation();
  return __libc_calloc(count, size);
}

extern "C" void* realloc(void* block, std::size_t size) {
  count_allocation();
  return __libc_realloc(block, size);
}

extern "C" void* aligned_alloc(std::size_t alignment, std::size_t size) {
  count_allocation();
  return __libc_memalign(alignment, size);
}

extern "C" int posix_memalign(void** block, std::size_t alignment, std::size_t size) {
  count_allocation();
  *block = __libc_memalign(alignment, size);
  return *block == nullptr ? ENOMEM : 0;
}

extern "C" int fdatasync(int fd) {
  constexpr ::useconds_t kSyncMicros = 2000;
  static const auto system = reinterpret_cast<int (*)(int)>(::dlsym(RTLD_NEXT, "fdatasync"));
  ++counts->syncs;
  ::usleep(kSyncMicros);
  return system(fd);
}
