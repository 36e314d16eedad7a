#include "cluster/connect.h"

#include <fstream>
#include <thread>
#include <utility>

#include "base/log.h"

namespace carillon {

namespace {

using std::chrono::milliseconds;

/// Between two tries.
constexpr milliseconds kTryEach{100};

Result<JetstreamOptions> nats_options(const ClusterOptions& options) {
  JetstreamOptions nats;
  nats.servers = options.nats;
  nats.name = "carillon " + options.node;
  nats.creds_file = options.trust.creds_file;
  nats.username = options.trust.username;
  nats.ca_file = options.trust.ca_file;
  nats.certificate_file = options.trust.certificate_file;
  nats.private_key_file = options.trust.private_key_file;
  if (!options.trust.password_file.empty()) {
    std::ifstream file(options.trust.password_file);
    if (!std::getline(file, nats.password)) {
      return Error{"config",
                   "cluster.nats_password_file: " + options.trust.password_file +
                       ": it cannot be read, or is empty",
                   ""};
    }
  }
  return nats;
}

}  // namespace

Result<std::unique_ptr<JetstreamClient>> connect_to_nats(const ClusterOptions& options,
                                                         milliseconds patience) {
  const auto about = nats_options(options);
  if (!about) return about.error();
  const auto began = std::chrono::steady_clock::now();
  bool told = false;
  while (true) {
    auto nats = JetstreamClient::connect(*about);
    if (nats || nats.error().slug == "config" ||
        std::chrono::steady_clock::now() - began >= patience) {
      return nats;
    }
    if (!std::exchange(told, true)) {
      log_warning("NATS cannot be reached yet", {{"why", nats.error().detail}});
    }
    std::this_thread::sleep_for(kTryEach);
  }
}

ClusterWish wish_of(const ClusterOptions& options) {
  ClusterWish wish;
  wish.name = options.name;
  wish.shards = static_cast<ShardNumber>(options.shards);
  wish.streams.replicas = static_cast<int>(options.stream_replicas);
  wish.streams.bytes_max = static_cast<std::int64_t>(options.stream_bytes_max);
  return wish;
}

}  // namespace carillon
