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

TEST(ParseMoment, TakesATimeOfDayWithoutSeconds) {
  EXPECT_EQ(millis_of("2026-11-21T07:00Z"), 1795244400000);
  EXPECT_EQ(millis_of("2026-11-21T08:00+01:00"), 1795244400000);
}

TEST(MomentOf, TakesMillisecondsAndRefusesSeconds) {
  EXPECT_EQ(moment_of(1795244400250).value(), WallTime(1795244400250ms));
  EXPECT_EQ(moment_of(100'000'000'000).value(), WallTime(100'000'000'000ms));
  for (const std::int64_t seconds : {99'999'999'999L, 1'795'244'400L, 1L, 0L, -1L}) {
    const auto moment = moment_of(seconds);
    ASSERT_FALSE(moment) << seconds;
    EXPECT_EQ(moment.error().slug, "bad_time");
    EXPECT_NE(moment.error().detail.find("looks like seconds"), std::string::npos);
  }
  EXPECT_FALSE(moment_of(4'133'980'800'000));
  EXPECT_FALSE(moment_of(1'795'244'400'250'000));
}

TEST(ParseMomentOrMillis, TakesEither) {
  EXPECT_EQ(parse_moment_or_millis("1795244400250").value(), WallTime(1795244400250ms));
  EXPECT_EQ(parse_moment_or_millis("2026-11-21T07:00:00.250Z").value(), WallTime(1795244400250ms));
  EXPECT_EQ(parse_moment_or_millis("1795244400").error().slug, "bad_time");
  EXPECT_EQ(parse_moment_or_millis("soon").error().slug, "bad_time");
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
                           "2026-11-21T08:00.5Z",
                           "2026-11-21T08:00",
                           "2026-11-21T08:00:Z",
                           "2026-11-21T08Z",
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

TEST(ParseDuration, ReadsSeveralUnitsAndFractions) {
  EXPECT_EQ(parse_duration("1m30s").value(), 90s);
  EXPECT_EQ(parse_duration("1h0m0s").value(), 1h);
  EXPECT_EQ(parse_duration("1.5s").value(), 1500ms);
  EXPECT_EQ(parse_duration("1d2h3m4s5ms").value(), 26h + 3min + 4005ms);
  EXPECT_EQ(parse_duration("2h45m30.25s").value(), 2h + 45min + 30250ms);
  EXPECT_EQ(parse_duration("0.5d").value(), 12h);
  EXPECT_EQ(parse_duration("-1m30s", true).value(), -90s);
}

TEST(ParseDuration, ReadsIso8601) {
  EXPECT_EQ(parse_duration("PT90S").value(), 90s);
  EXPECT_EQ(parse_duration("P1DT2H").value(), 26h);
  EXPECT_EQ(parse_duration("PT1.5S").value(), 1500ms);
  EXPECT_EQ(parse_duration("P2W").value(), 336h);
  EXPECT_EQ(parse_duration("PT1H30M").value(), 90min);
  EXPECT_EQ(parse_duration("PT0S").value(), 0ms);
  EXPECT_EQ(parse_duration("-PT10M", true).value(), -10min);
  EXPECT_EQ(parse_duration("PT-1M-30S", true).value(), -90s);
}

TEST(ParseDuration, RoundsFinerInputUp) {
  EXPECT_EQ(parse_duration("0.0001s").value(), 1ms);
  EXPECT_EQ(parse_duration("0.5ms").value(), 1ms);
  EXPECT_EQ(parse_duration("1.000000000000000000000000000001s").value(), 1001ms);
  EXPECT_EQ(parse_duration("0.3333333333333333s").value(), 334ms);
  EXPECT_EQ(parse_duration("PT0.0015S").value(), 2ms);
  EXPECT_EQ(parse_duration("0.4s0.5ms").value(), 401ms);
  EXPECT_EQ(parse_duration("-1.5ms", true).value(), -1ms);
  EXPECT_EQ(parse_duration("0.000000001d").value(), 1ms);
}

TEST(ParseDuration, RefusesWhatIsNoDuration) {
  for (const char* text : {"",
                           "s",
                           "5",
                           "5 s",
                           " 5s",
                           "5s ",
                           "+5s",
                           "--5s",
                           "5S",
                           "5us",
                           "5w",
                           "1h1h",
                           "30s1m",
                           "1h-30m",
                           "1h30",
                           ".5s",
                           "1.s",
                           "1.5.5s",
                           "1e3s",
                           "36526d",
                           "36525d1ms",
                           "99999999999999999999s",
                           "9223372036854775807d",
                           "-5s",
                           "-",
                           "P",
                           "PT",
                           "P1",
                           "P1H",
                           "P1M",
                           "P1Y",
                           "PT1D",
                           "P1DT",
                           "PT1S1M",
                           "PT1S1S",
                           "1D",
                           "T1S",
                           "pt1s",
                           "P1DT1HT1M",
                           "PT-10M",
                           "P1,5D",
                           "PT1H 1M"}) {
    const auto duration = parse_duration(text);
    ASSERT_FALSE(duration) << text;
    EXPECT_EQ(duration.error().slug, "bad_duration");
  }
  EXPECT_FALSE(parse_duration("--5s", true));
  EXPECT_FALSE(parse_duration("-36526d", true));
}

TEST(ParseDurationOrMillis, TakesEither) {
  EXPECT_EQ(parse_duration_or_millis("1500").value(), 1500ms);
  EXPECT_EQ(parse_duration_or_millis("9e4").value(), 90s);
  EXPECT_EQ(parse_duration_or_millis("1m30s").value(), 90s);
  EXPECT_EQ(parse_duration_or_millis("-5", true).value(), -5ms);
  EXPECT_FALSE(parse_duration_or_millis("-5"));
  EXPECT_FALSE(parse_duration_or_millis("1.5"));
  EXPECT_FALSE(parse_duration_or_millis("3155760000001"));
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

TEST(ManualClock, ItsRealTimeIsTheMachines) {
  ManualClock clock(WallTime(5ms));
  const WallTime before = SystemClock().wall();
  const WallTime real = clock.real();
  EXPECT_GE(real, before);
  EXPECT_LE(real, SystemClock().wall());
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
