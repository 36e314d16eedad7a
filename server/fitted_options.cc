#include "server/fitted_options.h"

#include <algorithm>
#include <array>

#include "base/log.h"
#include "server/process.h"

namespace carillon {
namespace {

/// The bounds of all that grows with use beside tasks.
std::array<std::uint64_t*, 6> buffer_bounds(Options& options) {
  EngineOptions& engine = options.engine;
  return {&engine.content_cache_bytes, &engine.push_bytes_max,
          &engine.pending_bytes_max,   &engine.page_bytes_max,
          &engine.export_bytes_max,    &options.http.limits.buffer_bytes_max};
}

}  // namespace

HttpOptions http_options(const Options& all) {
  HttpOptions options = all.http;
  std::size_t& connections_max = options.limits.connections_max;
  const std::size_t fit = share_files(open_files_max(), connections_max).clients;
  if (fit < connections_max) {
    log_warning(
        "limits.connections_max lowered to what open files allow; raise that limit (ulimit -n, "
        "LimitNOFILE)",
        {{"connections_max", fit}, {"open_files_max", open_files_max()}});
    connections_max = fit;
  }
  return options;
}

std::uint64_t pushes_in_flight_max(const Options& options) {
  const FileShares files = share_files(open_files_max(), options.http.limits.connections_max);
  // The rest is for connections that are kept, for addresses tried beside others and for look-ups.
  return std::min(options.engine.shard.in_flight_max, files.pushes / 4 * 3);
}

Options within_memory(Options options) {
  constexpr std::uint64_t kBufferMin = 1 << 20;
  std::uint64_t wanted = 0;
  for (const std::uint64_t* bound : buffer_bounds(options)) wanted += *bound;
  const MemoryShares shares = share_memory(options.memory_max, memory_available(), wanted);
  ShardOptions& shard = options.engine.shard;
  shard.pending_max = std::min(shard.pending_max, shares.tasks);
  shard.tasks_max = shares.tasks;
  if (shares.buffers == wanted) return options;
  const double share = static_cast<double>(shares.buffers) / static_cast<double>(wanted);
  for (std::uint64_t* bound : buffer_bounds(options)) {
    *bound = std::max(kBufferMin, static_cast<std::uint64_t>(static_cast<double>(*bound) * share));
  }
  return options;
}

}  // namespace carillon
