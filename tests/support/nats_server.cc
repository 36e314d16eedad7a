#include "tests/support/nats_server.h"

#include <csignal>
#include <cstdlib>

#include <nats/nats.h>

#include "base/check.h"
#include "tests/support/free_port.h"
#include "tests/support/nats_program.h"

namespace carillon::test {

/// Aborts where anything fails: it serves tests that need the server to work.
class NatsServer::Client {
 public:
  explicit Client(const NatsServer& server) {
    natsOptions* options = nullptr;
    check(natsOptions_Create(&options));
    check(natsOptions_SetURL(options, server.url().c_str()));
    check(natsOptions_SetAllowReconnect(options, false));
    if (server.options_.tls) {
      check(
          natsOptions_LoadCATrustedCertificates(options, server.options_.tls->certificate.c_str()));
    }
    if (!server.options_.creds_file.empty()) {
      check(natsOptions_SetUserCredentialsFromFiles(options, server.options_.creds_file.c_str(),
                                                    nullptr));
    }
    check(natsConnection_Connect(&connection_, options));
    natsOptions_Destroy(options);
    check(natsConnection_JetStream(&jet_stream_, connection_, nullptr));
  }
  ~Client() {
    jsCtx_Destroy(jet_stream_);
    natsConnection_Destroy(connection_);
  }
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  void make_stream(const std::string& name, const std::string& subject, std::int64_t messages_max) {
    jsStreamConfig config;
    jsStreamConfig_Init(&config);
    const char* subjects = subject.c_str();
    config.Name = name.c_str();
    config.Subjects = &subjects;
    config.SubjectsLen = 1;
    config.Storage = js_FileStorage;
    config.Discard = js_DiscardNew;
    config.MaxMsgs = messages_max;
    check(js_AddStream(nullptr, jet_stream_, &config, nullptr, nullptr));
  }
  jsStreamState state_of(const std::string& stream) {
    jsStreamInfo* info = nullptr;
    check(js_GetStreamInfo(&info, jet_stream_, stream.c_str(), nullptr, nullptr));
    const jsStreamState state = info->State;
    jsStreamInfo_Destroy(info);
    return state;
  }
  StreamMessage get(const std::string& stream, std::uint64_t place) {
    natsMsg* message = nullptr;
    check(js_GetMsg(&message, jet_stream_, stream.c_str(), place, nullptr, nullptr));
    StreamMessage out;
    out.subject = natsMsg_GetSubject(message);
    out.body.assign(natsMsg_GetData(message),
                    static_cast<std::size_t>(natsMsg_GetDataLength(message)));
    const char** keys = nullptr;
    int count = 0;
    if (natsMsgHeader_Keys(message, &keys, &count) == NATS_OK) {
      for (int i = 0; i < count; ++i) {
        const char* value = nullptr;
        check(natsMsgHeader_Get(message, keys[i], &value));
        out.headers[keys[i]] = value;
      }
      std::free(keys);
    }
    natsMsg_Destroy(message);
    return out;
  }
  void purge(const std::string& stream) {
    check(js_PurgeStream(jet_stream_, stream.c_str(), nullptr, nullptr));
  }

 private:
  static void check(natsStatus status) { CARILLON_CHECK(status == NATS_OK); }

  natsConnection* connection_ = nullptr;
  jsCtx* jet_stream_ = nullptr;
};

NatsServer::NatsServer(Options options) : options_(std::move(options)) {
  // Somebody else may be faster at a port that was free.
  constexpr int kTries = 10;
  bool is_started = false;
  for (int i = 0; i < kTries && !is_started; ++i) {
    port_ = free_port();
    is_started = try_to_start();
  }
  CARILLON_CHECK(is_started);
}

NatsServer::~NatsServer() = default;

void NatsServer::start() {
  CARILLON_CHECK(try_to_start());
}

void NatsServer::write_configuration() const {
  std::string config = "listen: \"127.0.0.1:" + std::to_string(port_) +
                       "\"\njetstream { store_dir: \"" + dir_ / "store" +
                       "\", sync_interval: always, max_file_store: 1GB, max_memory_store: 64MB }\n";
  if (options_.tls) {
    config += "tls { cert_file: \"" + options_.tls->certificate + "\", key_file: \"" +
              options_.tls->private_key + "\", timeout: 30 }\n";
  }
  if (!options_.operators.empty()) {
    config += options_.operators;
  } else {
    config += "accounts { all { jetstream: enabled, users: [ {user: guest, password: guest}, " +
              options_.users + " ] } }\nno_auth_user: guest\n";
  }
  write_file(dir_ / "nats.conf", config + options_.more);
}

bool NatsServer::try_to_start() {
  write_configuration();
  process_ =
      std::make_unique<Process>(std::vector<std::string>{nats_program(), "-c", dir_ / "nats.conf"});
  return process_->wait_for_line("Server is ready").has_value();
}

void NatsServer::kill() {
  client_.reset();
  process_.reset();
}

void NatsServer::leave() {
  client_.reset();
  process_->signal(SIGUSR2);
}

void NatsServer::reload(Options options) {
  options_ = std::move(options);
  write_configuration();
  process_->signal(SIGHUP);
  CARILLON_CHECK(process_->wait_for_line("Reloaded server configuration").has_value());
}

std::string NatsServer::url() const {
  return (options_.tls ? "tls" : "nats") + ("://127.0.0.1:" + std::to_string(port_));
}

NatsServer::Client& NatsServer::client() {
  if (!client_) client_ = std::make_unique<Client>(*this);
  return *client_;
}

void NatsServer::make_stream(const std::string& stream, const std::string& subject,
                             std::optional<int> messages_max) {
  client().make_stream(stream, subject, messages_max.value_or(-1));
}

std::size_t NatsServer::length(const std::string& stream) {
  return client().state_of(stream).Msgs;
}

std::vector<StreamMessage> NatsServer::take(const std::string& stream) {
  const jsStreamState state = client().state_of(stream);
  std::vector<StreamMessage> all;
  for (std::uint64_t place = state.FirstSeq; state.Msgs > 0 && place <= state.LastSeq; ++place) {
    all.push_back(client().get(stream, place));
  }
  client().purge(stream);
  return all;
}

}  // namespace carillon::test
