// carillon: the command-line client. Exit codes are in command.h.

#include <exception>
#include <iostream>

#include <CLI/CLI.hpp>

#include "tools/client/command.h"

namespace carillon::client {
namespace {

constexpr const char* kFooter = R"(
Examples:
  carillon target put reminders --url http://127.0.0.1:9000/remind
  carillon add --id user1:coupon7 --delay 15m --target reminders --group coupon7 --payload '{"n":1}'
  carillon get user1:coupon7
  carillon group cancel coupon7
  carillon list --state retrying

The token, where the server wants one, comes from CARILLON_TOKEN or --token-file.
Exit codes: 0 done, 1 refused by the server, 2 usage, 3 cannot reach the server.)";

int run(int argc, char** argv) {
  CLI::App app("Talks to a Carillon server.", "carillon");
  Context context;
  app.add_option("--server", context.server, "http://HOST:PORT, https://HOST or unix:PATH")
      ->envname("CARILLON_SERVER")
      ->capture_default_str();
  app.add_option("--token-file", context.token_file, "File that holds the bearer token");
  app.add_option("--ca-file", context.ca_file, "Certificates to trust instead of the system's");
  app.add_option("--timeout", context.timeout, "Of one call")->capture_default_str();
  app.add_flag("--json", context.json, "Print the server's JSON as it is");
  app.require_subcommand(1);
  app.fallthrough();  // options of the program may follow the command

  declare_task_commands(app, context);
  declare_group_commands(app, context);
  declare_dead_commands(app, context);
  declare_target_commands(app, context);
  declare_admin_commands(app, context);
  declare_transfer_commands(app, context);
  declare_completion(app, context);
  app.footer(kFooter);  // last, since commands inherit it
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? kDone : kUsage;
  } catch (const std::exception& error) {
    std::cerr << "carillon: " << error.what() << '\n';
    return kUsage;
  }
  return context.exit_code;
}

}  // namespace
}  // namespace carillon::client

int main(int argc, char** argv) {
  return carillon::client::run(argc, argv);
}
