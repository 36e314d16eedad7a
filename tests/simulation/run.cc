#include "tests/simulation/run.h"

#include <sstream>

#include "tests/simulation/client.h"

namespace carillon::simulation {
namespace {

constexpr std::uint64_t kDeedsMax = 150;
constexpr Moment kLongest = 60 * kSecond;
constexpr Moment kHealing = 120 * kSecond;
constexpr Moment kTurn = kSecond / 10;

/// Does something again and again, at the mean pause, until told to stop.
void repeat(World& world, Moment mean, const bool& stop, std::function<void()> happen) {
  if (mean == 0) return;
  world.after(world.pause(mean), [&world, mean, &stop, happen = std::move(happen)] {
    if (stop) return;
    happen();
    repeat(world, mean, stop, happen);
  });
}

void step_clock(World& world, Server& server) {
  auto by = Millis(static_cast<std::int64_t>(world.magnitude(20)));
  if (world.chance(500)) by = -by;
  world.trace("clock steps by ", by.count());
  world.step_clock(by);
  server.clock_was_stepped();
}

}  // namespace

RunResult run(std::uint64_t seed, bool keep_trace) {
  RunResult result;
  World world(seed, keep_trace);
  const Swarm swarm = Swarm::draw(world);
  test::Ledger ledger;
  std::ostringstream history;
  if (keep_trace) ledger.record_to(history);
  Server server(world, swarm, result.coverage, result.faults, ledger);
  std::vector<std::unique_ptr<Client>> clients;
  for (std::uint64_t i = 0; i < swarm.clients; ++i) {
    clients.push_back(std::make_unique<Client>(world, swarm, server, ledger, result.faults, i));
  }
  server.start();
  for (const auto& client : clients) client->start();
  bool stop = false;
  repeat(world, swarm.crash, stop, [&] { server.crash(); });
  repeat(world, swarm.clock_step, stop, [&] { step_clock(world, server); });
  repeat(world, swarm.clean, stop, [&] { server.clean_log(); });
  repeat(world, swarm.operate, stop, [&] { server.operate(); });

  repeat(world, swarm.touch, stop, [&] { server.touch(); });

  const auto deeds = [&] {
    std::uint64_t sum = 0;
    for (const auto& client : clients) sum += client->deeds();
    return sum;
  };
  while (deeds() < kDeedsMax && world.now() < kLongest) world.run_until(world.now() + kTurn);
  stop = true;
  world.trace("the faults end");
  server.heal();
  for (const auto& client : clients) client->finish();
  world.run_until(world.now() + kHealing);
  for (std::uint64_t i = 0; i < clients.size(); ++i) {
    if (!clients[i]->idle()) {
      result.faults.push_back("client " + std::to_string(i) + " was never answered");
    }
  }
  server.crash();
  world.run_until(world.now() + kHealing);
  server.tell_all();

  const auto verdict = ledger.judge({.may_repeat = true});
  result.verdict = verdict.text();
  result.faults.insert(result.faults.end(), verdict.described.begin(), verdict.described.end());
  result.trace = world.text();
  result.history = history.str();
  result.trace_hash = world.trace_hash();
  result.steps = world.lines();
  return result;
}

}  // namespace carillon::simulation
