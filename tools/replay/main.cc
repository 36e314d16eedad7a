// carillon-replay: looks at, saves and moves on what a data directory holds, without a server.

#include <iostream>

#include <CLI/CLI.hpp>

#include "tools/client/terminal.h"
#include "tools/replay/export.h"
#include "tools/replay/findings.h"
#include "tools/replay/rebuild.h"
#include "tools/replay/seed.h"

namespace carillon::replay {
namespace {

constexpr const char* kFooter = R"(
DIR is never written to. It may be damaged: what can be read of its tables and its
write-ahead log is used, and what was lost is said. It must not be in use by a server.

--until stops at a sequence (a whole number) or before a time (RFC 3339).

Exit codes: 0 done and nothing is lost, 1 it could not be done, 2 usage,
4 done with what is there, but something is lost or damaged.)";

struct Options {
  std::string dir;
  std::string new_dir;
  std::string config_file;
  std::string output;
  std::string until;
  PostOptions post;
  bool json = false;
  bool progress = false;
};

/// What a command does with the directory that was looked at.
using Command = std::function<int(Inspection&, ProgressLine&)>;

int run_command(const Options& o, const Command& command) {
  const auto until = parse_until(o.until);
  if (!until) {
    std::cerr << "carillon-replay: " << client::printable(until.error().detail) << '\n';
    return kUsage;
  }
  ProgressLine progress(o.progress);
  auto inspection = inspect(o.dir, *until, progress);
  if (!inspection) return fail(inspection.error());
  return command(*inspection, progress);
}

CLI::App* declare(CLI::App& app, Options& o, const char* name, const char* what) {
  auto* sub = app.add_subcommand(name, what);
  sub->add_option("DIR", o.dir, "The data directory")->required();
  return sub;
}

void declare_commands(CLI::App& app, Options& o, Command& chosen) {
  const auto until = [&o](CLI::App* sub) { sub->add_option("--until", o.until, "Stop there"); };
  const auto form = [&o] { return o.json ? OutputForm::json : OutputForm::text; };

  declare(app, o, "verify", "Check every row; say what is damaged or lost")
      ->callback([&o, &chosen, form] {
        chosen = [form](Inspection& found, ProgressLine& line) {
          return verify(found, form(), line);
        };
      });
  auto* summary = declare(app, o, "summary", "Say what is in it: tasks by state, targets, times");
  until(summary);
  summary->callback([&chosen, form] {
    chosen = [form](Inspection& found, ProgressLine&) { return summarize(found, form()); };
  });
  auto* exported =
      declare(app, o, "export", "Write the pending tasks as NDJSON, as tasks:batchCreate takes it");
  exported->add_option("--output", o.output, "File; without: standard output");
  until(exported);
  exported->callback([&o, &chosen] {
    chosen = [&o](Inspection& found, ProgressLine& line) {
      return export_tasks(found, o.output, line);
    };
  });
  auto* rebuilt = declare(app, o, "rebuild", "Make a new data directory from what is readable");
  rebuilt->add_option("NEW-DIR", o.new_dir, "The directory to make")->required();
  until(rebuilt);
  rebuilt->callback([&o, &chosen] {
    chosen = [&o](Inspection& found, ProgressLine& line) {
      return rebuild(found, o.new_dir, line);
    };
  });
  auto* seeded = declare(app, o, "seed", "Make a new cluster that begins with what is in it");
  seeded->add_option("--config", o.config_file, "Config file of one of the cluster's nodes")
      ->required();
  seeded->callback([&o, &chosen] {
    chosen = [&o](Inspection& found, ProgressLine& line) {
      return seed(found, o.config_file, line);
    };
  });
  auto* posted = declare(app, o, "post",
                         "Send the pending tasks to another server, which must have their targets");
  posted->add_option("--url", o.post.url, "http://HOST:PORT, https://HOST or unix:PATH")
      ->required();
  posted->add_option("--token-file", o.post.token_file, "File that holds the bearer token");
  posted->add_option("--ca-file", o.post.ca_file, "Certificates to trust instead of the system's");
  until(posted);
  posted->callback([&o, &chosen] {
    chosen = [&o](Inspection& found, ProgressLine& line) {
      return post_tasks(found, o.post, line);
    };
  });
}

int run(int argc, char** argv) {
  CLI::App app("Looks at the data directory of a stopped or crashed carillond.", "carillon-replay");
  Options o;
  Command chosen;
  app.add_flag("--json", o.json, "verify, summary: print JSON");
  app.add_flag("--progress", o.progress, "Show progress even where stderr is no terminal");
  app.require_subcommand(1);
  app.fallthrough();
  app.footer(kFooter);
  declare_commands(app, o, chosen);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? kDone : kUsage;
  }
  return run_command(o, chosen);
}

}  // namespace
}  // namespace carillon::replay

int main(int argc, char** argv) {
  namespace replay = carillon::replay;
  return carillon::client::finish_output("carillon-replay", replay::run(argc, argv),
                                         replay::kFailed);
}
