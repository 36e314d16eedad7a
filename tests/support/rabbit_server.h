// A real RabbitMQ server for tests: on free ports of 127.0.0.1, with a directory and a port mapper
// (epmd) of its own, so that it disturbs no other and leaves nothing behind.
//
// Operation: it takes some seconds to start, so the tests of one suite share one, and queues of
// their own keep them apart. What it is asked goes over a connection that is made when it is
// needed.
//
// Concurrency: one test thread.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "tests/support/process.h"
#include "tests/support/temp_dir.h"

namespace carillon::test {

struct RabbitMessage {
  std::string body;
  std::string exchange;
  std::string routing_key;
  std::string message_id;
  std::string content_type;
  std::string app_id;
  int delivery_mode = 0;
  std::map<std::string, std::string> headers;
};

class RabbitServer {
 public:
  struct Tls {
    std::string certificate;  // files
    std::string private_key;
  };

  struct User {
    std::string name;
    std::string password;
  };
  struct Options {
    std::optional<Tls> tls{};   // it also listens at `tls_port`
    std::vector<User> users{};  // beside guest: they may do anything in the virtual host "/"
  };

  RabbitServer() : RabbitServer(Options()) {}
  explicit RabbitServer(Options options);
  ~RabbitServer();

  /// Starts it with the ports and the directory that it had before; aborts where that fails.
  void start();
  /// kill -9, and waits until it is gone.
  void kill();
  /// It answers nothing until it goes on.
  void freeze() { process_->freeze(); }
  void go_on() { process_->go_on(); }

  [[nodiscard]] int tls_port() const { return tls_port_; }
  /// amqp://127.0.0.1:PORT, without a path.
  [[nodiscard]] std::string url() const;

  /// A durable queue. `overflow_at`: it refuses messages while it has so many.
  void make_queue(const std::string& queue, std::optional<int> overflow_at = {});
  void make_exchange(const std::string& exchange, const std::string& type);
  void bind(const std::string& queue, const std::string& exchange, const std::string& routing_key);
  [[nodiscard]] std::size_t length(const std::string& queue);
  /// Takes all messages off a queue, the oldest first.
  [[nodiscard]] std::vector<RabbitMessage> take(const std::string& queue);

  /// Queues and exchanges that were made outlive a `kill` only some seconds later, or after this.
  void sync_queues();
  /// While its memory is said to be full it blocks whoever publishes.
  void set_memory_alarm(bool on);

 private:
  class Client;

  [[nodiscard]] bool try_to_start();
  void write_configuration() const;
  void control(const std::vector<std::string>& words);
  [[nodiscard]] Process::Environment environment() const;
  [[nodiscard]] Client& client();

  TempDir dir_;
  Options options_;
  int port_ = 0;
  int tls_port_ = 0;  // 0: none
  int mapper_port_ = 0;
  int nodes_port_ = 0;
  std::unique_ptr<Process> mapper_;
  std::unique_ptr<Process> process_;
  std::unique_ptr<Client> client_;
};

}  // namespace carillon::test
