#include "base/number.h"

#include <limits>
#include <string>

#include <gtest/gtest.h>

namespace carillon {
namespace {

TEST(WholeNumber, ReadsEachFormOfAnInteger) {
  EXPECT_EQ(whole_number("0"), 0);
  EXPECT_EQ(whole_number("-0"), 0);
  EXPECT_EQ(whole_number("90000"), 90000);
  EXPECT_EQ(whole_number("90000.0"), 90000);
  EXPECT_EQ(whole_number("9e4"), 90000);
  EXPECT_EQ(whole_number("9E+4"), 90000);
  EXPECT_EQ(whole_number("0.9e5"), 90000);
  EXPECT_EQ(whole_number("900000e-1"), 90000);
  EXPECT_EQ(whole_number("-1.50e1"), -15);
  EXPECT_EQ(whole_number("0.0"), 0);
  EXPECT_EQ(whole_number("0e999999999999999999999"), 0);
  EXPECT_EQ(whole_number("9223372036854775807"), std::numeric_limits<std::int64_t>::max());
  EXPECT_EQ(whole_number("-9223372036854775808"), std::numeric_limits<std::int64_t>::min());
  EXPECT_EQ(whole_number("922337203685477580.7e1"), std::numeric_limits<std::int64_t>::max());
}

TEST(WholeNumber, RefusesFractionsAndWhatIsTooLarge) {
  for (const char* text : {"1.5", "9e-1", "1e-999999999999999999999", "9223372036854775808", "1e19",
                           "9.3e18", "1e999999999999999999999", "-9223372036854775809"})
    EXPECT_EQ(whole_number(text), std::nullopt) << text;
}

TEST(WholeNumber, RefusesWhatIsNoNumber) {
  for (const char* text : {"", "-", "+1", "01", "1.", ".5", "1e", "1e+", "1 ", " 1", "1x", "0x10",
                           "--1", "1.0.0", "NaN", "1e1.5"})
    EXPECT_EQ(whole_number(text), std::nullopt) << text;
}

}  // namespace
}  // namespace carillon
