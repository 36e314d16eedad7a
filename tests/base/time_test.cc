#include "base/time.h"

#include <gtest/gtest.h>

namespace carillon {
namespace {

using namespace std::chrono_literals;

std::int64_t millis_of(std::string_view text) {
  const auto moment = parse_moment(text);
  EXPECT_TRUE(moment) << text << ": " << (moment ? "" : moment.error().detail);
  return moment ? moment->time_since_epoch().count() : -1;
}

TEST(ParseMoment, ReadsOffsetsAndBothCases) {
  EXPECT_EQ(millis_of("1970-01-01T00:00:00Z"), 0);
  EXPECT_EQ(millis_of("2026-11-21T08:00:00.25+01:00"), 1795244400250);
  EXPECT_EQ(millis_of("2026-11-21t07:00:00.250z"), 1795244400250);
  EXPECT_EQ(millis_of("2026-11-20T23:30:00.25-07:30"), 1795244400250);
  EXPECT_EQ(millis_of("2000-02-29T00:00:00-00:00"), 951782400000);
}

TEST(ParseMoment, RoundsFinerInputUp) {
  EXPECT_EQ(millis_of("1970-01-01T00:00:00.0001Z"), 1);
  EXPECT_EQ(millis_of("1970-01-01T00:00:00.001000000Z"), 1);
  EXPECT_EQ(millis_of("1970-01-01T00:00:00.9990000000000000000000000000000000001Z"), 1000);
}

TEST(ParseMoment, ReadsLeapSecondOnlyAtTheEndOfADay) {
  EXPECT_EQ(millis_of("2016-12-31T23:59:60Z"), millis_of("2017-01-01T00:00:00Z"));
  EXPECT_EQ(millis_of("2016-12-31T15:59:60.5-08:00"), millis_of("2017-01-01T00:00:00.5Z"));
  EXPECT_FALSE(parse_moment("2016-12-31T22:59:60Z"));
}

TEST(ParseMoment, RefusesWhatIsNoMoment) {
  for (const char* text : {"",
                           "2026",
                           "2026-11-21",
                           "2026-11-21T08:00:00",
                           "2026-11-21 08:00:00Z",
                           "2026-11-21T08:00Z",
                           "2026-11-21T08:00:00.Z",
                           "2026-11-21T08:00:00,5Z",
                           "2026-11-21T08:00:00+0100",
                           "2026-11-21T08:00:00+01",
                           "2026-11-21T08:00:00+24:00",
                           "2026-11-21T08:00:00+01:60",
                           "2026-02-29T00:00:00Z",
                           "2026-13-01T00:00:00Z",
                           "2026-00-10T00:00:00Z",
                           "2026-01-00T00:00:00Z",
                           "2026-11-21T24:00:00Z",
                           "2026-11-21T08:60:00Z",
                           "2026-11-21T08:00:61Z",
                           "2026-11-21T08:00:00Zz",
                           " 2026-11-21T08:00:00Z",
                           "+026-11-21T08:00:00Z",
                           "1969-12-31T23:59:59Z",
                           "1970-01-01T00:00:00+00:01",
                           "2101-01-01T00:00:00Z",
                           "2100-12-31T23:59:59.9999Z"}) {
    const auto moment = parse_moment(text);
    ASSERT_FALSE(moment) << text;
    EXPECT_EQ(moment.error().slug, "bad_time");
  }
  EXPECT_FALSE(parse_moment(std::string_view("2026-11-21T08:00:00Z\0", 21)));
}

TEST(FormatMoment, IsReadBackToTheSame) {
  EXPECT_EQ(format_moment(WallTime(1795244400250ms)), "2026-11-21T07:00:00.250Z");
  EXPECT_EQ(format_moment(WallTime(0ms)), "1970-01-01T00:00:00.000Z");
  for (std::int64_t t = 0; t < 4'133'980'799'999; t += 86'399'999'983) {
    const WallTime moment{Millis(t)};
    EXPECT_EQ(parse_moment(format_moment(moment)).value(), moment);
  }
}

TEST(ParseDuration, ReadsEachUnit) {
  EXPECT_EQ(parse_duration("250ms").value(), 250ms);
  EXPECT_EQ(parse_duration("90s").value(), 90s);
  EXPECT_EQ(parse_duration("15m").value(), 15min);
  EXPECT_EQ(parse_duration("24h").value(), 24h);
  EXPECT_EQ(parse_duration("30d").value(), 720h);
  EXPECT_EQ(parse_duration("0s").value(), 0ms);
  EXPECT_EQ(parse_duration("-10m", true).value(), -10min);
  EXPECT_EQ(parse_duration("36525d").value(), std::chrono::days(36'525));
}

TEST(ParseDuration, RefusesWhatIsNoDuration) {
  for (const char* text :
       {"", "s", "5", "5 s", " 5s", "5s ", "1.5s", "+5s", "--5s", "5S", "5us", "5w", "1h30m",
        "36526d", "99999999999999999999s", "9223372036854775807d", "-5s", "-"}) {
    const auto duration = parse_duration(text);
    ASSERT_FALSE(duration) << text;
    EXPECT_EQ(duration.error().slug, "bad_duration");
  }
  EXPECT_FALSE(parse_duration("--5s", true));
  EXPECT_FALSE(parse_duration("-36526d", true));
}

TEST(FormatDuration, IsShortestAndReadBack) {
  EXPECT_EQ(format_duration(90s), "90s");
  EXPECT_EQ(format_duration(15min), "15m");
  EXPECT_EQ(format_duration(1500ms), "1500ms");
  EXPECT_EQ(format_duration(24h), "1d");
  EXPECT_EQ(format_duration(0ms), "0s");
  EXPECT_EQ(format_duration(-10min), "-10m");
  for (const Millis d : {Millis(1), Millis(999), Millis(61'000), Millis(86'400'001)})
    EXPECT_EQ(parse_duration(format_duration(d)).value(), d);
}

TEST(ManualClock, MovesOnlyWhenTold) {
  ManualClock clock(WallTime(5ms));
  const MonoTime before = clock.mono();
  EXPECT_EQ(clock.wall(), WallTime(5ms));
  clock.set(WallTime(25ms));
  EXPECT_EQ(clock.wall(), WallTime(25ms));
  EXPECT_EQ(clock.mono() - before, 20ms);
}

TEST(SystemClock, IsRoundedDown) {
  SystemClock clock;
  const auto before = std::chrono::system_clock::now();
  const WallTime read = clock.wall();
  const auto after = std::chrono::system_clock::now();
  EXPECT_GT(read + 1ms, before);
  EXPECT_LE(read, after);
}

}  // namespace
}  // namespace carillon
