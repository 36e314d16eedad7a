// carillon target list, show, put, delete, pause, resume.

#include <iostream>
#include <memory>

#include <CLI/CLI.hpp>

#include "tools/client/command.h"
#include "tools/client/table.h"

namespace carillon::client {
namespace {

struct TargetOptions {
  std::string name, file, url, method, timeout, backoff_min, backoff_max;
  std::string concurrency, max_attempts;  // digits, checked by CLI11
  bool force = false;

  [[nodiscard]] std::string path() const { return "/v1/targets/" + percent_encoded(name); }
};

void show(std::string_view body) {
  std::cout << format_fields(body);
}

void put(Context& context, const TargetOptions& o) {
  if (o.file.empty() == o.url.empty()) return context.fail({"usage", "give --url or --file", ""});
  std::string settings;
  if (!o.file.empty()) {
    if (auto read = read_file(o.file, settings); !read) return context.fail(read.error());
  } else {
    Body retry;
    retry.raw("max_attempts", o.max_attempts);
    retry.text("backoff_min", o.backoff_min).text("backoff_max", o.backoff_max);
    Body body;
    body.text("url", o.url).text("method", o.method).text("timeout", o.timeout);
    body.raw("concurrency", o.concurrency);
    if (!retry.empty()) body.raw("retry", retry.json());
    settings = body.json();
  }
  context.run("PUT", o.path(), settings, show);
}

}  // namespace

void declare_target_commands(CLI::App& app, Context& context) {
  auto o = std::make_shared<TargetOptions>();
  auto* target = app.add_subcommand("target", "Where due tasks are pushed");
  target->require_subcommand(1);

  auto* listed = target->add_subcommand("list", "List targets");
  listed->callback([&context] {
    context.run("GET", "/v1/targets", {}, [](std::string_view body) {
      std::cout << format_table(body, {"name", "url", "concurrency", "paused", "waiting"});
    });
  });
  auto* shown = target->add_subcommand("show", "Show one");
  shown->callback([o, &context] { context.run("GET", o->path(), {}, show); });
  auto* made = target->add_subcommand("put", "Make or replace one");
  made->add_option("--url", o->url, "http(s) URL that is pushed to");
  made->add_option("--file", o->file, "Its whole settings as JSON; - for standard input");
  made->add_option("--method", o->method, "HTTP method of the push");
  made->add_option("--timeout", o->timeout, "Of a whole push, such as 15s");
  made->add_option("--concurrency", o->concurrency, "Pushes under way at once")
      ->check(CLI::Range(1, 10'000));
  made->add_option("--max-attempts", o->max_attempts, "Pushes in all before it is a dead letter")
      ->check(CLI::Range(1, 1000));
  made->add_option("--backoff-min", o->backoff_min, "Pause before the second attempt");
  made->add_option("--backoff-max", o->backoff_max, "Longest pause");
  made->callback([o, &context] { put(context, *o); });
  auto* deleted = target->add_subcommand("delete", "Delete one");
  deleted->add_flag("--force", o->force, "Even if tasks name it; they become dead letters");
  deleted->callback(
      [o, &context] { context.run("DELETE", o->path() + (o->force ? "?force" : ""), {}, show); });
  auto* paused = target->add_subcommand("pause", "Push nothing to it until it is resumed");
  paused->callback([o, &context] { context.run("POST", o->path() + ":pause", {}, show); });
  auto* resumed = target->add_subcommand("resume", "Push to it again");
  resumed->callback([o, &context] { context.run("POST", o->path() + ":resume", {}, show); });

  for (CLI::App* command : {shown, made, deleted, paused, resumed}) {
    command->add_option("name", o->name, "Name")->required();
  }
}

}  // namespace carillon::client
