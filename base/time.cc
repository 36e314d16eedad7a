#include "base/time.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdint>
#include <iterator>

#include "base/excerpt.h"
#include "base/number.h"
#include "base/text.h"

namespace carillon {
namespace {

using namespace std::chrono_literals;

constexpr WallTime kEarliest{Millis(0)};
constexpr WallTime kPastLatest{std::chrono::sys_days{std::chrono::year{2101} / 1 / 1}};
constexpr Millis kLongest = std::chrono::days(36'525);

struct Unit {
  std::string_view name;
  Millis length;
  /// Units are looked up by their names.
  friend constexpr bool operator==(const Unit& a, const Unit& b) { return a.name == b.name; }
};
// Longest first: the first that divides a duration gives its shortest text.
constexpr std::array<Unit, 5> kUnits = {Unit{"d", 24h}, Unit{"h", 1h}, Unit{"m", 1min},
                                        Unit{"s", 1s}, Unit{"ms", 1ms}};

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

/// "\"tomorrow\" is not a moment; send ..."
Error refusal(std::string_view slug, std::string_view text, std::string_view why) {
  return {std::string(slug), "\"" + excerpt(text) + "\" " + std::string(why), ""};
}

Error bad_time(std::string_view text, std::string_view why) {
  return refusal("bad_time", text, why);
}

Error bad_duration(std::string_view text, std::string_view why) {
  return refusal("bad_duration", text, why);
}

constexpr std::string_view kTooLong = "is longer than 100 years";
constexpr std::string_view kNotADuration =
    "is not a duration; send milliseconds, or text such as 250ms, 90s, 1m30s, 24h, 30d or PT90S";

/// Reads the parts of a duration and adds them up exactly: whole milliseconds, and billionths of
/// one. `ok` turns false at the first thing that is not as expected.
class DurationScanner {
 public:
  explicit DurationScanner(std::string_view text) : rest(text) {}

  std::string_view rest;
  bool ok = true;
  bool too_long = false;

  bool take(char c) {
    if (!rest.starts_with(c)) return false;
    rest.remove_prefix(1);
    return true;
  }

  /// "1h30m0.5s": units in falling order, each at most once.
  void scan_units() {
    std::size_t next = 0;
    do {
      const Part part = scan_part();
      const auto end = std::find_if(rest.begin(), rest.end(), is_digit);
      const std::string_view name = rest.substr(0, static_cast<std::size_t>(end - rest.begin()));
      const auto* unit = std::find(kUnits.begin() + next, kUnits.end(), Unit{name, 0ms});
      if (!ok || unit == kUnits.end()) return fail();
      rest.remove_prefix(name.size());
      next = static_cast<std::size_t>(unit - kUnits.begin()) + 1;
      add(part, unit->length);
    } while (!rest.empty());
  }

  /// What follows "P": "1DT2H", "T1.5S", "2W"; each part may have a sign of its own, as Java writes
  /// it.
  void scan_iso() {
    static constexpr std::array<Unit, 5> kIsoUnits = {
        Unit{"W", 168h}, Unit{"D", 24h}, Unit{"H", 1h}, Unit{"M", 1min}, Unit{"S", 1s}};
    constexpr std::size_t kDateUnits = 2;  // the others stand behind the "T"
    bool time = false;
    std::size_t next = 0;
    do {
      if (!time && take('T')) {
        time = true;
        next = kDateUnits;
      }
      const bool negative = take('-');
      Part part = scan_part();
      part.negative = negative;
      const auto* limit = time ? kIsoUnits.end() : kIsoUnits.begin() + kDateUnits;
      const auto* unit = std::find(kIsoUnits.begin() + next, limit, Unit{rest.substr(0, 1), 0ms});
      if (!ok || unit == limit) return fail();
      rest.remove_prefix(1);
      next = static_cast<std::size_t>(unit - kIsoUnits.begin()) + 1;
      add(part, unit->length);
    } while (!rest.empty());
  }

  /// Rounded up to the millisecond, also where it is negative.
  [[nodiscard]] Millis sum(bool negated) const {
    const std::int64_t billionths = negated ? -billionths_ : billionths_;
    const std::int64_t up = billionths > 0 ? kBillion - 1 : 0;
    return Millis((negated ? -millis_ : millis_) + (billionths + up) / kBillion);
  }

 private:
  static constexpr std::int64_t kBillion = 1'000'000'000;
  struct Part {
    std::int64_t whole = 0;
    std::int64_t billionths = 0;  // of the unit; more digits are rounded up
    bool negative = false;
  };

  void fail() { ok = false; }

  Part scan_part() {
    Part part;
    const char* const end = rest.data() + rest.size();
    const auto [stopped, error] = std::from_chars(rest.data(), end, part.whole);
    if (error == std::errc::result_out_of_range) too_long = true;
    // from_chars would take a sign.
    if (error != std::errc() || !is_digit(rest.front())) {
      fail();
      return part;
    }
    rest.remove_prefix(static_cast<std::size_t>(stopped - rest.data()));
    if (!take('.')) return part;
    if (rest.empty() || !is_digit(rest.front())) fail();
    bool finer = false;
    for (std::int64_t weight = kBillion / 10; !rest.empty() && is_digit(rest.front());
         weight /= 10) {
      part.billionths += weight * (rest.front() - '0');
      finer = finer || (weight == 0 && rest.front() != '0');
      rest.remove_prefix(1);
    }
    part.billionths += finer ? 1 : 0;
    return part;
  }

  void add(const Part& part, Millis unit) {
    if (part.whole > kLongest / unit) {
      too_long = true;
      return;
    }
    const std::int64_t sign = part.negative ? -1 : 1;
    const std::int64_t finer = part.billionths * unit.count();  // at most 10^9 weeks of ms: fits
    millis_ += sign * (part.whole * unit.count() + finer / kBillion);
    billionths_ += sign * (finer % kBillion);
  }

  std::int64_t millis_ = 0;
  std::int64_t billionths_ = 0;
};

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
  const bool has_seconds = in.rest.starts_with(':');
  if (has_seconds) in.any_of(":");
  const int second = has_seconds ? in.digits(2) : 0;
  const Millis fraction = has_seconds ? scan_fraction(in) : 0ms;
  const std::chrono::minutes ahead = scan_offset(in);
  if (!in.ok || !in.rest.empty())
    return bad_time(
        text,
        "is not a moment; send RFC 3339 with an offset, such as 2026-11-21T08:00:00+01:00, or Unix "
        "milliseconds");

  const std::chrono::year_month_day date(year, month, day);
  if (!date.ok() || hour > 23 || minute > 59 || second > 60)
    return bad_time(text, "is not on the calendar or the clock");
  const WallTime whole = std::chrono::sys_days(date) + std::chrono::hours(hour) +
                         std::chrono::minutes(minute) + std::chrono::seconds(second) - ahead;
  // A leap second can only be the last one of a day in UTC.
  if (second == 60 && whole != std::chrono::floor<std::chrono::days>(whole))
    return bad_time(text, "is not at the end of a day, where leap seconds are");
  const WallTime moment = whole + fraction;
  if (moment < kEarliest || moment >= kPastLatest)
    return bad_time(text, "is not in the years 1970 to 2100");
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

Result<WallTime> moment_of(std::int64_t unix_millis) {
  constexpr std::int64_t kLeast = 100'000'000'000;
  if (unix_millis >= kLeast && unix_millis < kPastLatest.time_since_epoch().count())
    return WallTime(Millis(unix_millis));
  const std::string shown = std::to_string(unix_millis);
  if (unix_millis < kLeast)
    return Error{"bad_time", shown + " looks like seconds; send Unix milliseconds", ""};
  return Error{"bad_time", shown + " is after the year 2100; send Unix milliseconds", ""};
}

Result<WallTime> parse_moment_or_millis(std::string_view text) {
  const auto number = whole_number(text);
  return number ? moment_of(*number) : parse_moment(text);
}

Result<Millis> parse_duration(std::string_view text, bool allow_negative) {
  DurationScanner in(text);
  const bool negated = in.take('-');
  if (in.take('P')) {
    in.scan_iso();
  } else {
    in.scan_units();
  }
  if (in.too_long) return bad_duration(text, kTooLong);
  if (!in.ok) return bad_duration(text, kNotADuration);
  const Millis sum = in.sum(negated);
  if (sum > kLongest || sum < -kLongest) return bad_duration(text, kTooLong);
  if (sum < 0ms && !allow_negative) return bad_duration(text, "must not be negative");
  return sum;
}

Result<Millis> duration_of(std::int64_t millis, bool allow_negative) {
  const std::string shown = std::to_string(millis);
  if (millis > kLongest.count() || millis < -kLongest.count())
    return Error{"bad_duration", shown + " ms " + std::string(kTooLong), ""};
  if (millis < 0 && !allow_negative)
    return Error{"bad_duration", shown + " ms must not be negative", ""};
  return Millis(millis);
}

Result<Millis> parse_duration_or_millis(std::string_view text, bool allow_negative) {
  const auto number = whole_number(text);
  return number ? duration_of(*number, allow_negative) : parse_duration(text, allow_negative);
}

std::string format_duration(Millis duration) {
  if (duration == 0ms) return "0s";
  const auto* unit =
      std::ranges::find_if(kUnits, [&](const Unit& u) { return duration % u.length == 0ms; });
  return std::to_string(duration / unit->length) + std::string(unit->name);
}

}  // namespace carillon
