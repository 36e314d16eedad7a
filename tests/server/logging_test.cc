#include "server/logging.h"

#include <map>

#include <gmock/gmock.h>

namespace carillon {
namespace {

using std::chrono::seconds;
using testing::ElementsAre;
using testing::Pair;

const WallTime kAt = *parse_moment("2026-11-21T07:00:00.250Z");

std::string human(std::string_view text) {
  return format_line(LogFormat::human, kAt, "info", text);
}
std::string json(std::string_view text) {
  return format_line(LogFormat::json, kAt, "info", text);
}

TEST(LogLine, ForPeopleIsTimeLevelAndText) {
  EXPECT_EQ(human("ready took=5ms"), "2026-11-21T07:00:00.250Z info ready took=5ms\n");
}

TEST(LogLine, ForProgramsHasTheFieldsAsMembers) {
  EXPECT_EQ(json("recovered" + fields({{"tasks", "12"}, {"took", "31ms"}})),
            R"({"time":"2026-11-21T07:00:00.250Z","level":"info","message":"recovered",)"
            R"("tasks":12,"took":"31ms"})"
            "\n");
  EXPECT_EQ(json("listening on http://127.0.0.1:80"),
            R"({"time":"2026-11-21T07:00:00.250Z","level":"info",)"
            R"("message":"listening on http://127.0.0.1:80"})"
            "\n");
}

TEST(LogLine, QuotedValuesComeBackAsTheyWere) {
  for (const std::string value : {"a b", "", "say \"no\"", "back\\slash", "x=y z=w", "a\nb"}) {
    std::string expected =
        R"({"time":"2026-11-21T07:00:00.250Z","level":"info","message":"m","v":)";
    std::string quoted = "\"";
    for (const char c : value) {
      if (c == '\n') {
        quoted += "\\n";
        continue;
      }
      if (c == '"' || c == '\\') quoted += '\\';
      quoted += c;
    }
    EXPECT_EQ(json("m" + fields({{"v", value}})), expected + quoted + "\"}\n");
  }
}

TEST(LogLine, OnlyARunOfFieldsAtTheEndIsTakenAsFields) {
  EXPECT_EQ(json("a=b c=d is text"),
            R"({"time":"2026-11-21T07:00:00.250Z","level":"info","message":"a=b c=d is text"})"
            "\n");
}

TEST(LogLine, NumbersThatJsonWouldReadDifferentlyStayText) {
  for (const char* text : {"007", "1.", ".5", "1.2.3", "12345678901234567890", "-", "1e5"}) {
    EXPECT_THAT(json("m" + fields({{"v", text}})),
                testing::HasSubstr("\"v\":\"" + std::string(text) + "\""));
  }
  EXPECT_THAT(json("m v=0.5"), testing::HasSubstr("\"v\":0.5"));
}

TEST(LogLine, NamesFromOutsideCannotForgeALine) {
  const std::string evil = "x\n2026-11-21T07:00:00.250Z info all is well\r\x1b[2J";
  for (const std::string& line : {human("m" + fields({{"id", evil}})), human(evil), json(evil)}) {
    EXPECT_EQ(std::count(line.begin(), line.end(), '\n'), 1) << line;
    EXPECT_EQ(line.find('\x1b'), std::string::npos) << line;
    EXPECT_EQ(line.find('\r'), std::string::npos) << line;
  }
}

class Limit : public testing::Test {
 protected:
  bool allow(const std::string& text, seconds at) {
    return limit_.allow(
        text, std::chrono::steady_clock::time_point(at),
        [this](std::string_view message, int lines) { held_back_[std::string(message)] += lines; });
  }
  LineLimit limit_;
  std::map<std::string, int> held_back_;
};

TEST_F(Limit, HoldsBackTheSameMessageWhateverItsFieldsAndSaysHowMany) {
  int written = 0;
  for (int i = 0; i < 25; ++i)
    written += allow("push failed task=" + std::to_string(i), seconds(5));
  EXPECT_EQ(written, LineLimit::kLinesPerSecond);
  EXPECT_TRUE(allow("another", seconds(5))) << "other messages are not held back";
  EXPECT_TRUE(held_back_.empty());
  EXPECT_TRUE(allow("push failed task=99", seconds(6)));
  EXPECT_THAT(held_back_, ElementsAre(Pair("push failed", 15)));
  EXPECT_TRUE(allow("another", seconds(7)));
  EXPECT_THAT(held_back_, ElementsAre(Pair("push failed", 15)));
}

TEST_F(Limit, ManyDifferentMessagesShareOneAllowanceInBoundedMemory) {
  int written = 0;
  for (int i = 0; i < 100'000; ++i) written += allow("m" + std::to_string(i), seconds(5));
  EXPECT_LT(written, 300);
}

}  // namespace
}  // namespace carillon
