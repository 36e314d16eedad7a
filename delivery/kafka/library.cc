#include "delivery/kafka/library.h"

#include <array>
#include <memory>
#include <utility>
#include <vector>

#include "delivery/errors.h"
#include "delivery/kafka/settings.h"

namespace carillon {
namespace {

using Values = std::vector<std::pair<const char*, std::string>>;

Result<Values> values_for(const TargetSettings& target, int messages_max) {
  const KafkaSettings& settings = kafka_settings(target);
  std::string brokers;
  for (const std::string& broker : settings.brokers) {
    brokers.append(brokers.empty() ? "" : ",").append(broker);
  }
  const bool logs_in = !settings.username.empty();
  Values values = {
      {"client.id", "carillon"},
      {"bootstrap.servers", brokers},
      {"security.protocol", logs_in ? "sasl_plaintext" : "plaintext"},
      {"acks", settings.acks_all ? "all" : "1"},
      {"enable.idempotence", settings.acks_all ? "true" : "false"},
      {"message.timeout.ms", std::to_string(target.timeout.count())},
      {"linger.ms", "0.5"},
      // As Java's producer does it, so that a key leads to the same partition.
      {"partitioner", "murmur2_random"},
      {"batch.num.messages", std::to_string(kKafkaBatchMessages)},
      // A message may be as long as a task; how long, the broker says.
      {"message.max.bytes", "100000000"},
      // Bodies are not copied, so what counts is how many there are.
      {"queue.buffering.max.messages", std::to_string(messages_max)},
      {"queue.buffering.max.kbytes", "2097151"},
      {"topic.metadata.propagation.max.ms", "5000"},
      // So long what a user may do with a topic is believed to be as it was.
      {"topic.metadata.refresh.interval.ms", "30000"},
      {"reconnect.backoff.ms", "10"},
      {"reconnect.backoff.max.ms", "1000"},
      {"socket.connection.setup.timeout.ms", "10000"},
      {"log_level", "0"},
  };
  if (logs_in) {
    Result<std::string> password = settings.read_password();
    if (!password) return password.error();
    values.emplace_back("sasl.mechanism", settings.sasl_mechanism);
    values.emplace_back("sasl.username", settings.username);
    values.emplace_back("sasl.password", *std::move(password));
  }
  return values;
}

}  // namespace

Result<> KafkaLibrary::start(const TargetSettings& target, int messages_max, int wakeup) {
  const Result<Values> values = values_for(target, messages_max);
  if (!values) return values.error();
  std::unique_ptr<rd_kafka_conf_t, void (*)(rd_kafka_conf_t*)> conf(rd_kafka_conf_new(),
                                                                    rd_kafka_conf_destroy);
  std::array<char, 256> why{};
  for (const auto& [name, value] : *values) {
    const auto taken = rd_kafka_conf_set(conf.get(), name, value.c_str(), why.data(), why.size());
    if (taken != RD_KAFKA_CONF_OK) return network_error(std::string("librdkafka: ") + why.data());
  }
  rd_kafka_conf_set_events(conf.get(), RD_KAFKA_EVENT_DR | RD_KAFKA_EVENT_ERROR);
  rd_kafka_conf_set_log_cb(conf.get(), nullptr);
  sockets_.serve(conf.get());
  handle_ = rd_kafka_new(RD_KAFKA_PRODUCER, conf.get(), why.data(), why.size());
  if (handle_ == nullptr) return network_error(std::string("librdkafka: ") + why.data());
  static_cast<void>(conf.release());
  reports_ = rd_kafka_queue_get_main(handle_);
  constexpr std::uint64_t kOne = 1;
  rd_kafka_queue_io_event_enable(reports_, wakeup, &kOne, sizeof kOne);
  return {};
}

KafkaLibrary::~KafkaLibrary() {
  if (handle_ == nullptr) return;
  rd_kafka_queue_io_event_enable(reports_, -1, nullptr, 0);
  rd_kafka_purge(handle_, RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT);
  rd_kafka_queue_destroy(reports_);
  rd_kafka_destroy(handle_);
}

}  // namespace carillon
