#include "storage/jetstream/client.h"

#include <algorithm>
#include <array>
#include <memory>

#include <fmt/format.h>
#include <nats/nats.h>

#include "base/check.h"
#include "base/log.h"

namespace carillon {

namespace {

/// Frees what the library has made.
template <auto Destroy>
struct Freeing {
  template <typename T>
  void operator()(T* made) const {
    Destroy(made);
  }
};
using OptionsPtr = std::unique_ptr<natsOptions, Freeing<natsOptions_Destroy>>;
using MessagePtr = std::unique_ptr<natsMsg, Freeing<natsMsg_Destroy>>;
using InfoPtr = std::unique_ptr<jsStreamInfo, Freeing<jsStreamInfo_Destroy>>;
using MetaPtr = std::unique_ptr<jsMsgMetaData, Freeing<jsMsgMetaData_Destroy>>;
using AccountPtr = std::unique_ptr<jsAccountInfo, Freeing<jsAccountInfo_Destroy>>;
using AckPtr = std::unique_ptr<jsPubAck, Freeing<jsPubAck_Destroy>>;

/// How often the servers show that a consumer is alive, and how long one outlives who used it.
constexpr std::chrono::milliseconds kHeartbeat{1000};
constexpr std::chrono::seconds kConsumerOutlives{30};
constexpr std::chrono::milliseconds kPing{1000};
constexpr int kPingsUnanswered = 2;
constexpr std::chrono::milliseconds kReconnectAfter{50};

constexpr std::int64_t nanoseconds(std::chrono::nanoseconds time) {
  return time.count();
}

Error network_error(std::string_view doing, natsStatus status, int code = 0) {
  std::string detail = fmt::format("{}: {}", doing, natsStatus_GetText(status));
  const char* why = nats_GetLastError(nullptr);
  if (why != nullptr && *why != '\0') detail += fmt::format(" ({})", why);
  if (code == JSStorageResourcesExceededErr) {
    detail +=
        ". The servers of NATS have less room than all streams together may take; give them "
        "a larger max_file_store, or set a smaller cluster.stream_bytes_max.";
  }
  return {"network", std::move(detail), ""};
}

Error lossy(const StreamName& stream, std::string_view why) {
  return {"storage",
          fmt::format("the stream {} {}, so it may lose what it has acknowledged. Set it right "
                      "with NATS's own tools, or let Carillon make it.",
                      stream.name, why),
          ""};
}

Result<> check_settings(const StreamName& stream, const jsStreamConfig& settings) {
  if (settings.Discard != js_DiscardNew) return lossy(stream, "drops old messages when it is full");
  if (settings.MaxAge != 0) return lossy(stream, "drops messages by their age");
  if (settings.Storage != js_FileStorage) return lossy(stream, "is kept in memory");
  if (settings.Retention != js_LimitsPolicy) return lossy(stream, "drops what was read");
  if (settings.MaxMsgsPerSubject > 0) return lossy(stream, "has a limit of messages");
  return {};
}

/// Error slugs: network, no_stream.
Result<InfoPtr> info_of(jsCtx* jet_stream, const StreamName& stream) {
  jsStreamInfo* info = nullptr;
  jsErrCode code{};
  const natsStatus status =
      js_GetStreamInfo(&info, jet_stream, stream.name.c_str(), nullptr, &code);
  if (code == JSStreamNotFoundErr) {
    return Error{"no_stream", "NATS has no stream " + stream.name, ""};
  }
  if (status != NATS_OK) return network_error("asking for the stream " + stream.name, status, code);
  return InfoPtr(info);
}

Result<> load(std::string_view what, const std::string& file, natsStatus status) {
  if (status == NATS_OK) return {};
  const char* why = nats_GetLastError(nullptr);
  return Error{
      "config",
      fmt::format("{} {}: {}", what, file, why != nullptr ? why : natsStatus_GetText(status)), ""};
}

/// Who we are to the servers, and whom of them we trust.
Result<> set_trust(natsOptions* made, const JetstreamOptions& options) {
  if (!options.creds_file.empty()) {
    const natsStatus set =
        natsOptions_SetUserCredentialsFromFiles(made, options.creds_file.c_str(), nullptr);
    if (auto ok = load("credentials of NATS", options.creds_file, set); !ok) return ok;
  }
  if (!options.username.empty()) {
    CARILLON_CHECK(natsOptions_SetUserInfo(made, options.username.c_str(),
                                           options.password.c_str()) == NATS_OK);
  }
  if (!options.ca_file.empty()) {
    const natsStatus set = natsOptions_LoadCATrustedCertificates(made, options.ca_file.c_str());
    if (auto ok = load("certificates to trust NATS by", options.ca_file, set); !ok) return ok;
  }
  if (!options.certificate_file.empty()) {
    const natsStatus set = natsOptions_LoadCertificatesChain(made, options.certificate_file.c_str(),
                                                             options.private_key_file.c_str());
    if (auto ok = load("certificate for NATS", options.certificate_file, set); !ok) return ok;
  }
  const bool secure = std::ranges::any_of(
      options.servers, [](const std::string& server) { return server.starts_with("tls://"); });
  if (secure) CARILLON_CHECK(natsOptions_SetSecure(made, true) == NATS_OK);
  return {};
}

Result<OptionsPtr> library_options(const JetstreamOptions& options, std::size_t from) {
  natsOptions* made = nullptr;
  CARILLON_CHECK(natsOptions_Create(&made) == NATS_OK);
  OptionsPtr set(made);
  std::vector<const char*> servers;
  for (std::size_t i = 0; i < options.servers.size(); ++i) {
    servers.push_back(options.servers[(from + i) % options.servers.size()].c_str());
  }
  const std::array statuses = {
      natsOptions_SetServers(made, servers.data(), static_cast<int>(servers.size())),
      natsOptions_SetName(made, options.name.c_str()),
      natsOptions_SetNoRandomize(made, true),
      natsOptions_SetIgnoreDiscoveredServers(made, true),
      natsOptions_SetTimeout(made, options.answer_patience.count()),
      natsOptions_SetSendAsap(made, true),
      natsOptions_SetFailRequestsOnDisconnect(made, true),
      natsOptions_SetPingInterval(made, kPing.count()),
      natsOptions_SetMaxPingsOut(made, kPingsUnanswered),
      natsOptions_SetMaxReconnect(made, -1),
      natsOptions_SetReconnectWait(made, kReconnectAfter.count()),
      // What is not sent at once is of no use later: appends are sent again by whoever waits.
      natsOptions_SetReconnectBufSize(made, 1),
      natsOptions_SetReconnectJitter(made, kReconnectAfter.count(), kReconnectAfter.count()),
  };
  CARILLON_CHECK(
      std::ranges::all_of(statuses, [](natsStatus status) { return status == NATS_OK; }));
  if (auto trusted = set_trust(made, options); !trusted) return trusted.error();
  return set;
}

}  // namespace

/// Closed by `close`, and destroyed when nobody uses it any more.
class JetstreamConnection {
 public:
  explicit JetstreamConnection(natsConnection* made) : connection(made) {}
  ~JetstreamConnection() {
    jsCtx_Destroy(jet_stream);
    natsConnection_Destroy(connection);
  }
  JetstreamConnection(const JetstreamConnection&) = delete;
  JetstreamConnection& operator=(const JetstreamConnection&) = delete;

