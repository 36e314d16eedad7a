#include "tools/load/report.h"

#include <array>
#include <utility>

#include <fmt/format.h>

#include "base/json.h"
#include "base/text.h"

namespace carillon::load {
namespace {

constexpr std::array<std::pair<std::string_view, double>, 4> kQuantiles = {
    {{"p50", 0.5}, {"p90", 0.9}, {"p99", 0.99}, {"p99.9", 0.999}}};

/// The points of the distribution's curve that JSON gives besides.
constexpr std::array kCurve = {0.001, 0.01,  0.02,  0.05,  0.1,    0.15,   0.2,    0.25,    0.3,
                               0.35,  0.4,   0.45,  0.5,   0.55,   0.6,    0.65,   0.7,     0.75,
                               0.8,   0.85,  0.9,   0.925, 0.95,   0.96,   0.97,   0.98,    0.985,
                               0.99,  0.995, 0.998, 0.999, 0.9995, 0.9998, 0.9999, 0.99999, 1.0};

void append_quantiles(std::string& out, std::string_view name, const Histogram& histogram) {
  out += fmt::format("{:<10}", name);
  for (const auto& [label, fraction] : kQuantiles) {
    out += fmt::format(" {} {:<9}", label, format_micros(histogram.quantile(fraction)));
  }
  out += fmt::format(" max {}\n", format_micros(histogram.max()));
}

void append_quantiles(JsonWriter& json, std::string_view name, const Histogram& histogram) {
  json.key(name).begin_object();
  json.key("count").unsigned_integer(histogram.count());
  json.key("mean").real(histogram.mean_micros());
  for (const auto& [label, fraction] : kQuantiles) {
    json.key(label).integer(histogram.quantile(fraction).count());
  }
  json.key("max").integer(histogram.max().count());
  json.key("cdf").begin_array();
  for (const double fraction : kCurve) {
    json.begin_array().real(fraction).integer(histogram.quantile(fraction).count()).end_array();
  }
  json.end_array().end_object();
}

double seconds_of(const ReceiverSummary& summary) {
  return std::chrono::duration<double>(summary.last - summary.first).count();
}

double per_second(std::uint64_t number, double seconds) {
  return seconds > 0 ? static_cast<double>(number) / seconds : 0;
}

void append_load(std::string& out, const LoadResult& result) {
  out += fmt::format("requests   {} in {:.2f} s = {:.0f}/s\n", grouped(result.requests),
                     result.seconds, per_second(result.requests, result.seconds));
  out += fmt::format("tasks      {} = {:.0f}/s, {} refused, {} unanswered\n", grouped(result.tasks),
                     per_second(result.tasks, result.seconds), grouped(result.refused),
                     grouped(result.broken));
  if (result.abandoned > 0) out += fmt::format("abandoned  {}\n", grouped(result.abandoned));
  out += "statuses  ";
  for (const auto& [status, count] : result.statuses) {
    out += fmt::format(" {}: {}", status, grouped(count));
  }
  out += '\n';
  append_quantiles(out, "latency", result.time);
}

void append_receiver(std::string& out, const ReceiverSummary& summary) {
  out +=
      fmt::format("received   {} in {:.2f} s = {:.0f}/s over {} connections\n",
                  grouped(summary.received), seconds_of(summary),
                  per_second(summary.received, seconds_of(summary)), grouped(summary.connections));
  out += fmt::format("accepted   {}, {} early, {} duplicates, {} no pushes\n",
                     grouped(summary.accepted), grouped(summary.early), grouped(summary.duplicates),
                     grouped(summary.bad));
  append_quantiles(out, "lateness", summary.lateness);
}

void append_load(JsonWriter& json, const LoadResult& result) {
  json.key("requests").unsigned_integer(result.requests);
  json.key("tasks").unsigned_integer(result.tasks);
  json.key("refused").unsigned_integer(result.refused);
  json.key("unanswered").unsigned_integer(result.broken);
  json.key("abandoned").unsigned_integer(result.abandoned);
  json.key("number_sum").unsigned_integer(result.number_sum);
  json.key("seconds").real(result.seconds);
  json.key("requests_per_second").real(per_second(result.requests, result.seconds));
  json.key("tasks_per_second").real(per_second(result.tasks, result.seconds));
  json.key("statuses").begin_object();
  for (const auto& [status, count] : result.statuses) {
    json.key(std::to_string(status)).unsigned_integer(count);
  }
  json.end_object();
  append_quantiles(json, "latency_us", result.time);
}

void append_receiver(JsonWriter& json, const ReceiverSummary& summary) {
  json.key("received").unsigned_integer(summary.received);
  json.key("accepted").unsigned_integer(summary.accepted);
  json.key("early").unsigned_integer(summary.early);
  json.key("duplicates").unsigned_integer(summary.duplicates);
  json.key("no_pushes").unsigned_integer(summary.bad);
  json.key("number_sum").unsigned_integer(summary.number_sum);
  json.key("connections").unsigned_integer(summary.connections);
  json.key("first_at_us").integer(summary.first.time_since_epoch().count());
  json.key("last_at_us").integer(summary.last.time_since_epoch().count());
  json.key("seconds_first_to_last").real(seconds_of(summary));
  json.key("received_per_second").real(per_second(summary.received, seconds_of(summary)));
  append_quantiles(json, "lateness_us", summary.lateness);
}

}  // namespace

std::string format_micros(Histogram::Micros value) {
  const auto micros = static_cast<double>(value.count());
  if (micros < 1000) return fmt::format("{} us", value.count());
  if (micros < 1e6) return fmt::format("{:.2f} ms", micros / 1e3);
  return fmt::format("{:.2f} s", micros / 1e6);
}

std::string format_load(std::string_view command, const LoadResult& result,
                        const ReceiverSummary* receiver, Format format) {
  std::string out;
  if (format == Format::human) {
    append_load(out, result);
    if (receiver != nullptr) append_receiver(out, *receiver);
    return out;
  }
  JsonWriter json(out);
  json.begin_object().key("command").string(command);
  append_load(json, result);
  if (receiver != nullptr) {
    json.key("receiver").begin_object();
    append_receiver(json, *receiver);
    json.end_object();
  }
  json.end_object();
  return out + '\n';
}

std::string format_receiver(const ReceiverSummary& summary, Format format) {
  std::string out;
  if (format == Format::human) {
    append_receiver(out, summary);
    return out;
  }
  JsonWriter json(out);
  json.begin_object().key("command").string("receive");
  append_receiver(json, summary);
  json.end_object();
  return out + '\n';
}

std::string format_burst(const BurstResult& burst, Format format) {
  const auto last = std::max(burst.receiver.last - burst.due, Histogram::Micros(0));
  std::string out;
  if (format == Format::human) {
    append_load(out, burst.adds);
    append_receiver(out, burst.receiver);
    out += fmt::format("burst      {} of {} tasks due at {} received, the last {} after it\n",
                       grouped(burst.receiver.accepted), grouped(burst.expected),
                       format_moment(burst.due), format_micros(last));
    return out;
  }
  JsonWriter json(out);
  json.begin_object().key("command").string("burst");
  json.key("expected").unsigned_integer(burst.expected);
  json.key("due_at").moment(burst.due);
  json.key("last_after_due_us").integer(last.count());
  json.key("adds").begin_object();
  append_load(json, burst.adds);
  json.end_object().key("receiver").begin_object();
  append_receiver(json, burst.receiver);
  json.end_object().end_object();
  return out + '\n';
}

}  // namespace carillon::load
