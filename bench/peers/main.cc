// peer_load: carillon-load's generator against Carillon's peers, for bench/compare.
//
// The options mean what they mean for carillon-load, and so does the JSON it prints.
// Exit codes: 0 done, 1 the outcome was wrong or incomplete, 2 usage, 3 the server is out of reach.

#include <iostream>
#include <map>
#include <string>

#include <CLI/CLI.hpp>

#include "bench/peers/poller.h"
#include "bench/peers/workloads.h"
#include "tools/load/generator.h"
#include "tools/load/report.h"

namespace carillon::bench {
namespace {

constexpr int kWrongOutcome = 1;
constexpr int kUsage = 2;
constexpr int kUnreachable = 3;

struct Options {
  std::string server;  // HOST:PORT
  load::Pace pace;
  load::TaskPlan plan;
  std::string delay = "1h", due_at, duration, interval = "1s", patience = "2m";
  RedisForm form = RedisForm::transaction;
  std::uint64_t batch = 1, count = 0, among = 0, skip = 0;
  unsigned pollers = 1;
  bool drain = false;
};

int fail(const Error& error) {
  std::cerr << "peer_load: " << error.detail << '\n';
  if (error.slug == "unreachable") return kUnreachable;
  return error.slug == "network" ? kWrongOutcome : kUsage;
}

Result<> read_durations(Options& options) {
  const std::size_t dots = options.delay.find("..");
  const auto min = parse_duration(options.delay.substr(0, dots));
  if (!min) return min.error();
  const auto max = dots == std::string::npos ? min : parse_duration(options.delay.substr(dots + 2));
  if (!max) return max.error();
  options.plan.delay_min = *min;
  options.plan.delay_max = *max;
  if (!options.due_at.empty()) {
    const auto due = parse_moment(options.due_at);
    if (!due) return due.error();
    options.plan.due_at = *due;
  }
  if (options.duration.empty()) return {};
  const auto duration = parse_duration(options.duration);
  if (!duration) return duration.error();
  options.pace.duration = *duration;
  return {};
}

std::unique_ptr<load::Workload> make_workload(const std::string& command, const Options& o) {
  if (command == "redis-add") return make_redis_adds(o.plan, o.form, o.batch, o.count);
  if (command == "redis-shift") return make_redis_shifts(o.plan, o.batch, o.count);
  if (command == "beanstalk-put") return make_beanstalk_puts(o.plan, o.count);
  const load::Order order{o.plan.first, o.among, o.skip};
  return make_redis_cancels(o.plan, order, o.form, o.batch, o.count);
}

int run_poll(const client::Endpoint& server, const Options& options) {
  const auto interval = parse_duration(options.interval);
  const auto patience = parse_duration(options.patience);
  if (!interval || !patience) return fail(interval ? patience.error() : interval.error());
  const auto polled = poll(
      server, {options.pollers, options.batch, options.drain, *interval, options.count, *patience});
  if (!polled) return fail(polled.error());
  std::cout << load::format_receiver(*polled, load::Format::json);
  return polled->accepted < options.count ? kWrongOutcome : 0;
}

int run(const std::string& command, Options& options) {
  const auto server = client::parse_endpoint("http://" + options.server);
  if (!server) return fail(server.error());
  if (command == "redis-poll") return run_poll(*server, options);
  if (auto read = read_durations(options); !read) return fail(read.error());
  if (options.count == 0 && options.duration.empty()) {
    return fail({"usage", "give --count or --duration", ""});
  }
  const auto workload = make_workload(command, options);
  const auto result = load::run_load(*server, options.pace, *workload);
  if (!result) return fail(result.error());
  std::cout << load::format_load(command, *result, nullptr, load::Format::json);
  return result->refused > 0 || result->broken > 0 ? kWrongOutcome : 0;
}

void declare_load(CLI::App& command, Options& o) {
  command.add_option("-c,--connections", o.pace.connections);
  command.add_option("--rate", o.pace.per_second);
  command.add_option("--duration", o.duration);
  command.add_option("--ids", o.plan.id_pattern);
  command.add_option("--first", o.plan.first);
  command.add_option("--payload-bytes", o.plan.payload_bytes);
  command.add_option("--delay", o.delay);
  command.add_option("--due-at", o.due_at);
  command.add_option("--seed", o.plan.seed);
  command.add_option("--among", o.among);
  command.add_option("--skip", o.skip);
}

void declare(CLI::App& app, Options& o) {
  static const std::map<std::string, RedisForm> forms = {{"bare", RedisForm::bare},
                                                         {"transaction", RedisForm::transaction},
                                                         {"pipeline", RedisForm::pipeline},
                                                         {"variadic", RedisForm::variadic}};
  app.require_subcommand(1);
  for (const char* name : {"redis-add", "redis-cancel", "redis-shift", "beanstalk-put"}) {
    auto* command = app.add_subcommand(name);
    declare_load(*command, o);
    command->add_option("--form", o.form)->transform(CLI::CheckedTransformer(forms));
  }
  auto* poll = app.add_subcommand("redis-poll");
  poll->add_option("--pollers", o.pollers)->check(CLI::Range(1, 1000));
  poll->add_option("--interval", o.interval);
  poll->add_option("--patience", o.patience);
  poll->add_flag("--drain", o.drain);
  for (CLI::App* command : app.get_subcommands({})) {
    command->add_option("--server", o.server, "HOST:PORT")->required();
    command->add_option("--batch", o.batch)->check(CLI::Range(1, 100'000));
    command->add_option("--count", o.count);
  }
}

int run_main(int argc, char** argv) {
  CLI::App app("carillon-load's generator against Carillon's peers.", "peer_load");
  Options options;
  declare(app, options);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : kUsage;
  }
  return run(app.get_subcommands().front()->get_name(), options);
}

}  // namespace
}  // namespace carillon::bench

int main(int argc, char** argv) {
  return carillon::bench::run_main(argc, argv);
}
