#include "api/names.h"

#include <gtest/gtest.h>

namespace carillon {
namespace {

TEST(CheckName, TakesUtf8WithoutControls) {
  EXPECT_TRUE(check_name("user:coupon/1 \xc3\xa9", "id"));
  EXPECT_TRUE(check_name(std::string(255, 'x'), "id"));
  EXPECT_TRUE(check_name("...", "id"));
  EXPECT_TRUE(check_name(".a", "id"));
  for (const std::string& name :
       {std::string(), std::string(256, 'x'), std::string("a\nb"), std::string("a\0b", 3),
        std::string("\x7f"), std::string("\xff"), std::string("\xc2\x85"),
        std::string("\xed\xa0\x80"), std::string("."), std::string("..")}) {
    const auto checked = check_name(name, "id");
    ASSERT_FALSE(checked);
    EXPECT_EQ(checked.error().slug, "bad_id");
    EXPECT_EQ(checked.error().field, "id");
  }
}

}  // namespace
}  // namespace carillon
