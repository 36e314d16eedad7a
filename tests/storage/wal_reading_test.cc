#include "storage/wal_reading.h"

#include <string>

#include <gtest/gtest.h>

namespace carillon {
namespace {

constexpr std::size_t kBlock = 32 << 10;

/// A fragment with a checksum that is wrong, which nobody looks at here.
std::string fragment(unsigned kind, std::size_t bytes) {
  std::string out = "crc4";
  out += static_cast<char>(bytes & 255);
  out += static_cast<char>(bytes >> 8);
  out += static_cast<char>(kind);
  return out + std::string(bytes, '\x07');
}

/// As it is shown when read in pieces of so many bytes.
std::string shown(std::string file, std::size_t piece) {
  WalFragments fragments;
  for (std::size_t at = 0; at < file.size(); at += piece) {
    fragments.show(std::span(file).subspan(at, std::min(piece, file.size() - at)));
  }
  return file;
}

class WalFragmentsTest : public ::testing::TestWithParam<std::size_t> {};
INSTANTIATE_TEST_SUITE_P(Pieces, WalFragmentsTest, ::testing::Values(1, 6, 7, 8, 4096, kBlock));

TEST_P(WalFragmentsTest, OfTheKindsThatAreWrittenStayAsTheyAre) {
  std::string file;
  for (unsigned kind = 1; kind <= 4; ++kind) file += fragment(kind, 1000 * kind);
  file += std::string(kBlock - file.size() % kBlock, '\0');
  file += fragment(1, 0) + fragment(4, kBlock - 2 * 7 - 3) + "\x9\x9\x9" + fragment(1, 10);
  EXPECT_EQ(shown(file, GetParam()), file);
}

TEST_P(WalFragmentsTest, OfOtherKindsAreShownAsWholeRecords) {
  for (const unsigned kind : {5U, 8U, 11U, 131U, 255U}) {
    const std::string before = fragment(2, 300);
    EXPECT_EQ(shown(before + fragment(kind, 20), GetParam()), before + fragment(1, 20)) << kind;
  }
}

TEST_P(WalFragmentsTest, AreFoundAgainWithTheNextBlock) {
  std::string file = fragment(5, 100) + fragment(6, 100);
  file.resize(kBlock, '\x05');
  std::string wanted = file;
  wanted[6] = 1;
  // One that claims to go on beyond its block.
  file += fragment(1, 60'000).substr(0, kBlock) + fragment(7, 5);
  wanted += fragment(1, 60'000).substr(0, kBlock) + fragment(1, 5);
  EXPECT_EQ(shown(file, GetParam()), wanted);
}

TEST(WalFragmentsSkipped, AreFoundAgainWithTheNextBlock) {
  WalFragments fragments;
  fragments.skip(100);
  std::string rest(kBlock - 100, '\x05');
  const std::string same = rest;
  fragments.show(rest);
  EXPECT_EQ(rest, same);
  std::string next = fragment(5, 5);
  fragments.show(next);
  EXPECT_EQ(next, fragment(1, 5));
}

}  // namespace
}  // namespace carillon
