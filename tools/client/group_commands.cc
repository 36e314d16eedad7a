// carillon group show, cancel, shift.

#include <iostream>
#include <memory>

#include <CLI/CLI.hpp>

#include "tools/client/command.h"
#include "tools/client/table.h"

namespace carillon::client {

void declare_group_commands(CLI::App& app, Context& context) {
  struct Options {
    std::string group, by, operation;
    [[nodiscard]] std::string path() const { return "/v1/groups/" + percent_encoded(group); }
  };
  auto o = std::make_shared<Options>();
  const auto show = [](std::string_view body) { std::cout << format_fields(body); };
  auto* group = app.add_subcommand("group", "Tasks that belong together");
  group->require_subcommand(1);

  auto* shown = group->add_subcommand("show", "Count a group's tasks by state");
  shown->callback([o, show, &context] { context.run("GET", o->path(), {}, show); });
  auto* cancelled = group->add_subcommand("cancel", "Cancel every waiting task of a group");
  cancelled->callback([o, show, &context] {
    const Body body = Body().text("operation", o->operation);
    context.run("POST", o->path() + ":cancel", body.empty() ? "" : body.json(), show);
  });
  auto* shifted = group->add_subcommand("shift", "Move every waiting task of a group");
  shifted->add_option("--by", o->by, "By how long; may be negative, as --by=-10m")->required();
  shifted->callback([o, show, &context] {
    context.run("POST", o->path() + ":shift",
                Body().time("by", o->by).text("operation", o->operation).json(), show);
  });
  for (CLI::App* command : {cancelled, shifted}) {
    command->add_option("--operation", o->operation, kOperationHelp);
  }
  for (CLI::App* command : {shown, cancelled, shifted}) {
    command->add_option("group", o->group, "Group")->required();
  }
}

}  // namespace carillon::client
