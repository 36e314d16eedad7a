#include "server/logging.h"

#include <algorithm>
#include <map>

#include <gmock/gmock.h>

namespace carillon {
namespace {

using std::chrono::seconds;
using testing::ElementsAre;
using testing::Pair;

const WallTime kAt = *parse_moment("2026-11-21T07:00:00.250Z");

std::string line(LogFormat format, std::string_view message,
                 std::initializer_list<LogField> fields = {}) {
  return format_line(format, kAt, LogLevel::info, message, {fields.begin(), fields.size()});
}

TEST(LogLine, ForPeopleIsTimeLevelMessageAndFields) {
  EXPECT_EQ(line(LogFormat::human, "ready", {{"took", "5ms"}, {"tasks", 12U}, {"step", -3}}),
            "2026-11-21T07:00:00.250Z info ready took=5ms tasks=12 step=-3\n");
}

TEST(LogLine, ForProgramsHasTheFieldsAsMembers) {
  EXPECT_EQ(line(LogFormat::json, "recovered", {{"tasks", 12}, {"took", "31ms"}}),
            R"({"time":"2026-11-21T07:00:00.250Z","level":"info","message":"recovered",)"
            R"("tasks":12,"took":"31ms"})"
            "\n");
}

TEST(LogLine, ForProgramsKeepsTextAndNumbersApartWhateverTheyLookLike) {
  EXPECT_EQ(line(LogFormat::json, "a=b c=d", {{"target", "007"}, {"most", UINT64_MAX}}),
            R"({"time":"2026-11-21T07:00:00.250Z","level":"info","message":"a=b c=d",)"
            R"("target":"007","most":18446744073709551615})"
            "\n");
}

TEST(LogLine, ForPeopleQuotesValuesThatAreNoPlainWord) {
  const std::map<std::string, std::string> quoted = {{"a b", R"("a b")"},
                                                     {"", R"("")"},
                                                     {"say \"no\"", R"("say \"no\"")"},
                                                     {"back\\slash", R"("back\\slash")"},
                                                     {"x=y", "x=y"}};
  for (const auto& [value, text] : quoted) {
    EXPECT_EQ(line(LogFormat::human, "m", {{"v", value}}),
              "2026-11-21T07:00:00.250Z info m v=" + text + "\n");
  }
}

TEST(LogLine, NamesFromOutsideCannotForgeALine) {
  const std::string evil = "x\n2026-11-21T07:00:00.250Z info all is well\r\x1b[2J";
  for (const LogFormat format : {LogFormat::human, LogFormat::json}) {
    for (const std::string& text : {line(format, "m", {{"id", evil}}), line(format, evil)}) {
      EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 1) << text;
      EXPECT_EQ(text.find('\x1b'), std::string::npos) << text;
      EXPECT_EQ(text.find('\r'), std::string::npos) << text;
    }
  }
}

TEST(LogLevels, HaveNamesThatLeadBackToThem) {
  for (const LogLevel level : {LogLevel::trace, LogLevel::debug, LogLevel::info, LogLevel::warning,
                               LogLevel::error, LogLevel::critical, LogLevel::off}) {
    EXPECT_EQ(log_level_named(log_level_name(level)), level);
  }
}

class Limit : public testing::Test {
 protected:
  bool allow(const std::string& message, seconds at) {
    return limit_.allow(
        message, std::chrono::steady_clock::time_point(at),
        [this](std::string_view like, int lines) { held_back_[std::string(like)] += lines; });
  }
  LineLimit limit_;
  std::map<std::string, int> held_back_;
};

TEST_F(Limit, HoldsBackTheSameMessageAndSaysHowMany) {
  int written = 0;
  for (int i = 0; i < 25; ++i) written += allow("push failed", seconds(5));
  EXPECT_EQ(written, LineLimit::kLinesPerSecond);
  EXPECT_TRUE(allow("another", seconds(5))) << "other messages are not held back";
  EXPECT_TRUE(held_back_.empty());
  EXPECT_TRUE(allow("push failed", seconds(6)));
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
