// simulate: runs the shard through seeded worlds of delays, losses, crashes and stepped clocks.
#include <atomic>
#include <charconv>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <iostream>
#include <mutex>
#include <thread>

#include <CLI/CLI.hpp>
#include <unistd.h>

#include "tests/simulation/run.h"

namespace carillon::simulation {
namespace {

constexpr std::size_t kShownMax = 5;

bool with_nodes = false;

std::string commit() {
  std::string hash;
  if (std::FILE* const git = ::popen("git rev-parse --short HEAD 2>/dev/null", "r")) {
    char line[64] = {};
    if (std::fgets(line, sizeof(line), git) != nullptr) hash.assign(line, std::strcspn(line, "\n"));
    ::pclose(git);
  }
  return hash.empty() ? "unknown" : hash;
}

/// Another range of seeds for each commit, the same for everyone who tests that commit; 1 outside a
/// checkout. Ranges of a million begin at multiples of a million.
std::uint64_t first_seed_of_commit() {
  std::uint64_t number = 0;
  const std::string hash = commit();
  const auto [end, error] = std::from_chars(hash.data(), hash.data() + hash.size(), number, 16);
  if (error != std::errc{} || end != hash.data() + hash.size()) return 1;
  return number % 1'000'000 * 1'000'000;
}

void print_failure(std::uint64_t seed, const RunResult& result) {
  std::cout << "seed " << seed << " FAILED at commit " << commit() << ":\n";
  for (const std::string& fault : result.faults) std::cout << "  " << fault << '\n';
  std::cout << "  " << result.verdict << "\nreplay: simulate " << (with_nodes ? "--nodes " : "")
            << "--seed " << seed << '\n';
}

// A check that fails ends the process: say in which world.
thread_local std::uint64_t current_seed = 0;
void on_abort(int) {
  char line[64];
  const int length =
      std::snprintf(line, sizeof(line), "seed %llu ABORTED; replay: simulate --seed\n",
                    static_cast<unsigned long long>(current_seed));
  [[maybe_unused]] const auto written = ::write(2, line, static_cast<std::size_t>(length));
}

struct Totals {
  std::mutex mutex;
  Coverage coverage;
  std::uint64_t steps = 0;
  std::uint64_t runs = 0;
  std::uint64_t failures = 0;
};

RunResult run_seed(std::uint64_t seed, bool keep_trace) {
  current_seed = seed;
  return with_nodes ? run_nodes(seed, keep_trace) : run(seed, keep_trace);
}

void run_one(std::uint64_t seed, Totals& totals) {
  const RunResult result = run_seed(seed, /*keep_trace=*/false);
  const std::lock_guard lock(totals.mutex);
  for (const auto& [name, times] : result.coverage) totals.coverage[name] += times;
  totals.steps += result.steps;
  ++totals.runs;
  if (result.faults.empty()) return;
  if (totals.failures++ < kShownMax) print_failure(seed, result);
}

int replay(std::uint64_t seed, const std::string& history) {
  const RunResult result = run_seed(seed, /*keep_trace=*/true);
  if (!history.empty()) std::ofstream(history) << result.history;
  std::cout << result.trace << result.verdict << '\n';
  for (const std::string& fault : result.faults) std::cout << "FAULT " << fault << '\n';
  return result.faults.empty() ? 0 : 1;
}

/// How many transitions that must be reached were not.
std::size_t print_coverage(const Coverage& coverage) {
  std::size_t missed = 0;
  const auto names = with_nodes ? node_transitions() : transitions();
  for (const std::string_view name : names) {
    const auto found = coverage.find(std::string(name));
    const std::uint64_t times = found == coverage.end() ? 0 : found->second;
    std::printf("%12llu  %s\n", static_cast<unsigned long long>(times), name.data());
    if (times == 0) ++missed;
  }
  std::printf("%zu of %zu transitions reached\n", names.size() - missed, names.size());
  return missed;
}

int run_many(std::uint64_t first, std::uint64_t count, double minutes, bool demand_all) {
  Totals totals;
  std::atomic<std::uint64_t> next{first};
  const auto begin = std::chrono::steady_clock::now();
  const auto elapsed = [&] {
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  };
  {
    std::vector<std::jthread> threads;
    for (unsigned i = 0; i < std::max(1U, std::thread::hardware_concurrency()); ++i) {
      threads.emplace_back([&] {
        for (;;) {
          const std::uint64_t seed = next++;
          if (minutes > 0 ? elapsed() > minutes * 60 : seed >= first + count) return;
          run_one(seed, totals);
        }
      });
    }
  }
  const std::size_t missed = print_coverage(totals.coverage);
  std::printf("%llu seeds from %llu, %llu steps, %.1f s, %llu failed\n",
              static_cast<unsigned long long>(totals.runs), static_cast<unsigned long long>(first),
              static_cast<unsigned long long>(totals.steps), elapsed(),
              static_cast<unsigned long long>(totals.failures));
  return totals.failures == 0 && (missed == 0 || !demand_all) ? 0 : 1;
}

}  // namespace
}  // namespace carillon::simulation

int main(int argc, char** argv) {
  CLI::App app("Runs the shard through seeded worlds; each seed gives one run, byte for byte.",
               "simulate");
  std::uint64_t seed = 0, first = 1, count = 10'000;
  double minutes = 0;
  std::string history;
  bool demand_all = false, from_commit = false;
  app.add_flag("--nodes", carillon::simulation::with_nodes, "several nodes over one stream");
  auto* const one = app.add_option("--seed", seed, "run this one and show every step");
  app.add_option("--history", history, "with --seed: a file for the ledger's history of it");
  auto* const from = app.add_option("--from", first, "the first seed")->capture_default_str();
  app.add_flag("--from-commit", from_commit, "the first seed follows from the commit's hash")
      ->excludes(from);
  app.add_option("--seeds", count, "how many")->capture_default_str();
  app.add_option("--minutes", minutes, "for so long, instead of a number of seeds");
  app.add_flag("--all-transitions", demand_all, "fail where one of them was not reached");
  CLI11_PARSE(app, argc, argv);
  std::signal(SIGABRT, carillon::simulation::on_abort);
  using namespace carillon::simulation;
  if (from_commit) first = first_seed_of_commit();
  return *one ? replay(seed, history) : run_many(first, count, minutes, demand_all);
}
