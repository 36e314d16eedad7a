// carillon lane list, show, put, delete.

#include <iostream>
#include <memory>

#include <CLI/CLI.hpp>

#include "tools/client/command.h"
#include "tools/client/table.h"

namespace carillon::client {

void declare_lane_commands(CLI::App& app, Context& context) {
  struct Options {
    std::string name, weight, reserved;  // numbers, checked by CLI11
    [[nodiscard]] std::string path() const { return "/v1/lanes/" + percent_encoded(name); }
  };
  auto o = std::make_shared<Options>();
  const auto show = [](std::string_view body) { std::cout << format_fields(body); };
  auto* lane = app.add_subcommand("lane", "Classes of importance, which share slots for pushes");
  lane->require_subcommand(1);

  auto* listed = lane->add_subcommand("list", "List lanes");
  listed->callback([&context] {
    context.run("GET", "/v1/lanes", {}, [](std::string_view body) {
      std::cout << format_table(body,
                                {"name", "weight", "reserved", "waiting", "backlog", "in_flight"});
    });
  });
  auto* shown = lane->add_subcommand("show", "Show one");
  shown->callback([o, show, &context] { context.run("GET", o->path(), {}, show); });
  auto* made = lane->add_subcommand("put", "Make one, or set one anew");
  made->add_option("--weight", o->weight, "Its part of what is not reserved, beside others' (1)")
      ->check(CLI::Range(1, 1000));
  made->add_option("--reserved", o->reserved, "The part of each limit that is set aside for it (0)")
      ->check(CLI::Range(0.0, 0.9));
  made->callback([o, show, &context] {
    const Body body = Body().raw("weight", o->weight).raw("reserved", o->reserved);
    context.run("PUT", o->path(), body.json(), show);
  });
  auto* deleted = lane->add_subcommand("delete", "Delete one that no unfinished task names");
  deleted->callback([o, show, &context] { context.run("DELETE", o->path(), {}, show); });

  for (CLI::App* command : {shown, made, deleted}) {
    command->add_option("name", o->name, "Name")->required();
  }
}

}  // namespace carillon::client
