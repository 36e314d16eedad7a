// Everything that an operator can set, with the defaults that suit a sidecar.
//
// The parts bring their own option types (HttpOptions, EngineOptions, ...); this is where they come
// together. server/settings.h names each one, server/config.h fills them in.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "api/options.h"
#include "cluster/options.h"
#include "delivery/target.h"
#include "engine/options.h"
#include "http/options.h"
#include "monitor/options.h"
#include "net/egress.h"
#include "net/proxy.h"
#include "tracing/tracing.h"

namespace carillon {

using Environment = std::map<std::string, std::string>;

/// A target of the config file.
struct ConfiguredTarget {
  TargetSettings settings;
  bool sets_paused = false;  // false: the file leaves pausing to the API
};

/// A lane of the config file.
struct ConfiguredLane {
  std::string name;
  LaneSettings settings;
};

struct Options {
  std::vector<std::string> listen{"127.0.0.1:8080"};
  std::vector<std::string> probe_listen;
  std::string listen_mode;   // of unix sockets, in octal; empty: by whether there is a group
  std::string listen_group;  // of unix sockets; empty: the process's own
  std::string data_dir = "./carillon-data";
  std::string clock = "system";  // or "manual"
  bool insecure = false;
  std::uint64_t memory_max = 0;  // bytes for tasks and buffers; 0: by what the machine has
  std::uint64_t disk_free_min = std::uint64_t{256} << 20;  // with less, adds are refused
  Millis drain_grace{0};  // between the signal to stop and its beginning
  Millis shutdown_timeout{std::chrono::seconds(30)};  // from then on, for what is under way

  struct Log {
    std::string level = "info";
    std::string format = "human";  // or "json"
  } log;
  struct Tls {
    std::string certificate_file;  // empty: no TLS
    std::string private_key_file;
    std::string client_ca_file;  // empty: clients need no certificate
  } tls;

  HttpOptions http;
  ApiOptions api;
  EngineOptions engine;
  ClusterOptions cluster;
  Egress::Settings egress;
  struct Proxy {
    std::string url;  // empty: none
    std::string credentials_file;
    std::string credentials_env;
  } proxy;
  MonitorOptions monitor;
  TracingOptions tracing;
  std::optional<carillon::Proxy> way_out;  // what `proxy` comes to
  std::vector<ConfiguredTarget> targets;
  std::vector<ConfiguredLane> lanes;

  /// What the operator should know although it is no error; for the log.
  std::vector<std::string> warnings;
};

}  // namespace carillon
