#include "base/slab.h"

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <new>
#include <random>
#include <span>
#include <thread>
#include <vector>

#include <gtest/gtest.h>
#include <sys/mman.h>

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

TEST_F(SpaceTest, blocks_for_small_pieces_go_when_pieces_are_large) {
  for (int i = 0; i < 4000; ++i) take(256);
  for (int i = 0; i < 4000; ++i) {
    take(65'536);
    give_back(0);
  }
  while (pieces.size() > 500) give_back(0);
  for (int i = 0; i < 1000; ++i) {
    take(65'536);
    give_back(0);
  }
  EXPECT_LE(space.bytes(), live + (std::size_t{6} << 20));
}

/// Pages that nobody has touched.
class UntouchedPages {
 public:
  explicit UntouchedPages(std::size_t bytes) : bytes_(bytes) {
    at_ = ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    EXPECT_NE(at_, MAP_FAILED);
  }
  ~UntouchedPages() { ::munmap(at_, bytes_); }
  UntouchedPages(const UntouchedPages&) = delete;
  UntouchedPages& operator=(const UntouchedPages&) = delete;

  [[nodiscard]] std::span<std::byte> all() const { return {static_cast<std::byte*>(at_), bytes_}; }
  [[nodiscard]] std::size_t resident() const {
    std::vector<unsigned char> each(bytes_ / 4096);
    EXPECT_EQ(::mincore(at_, bytes_, each.data()), 0);
    return static_cast<std::size_t>(
        std::ranges::count_if(each, [](auto page) { return page & 1; }));
  }

 private:
  std::size_t bytes_;
  void* at_ = nullptr;
};

TEST(ClearAhead, pages_are_there_before_they_are_touched_and_keep_what_is_in_them) {
  const UntouchedPages pages(std::size_t{5} << 20);
  ASSERT_EQ(pages.resident(), 0U);
  pages.all()[4096] = std::byte{7};
  ClearAhead ahead;
  ahead.ask(pages.all().first(std::size_t{3} << 20));
  ahead.ask(pages.all().last(std::size_t{2} << 20));
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(30);
  while (pages.resident() < pages.all().size() / 4096) {
    ASSERT_LT(std::chrono::steady_clock::now(), deadline) << pages.resident();
    std::this_thread::yield();
  }
  EXPECT_EQ(pages.all()[4096], std::byte{7});
}

TEST(ClearAhead, pages_that_are_gone_do_no_harm_and_its_end_waits_for_little) {
  std::span<std::byte> gone;
  {
    const UntouchedPages pages(std::size_t{4} << 20);
    gone = pages.all();
  }
  const UntouchedPages many(std::size_t{256} << 20);
  ClearAhead ahead;
  ahead.ask(gone);
  ahead.ask(many.all());
}

TEST_F(SpaceTest, asks_the_new_handler_where_nothing_can_be_mapped) {
  EXPECT_EXIT(
      {
        std::set_new_handler([] { std::_Exit(4); });
        [[maybe_unused]] const std::byte* const none = space.take(std::size_t{1} << 60);
      },
      testing::ExitedWithCode(4), "");
}

}  // namespace
}  // namespace carillon
