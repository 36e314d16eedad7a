// kafka_mock: the mock cluster that librdkafka brings along, as a program of its own, which a test
// can stop and kill.
//
//   kafka_mock FIFO    one broker; says where it is, then does what lines of FIFO say
//
// Each line is answered by "done NUMBER" on standard error, NUMBER counting from 1:
//
//   topic NAME PARTITIONS    makes one
//   down, up                 closes its connections and takes no more; takes them again
//   delay MILLISECONDS       of each answer
//   fail COUNT CODE          so many produce requests, with Kafka's error code

#include <cstdint>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <sstream>
#include <string>
#include <vector>

#include <librdkafka/rdkafka.h>
#include <librdkafka/rdkafka_mock.h>

namespace {

constexpr std::int32_t kBroker = 1;
constexpr std::int16_t kProduce = 0;

bool obey(rd_kafka_mock_cluster_t* cluster, std::istringstream line) {
  std::string verb;
  line >> verb;
  if (verb == "topic") {
    std::string name;
    int partitions = 0;
    line >> name >> partitions;
    return rd_kafka_mock_topic_create(cluster, name.c_str(), partitions, 1) == 0;
  }
  if (verb == "down") return rd_kafka_mock_broker_set_down(cluster, kBroker) == 0;
  if (verb == "up") return rd_kafka_mock_broker_set_up(cluster, kBroker) == 0;
  int number = 0;
  line >> number;
  if (verb == "delay") return rd_kafka_mock_broker_set_rtt(cluster, kBroker, number) == 0;
  int code = 0;
  line >> code;
  const std::vector<rd_kafka_resp_err_t> errors(static_cast<std::size_t>(number),
                                                static_cast<rd_kafka_resp_err_t>(code));
  rd_kafka_mock_push_request_errors_array(cluster, kProduce, errors.size(), errors.data());
  return verb == "fail";
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) return 2;
  char why[256];
  rd_kafka_t* const owner = rd_kafka_new(RD_KAFKA_PRODUCER, rd_kafka_conf_new(), why, sizeof why);
  if (owner == nullptr) return 1;
  rd_kafka_mock_cluster_t* const cluster = rd_kafka_mock_cluster_new(owner, 1);
  if (cluster == nullptr) return 1;
  std::cerr << "ready " << rd_kafka_mock_cluster_bootstraps(cluster) << std::endl;
  std::ifstream commands(argv[1]);
  int number = 0;
  for (std::string line; std::getline(commands, line);) {
    if (!obey(cluster, std::istringstream(line))) return 1;
    std::cerr << "done " << ++number << std::endl;
  }
  rd_kafka_mock_cluster_destroy(cluster);
  rd_kafka_destroy(owner);
  return 0;
}
