// carillon dead list, show, redrive, delete, purge.

#include <iostream>
#include <memory>

#include <CLI/CLI.hpp>

#include "tools/client/command.h"
#include "tools/client/table.h"

namespace carillon::client {
namespace {

struct DeadOptions {
  std::string id, target, group, cursor, operation;
  std::size_t limit = 100;
  bool all = false;

  [[nodiscard]] std::string path() const { return "/v1/dead/" + percent_encoded(id); }
  [[nodiscard]] std::string filter() const {
    return Body().text("target", target).text("group", group).text("operation", operation).json();
  }
  [[nodiscard]] bool unfiltered() const { return target.empty() && group.empty(); }
};

void show(std::string_view body) {
  std::cout << format_fields(body);
}

void list(Context& context, const DeadOptions& o) {
  Query query;
  query.add("target", o.target).add("group", o.group);
  query.add("limit", std::to_string(o.limit)).add("cursor", o.cursor);
  context.run("GET", "/v1/dead" + query.text(), {}, [](std::string_view body) {
    std::cout << format_table(body, {"id", "due_at", "target", "group", "attempt", "last_error"});
    const std::string next = member(body, "next_cursor");
    if (!next.empty() && next != "-") std::cout << "more: --cursor " << next << '\n';
  });
}

void redrive(Context& context, const DeadOptions& o) {
  if (!o.id.empty()) {
    const Body body = Body().text("operation", o.operation);
    return context.run("POST", o.path() + ":redrive", body.empty() ? "" : body.json(), show);
  }
  if (o.unfiltered() && !o.all) {
    return context.fail({"usage", "give an id, --target, --group, or --all", ""});
  }
  context.run("POST", "/v1/dead:redrive", o.filter(), show);
}

void purge(Context& context, const DeadOptions& o) {
  if (o.unfiltered() && !o.all) {
    return context.fail({"usage", "give --target, --group, or --all", ""});
  }
  context.run("POST", "/v1/dead:purge", o.filter(), show);
}

}  // namespace

void declare_dead_commands(CLI::App& app, Context& context) {
  auto o = std::make_shared<DeadOptions>();
  auto* dead = app.add_subcommand("dead", "Dead letters: tasks that were given up");
  dead->require_subcommand(1);

  auto* listed = dead->add_subcommand("list", "List dead letters");
  listed->add_option("--limit", o->limit, "Tasks per page, at most 1000")->capture_default_str();
  listed->add_option("--cursor", o->cursor, "What the page before printed after \"more:\"");
  listed->callback([o, &context] { list(context, *o); });

  auto* shown = dead->add_subcommand("show", "Show one");
  shown->callback([o, &context] { context.run("GET", o->path(), {}, show); });
  auto* redriven = dead->add_subcommand("redrive", "Push again: one, or all that match");
  redriven->callback([o, &context] { redrive(context, *o); });
  auto* deleted = dead->add_subcommand("delete", "Delete one");
  deleted->callback([o, &context] { context.run("DELETE", o->path(), {}, show); });
  auto* purged = dead->add_subcommand("purge", "Delete all that match");
  purged->callback([o, &context] { purge(context, *o); });

  for (CLI::App* command : {shown, deleted}) {
    command->add_option("id", o->id, "Id")->required();
  }
  redriven->add_option("id", o->id, "Id");
  redriven->add_option("--operation", o->operation, kOperationHelp);
  for (CLI::App* command : {listed, redriven, purged}) {
    command->add_option("--target", o->target, "Only of this target");
    command->add_option("--group", o->group, "Only of this group");
  }
  for (CLI::App* command : {redriven, purged}) {
    command->add_flag("--all", o->all, "All dead letters");
  }
}

}  // namespace carillon::client
