// One run of the simulation, from a seed.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "tests/simulation/facts.h"

namespace carillon::simulation {

struct RunResult {
  std::vector<std::string> faults;  // none: every promise was kept
  std::string verdict;              // the ledger's, one line and the faults below it
  std::string trace;                // where it was kept
  std::string history;              // the ledger's, where the trace was kept
  std::uint64_t trace_hash = 0;
  std::uint64_t steps = 0;  // lines of the trace
  Coverage coverage;
};

/// Clients, faults and a server for some hundred steps; then the faults end, everything comes to
/// rest, the server is stopped and recovered once more, and the ledger is judged.
[[nodiscard]] RunResult run(std::uint64_t seed, bool keep_trace);

/// The same with several nodes over one stream: these are paused, cut off, crash and take over from
/// each other.
[[nodiscard]] RunResult run_nodes(std::uint64_t seed, bool keep_trace);

/// The transitions that a good number of runs must have reached, all of them.
[[nodiscard]] std::span<const std::string_view> transitions();
[[nodiscard]] std::span<const std::string_view> node_transitions();

}  // namespace carillon::simulation
