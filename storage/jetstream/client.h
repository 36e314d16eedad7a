// A node's connection to NATS, and the few things that the log asks of JetStream.
//
// Operation: there is one connection, to one of the servers given; the library renews it when it
// breaks. A connection that stands, to a server that does not answer, is left with `leave`. Every
// call is sent once and answers what came of it: it decides nothing. An error says only that there
// was no useful answer; what was asked for may have been done.
//
// Concurrency: any thread; calls block, for at most `answer_patience`. Subscriptions belong to the
// thread that made them.
//
// Limitations: servers are used under the addresses given, not under those that they tell of each
// other. What the log must not be built on is left out. Nats-Msg-Id: servers note the id before the
// message is agreed on, and call the next copy a duplicate also where the first was dropped. The
// expected sequence of a subject: servers of 2.9 let several writers win. Direct gets: a replica
// that lags may answer. Pull consumers: libnats 3.4 overruns its memory in them.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "storage/stream_position.h"

namespace carillon {

struct JetstreamOptions {
  std::vector<std::string> servers;  // "nats://host:port" or "tls://host:port"
  std::string name = "carillon";     // of this client, as the servers show it
  std::string creds_file{};          // of a NATS user; empty: none
  std::string username{};            // with `password`; empty: none
  std::string password{};
  std::string ca_file{};  // PEM; whom to trust beside the system's, for tls
  std::string certificate_file{};
  std::string private_key_file{};
  std::chrono::milliseconds answer_patience{1000};
};

struct StreamName {
  std::string name;     // "CARILLON_prod_0"
  std::string subject;  // "carillon.prod.0"
};

struct StreamSettings {
  int replicas = 3;
  std::int64_t bytes_max = -1;  // unlimited
};

/// What the stream's leader says. Of a stream that has no message `first` is `last` + 1.
struct StreamExtent {
  StreamPlace first = 0;
  StreamPlace last = 0;
};

class JetstreamConnection;

/// The messages of a stream, in order, but for gaps where one was lost on its way; or of a subject,
/// where `listen` made it.
class StreamSubscription {
 public:
  struct Received {
    StreamPlace place = 0;   // 0: of no stream
    std::string_view bytes;  // until the next call
  };
  ~StreamSubscription();
  StreamSubscription(const StreamSubscription&) = delete;
  StreamSubscription& operator=(const StreamSubscription&) = delete;

  /// The next one; nothing where none came within `patience`. Error slug `network`: none will come.
  [[nodiscard]] Result<std::optional<Received>> next(std::chrono::milliseconds patience);

 private:
  friend class JetstreamClient;
  struct Held;
  explicit StreamSubscription(std::unique_ptr<Held> held);
  std::unique_ptr<Held> held_;
};

class JetstreamClient {
 public:
  struct Ack {
    StreamPlace place = 0;
    bool duplicate = false;
  };

  /// Error slugs: `network`: none of the servers could be reached; `config`: a file of `options`
  /// cannot be used.
  [[nodiscard]] static Result<std::unique_ptr<JetstreamClient>> connect(JetstreamOptions options);
  ~JetstreamClient();

  /// What the server that we are connected to takes in one message.
  [[nodiscard]] std::int64_t max_payload() const;

  /// Makes a stream that never drops a message by itself. No error where it is there already, with
  /// the same settings.
  [[nodiscard]] Result<> create(const StreamName& stream, const StreamSettings& settings);
  /// Error slugs: network; `no_stream`: the leader of all streams says that there is none;
  /// `storage`: the stream may lose messages by its settings.
  [[nodiscard]] Result<StreamExtent> extent(const StreamName& stream);
  /// What part is taken of what the stream, or the account, may store: of the two, the larger. 0:
  /// neither is limited. Error slugs: network, no_stream.
  [[nodiscard]] Result<double> fullness(const StreamName& stream);
  /// Appends `bytes` if the stream ends at `last`.
  [[nodiscard]] Result<Ack> append(const StreamName& stream, StreamPlace last,
                                   std::string_view bytes);
  /// What lies at `place`; nothing: the server that answered has no message there.
  [[nodiscard]] Result<std::optional<std::string>> message_at(const StreamName& stream,
                                                              StreamPlace place);
  /// Drops all messages below `place`.
  [[nodiscard]] Result<> purge(const StreamName& stream, StreamPlace place);
  [[nodiscard]] Result<std::unique_ptr<StreamSubscription>> subscribe(const StreamName& stream,
                                                                      StreamPlace from);

  /// Sends `bytes` to whoever listens at this moment. Lost without a word where nobody does, or
  /// the connection is broken.
  void publish(const std::string& subject, std::string_view bytes);
  /// What is published to `subject` from now on.
  [[nodiscard]] Result<std::unique_ptr<StreamSubscription>> listen(const std::string& subject);

  /// Which connection this is.
  [[nodiscard]] std::uint64_t connection() const;
  /// Leaves that connection, if it is the current one, for another server; what waits on it fails.
  void leave(std::uint64_t connection);

 private:
  explicit JetstreamClient(JetstreamOptions options);
  [[nodiscard]] std::shared_ptr<JetstreamConnection> current() const;
  /// Connects to the first server, from this one on, that can be reached.
  [[nodiscard]] Result<std::shared_ptr<JetstreamConnection>> dial(std::size_t from) const;

  const JetstreamOptions options_;
  mutable std::mutex mutex_;
  std::shared_ptr<JetstreamConnection> current_;
  std::uint64_t generation_ = 1;
  std::size_t server_ = 0;  // the first that was tried for the current connection
};

}  // namespace carillon
