#include "tools/client/terminal.h"

#include <gtest/gtest.h>

namespace carillon::client {
namespace {

TEST(Printable, EscapesControlCharacters) {
  EXPECT_EQ(printable("a\x1b[31mb\r\n\x7f"), "a\\x1b[31mb\\x0d\\x0a\\x7f");
  EXPECT_EQ(printable(std::string_view("\0", 1)), "\\x00");
  EXPECT_EQ(printable("\u009b31m\u0085"), "\\x9b31m\\x85");
}

TEST(Printable, EscapesWhatTurnsOrBreaksALine) {
  EXPECT_EQ(printable("a\u202eb\u2066c\u200fd"), "a\\u202eb\\u2066c\\u200fd");
  EXPECT_EQ(printable("a\u2028b\ufeff"), "a\\u2028b\\ufeff");
  EXPECT_EQ(printable("\U000e0041"), "\\ue0041");
}

TEST(Printable, EscapesBytesThatAreNoUtf8) {
  EXPECT_EQ(printable("\x9b"
                      "31m"),
            "\\x9b31m");
  EXPECT_EQ(printable("\xe2\x80"), "\\xe2\\x80");
  EXPECT_EQ(printable("\xc0\xaf\xff"), "\\xc0\\xaf\\xff");
}

TEST(Printable, KeepsTextOfAnyLanguage) {
  const std::string text = "user:1 caf\u00e9 \u65e5\u672c \u0639\u0631\u0628\u064a \U0001f514 \"\\";
  EXPECT_EQ(printable(text), text);
}

TEST(PrintableLines, KeepsLineBreaksOnly) {
  EXPECT_EQ(printable_lines("a\nb\tc\x1b\n"), "a\nb\\x09c\\x1b\n");
}

}  // namespace
}  // namespace carillon::client
