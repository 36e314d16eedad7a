#include "tools/load/options.h"

#include <CLI/CLI.hpp>

namespace carillon::load {
namespace {

constexpr const char* kExamples = R"(
Examples:
  # A receiver on port 9000 that answers each push after a second:
  carillon-load receive --listen 127.0.0.1:9000 --answer-delay 1s

  # As many durable adds a second as 64 connections get, for ten seconds:
  carillon-load add --server http://127.0.0.1:8080 --target http://127.0.0.1:9000/ --duration 10s

  # 5,000 adds a second whatever happens, due in 30 to 60 s, received here:
  carillon-load add --rate 5000 --duration 60s --delay 30s..60s --receive

  # How long 100 requests a second wait for their answer, whatever else the server does:
  carillon-load get --path /healthz --rate 100 -c 4 --duration 10s

  # 200,000 tasks due in one millisecond, 20 seconds from now:
  carillon-load burst --count 200000 --in 20s

A duration is a whole number and ms, s, m, h or d. The token, where the server wants one, comes from
CARILLON_TOKEN or --token-file.)";

void declare_server(CLI::App& command, Options& o) {
  command.add_option("--server", o.server, "http://HOST:PORT or unix:PATH")
      ->envname("CARILLON_SERVER")
      ->default_str("http://127.0.0.1:8080");
  command.add_option("--token-file", o.token_file, "File that holds the bearer token");
  command.add_option("-c,--connections", o.connections, "Keep-alive connections")
      ->check(CLI::Range(1, 60'000))
      ->capture_default_str();
}

void declare_pace(CLI::App& command, Options& o) {
  command
      .add_option("--rate", o.rate, "Requests a second, sent on schedule; 0: as fast as answered")
      ->check(CLI::NonNegativeNumber)
      ->capture_default_str();
  command.add_option("--duration", o.duration, "Stop sending after this long");
  command.add_option("--count", o.count, "Stop after this many tasks; 0: only by --duration");
  command.add_option("--pipeline", o.pipeline, "Requests under way on a connection at once")
      ->check(CLI::Range(1, 1000))
      ->capture_default_str();
}

void declare_ids(CLI::App& command, Options& o) {
  command.add_option("--ids", o.ids, "Pattern of the ids; {} is the task's number")
      ->capture_default_str();
  command.add_option("--first", o.first, "Number of the first task")->capture_default_str();
}

void declare_tasks(CLI::App& command, Options& o, bool with_due) {
  declare_ids(command, o);
  command.add_option("--target", o.target, "Target name or URL of the tasks");
  command.add_option("--group", o.group, "Group of the tasks");
  command.add_option("--payload-bytes", o.payload_bytes, "Size of each payload")
      ->capture_default_str();
  command.add_option("--seed", o.seed, "Seed of all that is random")->capture_default_str();
  if (!with_due) return;
  auto* delay = command.add_option("--delay", o.delay, "Delay, or MIN..MAX for uniform between")
                    ->capture_default_str();
  command.add_option("--due-at", o.due_at, "One moment (RFC 3339) for all")->excludes(delay);
  command.add_flag("--receive", o.receive,
                   "Receive the pushes too (the default target), and report their lateness");
}

void declare_batch(CLI::App& command, Options& o) {
  command.add_option("--batch", o.batch, "Tasks a request")
      ->check(CLI::Range(1, 10'000))
      ->capture_default_str();
  command.add_flag("--ndjson", o.ndjson, "Send NDJSON instead of a JSON array");
}

void declare_receiver(CLI::App& command, Options& o) {
  command.add_option("--listen", o.listen, "IPv4 address and port; port 0: any free one")
      ->capture_default_str();
  command.add_option("--answer-delay", o.answer_delay, "Hold each answer back this long")
      ->capture_default_str();
  command.add_option("--fail-share", o.fail_share, "Share of pushes that fail, 0 to 1")
      ->check(CLI::Range(0.0, 1.0));
  command.add_option("--fail-first", o.fail_attempts, "Fail the first N attempts of each task");
  command.add_option("--fail-status", o.fail_status, "Status of a failure")
      ->check(CLI::Range(300, 599))
      ->capture_default_str();
}

void declare_json(CLI::App& command, Options& o) {
  command.add_flag("--json", o.json, "Print one JSON object instead of text");
}

}  // namespace

void declare(CLI::App& app, Options& o) {
  app.require_subcommand(1);

  auto* receive = app.add_subcommand("receive", "Receive pushes, judge and count them");
  declare_receiver(*receive, o);
  receive->add_option("--count", o.count, "Exit when this many were accepted; 0: on Ctrl-C");

  auto* add = app.add_subcommand("add", "Add tasks, one a request");
  auto* batch = app.add_subcommand("batch", "Add tasks, many a request");
  auto* mix = app.add_subcommand("mix", "Add tasks and cancel a share of them");
  for (CLI::App* command : {add, batch, mix}) {
    declare_server(*command, o);
    declare_pace(*command, o);
    declare_tasks(*command, o, true);
    declare_receiver(*command, o);
  }
  declare_batch(*batch, o);
  mix->add_option("--cancel-share", o.cancel_share, "Share of the added tasks that are cancelled")
      ->check(CLI::Range(0.0, 1.0))
      ->capture_default_str();

  auto* cancel = app.add_subcommand("cancel", "Cancel tasks by id");
  declare_server(*cancel, o);
  declare_pace(*cancel, o);
  declare_ids(*cancel, o);
  cancel->add_option("--among", o.among,
                     "Scatter over this many tasks from the first on; 0: one after another");
  cancel->add_option("--skip", o.skip, "Leave out this many at the beginning of that order");
  cancel->add_option("--batch", o.cancel_batch, "Ids a request; 1: DELETE each")
      ->check(CLI::Range(1, 10'000))
      ->capture_default_str();

  auto* get = app.add_subcommand("get", "Read one path again and again");
  declare_server(*get, o);
  declare_pace(*get, o);
  get->add_option("--path", o.path, "With its query, for instance /v1/tasks?limit=100")->required();
  get->add_flag("--abandon", o.abandon, "End with --duration, whatever is under way");

  auto* burst = app.add_subcommand("burst", "Tasks due at one instant, received here");
  declare_server(*burst, o);
  declare_tasks(*burst, o, false);
  declare_batch(*burst, o);
  declare_receiver(*burst, o);
  burst->add_option("--count", o.count, "How many tasks")->required();
  burst->add_option("--in", o.in, "From now to the instant")->capture_default_str();
  burst->add_option("--patience", o.patience, "How long to wait for the last")
      ->capture_default_str();

  for (CLI::App* command : {receive, add, batch, mix, cancel, get, burst}) {
    declare_json(*command, o);
  }
  app.footer(kExamples);  // last, since commands inherit it
}

}  // namespace carillon::load
