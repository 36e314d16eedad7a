#include "tests/storage/jetstream/nats_servers.h"

#include <csignal>
#include <filesystem>
#include <thread>

#include <fmt/format.h>
#include <nats/nats.h>

#include "base/check.h"
#include "tests/support/free_port.h"
#include "tests/support/nats_program.h"

namespace carillon::test {

namespace {

/// A connection of the test's own, past what is tested.
class Direct {
 public:
  explicit Direct(const std::vector<std::string>& urls) {
    for (const std::string& url : urls) {
      if (natsConnection_ConnectTo(&connection_, url.c_str()) == NATS_OK) break;
    }
    if (connection_ != nullptr) natsConnection_JetStream(&jet_stream_, connection_, nullptr);
  }
  ~Direct() {
    jsCtx_Destroy(jet_stream_);
    natsConnection_Destroy(connection_);
  }
  Direct(const Direct&) = delete;
  Direct& operator=(const Direct&) = delete;
  [[nodiscard]] jsCtx* jet_stream() const { return jet_stream_; }

 private:
  natsConnection* connection_ = nullptr;
  jsCtx* jet_stream_ = nullptr;
};

StreamName name_of(const std::string& name) {
  return {"CARILLON_" + name, "carillon." + name};
}

/// What its cluster says of a stream; null where it does not answer.
std::unique_ptr<jsStreamInfo, void (*)(jsStreamInfo*)> info_of(const Direct& direct,
                                                               const StreamName& stream) {
  jsStreamInfo* info = nullptr;
  js_GetStreamInfo(&info, direct.jet_stream(), stream.name.c_str(), nullptr, nullptr);
  return {info, jsStreamInfo_Destroy};
}

}  // namespace

bool eventually(const std::function<bool()>& condition, std::chrono::seconds patience) {
  const auto deadline = std::chrono::steady_clock::now() + patience;
  while (!condition()) {
    if (std::chrono::steady_clock::now() > deadline) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(20));  // between two looks
  }
  return true;
}

NatsServers::NatsServers(int count) {
  constexpr int kTries = 3;
  for (int tries = 1;; ++tries) {
    launch(count);
    const StreamName ready = name_of("ready");
    if (make(ready, std::chrono::seconds(20))) {
      delete_stream(ready);
      return;
    }
    CARILLON_CHECK(tries < kTries);
    for (int i = 0; i < count; ++i) {
      kill(i);
      wipe(i);
    }
  }
}

void NatsServers::launch(int count) {
  ports_.clear();
  running_.clear();
  std::vector<std::uint16_t> routes;
  std::string all;
  for (int i = 0; i < count; ++i) {
    ports_.push_back(static_cast<std::uint16_t>(free_port()));
    routes.push_back(static_cast<std::uint16_t>(free_port()));
    all += fmt::format("{}nats://127.0.0.1:{}", i > 0 ? ", " : "", routes.back());
  }
  for (int i = 0; i < count; ++i) {
    const auto at = static_cast<std::size_t>(i);
    std::string config = fmt::format(
        "server_name: s{}\nlisten: 127.0.0.1:{}\nmax_payload: 4MB\n"
        "jetstream {{ store_dir: \"{}\", sync_interval: always, max_file_store: 2GB, "
        "max_memory_store: 64MB }}\n",
        i, ports_[at], store_of(i));
    if (count > 1) {
      config += fmt::format("cluster {{ name: test, listen: 127.0.0.1:{}, routes: [{}] }}\n",
                            routes[at], all);
    }
    write_file(dir_ / fmt::format("s{}.conf", i), config);
    running_.emplace_back();
    start(i);
  }
}

std::string NatsServers::store_of(int server) const {
  return dir_ / fmt::format("store{}", server);
}

std::string NatsServers::url(int server) const {
  return fmt::format("nats://127.0.0.1:{}", port(server));
}

std::vector<std::string> NatsServers::urls() const {
  std::vector<std::string> all;
  for (int i = 0; i < count(); ++i) all.push_back(url(i));
  return all;
}

void NatsServers::kill(int server) {
  auto& process = running_[static_cast<std::size_t>(server)];
  process->signal(SIGKILL);
  CARILLON_CHECK(process->wait().has_value());
}

void NatsServers::start(int server) {
  running_[static_cast<std::size_t>(server)] = std::make_unique<Process>(
      std::vector<std::string>{nats_program(), "-c", dir_ / fmt::format("s{}.conf", server)});
}

void NatsServers::wipe(int server) {
  std::filesystem::remove_all(store_of(server));
}

StreamName NatsServers::make_stream(const std::string& name) const {
  StreamName stream = name_of(name);
  CARILLON_CHECK(make(stream));
  return stream;
}

bool NatsServers::make(const StreamName& stream, std::chrono::seconds patience) const {
  return eventually(
      [&] {
        const auto nats = JetstreamClient::connect({.servers = urls()});
        return nats && (*nats)->create(stream, settings()) && (*nats)->extent(stream);
      },
      patience);
}

void NatsServers::delete_stream(const StreamName& stream) const {
  CARILLON_CHECK(eventually([&] {
    const Direct direct(urls());
    return js_DeleteStream(direct.jet_stream(), stream.name.c_str(), nullptr, nullptr) == NATS_OK;
  }));
}

int NatsServers::leader_of(const StreamName& stream) const {
  const auto info = info_of(Direct(urls()), stream);
  if (info == nullptr || info->Cluster == nullptr) return -1;
  for (int i = 0; i < count(); ++i) {
    if (info->Cluster->Leader == fmt::format("s{}", i)) return i;
  }
  return -1;
}

bool NatsServers::all_have(const StreamName& stream) const {
  const auto info = info_of(Direct(urls()), stream);
  if (info == nullptr || info->Cluster == nullptr) return false;
  if (info->Cluster->ReplicasLen + 1 != count()) return false;
  for (int i = 0; i < info->Cluster->ReplicasLen; ++i) {
    const jsPeerInfo& replica = *info->Cluster->Replicas[i];
    if (!replica.Current || replica.Offline || replica.Lag != 0) return false;
  }
  return true;
}

}  // namespace carillon::test
