// A disk of a few megabytes of its own, a tmpfs, which can be filled up, emptied and enlarged.
// Mounting takes root; without it the test fails.
#pragma once

#include <cstdint>
#include <fstream>
#include <string>

#include <gtest/gtest.h>
#include <sys/mount.h>
#include <sys/statvfs.h>

#include "tests/support/temp_dir.h"

namespace carillon::test {

class SmallDisk {
 public:
  explicit SmallDisk(std::uint64_t mib) {
    EXPECT_EQ(::mount("tmpfs", path().c_str(), "tmpfs", 0, size(mib).c_str()), 0)
        << "a tmpfs cannot be mounted; run this test as root";
  }
  ~SmallDisk() { ::umount2(path().c_str(), MNT_DETACH); }
  SmallDisk(const SmallDisk&) = delete;
  SmallDisk& operator=(const SmallDisk&) = delete;

  [[nodiscard]] std::string operator/(const std::string& name) const { return dir_ / name; }

  void enlarge(std::uint64_t mib) const {
    EXPECT_EQ(::mount("tmpfs", path().c_str(), "tmpfs", MS_REMOUNT, size(mib).c_str()), 0);
  }
  /// Takes all the space there is, as another program might.
  void fill() const {
    std::ofstream file(dir_ / kFiller, std::ios::binary);
    const std::string block(64 << 10, 'x');
    while (file.write(block.data(), static_cast<std::streamsize>(block.size())).flush()) {
    }
  }
  void empty() const { std::filesystem::remove(dir_ / kFiller); }
  [[nodiscard]] std::uint64_t free_mib() const {
    struct statvfs space{};
    EXPECT_EQ(::statvfs(path().c_str(), &space), 0);
    return (space.f_bfree * space.f_bsize) >> 20;
  }

 private:
  static constexpr const char* kFiller = "filler";
  static std::string size(std::uint64_t mib) { return "size=" + std::to_string(mib) + "m"; }
  [[nodiscard]] std::string path() const { return dir_.path().string(); }

  TempDir dir_;
};

}  // namespace carillon::test
