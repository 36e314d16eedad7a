#include <limits>

#include <gtest/gtest.h>

#include "base/json.h"
#include "base/json_syntax.h"

namespace carillon {
namespace {

TEST(JsonWriter, PutsCommasAndKeys) {
  std::string out;
  JsonWriter json(out);
  json.begin_object().key("a").integer(-1).key("b").begin_array().string("x").null().begin_object();
  json.end_object().boolean(true).end_array().key("c").begin_array().end_array();
  json.key("d").raw("{\"e\":1}").key("f").unsigned_integer(18446744073709551615U).end_object();
  EXPECT_EQ(out, R"({"a":-1,"b":["x",null,{},true],"c":[],"d":{"e":1},"f":18446744073709551615})");
}

TEST(JsonWriter, WritesTimesAndNumbers) {
  std::string out;
  JsonWriter json(out);
  json.begin_array().moment(WallTime(Millis(1795244400250))).duration(Millis(90'000));
  json.real(0.5).real(std::numeric_limits<double>::infinity()).end_array();
  EXPECT_EQ(out, R"(["2026-11-21T07:00:00.250Z","90s",0.5,null])");
}

TEST(AppendJsonString, EscapesWhatMustBe) {
  std::string out;
  append_json_string(out, std::string_view("a\"b\\c\n\r\t\x01\x7f/\0\xc3\xa9", 14));
  EXPECT_EQ(out, "\"a\\\"b\\\\c\\n\\r\\t\\u0001\x7f/\\u0000\xc3\xa9\"");
  EXPECT_TRUE(check_json(out, 1));
}

TEST(AppendJsonString, MakesJsonOfAnyBytes) {
  for (int byte = 0; byte < 256; ++byte) {
    std::string out;
    append_json_string(out, std::string("ok \xc3\xa9 ") + static_cast<char>(byte));
    EXPECT_TRUE(check_json(out, 1)) << byte;
  }
}

}  // namespace
}  // namespace carillon
