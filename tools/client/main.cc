// carillon: the command-line client. Exit codes are in command.h.

#include <algorithm>
#include <exception>
#include <iostream>
#include <span>
#include <string_view>
#include <vector>

#include <CLI/CLI.hpp>

#include "base/json.h"
#include "tools/client/command.h"
#include "tools/client/terminal.h"

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
Exit codes: 0 done, 1 refused by the server, 2 the command line or a file is at fault,
3 no Carillon server answers.)";

/// An option that is given has a value: `--group "$GROUP"` with an empty variable is a mistake.
void refuse_empty_values(CLI::App& app) {
  for (CLI::App* command : app.get_subcommands([](const CLI::App*) { return true; })) {
    refuse_empty_values(*command);
  }
  for (CLI::Option* option : app.get_options()) {
    if (option->get_items_expected_max() == 0 || option->get_name() == "--body") continue;
    option->check([](const std::string& value) {
      return value.empty() ? std::string("the value is empty") : std::string();
    });
  }
}

/// Every word that a command line of `app` may have: commands, and options as "--name".
void collect_words(const CLI::App& app, std::vector<std::string>& words) {
  for (const CLI::App* command : app.get_subcommands([](const CLI::App*) { return true; })) {
    if (!command->get_name().empty()) words.push_back(command->get_name());
    collect_words(*command, words);
  }
  for (const CLI::Option* option : app.get_options()) {
    for (const std::string& name : option->get_lnames()) words.push_back("--" + name);
  }
}

/// Says of the first word that is none of the program's which one was meant.
void suggest(const CLI::App& app, std::span<char*> arguments) {
  std::vector<std::string> words;
  collect_words(app, words);
  const std::vector<std::string_view> known(words.begin(), words.end());
  for (std::size_t i = 1; i < arguments.size(); ++i) {
    std::string_view word = arguments[i];
    const bool is_option = word.starts_with("--");
    if (is_option) word = word.substr(0, word.find('='));
    if (std::ranges::find(known, word) != known.end()) continue;
    if (!is_option && i > 1) continue;  // a value, an id
    const std::string_view near = nearest_name(word, known);
    if (near.empty()) continue;
    std::cerr << "carillon: " << printable(word) << " is unknown; did you mean " << near << "?\n";
    return;
  }
}

int run(int argc, char** argv) {
  CLI::App app("Talks to a Carillon server.", "carillon");
  Context context;
  app.add_option("--server", context.server, "http://HOST:PORT, https://HOST or unix:PATH")
      ->envname("CARILLON_SERVER")
      ->capture_default_str();
  app.add_option("--token-file", context.token_file, "File that holds the bearer token");
  app.add_option("--ca-file", context.ca_file, "Certificates to trust instead of the system's");
  app.add_option("--timeout", context.timeout,
                 "How long a call may take in all (60s); limits an export only if given");
  app.add_flag("--json", context.json, "Print the server's JSON as it is");
  app.require_subcommand(1);
  app.fallthrough();  // options of the program may follow the command

  declare_task_commands(app, context);
  declare_group_commands(app, context);
  declare_dead_commands(app, context);
  declare_target_commands(app, context);
  declare_lane_commands(app, context);
  declare_cluster_commands(app, context);
  declare_admin_commands(app, context);
  declare_live_commands(app, context);
  declare_transfer_commands(app, context);
  declare_completion(app, context);
  refuse_empty_values(app);
  app.footer(kFooter);  // last, since commands inherit it
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    if (app.exit(error) == 0) return kDone;
    suggest(app, {argv, static_cast<std::size_t>(argc)});
    return kUsage;
  } catch (const std::exception& error) {
    std::cerr << "carillon: " << error.what() << '\n';
    return kUsage;
  }
  return context.exit_code;
}

}  // namespace
}  // namespace carillon::client

int main(int argc, char** argv) {
  namespace client = carillon::client;
  const int exit_code = client::run(argc, argv);
  return client::finish_output("carillon", exit_code, client::kUsage);
}
