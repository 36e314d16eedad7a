#include "tools/client/overview.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace carillon::client {
namespace {

using ::testing::AllOf;
using ::testing::Each;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::SizeIs;

constexpr const char* kStats = R"({"version":"1.2","now":"2026-11-21T00:00:00.000Z",
  "counts":{"scheduled":1234567,"firing":2,"retrying":3,"dead":4},"backlog":12,
  "oldest_overdue":"61s","delivery":{"in_flight":2},
  "lanes":{"default":{"waiting":9,"backlog":5,"in_flight":1,"lateness_ms":{"p99":1.25}}}})";
constexpr const char* kHistory = R"({"points":[{"added":1},{"added":25,"fired":10,"delivered":10,
  "lateness_ms":{"p50":0.5,"p99":12,"p999":80},"commit_ms":{"p99":2}}]})";
constexpr const char* kTargets = R"({"targets":[
  {"name":"calm","backlog":0,"in_flight":0,"waiting":1},
  {"name":"held","backlog":7,"in_flight":0,"waiting":8,
   "held":{"until":"2026-11-21T00:01:00.000Z","reason":"unavailable"}},
  {"name":"off","backlog":0,"in_flight":0,"waiting":2,"paused":true}]})";
constexpr const char* kAlarms =
    R"({"alarms":[{"alarm":"target_held","of":"held","detail":"It has been held for 5m."}]})";

/// All lines as one text, what is not plain marked.
std::string shown(const Seen& seen, ScreenSize size = {}) {
  std::string all;
  for (const ScreenLine& line : overview(seen, size)) {
    if (line.look == ScreenLine::Look::strong) all += "# ";
    if (line.look == ScreenLine::Look::warning) all += "! ";
    all += line.text + '\n';
  }
  return all;
}

TEST(Overview, SaysWhatGoesOn) {
  EXPECT_EQ(shown({kStats, kHistory, kTargets, kAlarms}),
            R"(# carillon 1.2   2026-11-21T00:00:00.000Z
pending 1,234,572   backlog 12 (oldest 61s)   in flight 2   retrying 3   dead 4
per second   added 2.5   fired 1.0   delivered 1.0   retrying 0.0   dead 0.0   cancelled 0.0
lateness     p50 0.5 ms   p99 12.0 ms   p99.9 80.0 ms   commit p99 2.0 ms
! ALARM target_held held: It has been held for 5m.

# LANE                          BACKLOG  IN FLIGHT   UNFINISHED P99 SINCE START
default                             5          1            9 1.2 ms

# TARGET                        BACKLOG  IN FLIGHT   UNFINISHED STATE
! held                                7          0            8 held until 2026-11-21T00:01:00.000Z: unavailable
calm                                0          0            1 fine
! off                                 0          0            2 paused
)");
}

TEST(Overview, OfAServerThatHasJustStarted) {
  EXPECT_THAT(shown({kStats, R"({"points":[]})", R"({"targets":[]})", R"({"alarms":[]})"}),
              AllOf(HasSubstr("known ten seconds after the start"), Not(HasSubstr("TARGET"))));
}

TEST(Overview, FitsTheTerminal) {
  const auto lines = overview({kStats, kHistory, kTargets, kAlarms}, {20, 7});
  EXPECT_THAT(lines, SizeIs(7));
  for (const ScreenLine& line : lines) EXPECT_LE(line.text.size(), 20U) << line.text;
  EXPECT_EQ(lines[1].text, "pending 1,234,572   ");
}

TEST(Overview, CutsByCharactersAndKeepsTextFromSteeringTheTerminal) {
  const Seen seen{
      kStats, kHistory,
      R"({"targets":[{"name":"\u001b[2Jcaf\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9"}]})",
      kAlarms};
  const std::string all = shown(seen, {24, 0});
  EXPECT_THAT(all, AllOf(Not(HasSubstr("\x1b")), HasSubstr("\\x1b[2Jcaf\u00e9")));
  EXPECT_THAT(all, HasSubstr("\u00e9\n")) << "never a half of one";
}

TEST(Overview, OfAnswersThatAreNone) {
  EXPECT_THAT(overview({"", "[]", "null", "{\"alarms\":3}"}, {80, 24}), Not(SizeIs(0)));
}

}  // namespace
}  // namespace carillon::client
