#include "tools/client/overview.h"

#include <algorithm>
#include <cstdint>
#include <string_view>

#include <fmt/format.h>
#include <simdjson.h>

#include "base/text.h"
#include "tools/client/terminal.h"

namespace carillon::client {
namespace {

namespace dom = simdjson::dom;
using Look = ScreenLine::Look;
using Found = simdjson::simdjson_result<dom::element>;

constexpr double kHistoryStepSeconds = 10;
constexpr std::size_t kNameColumns = 24;

double number(const Found& value) {
  double number = 0;
  return value.get(number) == simdjson::SUCCESS ? number : 0;
}

std::string text(const Found& value) {
  std::string_view text;
  return value.get(text) == simdjson::SUCCESS ? printable(text) : std::string();
}

std::string whole(double value) {
  return grouped(static_cast<std::uint64_t>(value));
}

std::string per_second(const Found& count) {
  return fmt::format("{:.1f}", number(count) / kHistoryStepSeconds);
}

std::string millis(const Found& value) {
  return fmt::format("{:.1f} ms", number(value));
}

bool continues_character(char byte) {
  return (static_cast<unsigned char>(byte) & 0xc0U) == 0x80;
}

/// At most so many characters.
std::string cut(std::string_view text, std::size_t columns) {
  std::size_t end = 0;
  for (std::size_t count = 0; end < text.size(); ++end) {
    if (!continues_character(text[end]) && count++ == columns) break;
  }
  return std::string(text.substr(0, end));
}

/// So many characters, exactly.
std::string fit(std::string_view text, std::size_t columns) {
  std::string fitted = cut(text, columns);
  const auto continuing = std::ranges::count_if(fitted, continues_character);
  const std::size_t width = fitted.size() - static_cast<std::size_t>(continuing);
  return fitted.append(columns - width, ' ');
}

void append_head(dom::element stats, std::vector<ScreenLine>& lines) {
  lines.push_back(
      {fmt::format("carillon {}   {}", text(stats["version"]), text(stats["now"])), Look::strong});
  const Found counts = stats["counts"];
  const double pending =
      number(counts["scheduled"]) + number(counts["firing"]) + number(counts["retrying"]);
  std::string line =
      fmt::format("pending {}   backlog {}", whole(pending), whole(number(stats["backlog"])));
  const std::string oldest = text(stats["oldest_overdue"]);
  if (!oldest.empty()) line += fmt::format(" (oldest {})", oldest);
  line += fmt::format("   in flight {}   retrying {}   dead {}",
                      whole(number(stats["delivery"]["in_flight"])),
                      whole(number(counts["retrying"])), whole(number(counts["dead"])));
  lines.push_back({std::move(line)});
}

/// Of the last ten seconds that the server has put together.
void append_rates(dom::element history, std::vector<ScreenLine>& lines) {
  dom::array points;
  dom::element last;
  if (history["points"].get(points) != simdjson::SUCCESS || points.size() == 0 ||
      points.at(points.size() - 1).get(last) != simdjson::SUCCESS) {
    lines.push_back({"rates and lateness are known ten seconds after the start"});
    return;
  }
  lines.push_back({fmt::format(
      "per second   added {}   fired {}   delivered {}   retrying {}   "
      "dead {}   cancelled {}",
      per_second(last["added"]), per_second(last["fired"]), per_second(last["delivered"]),
      per_second(last["retrying"]), per_second(last["dead"]), per_second(last["cancelled"]))});
  const Found late = last["lateness_ms"];
  lines.push_back(
      {fmt::format("lateness     p50 {}   p99 {}   p99.9 {}   commit p99 {}", millis(late["p50"]),
                   millis(late["p99"]), millis(late["p999"]), millis(last["commit_ms"]["p99"]))});
}

void append_alarms(dom::element alarms, std::vector<ScreenLine>& lines) {
  dom::array open;
  if (alarms["alarms"].get(open) != simdjson::SUCCESS) return;
  for (const dom::element alarm : open) {
    std::string line = "ALARM " + text(alarm["alarm"]);
    const std::string of = text(alarm["of"]);
    if (!of.empty()) line += " " + of;
    lines.push_back({line + ": " + text(alarm["detail"]), Look::warning});
  }
}

constexpr std::string_view kColumns = "{} {:>12} {:>10} {:>12} {}";

void append_lanes(dom::element stats, std::vector<ScreenLine>& lines) {
  dom::object lanes;
  if (stats["lanes"].get(lanes) != simdjson::SUCCESS) return;
  lines.push_back({});
  lines.push_back({fmt::format(kColumns, fit("LANE", kNameColumns), "BACKLOG", "IN FLIGHT",
                               "UNFINISHED", "P99 SINCE START"),
                   Look::strong});
  for (const auto lane : lanes) {
    const dom::element its = lane.value;
    lines.push_back(
        {fmt::format(kColumns, fit(printable(lane.key), kNameColumns),
                     whole(number(its["backlog"])), whole(number(its["in_flight"])),
                     whole(number(its["waiting"])), millis(its["lateness_ms"]["p99"]))});
  }
}

std::string state_of(dom::element target) {
  bool paused = false;
  if (target["paused"].get(paused) == simdjson::SUCCESS && paused) return "paused";
  const Found held = target["held"];
  if (held.error() != simdjson::SUCCESS) return "fine";
  return fmt::format("held until {}: {}", text(held["until"]), text(held["reason"]));
}

void append_targets(dom::element answer, std::vector<ScreenLine>& lines) {
  dom::array array;
  if (answer["targets"].get(array) != simdjson::SUCCESS || array.size() == 0) return;
  std::vector<dom::element> targets(array.begin(), array.end());
  std::ranges::stable_sort(targets, std::ranges::greater(), [](dom::element target) {
    return std::pair(number(target["backlog"]), number(target["in_flight"]));
  });
  lines.push_back({});
  lines.push_back({fmt::format(kColumns, fit("TARGET", kNameColumns), "BACKLOG", "IN FLIGHT",
                               "UNFINISHED", "STATE"),
                   Look::strong});
  for (const dom::element target : targets) {
    const std::string state = state_of(target);
    lines.push_back(
        {fmt::format(kColumns, fit(text(target["name"]), kNameColumns),
                     whole(number(target["backlog"])), whole(number(target["in_flight"])),
                     whole(number(target["waiting"])), state),
         state == "fine" ? Look::plain : Look::warning});
  }
}

}  // namespace

std::vector<ScreenLine> overview(const Seen& seen, ScreenSize size) {
  dom::parser stats_parser, history_parser, alarms_parser, targets_parser;
  const auto parsed = [](dom::parser& parser, const std::string& body) {
    dom::element root;
    if (parser.parse(body).get(root) != simdjson::SUCCESS) root = parser.parse("{}", 2).value();
    return root;
  };
  const dom::element stats = parsed(stats_parser, seen.stats);
  std::vector<ScreenLine> lines;
  append_head(stats, lines);
  append_rates(parsed(history_parser, seen.history), lines);
  append_alarms(parsed(alarms_parser, seen.alarms), lines);
  append_lanes(stats, lines);
  append_targets(parsed(targets_parser, seen.targets), lines);
  if (size.rows != 0 && lines.size() > size.rows) lines.resize(size.rows);
  for (ScreenLine& line : lines) {
    if (size.columns != 0) line.text = cut(line.text, size.columns);
  }
  return lines;
}

}  // namespace carillon::client
