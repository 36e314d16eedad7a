#include "base/slab.h"

#include <cstring>
#include <deque>
#include <random>

#include <gtest/gtest.h>

namespace carillon {
namespace {

struct Piece {
  std::byte* at = nullptr;
  std::size_t bytes = 0;
  std::byte mark{};
};

/// Pieces that are written to and must keep what was written.
class SpaceTest : public testing::Test {
 protected:
  void take(std::size_t bytes) {
    Piece piece{space.take(bytes), bytes, static_cast<std::byte>(++marks)};
    std::memset(piece.at, static_cast<int>(piece.mark), bytes);
    pieces.push_back(piece);
    live += bytes;
  }
  void give_back(std::size_t index) {
    const Piece piece = pieces[index];
    for (std::size_t i = 0; i < piece.bytes; ++i) ASSERT_EQ(piece.at[i], piece.mark);
    space.give_back(piece.at, piece.bytes);
    pieces.erase(pieces.begin() + static_cast<std::ptrdiff_t>(index));
    live -= piece.bytes;
  }

  Space space;
  std::deque<Piece> pieces;
  std::size_t live = 0;
  int marks = 0;
};

TEST_F(SpaceTest, pieces_are_apart_and_keep_what_is_in_them) {
  std::mt19937 random(1);
  for (int i = 0; i < 3000; ++i) {
    take(8 * (1 + random() % 2000));
    if (random() % 2 == 0) give_back(random() % pieces.size());
  }
  take(std::size_t{20} << 20);
  while (!pieces.empty()) give_back(random() % pieces.size());
}

TEST_F(SpaceTest, what_is_replaced_in_turn_takes_little_more_than_it_is) {
  for (int i = 0; i < 400; ++i) take(65'536);
  for (int round = 0; round < 5; ++round) {
    for (int i = 0; i < 400; ++i) {
      take(65'536);
      give_back(0);
    }
  }
  EXPECT_LE(space.bytes(), live + (std::size_t{6} << 20));
}

}  // namespace
}  // namespace carillon
