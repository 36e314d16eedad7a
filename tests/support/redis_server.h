// A real Redis server for tests: on a free port of 127.0.0.1, with a directory of its own.
//
// Concurrency: one test thread.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "tests/support/process.h"
#include "tests/support/temp_dir.h"

namespace carillon::test {

/// Of one entry of a stream, in its order.
using RedisEntry = std::vector<std::pair<std::string, std::string>>;
/// The value of the first field of that name; empty where there is none.
[[nodiscard]] std::string field_of(const RedisEntry& entry, const std::string& name);

class RedisServer {
 public:
  struct Tls {
    std::string certificate;  // files
    std::string private_key;
  };

  /// Keeps what it acknowledged over `kill`. `arguments` go on top of the port and the directory.
  /// With `tls` it also listens at `tls_port`.
  explicit RedisServer(std::vector<std::string> arguments = {}, std::optional<Tls> tls = {});
  ~RedisServer();

  /// Starts it on the port that it had before; aborts where that fails.
  void start();
  /// kill -9, and waits until it is gone.
  void kill();
  /// It answers nothing until it goes on.
  void freeze() { process_->freeze(); }
  void go_on() { process_->go_on(); }

  [[nodiscard]] int port() const { return port_; }
  /// redis://127.0.0.1:PORT, without a path.
  [[nodiscard]] std::string url() const;
  [[nodiscard]] int tls_port() const { return tls_port_; }

  /// Asks a command over a connection of its own and gives the answer as text: an integer in
  /// digits, an error with its word in front.
  std::string ask(const std::vector<std::string>& words);
  /// The entries of a stream from its beginning.
  [[nodiscard]] std::vector<RedisEntry> entries(const std::string& stream);

 private:
  class Client;

  [[nodiscard]] bool try_to_start();
  [[nodiscard]] Client& client();

  TempDir dir_;
  std::vector<std::string> arguments_;
  std::optional<Tls> tls_;
  int port_ = 0;
  int tls_port_ = 0;  // 0: none
  std::unique_ptr<Process> process_;
  std::unique_ptr<Client> client_;
};

}  // namespace carillon::test
