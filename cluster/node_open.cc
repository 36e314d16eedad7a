// How a node finds its cluster, or makes it.
#include <chrono>
#include <filesystem>
#include <fstream>
#include <thread>
#include <utility>

#include <fmt/format.h>
#include <unistd.h>

#include "base/check.h"
#include "base/log.h"
#include "cluster/mark.h"
#include "cluster/node.h"

namespace carillon {

namespace {

using std::chrono::milliseconds;

/// So long a start waits for servers of NATS that do not answer.
constexpr milliseconds kOpenPatience{60'000};
/// Between two tries.
constexpr milliseconds kTryEach{100};

std::string host_name() {
  char name[256] = {};
  CARILLON_CHECK(::gethostname(name, sizeof name - 1) == 0);
  return name;
}

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

/// Servers that are being started are waited for.
Result<std::unique_ptr<JetstreamClient>> connect(const JetstreamOptions& options) {
  const auto began = std::chrono::steady_clock::now();
  bool told = false;
  while (true) {
    auto nats = JetstreamClient::connect(options);
    if (nats || nats.error().slug == "config" ||
        std::chrono::steady_clock::now() - began >= kOpenPatience) {
      return nats;
    }
    if (!std::exchange(told, true)) {
      log_warning("NATS cannot be reached yet", {{"why", nats.error().detail}});
    }
    std::this_thread::sleep_for(kTryEach);
  }
}

}  // namespace

Result<std::unique_ptr<ClusterNode>> ClusterNode::open(Parts parts) {
  ClusterOptions& options = parts.options;
  if (options.node.empty()) options.node = host_name();
  auto secret = ClusterSecret::read_file(options.secret_file);
  if (!secret) return secret.error();
  auto known = read_cluster_mark(parts.data_dir);
  if (!known) return known.error();
  if (!*known && std::filesystem::exists(parts.data_dir + "/db")) {
    return Error{
        "config",
        parts.data_dir + " has the data of a server on its own. Give this node an empty data_dir.",
        "data_dir"};
  }
  if (*known && (*known)->name != options.name) {
    return Error{"config",
                 fmt::format("{} belongs to the cluster \"{}\", and cluster.name is \"{}\"",
                             parts.data_dir, (*known)->name, options.name),
                 "cluster.name"};
  }
  const auto about_nats = nats_options(options);
  if (!about_nats) return about_nats.error();
  auto nats = connect(*about_nats);
  if (!nats) return nats.error();
  if (auto enough = check_max_payload(**nats, parts.content_bytes_max); !enough) {
    return enough.error();
  }
  ClusterWish wish;
  wish.name = options.name;
  wish.shards = static_cast<ShardNumber>(options.shards);
  wish.streams.replicas = static_cast<int>(options.stream_replicas);
  wish.streams.bytes_max = static_cast<std::int64_t>(options.stream_bytes_max);
  if (*known) wish.known = (*known)->cluster;
  auto genesis = open_cluster(**nats, wish, *secret, kOpenPatience);
  if (!genesis) return genesis.error();
  const ClusterMark mark{options.name, genesis->genesis.cluster};
  if (auto written = write_cluster_mark(parts.data_dir, mark); !written) return written.error();
  return std::unique_ptr<ClusterNode>(
      new ClusterNode(std::move(parts), *std::move(secret), *std::move(nats), *genesis));
}

}  // namespace carillon
