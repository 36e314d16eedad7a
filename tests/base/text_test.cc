#include "base/text.h"

#include <limits>

#include <gtest/gtest.h>

namespace carillon {
namespace {

TEST(Letters, AreThoseOfAsciiWhateverTheLocale) {
  for (int byte = 0; byte < 256; ++byte) {
    const char c = static_cast<char>(byte);
    const bool is_upper = byte >= 'A' && byte <= 'Z';
    const bool is_lower = byte >= 'a' && byte <= 'z';
    EXPECT_EQ(is_digit(c), byte >= '0' && byte <= '9') << byte;
    EXPECT_EQ(is_alphanumeric(c), is_digit(c) || is_upper || is_lower) << byte;
    EXPECT_EQ(lower(c), is_upper ? byte + 32 : c) << byte;
    EXPECT_EQ(upper(c), is_lower ? byte - 32 : c) << byte;
  }
  EXPECT_EQ(lower_case("A-z \xc3\x84"), "a-z \xc3\x84");
  EXPECT_EQ(upper_case("A-z \xc3\xa4"), "A-Z \xc3\xa4");
}

TEST(TokenChar, IsThatOfRfc9110) {
  std::string all;
  for (int byte = 0; byte < 256; ++byte) {
    if (is_token_char(static_cast<char>(byte))) all += static_cast<char>(byte);
  }
  EXPECT_EQ(all, "!#$%&'*+-.0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ^_`abcdefghijklmnopqrstuvwxyz|~");
}

TEST(SameInAnyCase, ComparesAllOfBoth) {
  EXPECT_TRUE(same_in_any_case("Content-Type", "content-TYPE"));
  EXPECT_TRUE(same_in_any_case("", ""));
  EXPECT_FALSE(same_in_any_case("content-type", "content-typ"));
  EXPECT_FALSE(same_in_any_case("a", "ab"));
  EXPECT_FALSE(same_in_any_case("@", "`")) << "32 apart, and no letters";
}

TEST(Trimmed, LosesBlanksAtItsEndsOnly) {
  EXPECT_EQ(trimmed(" \t a b\t "), "a b");
  EXPECT_EQ(trimmed("a"), "a");
  EXPECT_EQ(trimmed(" \t"), "");
  EXPECT_EQ(trimmed(""), "");
  EXPECT_EQ(trimmed("\ra\n"), "\ra\n");
  EXPECT_EQ(trimmed("\r a\n", " \r\n"), "a");
}

TEST(Hex, DigitsAreReadInEitherCaseAndWrittenInLower) {
  EXPECT_EQ(hex_digit('0'), 0);
  EXPECT_EQ(hex_digit('9'), 9);
  EXPECT_EQ(hex_digit('a'), 10);
  EXPECT_EQ(hex_digit('F'), 15);
  for (const char c : {'g', 'G', '/', ':', '@', '`', '\0', '\xff'})
    EXPECT_EQ(hex_digit(c), -1) << c;
  std::string at = "......";
  EXPECT_EQ(write_hex(at.data() + 1, 0x12abc, 4), 1U) << "what did not fit";
  EXPECT_EQ(at, ".2abc.");
  EXPECT_EQ(write_hex(at.data(), 0xf, 6), 0U);
  EXPECT_EQ(at, "00000f");
}

TEST(PercentDecode, DecodesAndRefusesHalfEscapes) {
  EXPECT_EQ(percent_decode("a%2Fb%3a%41+"), "a/b:A+");
  EXPECT_EQ(percent_decode("a%20b%C3%a4"), "a b\xc3\xa4");
  EXPECT_EQ(percent_decode("%252F"), "%2F");
  for (const char* text : {"%", "%2", "a%2", "%zz", "%2g", "%-1", "100%", "%zz%41"})
    EXPECT_EQ(percent_decode(text), std::nullopt) << text;
}

TEST(PercentEncoded, IsAllButWhatIsPlain) {
  std::string out = "/";
  append_percent_encoded(out, std::string_view("a\0/\xff%", 5), is_alphanumeric);
  EXPECT_EQ(out, "/a%00%2F%FF%25");
}

TEST(Grouped, HasAPlaceAfterEachThreeDigits) {
  EXPECT_EQ(grouped(0), "0");
  EXPECT_EQ(grouped(999), "999");
  EXPECT_EQ(grouped(1000), "1,000");
  EXPECT_EQ(grouped(1'234'567), "1,234,567");
}

TEST(AppendNumber, WritesAllOfAnyNumber) {
  std::string out;
  append_number(out, std::numeric_limits<std::int64_t>::min());
  out += ' ';
  append_number(out, std::numeric_limits<std::uint64_t>::max());
  out += ' ';
  append_number(out, 0.1);
  out += ' ';
  append_number(out, -std::numeric_limits<double>::max());
  EXPECT_EQ(out, "-9223372036854775808 18446744073709551615 0.1 -1.7976931348623157e+308");
}

}  // namespace
}  // namespace carillon
