// RocksDB's view of a simulated disk: an environment for RocksdbLogOptions::env.
#pragma once

#include <memory>

#include <rocksdb/env.h>

#include "tests/storage/simulated_disk.h"

namespace carillon {

/// An environment whose files are all on `disk`, which must outlive it.
[[nodiscard]] std::unique_ptr<rocksdb::Env> simulated_env(SimulatedDisk& disk);

}  // namespace carillon
