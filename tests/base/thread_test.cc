#include "base/thread.h"

#include <array>
#include <cstdint>
#include <cstring>
#include <thread>

#include <gtest/gtest.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace carillon {
namespace {

/// The slice of the calling thread in ns, as sched_getattr(2) tells it; 0 where the kernel knows
/// none.
std::uint64_t own_slice() {
  constexpr std::size_t kRuntimeAt = 24;
  std::array<char, 56> attributes{};
  EXPECT_EQ(::syscall(SYS_sched_getattr, 0, attributes.data(), attributes.size(), 0), 0);
  std::uint64_t slice = 0;
  std::memcpy(&slice, attributes.data() + kRuntimeAt, sizeof(slice));
  return slice;
}

TEST(Thread, short_slices_are_its_own_and_not_those_of_threads_it_starts) {
  std::thread([] {
    const std::uint64_t before = own_slice();
    ask_for_short_slices();
    if (before == 0) GTEST_SKIP() << "this kernel's scheduler has no slices to ask for";
    EXPECT_EQ(own_slice(), 100'000U);
    std::thread([&] { EXPECT_EQ(own_slice(), before); }).join();
  }).join();
}

}  // namespace
}  // namespace carillon
