#include "base/memory_size.h"

#include <gtest/gtest.h>

namespace carillon {
namespace {

TEST(Bytes, ReadUnitsAndRefuseTheRest) {
  EXPECT_EQ(*parse_bytes("0"), 0);
  EXPECT_EQ(*parse_bytes("17B"), 17);
  EXPECT_EQ(*parse_bytes("4KiB"), 4096);
  EXPECT_EQ(*parse_bytes("16MiB"), 16 << 20);
  EXPECT_EQ(*parse_bytes("8GiB"), std::int64_t{8} << 30);
  for (const char* bad : {"", "MiB", "-1", "1.5GiB", "1MB", "1 MiB", "16mib", "9223372036854775808",
                          "9007199254740993GiB"}) {
    EXPECT_FALSE(parse_bytes(bad)) << bad;
  }
}

TEST(Bytes, AreShownInTheLargestUnitThatFits) {
  EXPECT_EQ(format_bytes(16 << 20), "16MiB");
  EXPECT_EQ(format_bytes((16 << 20) + 1), "16777217B");
  EXPECT_EQ(format_bytes(0), "0B");
}

}  // namespace
}  // namespace carillon
