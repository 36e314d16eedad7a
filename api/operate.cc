#include <algorithm>

#include "api/api.h"
#include "api/handlers.h"
#include "api/openapi.h"
#include "api/problem.h"
#include "base/json.h"
#include "base/log.h"

namespace carillon {
namespace {

/// The one string or duration of a body that has one field.
Result<> read_only_field(Call& call, std::string_view name,
                         const std::function<Result<>(simdjson::ondemand::value)>& read) {
  bool there = false;
  const std::string_view known[] = {name};
  const auto parsed =
      call.scratch->reader.parse(call.request.body, [&](simdjson::ondemand::value value) {
        return for_each_field(
            value, known, [&](std::string_view, simdjson::ondemand::value inner) -> Result<bool> {
              there = true;
              if (const auto done = read(inner); !done) return done.error();
              return true;
            });
      });
  if (!parsed) return parsed.error();
  if (!there)
    return Error{"missing_field", "`" + std::string(name) + "` is required", std::string(name)};
  return {};
}

void append_counts(JsonWriter& json, const Stats& stats) {
  json.key("counts").begin_object();
  for (std::size_t i = 0; i < stats.counts.size(); ++i)
    json.key(kStateNames[i]).unsigned_integer(stats.counts[i]);
  json.end_object();
  json.key("backlog").unsigned_integer(stats.backlog);
  if (stats.oldest_overdue) json.key("oldest_overdue").duration(*stats.oldest_overdue);
}

void append_lanes(JsonWriter& json, const Stats& stats) {
  json.key("lanes").begin_object();
  for (const LaneView& lane : stats.lanes) {
    json.key(lane.name).begin_object();
    json.key("waiting").unsigned_integer(lane.waiting);
    json.key("backlog").unsigned_integer(lane.backlog);
    json.key("in_flight").unsigned_integer(lane.in_flight);
    append_lateness(json, lane.lateness);
    json.end_object();
  }
  json.end_object();
}

void append_resources(JsonWriter& json, const Stats& stats) {
  json.key("storage").begin_object();
  json.key("last_sequence").unsigned_integer(stats.last_sequence);
  json.key("log_bytes").unsigned_integer(stats.log.log_bytes);
  json.key("disk_bytes").unsigned_integer(stats.log.disk_bytes);
  json.key("free_bytes").unsigned_integer(stats.log.free_bytes);
  json.key("commits").unsigned_integer(stats.log.commits);
  json.end_object();
  json.key("delivery").begin_object();
  json.key("in_flight").unsigned_integer(stats.delivery.in_flight);
  json.key("connections_open").unsigned_integer(stats.delivery.connections_open);
  json.key("connections_made").unsigned_integer(stats.delivery.connections_made);
  json.key("connections_reused").unsigned_integer(stats.delivery.connections_reused);
  json.end_object();
  json.key("memory").begin_object();
  json.key("tasks_bytes").unsigned_integer(stats.memory_tasks_bytes);
  json.key("content_bytes").unsigned_integer(stats.memory_content_bytes);
  json.key("storage_bytes").unsigned_integer(stats.log.memory_bytes);
  json.key("resident_bytes").unsigned_integer(stats.memory_resident_bytes);
  json.end_object();
}

}  // namespace

void append_lateness(JsonWriter& json, const Histogram& lateness) {
  json.key("lateness_ms").begin_object();
  json.key("count").unsigned_integer(lateness.count());
  json.key("p50").real(in_ms(lateness.quantile(0.5)));
  json.key("p99").real(in_ms(lateness.quantile(0.99)));
  json.key("p999").real(in_ms(lateness.quantile(0.999)));
  json.key("max").real(in_ms(lateness.max()));
  json.end_object();
}

void append_silent(JsonWriter& json, const SilentShards& silent) {
  if (silent.empty()) return;
  json.key("silent_shards").begin_array();
  for (const std::uint32_t shard : silent) json.unsigned_integer(shard);
  json.end_array();
}

Result<Millis> read_by(Call& call, bool allow_negative) {
  Millis by{};
  const auto read = read_only_field(call, "by", [&](simdjson::ondemand::value value) -> Result<> {
    const auto duration = json_duration(value, "by", allow_negative);
    if (!duration) return duration.error();
    by = *duration;
    return {};
  });
  if (!read) return read.error();
  return by;
}

Async<Answer<>> get_health(Call& call) {
  call.response.body = R"({"status":"ok"})";
  co_return Answer<>();
}

Async<Answer<>> get_readiness(Call& call) {
  std::string why = call.api.draining() ? "draining" : call.tasks.not_ready_because();
  if (!why.empty()) co_return Error{"not_ready", std::move(why), ""};
  call.response.body = co_await call.tasks.short_of_space()
                           ? R"({"status":"ready","refuses":"no_space"})"
                           : R"({"status":"ready"})";
  co_return Answer<>();
}

Async<Answer<>> get_metrics(Call& call) {
  call.response.content_type = "text/plain; version=0.0.4; charset=utf-8";
  call.response.body = co_await call.api.metrics();
  co_return Answer<>();
}

Async<Answer<>> get_openapi(Call& call) {
  call.response.body = kOpenApi;
  co_return Answer<>();
}

Async<Answer<>> get_sender(Call& call) {
  JsonWriter json(call.response.body);
  json.begin_object().key("role").string(name_of(role_of(call.request))).end_object();
  co_return Answer<>();
}

Async<Answer<>> get_stats(Call& call) {
  const Stats stats = co_await call.tasks.stats();
  JsonWriter json(call.response.body);
  json.begin_object().key("version").string(call.options.version);
  json.key("now").moment(stats.now);
  append_counts(json, stats);
  append_lateness(json, stats.lateness);
  append_lanes(json, stats);
  append_resources(json, stats);
  append_silent(json, stats.silent);
  json.end_object();
  co_return Answer<>();
}

Async<Answer<>> get_wheel(Call& call) {
  const auto levels = co_await call.tasks.wheel();
  if (!levels) co_return levels.error();
  JsonWriter json(call.response.body);
  json.begin_object().key("levels").begin_array();
  for (const WheelLevel& level : *levels) {
    json.begin_object().key("slot_width").duration(level.slot_width);
    json.key("slots").unsigned_integer(level.slots);
    json.key("occupied").unsigned_integer(level.occupied);
    json.key("tasks").unsigned_integer(level.tasks).end_object();
  }
  json.end_array().end_object();
  co_return Answer<>();
}

Async<Answer<>> get_forecast(Call& call) {
  constexpr std::int64_t kBucketsMax = 100'000;
  constexpr Millis kAhead = std::chrono::hours(24);
  const auto bucket = call.query.duration("bucket");
  if (!bucket) co_return bucket.error();
  const auto from = call.query.moment("from");
  if (!from) co_return from.error();
  const auto to = call.query.moment("to");
  if (!to) co_return to.error();
  const Millis width = bucket->value_or(std::chrono::minutes(1));
  if (width < Millis(1)) co_return Error{"bad_parameter", "wanted at least 1ms", "bucket"};
  const WallTime begin = from->value_or(call.tasks.now());
  const WallTime end = to->value_or(begin + kAhead);
  if (end < begin) co_return Error{"bad_parameter", "it must not be before from", "to"};
  if ((end - begin) / width > kBucketsMax)
    co_return Error{"bad_parameter", "that would be over 100000 buckets", "bucket"};

  TaskFilter of;
  if (const auto target = call.query.get("target")) of.target = std::string(*target);
  if (const auto lane = call.query.get("lane")) of.lane = std::string(*lane);
  const auto buckets = co_await call.tasks.forecast(width, begin, end, std::move(of));
  if (!buckets) co_return buckets.error();
  JsonWriter json(call.response.body);
  json.begin_object().key("bucket").duration(width).key("buckets").begin_array();
  for (const ForecastBucket& counted : *buckets) {
    json.begin_object().key("from").moment(counted.from);
    json.key("tasks").unsigned_integer(counted.tasks).end_object();
  }
  json.end_array().end_object();
  co_return Answer<>();
}

namespace {

/// Is not called again before its piece has been sent: a client that does not read costs that one.
Async<Streamed> export_some(std::shared_ptr<Export> its, std::string& out) {
  bool more = false;
  {
    const auto tasks = co_await its->next();
    if (!tasks) {
      log_warning("an export broke off", {{"why", tasks.error().detail}});
      co_return Streamed::broken;
    }
    more = !tasks->empty();
    for (const TaskView& task : *tasks) {
      JsonWriter json(out);
      append_task(json, task, TaskDetail::import, Secrets::shown);
      out += '\n';
    }
  }
  // The connection holds the piece, and once more with its framing.
  its->held.resize(2 * out.capacity());
  co_return more ? Streamed::more : Streamed::last;
}

}  // namespace

Async<Answer<>> export_tasks(Call& call) {
  call.response.content_type = "application/x-ndjson";
  call.response.stream = [its = std::shared_ptr(call.tasks.export_pending())](std::string& out) {
    return export_some(its, out);
  };
  co_return Answer<>();
}

Async<Answer<>> make_checkpoint(Call& call) {
  std::string dir;
  const auto read = read_only_field(call, "dir", [&](simdjson::ondemand::value value) -> Result<> {
    const auto text = json_string(value, "dir");
    if (!text) return text.error();
    dir = *text;
    return {};
  });
  if (!read) co_return read.error();
  if (!dir.starts_with('/'))
    co_return Error{"bad_value", "`dir` must be an absolute path on the server's machine", "dir"};
  const auto made = co_await call.tasks.checkpoint(dir);
  if (!made && made.error().slug == "bad_value") co_return made.error();
  // An administrator may hear what the system said.
  if (!made) co_return Error{"checkpoint_failed", made.error().detail, "dir"};
  JsonWriter json(call.response.body);
  json.begin_object().key("dir").string(dir).end_object();
  co_return Answer<>();
}

Async<Answer<>> advance_clock(Call& call) {
  if (!call.tasks.clock_is_manual())
    co_return Error{"not_found", "the server does not run with --clock manual", ""};
  const auto by = read_by(call, false);
  if (!by) co_return by.error();
  const WallTime now = co_await call.tasks.advance_clock(*by);
  JsonWriter json(call.response.body);
  json.begin_object().key("now").moment(now).end_object();
  co_return Answer<>();
}

}  // namespace carillon
