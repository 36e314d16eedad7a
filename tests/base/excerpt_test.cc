#include "base/excerpt.h"

#include <gtest/gtest.h>

namespace carillon {
namespace {

TEST(Excerpt, KeepsWhatFitsAndCutsBetweenCharacters) {
  EXPECT_EQ(excerpt("delay", 5), "delay");
  EXPECT_EQ(excerpt("delays", 5), "delay...");
  EXPECT_EQ(excerpt("del\xc3\xa9s!", 4), "del...");
  EXPECT_EQ(excerpt("\x80\x80\x80", 2), "...");
}

}  // namespace
}  // namespace carillon
