#include "tests/simulation/run.h"

#include <algorithm>
#include <sstream>

#include "tests/simulation/client.h"
#include "tests/simulation/cluster.h"
#include "tests/simulation/server.h"

namespace carillon::simulation {
namespace {

constexpr std::uint64_t kDeedsMax = 150;
constexpr Moment kLongest = 60 * kSecond;
constexpr Moment kHealing = 120 * kSecond;
constexpr Moment kTurn = kSecond / 10;
constexpr Moment kPatience = 60 * kSecond;  // of clients of a cluster
constexpr std::uint32_t kLostMax = 5;       // of their messages

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

/// What every run has.
struct Run {
  Run(std::uint64_t seed, bool keep_trace) : world(seed, keep_trace) {
    if (keep_trace) ledger.record_to(history);
  }

  void make_clients(const Swarm& swarm, Service& service) {
    for (std::uint64_t i = 0; i < swarm.clients; ++i) {
      clients.push_back(std::make_unique<Client>(world, swarm, service, ledger, result.faults, i));
    }
  }
  void run_clients(Moment longest) {
    const auto deeds = [&] {
      std::uint64_t sum = 0;
      for (const auto& client : clients) sum += client->deeds();
      return sum;
    };
    while (deeds() < kDeedsMax && world.now() < longest) world.run_until(world.now() + kTurn);
    stop = true;
    world.trace("the faults end");
  }
  void finish_clients(Moment healing) {
    for (const auto& client : clients) client->finish();
    world.run_until(world.now() + healing);
    for (std::uint64_t i = 0; i < clients.size(); ++i) {
      if (!clients[i]->idle()) {
        result.faults.push_back("client " + std::to_string(i) + " was never answered");
      }
    }
  }
  [[nodiscard]] RunResult judge() {
    const auto verdict = ledger.judge({.may_repeat = true});
    result.verdict = verdict.text();
    result.faults.insert(result.faults.end(), verdict.described.begin(), verdict.described.end());
    result.trace = world.text();
    result.history = history.str();
    result.trace_hash = world.trace_hash();
    result.steps = world.lines();
    return std::move(result);
  }

  RunResult result;
  World world;
  test::Ledger ledger;
  std::ostringstream history;
  std::vector<std::unique_ptr<Client>> clients;
  bool stop = false;
};

}  // namespace

RunResult run(std::uint64_t seed, bool keep_trace) {
  Run its(seed, keep_trace);
  World& world = its.world;
  const Swarm swarm = Swarm::draw(world);
  Server server(world, swarm, its.result.coverage, its.result.faults, its.ledger);
  its.make_clients(swarm, server);
  server.start();
  for (const auto& client : its.clients) client->start();
  repeat(world, swarm.crash, its.stop, [&] { server.crash(); });
  repeat(world, swarm.clock_step, its.stop, [&] { step_clock(world, server); });
  repeat(world, swarm.clean, its.stop, [&] { server.clean_log(); });
  repeat(world, swarm.operate, its.stop, [&] { server.operate(); });
  repeat(world, swarm.touch, its.stop, [&] { server.touch(); });
  its.run_clients(kLongest);
  server.heal();
  its.finish_clients(kHealing);
  server.crash();
  world.run_until(world.now() + kHealing);
  // What the log has, the shard knows only when the commit is over.
  while (server.committing()) world.run_until(world.now() + kMillisecond);
  server.tell_all();
  return its.judge();
}

RunResult run_nodes(std::uint64_t seed, bool keep_trace) {
  Run its(seed, keep_trace);
  World& world = its.world;
  Swarm swarm = Swarm::draw(world);
  const Troubles troubles = Troubles::draw(world);
  // Of an answer that is late nobody can tell whether it will come: a client that asked again would
  // blame the servers for what its first request does then.
  swarm.patience = kPatience;
  swarm.request_lost = std::min(swarm.request_lost, kLostMax);
  swarm.answer_lost = std::min(swarm.answer_lost, kLostMax);
  swarm.clocks_ahead = troubles.clocks_apart;
  Cluster cluster(world, swarm, troubles, its.result.coverage, its.result.faults, its.ledger);
  its.make_clients(swarm, cluster);
  cluster.start();
  for (const auto& client : its.clients) client->start();
  repeat(world, troubles.crash, its.stop, [&] { cluster.crash(); });
  repeat(world, troubles.pause, its.stop, [&] { cluster.pause(); });
  repeat(world, troubles.cut_off, its.stop, [&] { cluster.cut_off(); });
  repeat(world, troubles.away, its.stop, [&] { cluster.away(); });
  repeat(world, troubles.isolate, its.stop, [&] { cluster.isolate(); });
  repeat(world, troubles.hand_over, its.stop, [&] { cluster.hand_over(); });
  repeat(world, swarm.clean, its.stop, [&] { cluster.clean_log(); });
  repeat(world, swarm.operate, its.stop, [&] { cluster.operate(); });
  repeat(world, swarm.touch, its.stop, [&] { cluster.touch(); });
  its.run_clients(kLongest);
  cluster.heal();
  its.finish_clients(kHealing);
  cluster.tell_all();
  return its.judge();
}

}  // namespace carillon::simulation
