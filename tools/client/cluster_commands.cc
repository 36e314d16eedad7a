// carillon cluster, cluster drain.

#include <iostream>
#include <memory>

#include <CLI/CLI.hpp>

#include "tools/client/command.h"
#include "tools/client/table.h"

namespace carillon::client {

void declare_cluster_commands(CLI::App& app, Context& context) {
  auto name = std::make_shared<std::string>();
  auto* cluster = app.add_subcommand("cluster", "Nodes and shards: who owns what, who is behind");
  cluster->require_subcommand(0, 1);
  cluster->callback([cluster, &context] {
    if (!cluster->get_subcommands().empty()) return;
    context.run("GET", "/v1/cluster", {}, [](std::string_view body) {
      std::cout << format_table(member(body, "nodes"),
                                {"name", "url", "version", "alive", "draining", "clock_ahead_ms",
                                 "owns", "settings_differ"})
                << '\n'
                << format_table(member(body, "shards"),
                                {"shard", "owner", "epoch", "messages", "followers"});
    });
  });
  auto* drained =
      cluster->add_subcommand("drain", "Have a node give its shards to others, for maintenance");
  drained->add_option("node", *name, "Its name")->required();
  drained->callback([name, &context] {
    context.run("POST", "/v1/cluster/nodes/" + percent_encoded(*name) + ":drain", {},
                [](std::string_view body) { std::cout << format_fields(body); });
  });
}

}  // namespace carillon::client
