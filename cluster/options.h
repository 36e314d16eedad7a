// What an operator says of the cluster that a node belongs to.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace carillon {

struct ClusterOptions {
  std::string name;               // empty: this node is none of a cluster
  std::vector<std::string> nats;  // "nats://host:port" or "tls://host:port"
  std::string node;               // unique; empty: the host's name
  std::string advertise;          // where other nodes reach this one: "http://host:port"
  std::uint64_t shards = 16;      // fixed when the cluster is made
  std::uint64_t standbys = 1;     // nodes that follow a shard, ready to take it over
  std::string secret_file;        // nodes recognise each other by what is in it
  std::uint64_t stream_bytes_max = std::uint64_t{1} << 30;  // of one shard
  std::uint64_t stream_replicas = 3;                        // servers of NATS that have each stream
  struct Nats {
    std::string creds_file;
    std::string username;
    std::string password_file;
    std::string ca_file;
    std::string certificate_file;
    std::string private_key_file;
  } trust;

  [[nodiscard]] bool given() const { return !name.empty(); }
};

}  // namespace carillon
