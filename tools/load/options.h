// The command line of carillon-load.
#pragma once

#include <cstdint>
#include <string>

namespace CLI {
class App;
}

namespace carillon::load {

/// As typed; main.cc reads the durations and moments out of the texts.
struct Options {
  // where
  std::string server;
  std::string token_file;
  std::string listen = "127.0.0.1:0";
  bool receive = false;
  // how much
  std::size_t connections = 64;
  std::size_t pipeline = 1;
  double rate = 0;
  std::string duration;
  std::uint64_t count = 0;
  std::uint64_t batch = 1000;
  std::uint64_t cancel_batch = 1;
  bool ndjson = false;
  double cancel_share = 0.9;
  std::uint64_t among = 0;
  std::uint64_t skip = 0;
  // which tasks
  std::string ids = "load-{}";
  std::uint64_t first = 0;
  std::string target;
  std::string group;
  std::size_t payload_bytes = 150;
  std::string delay = "1h";
  std::string due_at;
  std::uint64_t seed = 1;
  // get
  std::string path;
  bool abandon = false;
  // burst
  std::string in = "10s";
  std::string patience = "2m";
  // receiver
  std::string answer_delay = "0ms";
  double fail_share = 0;
  std::uint32_t fail_attempts = 0;
  std::uint16_t fail_status = 503;
  // output
  bool json = false;
};

/// Declares every subcommand and option on `app`; parsing writes into `options`.
void declare(CLI::App& app, Options& options);

}  // namespace carillon::load
