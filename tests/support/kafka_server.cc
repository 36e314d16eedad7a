#include "tests/support/kafka_server.h"

#include <librdkafka/rdkafka.h>
#include <sys/stat.h>

#include "base/check.h"

namespace carillon::test {
namespace {

/// Aborts where anything fails: it serves tests that need the cluster to work.
class Consumer {
 public:
  explicit Consumer(const std::string& broker) {
    rd_kafka_conf_t* const conf = rd_kafka_conf_new();
    set(conf, "bootstrap.servers", broker);
    set(conf, "group.id", "test");
    set(conf, "enable.auto.commit", "false");
    set(conf, "enable.partition.eof", "true");
    set(conf, "log_level", "0");
    char why[256];
    handle_ = rd_kafka_new(RD_KAFKA_CONSUMER, conf, why, sizeof why);
    CARILLON_CHECK(handle_ != nullptr);
    rd_kafka_poll_set_consumer(handle_);
  }
  ~Consumer() {
    rd_kafka_consumer_close(handle_);
    rd_kafka_destroy(handle_);
  }
  Consumer(const Consumer&) = delete;
  Consumer& operator=(const Consumer&) = delete;

  std::vector<KafkaMessage> read_all(const std::string& topic) {
    int left = begin(topic);
    std::vector<KafkaMessage> all;
    while (left > 0) {
      rd_kafka_message_t* const message = rd_kafka_consumer_poll(handle_, 30'000);
      CARILLON_CHECK(message != nullptr);
      if (message->err == RD_KAFKA_RESP_ERR__PARTITION_EOF) {
        --left;
      } else if (message->err == RD_KAFKA_RESP_ERR_NO_ERROR) {
        all.push_back(taken(*message));
      }
      rd_kafka_message_destroy(message);
    }
    return all;
  }

 private:
  static void set(rd_kafka_conf_t* conf, const char* name, const std::string& value) {
    CARILLON_CHECK(rd_kafka_conf_set(conf, name, value.c_str(), nullptr, 0) == RD_KAFKA_CONF_OK);
  }

  /// How many partitions it reads.
  int begin(const std::string& name) {
    rd_kafka_topic_t* const topic = rd_kafka_topic_new(handle_, name.c_str(), nullptr);
    const rd_kafka_metadata_t* found = nullptr;
    CARILLON_CHECK(rd_kafka_metadata(handle_, 0, topic, &found, 30'000) == 0);
    CARILLON_CHECK(found->topic_cnt == 1);
    const int count = found->topics[0].partition_cnt;
    rd_kafka_topic_partition_list_t* const all = rd_kafka_topic_partition_list_new(count);
    for (int i = 0; i < count; ++i) {
      rd_kafka_topic_partition_list_add(all, name.c_str(), i)->offset = RD_KAFKA_OFFSET_BEGINNING;
    }
    CARILLON_CHECK(rd_kafka_assign(handle_, all) == 0);
    rd_kafka_topic_partition_list_destroy(all);
    rd_kafka_metadata_destroy(found);
    rd_kafka_topic_destroy(topic);
    return count;
  }

  static KafkaMessage taken(rd_kafka_message_t& from) {
    KafkaMessage message;
    if (from.key != nullptr) message.key.emplace(static_cast<const char*>(from.key), from.key_len);
    if (from.len > 0) message.body.assign(static_cast<const char*>(from.payload), from.len);
    message.partition = from.partition;
    rd_kafka_headers_t* headers = nullptr;
    if (rd_kafka_message_headers(&from, &headers) != RD_KAFKA_RESP_ERR_NO_ERROR) return message;
    const char* name = nullptr;
    const void* value = nullptr;
    std::size_t size = 0;
    for (std::size_t i = 0; rd_kafka_header_get_all(headers, i, &name, &value, &size) == 0; ++i) {
      message.headers[name].assign(static_cast<const char*>(value), size);
    }
    return message;
  }

  rd_kafka_t* handle_ = nullptr;
};

}  // namespace

KafkaServer::KafkaServer() {
  const std::string fifo = dir_ / "commands";
  CARILLON_CHECK(::mkfifo(fifo.c_str(), 0600) == 0);
  process_ =
      std::make_unique<Process>(std::vector<std::string>{CARILLON_BIN_DIR "/kafka_mock", fifo});
  const auto ready = process_->wait_for_line("ready (\\S+)");
  CARILLON_CHECK(ready.has_value());
  broker_ = ready->at(1);
  commands_.open(fifo);
}

KafkaServer::~KafkaServer() = default;

void KafkaServer::command(const std::string& line) {
  commands_ << line << std::endl;
  const std::string done = "done " + std::to_string(++commands_given_) + "$";
  CARILLON_CHECK(process_->wait_for_line(done).has_value());
}

void KafkaServer::make_topic(const std::string& name, int partitions) {
  command("topic " + name + " " + std::to_string(partitions));
}

std::vector<KafkaMessage> KafkaServer::messages(const std::string& topic) const {
  return Consumer(broker_).read_all(topic);
}

}  // namespace carillon::test
