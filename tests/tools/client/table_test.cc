#include "tools/client/table.h"

#include <gtest/gtest.h>

namespace carillon::client {
namespace {

TEST(Table, FieldsAreAlignedAndInnerObjectsDotted) {
  EXPECT_EQ(format_fields(R"({"id":"a","counts":{"dead":1,"scheduled":20},"group":null})"),
            "id                a\n"
            "counts.dead       1\n"
            "counts.scheduled  20\n"
            "group             -\n");
}

TEST(Table, RowsHaveTheColumnsAskedFor) {
  EXPECT_EQ(format_table(R"({"tasks":[{"id":"long-id","state":"dead","x":1},{"id":"b"}]})",
                         {"id", "state"}),
            "ID       STATE\n"
            "long-id  dead\n"
            "b        -\n");
}

TEST(Table, WithoutColumnsEveryMemberIsOne) {
  EXPECT_EQ(format_table(R"([{"a":1},{"b":2}])", {}), "A  B\n1  -\n-  2\n");
}

TEST(Table, NoRowsSayNone) {
  EXPECT_EQ(format_table(R"({"tasks":[]})", {"id"}), "none\n");
}

TEST(Table, ControlCharactersDoNotReachTheTerminal) {
  EXPECT_EQ(format_fields("{\"e\":\"a\\u001b[31mb\\n\"}"), "e  a\\x1b[31mb\\x0a\n");
  EXPECT_EQ(format_fields("{\"e\":[\"\x7f\"]}"), "e  [\"\\x7f\"]\n");
  EXPECT_EQ(format_fields(R"({"e":"\u009b31m\u00a0"})"), "e  \\x9b31m\u00a0\n");
}

TEST(Table, WhatIsNoJsonComesAsPrintableLines) {
  EXPECT_EQ(format_fields("a\x1b[31m\nb"), "a\\x1b[31m\nb\n");
  EXPECT_EQ(format_table("a\x1b[31m", {"id"}), "a\\x1b[31m\n");
  EXPECT_EQ(format_fields("oops"), "oops\n");
  EXPECT_EQ(format_fields(""), "");
  EXPECT_EQ(format_table("oops", {"id"}), "oops\n");
}

TEST(Table, ProblemIsOneLine) {
  EXPECT_EQ(describe_problem(409, R"({"title":"Task exists","detail":"a is there","field":"id"})"),
            "409 Task exists: a is there (id)");
  EXPECT_EQ(describe_problem(400, R"({"title":"Bad","detail":"`delay` is bad","field":"delay"})"),
            "400 Bad: `delay` is bad");
  EXPECT_EQ(describe_problem(400, R"({"title":"\u001b]0;x\u0007","detail":"\u202e"})"),
            "400 \\x1b]0;x\\x07: \\u202e");
  EXPECT_EQ(describe_problem(502, "<html>"), "502");
}

}  // namespace
}  // namespace carillon::client
