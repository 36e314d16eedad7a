// Preloaded into a server under test: counts its calls for memory and its syncs, into the file that
// COUNTED_CALLS names (counted_calls.h, shared memory), and makes each sync take as long as an
// ordinary disk's. Without that, how many adds share a commit would depend on the machine's disk.
//
// What is counted is every call of malloc, of its kin and of `operator new`.
#include "tests/guards/counted_calls.h"

#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <new>

#include <dlfcn.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <unistd.h>

namespace {

using carillon::test::CountedCalls;

/// The function that this library stands in front of.
template <typename Function>
Function* next(const char* name) {
  void* const found = ::dlsym(RTLD_NEXT, name);
  if (found == nullptr) std::abort();
  return reinterpret_cast<Function*>(found);
}

void* sure(void* block) {
  if (block == nullptr) std::abort();
  return block;
}

CountedCalls before_begin;
CountedCalls* counts = &before_begin;

// In the thread's own block: a thread-local that is made on first use would call malloc itself.
[[gnu::tls_model("initial-exec")]] thread_local std::atomic<std::uint64_t>* own_count = nullptr;

/// A thread of the server has its name before it allocates anything (base/thread.h).
std::atomic<std::uint64_t>& count_of_this_thread() {
  if (::gettid() == ::getpid()) return counts->loop_allocations;
  char name[16] = {};
  ::prctl(PR_GET_NAME, name);
  return std::strcmp(name, "http") == 0 ? counts->http_allocations : counts->other_allocations;
}

void count_allocation() {
  if (counts == &before_begin) return;
  if (own_count == nullptr) own_count = &count_of_this_thread();
  ++*own_count;
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
  static const auto system = next<void*(std::size_t)>("malloc");
  count_allocation();
  return system(size);
}

extern "C" void* calloc(std::size_t count, std::size_t size) {
  static const auto system = next<void*(std::size_t, std::size_t)>("calloc");
  count_allocation();
  return system(count, size);
}

extern "C" void* realloc(void* block, std::size_t size) {
  static const auto system = next<void*(void*, std::size_t)>("realloc");
  count_allocation();
  return system(block, size);
}

extern "C" void* aligned_alloc(std::size_t alignment, std::size_t size) {
  static const auto system = next<void*(std::size_t, std::size_t)>("aligned_alloc");
  count_allocation();
  return system(alignment, size);
}

extern "C" int posix_memalign(void** block, std::size_t alignment, std::size_t size) {
  static const auto system = next<int(void**, std::size_t, std::size_t)>("posix_memalign");
  count_allocation();
  return system(block, alignment, size);
}

// The server's allocator has an `operator new` of its own, which does not go through malloc.
void* operator new(std::size_t size) {
  return sure(::malloc(size));
}
void* operator new[](std::size_t size) {
  return sure(::malloc(size));
}
void* operator new(std::size_t size, std::align_val_t alignment) {
  return sure(::aligned_alloc(static_cast<std::size_t>(alignment), size));
}
void* operator new[](std::size_t size, std::align_val_t alignment) {
  return sure(::aligned_alloc(static_cast<std::size_t>(alignment), size));
}

extern "C" int fdatasync(int fd) {
  constexpr ::useconds_t kSyncMicros = 2000;
  static const auto system = next<int(int)>("fdatasync");
  ++counts->syncs;
  ::usleep(kSyncMicros);
  return system(fd);
}
