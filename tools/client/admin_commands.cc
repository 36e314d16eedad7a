// carillon ready, stats, wheel, forecast, checkpoint, clock advance.

#include <filesystem>
#include <iostream>
#include <memory>

#include <CLI/CLI.hpp>

#include "tools/client/command.h"
#include "tools/client/table.h"

namespace carillon::client {
namespace {

struct AdminOptions {
  std::string bucket = "1m", step = "1m", from, to, dir, by, target, lane;
  bool alive = false;
};

void show(std::string_view body) {
  std::cout << format_fields(body);
}
void show_table(std::string_view body) {
  std::cout << format_table(body, {});
}

void forecast(Context& context, const AdminOptions& o) {
  Query query;
  query.add("bucket", o.bucket).add("from", o.from).add("to", o.to);
  query.add("target", o.target).add("lane", o.lane);
  context.run("GET", "/v1/forecast" + query.text(), {}, show_table);
}

void history(Context& context, const AdminOptions& o) {
  Query query;
  query.add("step", o.step).add("from", o.from).add("to", o.to);
  context.run("GET", "/v1/history" + query.text(), {}, [](std::string_view body) {
    std::cout << format_table(body, {"from", "added", "fired", "delivered", "retrying", "dead",
                                     "pending", "backlog", "lateness_ms"});
  });
}

}  // namespace

void declare_admin_commands(CLI::App& app, Context& context) {
  auto o = std::make_shared<AdminOptions>();

  auto* ready = app.add_subcommand("ready", "Whether the server takes tasks; for health checks");
  ready->add_flag("--alive", o->alive, "Whether the process lives, also while it starts or stops");
  ready->callback(
      [o, &context] { context.run("GET", o->alive ? "/healthz" : "/readyz", {}, show); });

  auto* stats = app.add_subcommand("stats", "Counts, backlog, lateness, storage, memory");
  stats->callback([&context] { context.run("GET", "/v1/stats", {}, show); });

  auto* wheel = app.add_subcommand("wheel", "Levels of the timing wheel and how full they are");
  wheel->callback([&context] { context.run("GET", "/v1/wheel", {}, show_table); });

  auto* forecasts = app.add_subcommand("forecast", "How many tasks are due when");
  forecasts->add_option("--bucket", o->bucket, "Width of a bucket")->capture_default_str();
  forecasts->add_option("--from", o->from, "RFC 3339; without: now");
  forecasts->add_option("--to", o->to, "RFC 3339");
  forecasts->add_option("--target", o->target, "Only tasks of this target");
  forecasts->add_option("--lane", o->lane, "Only tasks of this lane");
  forecasts->callback([o, &context] { forecast(context, *o); });

  auto* past = app.add_subcommand("history", "What came to pass in the last 24 hours");
  past->add_option("--step", o->step, "At least 10s")->capture_default_str();
  past->add_option("--from", o->from, "RFC 3339; without: an hour before the end");
  past->add_option("--to", o->to, "RFC 3339; without: now");
  past->callback([o, &context] { history(context, *o); });

  auto* alarms = app.add_subcommand("alarms", "Alarms that are open, and what to do");
  alarms->callback([&context] { context.run("GET", "/v1/alarms", {}, show_table); });

  auto* checkpoint =
      app.add_subcommand("checkpoint", "Copy the data directory while the server runs");
  checkpoint->add_option("dir", o->dir, "Where to, on the server's machine; must not exist")
      ->required();
  checkpoint->callback([o, &context] {
    // The server has a working directory of its own.
    const std::string dir = std::filesystem::absolute(o->dir).string();
    context.run("POST", "/v1/admin/checkpoint", Body().text("dir", dir).json(), show);
  });

  auto* clock = app.add_subcommand("clock", "The clock of a server with --clock manual");
  clock->require_subcommand(1);
  auto* advance = clock->add_subcommand(
      "advance", "Move it forward; returns once all that became due was handed out");
  advance->add_option("by", o->by, "By how long, such as 30d")->required();
  advance->callback([o, &context] {
    context.run("POST", "/v1/clock:advance", Body().time("by", o->by).json(), show);
  });
}

}  // namespace carillon::client
