// How a node finds its cluster, or makes it.
#include <chrono>
#include <filesystem>
#include <utility>

#include <fmt/format.h>
#include <unistd.h>

#include "base/check.h"
#include "cluster/connect.h"
#include "cluster/mark.h"
#include "cluster/node.h"

namespace carillon {

namespace {

using std::chrono::milliseconds;

/// So long a start waits for servers of NATS that do not answer.
constexpr milliseconds kOpenPatience{60'000};

std::string host_name() {
  char name[256] = {};
  CARILLON_CHECK(::gethostname(name, sizeof name - 1) == 0);
  return name;
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
  auto nats = connect_to_nats(options, kOpenPatience);
  if (!nats) return nats.error();
  if (auto enough = check_max_payload(**nats, parts.content_bytes_max); !enough) {
    return enough.error();
  }
  ClusterWish wish = wish_of(options);
  if (*known) wish.known = (*known)->cluster;
  auto genesis = open_cluster(**nats, wish, *secret, kOpenPatience);
  if (!genesis) return genesis.error();
  const ClusterMark mark{options.name, genesis->genesis.cluster};
  if (auto written = write_cluster_mark(parts.data_dir, mark); !written) return written.error();
  return std::unique_ptr<ClusterNode>(
      new ClusterNode(std::move(parts), *std::move(secret), *std::move(nats), *genesis));
}

}  // namespace carillon
