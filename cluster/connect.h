// From what an operator says of a cluster to its servers of NATS.
//
// Concurrency: blocks.
#pragma once

#include <chrono>
#include <memory>

#include "base/result.h"
#include "cluster/control.h"
#include "cluster/options.h"
#include "storage/jetstream/client.h"

namespace carillon {

/// Servers that are being started are waited for. Error slugs: network; `config`: a file cannot be
/// used.
[[nodiscard]] Result<std::unique_ptr<JetstreamClient>> connect_to_nats(
    const ClusterOptions& options, std::chrono::milliseconds patience);

[[nodiscard]] ClusterWish wish_of(const ClusterOptions& options);

}  // namespace carillon
