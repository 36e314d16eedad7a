// A Kafka cluster of one broker for tests: librdkafka's mock (kafka_mock.cc) in a process of its
// own, on a free port of 127.0.0.1.
//
// Limitations: it keeps messages in memory, so what is killed is empty when it is back; `go_down`
// and `come_up` leave them.
//
// Concurrency: one test thread.
#pragma once

#include <fstream>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "tests/support/process.h"
#include "tests/support/temp_dir.h"

namespace carillon::test {

struct KafkaMessage {
  std::optional<std::string> key;
  std::string body;
  std::map<std::string, std::string> headers;
  int partition = 0;
};

class KafkaServer {
 public:
  KafkaServer();
  ~KafkaServer();

  /// HOST:PORT.
  [[nodiscard]] const std::string& broker() const { return broker_; }
  void make_topic(const std::string& name, int partitions = 4);
  /// All that is in it, in order within each partition.
  [[nodiscard]] std::vector<KafkaMessage> messages(const std::string& topic) const;

  /// It closes its connections, and takes no more until it comes up.
  void go_down() { command("down"); }
  void come_up() { command("up"); }
  /// It answers so much later.
  void slow_down(int milliseconds) { command("delay " + std::to_string(milliseconds)); }
  /// So many requests to store messages fail with this code of Kafka's.
  void refuse(int count, int code) {
    command("fail " + std::to_string(count) + " " + std::to_string(code));
  }
  /// kill -9, and waits until it is gone.
  void kill() { process_.reset(); }
  /// It answers nothing until it goes on.
  void freeze() { process_->freeze(); }
  void go_on() { process_->go_on(); }

 private:
  void command(const std::string& line);

  TempDir dir_;
  std::unique_ptr<Process> process_;
  std::ofstream commands_;
  int commands_given_ = 0;
  std::string broker_;
};

}  // namespace carillon::test
