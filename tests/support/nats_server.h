// A real NATS server for tests, with JetStream: on a free port of 127.0.0.1, with a directory of
// its own.
//
// Operation: whoever names no user is `guest`, who may do anything.
//
// Concurrency: one test thread.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "tests/support/process.h"
#include "tests/support/temp_dir.h"

namespace carillon::test {

/// Of a stream.
struct StreamMessage {
  std::string subject;
  std::string body;
  std::map<std::string, std::string> headers;
};

class NatsServer {
 public:
  struct Tls {
    std::string certificate;  // files
    std::string private_key;
  };
  struct Options {
    std::optional<Tls> tls{};  // it takes nobody without
    std::string users{};       // beside guest, as a server's configuration has them
    std::string more{};        // of a configuration
    std::string operators{};   // in the place of users
    std::string creds_file{};  // what this class itself logs in with; empty: it is guest
  };

  NatsServer() : NatsServer(Options()) {}
  explicit NatsServer(Options options);
  ~NatsServer();

  /// Starts it on the port that it had before; aborts where that fails.
  void start();
  /// kill -9, and waits until it is gone.
  void kill();
  /// It answers nothing until it goes on.
  void freeze() { process_->freeze(); }
  void go_on() { process_->go_on(); }
  /// It says to its clients that they should go, and lets nobody in any more.
  void leave();
  /// Goes on with other users and settings.
  void reload(Options options);

  /// nats://127.0.0.1:PORT, or tls.
  [[nodiscard]] std::string url() const;

  /// `messages_max`: it refuses more than these.
  void make_stream(const std::string& stream, const std::string& subject,
                   std::optional<int> messages_max = {});
  [[nodiscard]] std::size_t length(const std::string& stream);
  /// Takes all messages out of a stream, the oldest first.
  [[nodiscard]] std::vector<StreamMessage> take(const std::string& stream);

 private:
  class Client;

  [[nodiscard]] bool try_to_start();
  void write_configuration() const;
  [[nodiscard]] Client& client();

  TempDir dir_;
  Options options_;
  int port_ = 0;
  std::unique_ptr<Process> process_;
  std::unique_ptr<Client> client_;
};

}  // namespace carillon::test
