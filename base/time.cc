#include "base/time.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdint>
#include <iterator>

namespace carillon {
namespace {

using namespace std::chrono_literals;

constexpr WallTime kEarliest{Millis(0)};
constexpr WallTime kPastLatest{std::chrono::sys_days{std::chrono::year{2101} / 1 / 1}};
constexpr Millis kLongest = std::chrono::days(36'525);

struct Unit {
  std::string_view name;
  Millis length;
};
// Longest first: the first that divides a duration gives its shortest text.
constexpr std::array<Unit, 5> kUnits = {Unit{"d", 24h}, Unit{"h", 1h}, Unit{"m", 1min},
                                        Unit{"s", 1s}, Unit{"ms", 1ms}};

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

/// Reads a text from the left; `ok` turns false at the first thing that is not as expected.
struct Scanner {
  std::string_view rest;
  bool ok = true;

  int digits(int count) {
    int number = 0;
    for (int i = 0; i < count; ++i) {
      if (rest.empty() || !is_digit(rest.front())) {
        ok = false;
        return 0;
      }
      number = number * 10 + (rest.front() - '0');
      rest.remove_prefix(1);
    }
    return number;
  }
  char any_of(std::string_view wanted) {
    if (rest.empty() || wanted.find(rest.front()) == std::string_view::npos) {
      ok = false;
      return '\0';
    }
    const char c = rest.front();
    rest.remove_prefix(1);
    return c;
  }
};

/// ".25" as 250 ms, rounded up; nothing where no "." follows.
Millis scan_fraction(Scanner& in) {
  if (in.rest.empty() || in.rest.front() != '.') return 0ms;
  in.rest.remove_prefix(1);
  const auto end = std::find_if_not(in.rest.begin(), in.rest.end(), is_digit);
  const std::string_view digits =
      in.rest.substr(0, static_cast<std::size_t>(end - in.rest.begin()));
  if (digits.empty()) in.ok = false;
  in.rest.remove_prefix(digits.size());
  int millis = 0;
  for (std::size_t i = 0; i < 3; ++i)
    millis = millis * 10 + (i < digits.size() ? digits[i] - '0' : 0);
  const bool finer = digits.find_first_not_of('0', 3) != std::string_view::npos;
  return Millis(millis + (finer ? 1 : 0));
}

/// "Z" or "+01:00": how far local time is ahead of UTC.
std::chrono::minutes scan_offset(Scanner& in) {
  const char sign = in.any_of("Zz+-");
  if (sign != '+' && sign != '-') return 0min;
  const int hours = in.digits(2);
  in.any_of(":");
  const int minutes = in.digits(2);
  if (hours > 23 || minutes > 59) in.ok = false;
  const std::chrono::minutes ahead = std::chrono::hours(hours) + std::chrono::minutes(minutes);
  return sign == '+' ? ahead : -ahead;
}

Error bad_time(std::string_view text, std::string_view why) {
  return {"bad_time",
          "\"" + std::string(text.substr(0, 64)) + "\" is no moment: " + std::string(why), ""};
}

/// Writes the last `width` decimal digits of `number` from `at` on.
void write_digits(char* at, unsigned number, int width) {
  for (int i = width - 1; i >= 0; --i, number /= 10) at[i] = static_cast<char>('0' + number % 10);
}

}  // namespace

WallTime SystemClock::wall() {
  return std::chrono::floor<Millis>(std::chrono::system_clock::now());
}

std::chrono::sys_time<std::chrono::microseconds> SystemClock::wall_micros() {
  return std::chrono::floor<std::chrono::microseconds>(std::chrono::system_clock::now());
}

MonoTime SystemClock::mono() {
  return std::chrono::steady_clock::now();
}

Result<WallTime> parse_moment(std::string_view text) {
  Scanner in{text};
  const std::chrono::year year(in.digits(4));
  in.any_of("-");
  const std::chrono::month month(static_cast<unsigned>(in.digits(2)));
  in.any_of("-");
  const std::chrono::day day(static_cast<unsigned>(in.digits(2)));
  in.any_of("Tt");
  const int hour = in.digits(2);
  in.any_of(":");
  const int minute = in.digits(2);
  in.any_of(":");
  const int second = in.digits(2);
  const Millis fraction = scan_fraction(in);
  const std::chrono::minutes ahead = scan_offset(in);
  if (!in.ok || !in.rest.empty())
    return bad_time(text, "wanted RFC 3339 such as 2026-11-21T08:00:00+01:00 or Unix milliseconds");

  const std::chrono::year_month_day date(year, month, day);
  if (!date.ok() || hour > 23 || minute > 59 || second > 60)
    return bad_time(text, "there is no such date or time of day");
  const WallTime whole = std::chrono::sys_days(date) + std::chrono::hours(hour) +
                         std::chrono::minutes(minute) + std::chrono::seconds(second) - ahead;
  // A leap second can only be the last one of a day in UTC.
  if (second == 60 && whole != std::chrono::floor<std::chrono::days>(whole))
    return bad_time(text, "there is no leap second there");
  const WallTime moment = whole + fraction;
  if (moment < kEarliest || moment >= kPastLatest)
    return bad_time(text, "it must lie in the years 1970 to 2100");
  return moment;
}

std::string format_moment(WallTime moment) {
  std::string out;
  append_moment(out, moment);
  return out;
}

void append_moment(std::string& out, WallTime moment) {
  const auto day = std::chrono::floor<std::chrono::days>(moment);
  const std::chrono::year_month_day date(day);
  const std::chrono::hh_mm_ss time(moment - day);
  constexpr std::string_view shape = "0000-00-00T00:00:00.000Z";
  std::array<char, 24> text;
  std::ranges::copy(shape, text.begin());
  write_digits(&text[0], static_cast<unsigned>(static_cast<int>(date.year())), 4);
  write_digits(&text[5], static_cast<unsigned>(date.month()), 2);
  write_digits(&text[8], static_cast<unsigned>(date.day()), 2);
  write_digits(&text[11], static_cast<unsigned>(time.hours().count()), 2);
  write_digits(&text[14], static_cast<unsigned>(time.minutes().count()), 2);
  write_digits(&text[17], static_cast<unsigned>(time.seconds().count()), 2);
  write_digits(&text[20], static_cast<unsigned>(time.subseconds().count()), 3);
  out.append(text.data(), text.size());
}

Result<Millis> parse_duration(std::string_view text, bool allow_negative) {
  const auto bad = [&](std::string_view why) {
    return Error{"bad_duration",
                 "\"" + std::string(text.substr(0, 64)) + "\" is no duration: " + std::string(why),
                 ""};
  };
  std::string_view rest = text;
  const bool negative = rest.starts_with('-');
  if (negative) rest.remove_prefix(1);
  std::int64_t number = 0;
  const auto [end, ec] = std::from_chars(rest.data(), rest.data() + rest.size(), number);
  if (ec == std::errc::result_out_of_range) return bad("at most 100 years");
  // from_chars would take a second sign.
  if (ec != std::errc() || !is_digit(rest.front()))
    return bad("wanted a whole number and a unit, such as 250ms, 90s, 15m, 24h or 30d");
  rest.remove_prefix(static_cast<std::size_t>(end - rest.data()));

  const auto* unit = std::ranges::find(kUnits, rest, &Unit::name);
  if (unit == kUnits.end()) return bad("the unit is one of ms, s, m, h, d");
  if (number > kLongest / unit->length) return bad("at most 100 years");
  if (negative && !allow_negative) return bad("it must not be negative here");
  return unit->length * (negative ? -number : number);
}

std::string format_duration(Millis duration) {
  if (duration == 0ms) return "0s";
  const auto* unit =
      std::ranges::find_if(kUnits, [&](const Unit& u) { return duration % u.length == 0ms; });
  return std::to_string(duration / unit->length) + std::string(unit->name);
}

}  // namespace carillon