  natsConnection* connection;
  jsCtx* jet_stream = nullptr;
};

struct StreamSubscription::Held {
  std::shared_ptr<JetstreamConnection> connection;
  natsSubscription* subscription = nullptr;
  MessagePtr message;
  bool of_subject = false;  // and of no stream
};

StreamSubscription::StreamSubscription(std::unique_ptr<Held> held) : held_(std::move(held)) {}

StreamSubscription::~StreamSubscription() {
  natsSubscription_Unsubscribe(held_->subscription);
  natsSubscription_Destroy(held_->subscription);
}

Result<std::optional<StreamSubscription::Received>> StreamSubscription::next(
    std::chrono::milliseconds patience) {
  natsMsg* message = nullptr;
  const natsStatus status =
      natsSubscription_NextMsg(&message, held_->subscription, patience.count());
  if (status == NATS_TIMEOUT) return std::optional<Received>();
  if (status != NATS_OK) return network_error("waiting for a message of the stream", status);
  held_->message.reset(message);
  const std::string_view bytes(natsMsg_GetData(message),
                               static_cast<std::size_t>(natsMsg_GetDataLength(message)));
  if (held_->of_subject) return std::optional(Received{0, bytes});
  jsMsgMetaData* meta = nullptr;
  if (const auto known = natsMsg_GetMetaData(&meta, message); known != NATS_OK) {
    return network_error("reading a message of the stream", known);
  }
  const MetaPtr held(meta);
  return std::optional(Received{meta->Sequence.Stream, bytes});
}

JetstreamClient::JetstreamClient(JetstreamOptions options) : options_(std::move(options)) {}

JetstreamClient::~JetstreamClient() {
  if (current_) natsConnection_Close(current_->connection);
}

Result<std::unique_ptr<JetstreamClient>> JetstreamClient::connect(JetstreamOptions options) {
  CARILLON_CHECK(!options.servers.empty());
  std::unique_ptr<JetstreamClient> nats(new JetstreamClient(std::move(options)));
  auto connection = nats->dial(0);
  if (!connection) return connection.error();
  nats->current_ = std::move(*connection);
  return nats;
}

Result<std::shared_ptr<JetstreamConnection>> JetstreamClient::dial(std::size_t from) const {
  const Result<OptionsPtr> options = library_options(options_, from);
  if (!options) return options.error();
  natsConnection* connection = nullptr;
  natsStatus status = natsConnection_Connect(&connection, options->get());
  if (status != NATS_OK) {
    std::string servers;
    for (const std::string& server : options_.servers) servers += " " + server;
    return network_error("connecting to NATS at" + servers, status);
  }
  auto made = std::make_shared<JetstreamConnection>(connection);
  jsOptions settings;
  status = jsOptions_Init(&settings);
  settings.Wait = options_.answer_patience.count();
  if (status == NATS_OK) {
    status = natsConnection_JetStream(&made->jet_stream, connection, &settings);
  }
  if (status != NATS_OK) return network_error("using JetStream", status);
  return made;
}

std::shared_ptr<JetstreamConnection> JetstreamClient::current() const {
  const std::lock_guard lock(mutex_);
  return current_;
}

std::uint64_t JetstreamClient::connection() const {
  const std::lock_guard lock(mutex_);
  return generation_;
}

void JetstreamClient::leave(std::uint64_t connection) {
  std::size_t from = 0;
  {
    const std::lock_guard lock(mutex_);
    if (connection != generation_) return;
    from = ++server_ % options_.servers.size();
  }
  auto other = dial(from);
  if (!other) return log_warning("NATS cannot be reached", {{"why", other.error().detail}});
  std::shared_ptr<JetstreamConnection> left;
  {
    const std::lock_guard lock(mutex_);
    if (connection != generation_) return natsConnection_Close((*other)->connection);
    left = std::exchange(current_, std::move(*other));
    ++generation_;
  }
  natsConnection_Close(left->connection);
  log_warning("a NATS server that did not answer was left for another",
              {{"now_first", options_.servers[from]}});
}

std::int64_t JetstreamClient::max_payload() const {
  return natsConnection_GetMaxPayload(current()->connection);
}

Result<> JetstreamClient::create(const StreamName& stream, const StreamSettings& settings) {
  const auto connection = current();
  jsStreamConfig config;
  jsStreamConfig_Init(&config);
  const char* subject = stream.subject.c_str();
  config.Name = stream.name.c_str();
  config.Subjects = &subject;
  config.SubjectsLen = 1;
  config.Retention = js_LimitsPolicy;
  config.Discard = js_DiscardNew;
  config.Storage = js_FileStorage;
  config.DenyDelete = true;
  config.Replicas = settings.replicas;
  config.MaxBytes = settings.bytes_max;
  jsErrCode code{};
  const natsStatus status = js_AddStream(nullptr, connection->jet_stream, &config, nullptr, &code);
  if (status != NATS_OK) return network_error("making the stream " + stream.name, status, code);
  return {};
}

Result<StreamExtent> JetstreamClient::extent(const StreamName& stream) {
  const auto connection = current();
  const Result<InfoPtr> info = info_of(connection->jet_stream, stream);
  if (!info) return info.error();
  if (auto sound = check_settings(stream, *(*info)->Config); !sound) return sound.error();
  // A stream that never had a message says 0 of both.
  const auto& state = (*info)->State;
  return StreamExtent{state.Msgs == 0 ? state.LastSeq + 1 : state.FirstSeq, state.LastSeq};
}

Result<double> JetstreamClient::fullness(const StreamName& stream) {
  const auto part = [](std::uint64_t taken, std::int64_t of) {
    return of > 0 ? static_cast<double>(taken) / static_cast<double>(of) : 0.0;
  };
  const auto connection = current();
  const Result<InfoPtr> info = info_of(connection->jet_stream, stream);
  if (!info) return info.error();
  jsAccountInfo* account = nullptr;
  jsErrCode code{};
  const natsStatus status = js_GetAccountInfo(&account, connection->jet_stream, nullptr, &code);
  if (status != NATS_OK) return network_error("asking for the account", status, code);
  const AccountPtr held(account);
  const jsStreamConfig& config = *(*info)->Config;
  double most = std::max(part((*info)->State.Bytes, config.MaxBytes),
                         part(account->Store, account->Limits.MaxStore));
  // An account may have limits for each number of replicas instead.
  for (int i = 0; i < account->TiersLen; ++i) {
    const jsTier& tier = *account->Tiers[i];
    if (tier.Name == fmt::format("R{}", config.Replicas)) {
      most = std::max(most, part(tier.Store, tier.Limits.MaxStore));
    }
  }
  return most;
}

Result<JetstreamClient::Ack> JetstreamClient::append(const StreamName& stream, StreamPlace last,
                                                     std::string_view bytes) {
  constexpr std::string_view kDoing = "appending to the stream";
  const auto connection = current();
  natsMsg* made = nullptr;
  natsStatus status = natsMsg_Create(&made, stream.subject.c_str(), nullptr, bytes.data(),
                                     static_cast<int>(bytes.size()));
  if (status != NATS_OK) return network_error(kDoing, status);
  const MessagePtr message(made);
  // By hand: the library leaves the header out where it says 0.
  status = natsMsgHeader_Set(made, "Nats-Expected-Last-Sequence", std::to_string(last).c_str());
  if (status == NATS_OK) {
    status = natsMsgHeader_Set(made, "Nats-Expected-Stream", stream.name.c_str());
  }
  jsPubAck* ack = nullptr;
  jsErrCode code{};
  if (status == NATS_OK) {
    status = js_PublishMsg(&ack, connection->jet_stream, made, nullptr, &code);
  }
  if (status != NATS_OK) return network_error(kDoing, status, code);
  const AckPtr held(ack);
  return Ack{ack->Sequence, ack->Duplicate};
}

Result<std::optional<std::string>> JetstreamClient::message_at(const StreamName& stream,
                                                               StreamPlace place) {
  const auto connection = current();
  natsMsg* made = nullptr;
  jsErrCode code{};
  const natsStatus status =
      js_GetMsg(&made, connection->jet_stream, stream.name.c_str(), place, nullptr, &code);
  if (code == JSNoMessageFoundErr) return std::optional<std::string>();
  if (status != NATS_OK) return network_error("reading from the stream", status, code);
  const MessagePtr message(made);
  return std::optional(
      std::string(natsMsg_GetData(made), static_cast<std::size_t>(natsMsg_GetDataLength(made))));
}

Result<> JetstreamClient::purge(const StreamName& stream, StreamPlace place) {
  const auto connection = current();
  jsOptions options;
  jsOptions_Init(&options);
  options.Wait = options_.answer_patience.count();
  options.Stream.Purge.Sequence = place;
  jsErrCode code{};
  const natsStatus status =
      js_PurgeStream(connection->jet_stream, stream.name.c_str(), &options, &code);
  if (status != NATS_OK) return network_error("trimming the stream", status, code);
  return {};
}

Result<std::unique_ptr<StreamSubscription>> JetstreamClient::subscribe(const StreamName& stream,
                                                                       StreamPlace from) {
  auto held = std::make_unique<StreamSubscription::Held>();
  held->connection = current();
  jsSubOptions options;
  jsSubOptions_Init(&options);
  options.Stream = stream.name.c_str();
  // As the library's "ordered" consumers are made; where one loses its way, the caller makes
  // another: the library gives up when that fails once, as it does during an election.
  options.Config.DeliverPolicy = js_DeliverByStartSequence;
  options.Config.OptStartSeq = from;
  options.Config.AckPolicy = js_AckNone;
  options.Config.MaxDeliver = 1;
  options.Config.FlowControl = true;
  options.Config.Heartbeat = nanoseconds(kHeartbeat);
  options.Config.InactiveThreshold = nanoseconds(kConsumerOutlives);
  options.Config.MemoryStorage = true;
  options.Config.Replicas = 1;
  jsErrCode code{};
  const natsStatus status = js_SubscribeSync(&held->subscription, held->connection->jet_stream,
                                             stream.subject.c_str(), nullptr, &options, &code);
  if (status != NATS_OK) return network_error("following the stream", status, code);
  return std::unique_ptr<StreamSubscription>(new StreamSubscription(std::move(held)));
}

void JetstreamClient::publish(const std::string& subject, std::string_view bytes) {
  // Without an answer there is nothing to look at: it is sent again by whoever needs it to arrive.
  static_cast<void>(natsConnection_Publish(current()->connection, subject.c_str(), bytes.data(),
                                           static_cast<int>(bytes.size())));
}

Result<std::unique_ptr<StreamSubscription>> JetstreamClient::listen(const std::string& subject) {
  auto held = std::make_unique<StreamSubscription::Held>();
  held->connection = current();
  held->of_subject = true;
  const natsStatus status = natsConnection_SubscribeSync(
      &held->subscription, held->connection->connection, subject.c_str());
  if (status != NATS_OK) return network_error("listening to " + subject, status);
  return std::unique_ptr<StreamSubscription>(new StreamSubscription(std::move(held)));
}

}  // namespace carillon
