// carillon-load: generates load on a Carillon server, receives its pushes, and measures both.
// Exit codes: 0 done, 1 the outcome was wrong or incomplete, 2 usage, 3 the server is out of reach.

#include <charconv>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <memory>
#include <string>

#include <CLI/CLI.hpp>

#include "tools/client/terminal.h"
#include "tools/load/burst.h"
#include "tools/load/generator.h"
#include "tools/load/options.h"
#include "tools/load/receiver.h"
#include "tools/load/report.h"
#include "tools/load/workload.h"

namespace carillon::load {
namespace {

constexpr int kWrongOutcome = 1;
constexpr int kUsage = 2;
constexpr int kUnreachable = 3;

int fail(const Error& error) {
  std::cerr << "carillon-load: " << client::printable(error.detail) << '\n';
  if (error.slug == "unreachable") return kUnreachable;
  return error.slug == "incomplete" || error.slug == "network" ? kWrongOutcome : kUsage;
}

Result<> read_token(const Options& options, std::string& token) {
  if (options.token_file.empty()) {
    const char* value = std::getenv("CARILLON_TOKEN");
    token = value == nullptr ? "" : value;
    return {};
  }
  std::ifstream file(options.token_file);
  if (!std::getline(file, token)) {
    return Error{"usage", "cannot read a token from " + options.token_file, ""};
  }
  return {};
}

Result<TaskPlan> make_plan(const Options& options) {
  TaskPlan plan{
      options.ids, options.first, options.target, options.group, options.payload_bytes, {}, {},
      {},          options.seed};
  const std::size_t dots = options.delay.find("..");
  const auto min = parse_duration(options.delay.substr(0, dots));
  if (!min) return Error(min.error()).in("--delay");
  const auto max = dots == std::string::npos ? min : parse_duration(options.delay.substr(dots + 2));
  if (!max) return Error(max.error()).in("--delay");
  if (*max < *min) return Error{"usage", "--delay: the second is shorter than the first", ""};
  plan.delay_min = *min;
  plan.delay_max = *max;
  if (!options.due_at.empty()) {
    const auto due = parse_moment(options.due_at);
    if (!due) return Error(due.error()).in("--due-at");
    plan.due_at = *due;
  }
  return plan;
}

bool parse_port(const std::string& text, std::uint16_t& port) {
  const char* const end = text.data() + text.size();
  const auto parsed = std::from_chars(text.data(), end, port);
  return parsed.ec == std::errc{} && parsed.ptr == end && !text.empty();
}

Result<std::unique_ptr<Receiver>> make_receiver(const Options& options) {
  Receiver::Options receiver;
  const std::size_t colon = options.listen.rfind(':');
  if (colon == std::string::npos || !parse_port(options.listen.substr(colon + 1), receiver.port)) {
    return Error{"usage", "--listen: write ADDRESS:PORT", ""};
  }
  receiver.address = options.listen.substr(0, colon);
  const auto delay = parse_duration(options.answer_delay);
  if (!delay) return Error(delay.error()).in("--answer-delay");
  receiver.answer_delay = *delay;
  auto started = Receiver::start(receiver);
  if (started) {
    (*started)->set_failing({options.fail_share, options.fail_attempts, options.fail_status});
  }
  return started;
}

Format format_of(const Options& options) {
  return options.json ? Format::json : Format::human;
}

int receive(const Options& options) {
  // Blocked before the receiver's thread exists, so that only sigtimedwait sees them.
  sigset_t ends{};
  sigemptyset(&ends);
  sigaddset(&ends, SIGINT);
  sigaddset(&ends, SIGTERM);
  pthread_sigmask(SIG_BLOCK, &ends, nullptr);
  const auto receiver = make_receiver(options);
  if (!receiver) return fail(receiver.error());
  std::cerr << "receiving on " << (*receiver)->url() << std::endl;
  if (options.count == 0) {
    int signal = 0;
    sigwait(&ends, &signal);
  } else {
    const timespec at_once{};
    while (!(*receiver)->wait_for_accepted(options.count, Millis(200))) {
      if (sigtimedwait(&ends, nullptr, &at_once) > 0) break;
    }
  }
  const ReceiverSummary summary = (*receiver)->summary();
  std::cout << format_receiver(summary, format_of(options));
  return summary.early > 0 || summary.accepted < options.count ? kWrongOutcome : 0;
}

struct Run {
  client::Endpoint server;
  Wire wire;
  TaskPlan plan;
  std::unique_ptr<Receiver> receiver;  // where the pushes are received here
};

Result<Run> prepare(const Options& options, bool receives) {
  Run run;
  const auto server =
      client::parse_endpoint(options.server.empty() ? "http://127.0.0.1:8080" : options.server);
  if (!server) return Error(server.error()).in("--server");
  run.server = *server;
  run.wire.host = run.server.host;
  if (auto read = read_token(options, run.wire.token); !read) return read.error();
  auto plan = make_plan(options);
  if (!plan) return plan.error();
  run.plan = std::move(*plan);
  if (!receives) return run;
  auto receiver = make_receiver(options);
  if (!receiver) return receiver.error();
  run.receiver = std::move(*receiver);
  if (run.plan.target.empty()) run.plan.target = run.receiver->url();
  return run;
}

std::unique_ptr<Workload> make_workload(const std::string& command, const Options& options,
                                        const Run& run) {
  const BatchForm form = options.ndjson ? BatchForm::ndjson : BatchForm::json;
  if (command == "add") return make_adds(run.wire, run.plan, 1, form, options.count);
  if (command == "batch") return make_adds(run.wire, run.plan, options.batch, form, options.count);
  if (command == "get") return make_gets(run.wire, options.path, options.count);
  if (command == "mix") return make_mix(run.wire, run.plan, options.cancel_share, options.count);
  return make_cancels(run.wire, run.plan, {options.first, options.among, options.skip},
                      options.cancel_batch, options.count);
}

int load(const std::string& command, const Options& options) {
  auto run = prepare(options, options.receive);
  if (!run) return fail(run.error());
  const bool adds = command != "cancel" && command != "get";
  if (adds && run->plan.target.empty()) return fail({"usage", "give --target or --receive", ""});
  const bool ends = command == "cancel";  // so it must be known after how many
  if (options.count == 0 && (ends || options.duration.empty())) {
    return fail({"usage", ends ? "give --count" : "give --count or --duration", ""});
  }
  if (options.abandon && options.duration.empty()) {
    return fail({"usage", "--abandon needs --duration", ""});
  }
  Pace pace{options.connections, options.rate, Millis(0), options.abandon, options.pipeline};
  if (!options.duration.empty()) {
    const auto duration = parse_duration(options.duration);
    if (!duration) return fail(Error(duration.error()).in("--duration"));
    pace.duration = *duration;
  }
  const auto workload = make_workload(command, options, *run);
  const auto result = run_load(run->server, pace, *workload);
  if (!result) return fail(result.error());
  ReceiverSummary received;
  if (run->receiver && command != "mix") {
    // What is still to come comes within the longest delay, or it is reported as missing.
    const Millis patience = run->plan.delay_max + std::chrono::minutes(1);
    static_cast<void>(run->receiver->wait_for_accepted(result->tasks, patience));
  }
  if (run->receiver) received = run->receiver->summary();
  std::cout << format_load(command, *result, run->receiver ? &received : nullptr,
                           format_of(options));
  return result->refused > 0 || result->broken > 0 || received.early > 0 ? kWrongOutcome : 0;
}

int burst(const Options& options) {
  auto run = prepare(options, true);
  if (!run) return fail(run.error());
  BurstPlan plan;
  plan.count = options.count;
  plan.connections = std::min<std::size_t>(options.connections, 8);
  plan.batch = options.batch;
  plan.form = options.ndjson ? BatchForm::ndjson : BatchForm::json;
  const auto in = parse_duration(options.in);
  const auto patience = parse_duration(options.patience);
  if (!in) return fail(Error(in.error()).in("--in"));
  if (!patience) return fail(Error(patience.error()).in("--patience"));
  plan.in = *in;
  plan.patience = *patience;
  const auto result = run_burst(run->server, run->wire, plan, run->plan, *run->receiver);
  if (!result) return fail(result.error());
  std::cout << format_burst(*result, format_of(options));
  const bool wrong = result->receiver.early > 0 || result->expected < options.count;
  return wrong ? kWrongOutcome : 0;
}

int run_main(int argc, char** argv) {
  CLI::App app("Generates load on a Carillon server, receives its pushes, and measures both.",
               "carillon-load");
  Options options;
  declare(app, options);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : kUsage;
  }
  const std::string command = app.get_subcommands().front()->get_name();
  if (command == "receive") return receive(options);
  if (command == "burst") return burst(options);
  return load(command, options);
}

}  // namespace
}  // namespace carillon::load

int main(int argc, char** argv) {
  namespace load = carillon::load;
  return carillon::client::finish_output("carillon-load", load::run_main(argc, argv), load::kUsage);
}
