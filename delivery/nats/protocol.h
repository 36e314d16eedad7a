// NATS' protocol, as far as one who publishes to JetStream needs it, and what the answers mean.
//
// A conversation, ours on the left:
//
//                                   INFO {...}
//     (with TLS: its handshake)
//     CONNECT {...}, SUB inbox.*, PING   ──▶  PONG    from here on messages are taken
//     HPUB subject inbox.7 headers body  ──▶  MSG inbox.7 {"stream": "orders", "seq": 12}
//
// An answer is a message to the subject that the publish named for it. It comes from the stream, or
// says that nobody listens to the subject.
//
// Concurrency: none.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include <simdjson.h>

#include "delivery/nats/settings.h"
#include "delivery/sink.h"

namespace carillon {

/// What a server says. Views are of the reader, until it is fed again.
struct NatsMessage {
  enum class Kind : std::uint8_t { info, message, ping, pong, ok, error };
  Kind kind = Kind::ok;
  std::string_view text{};     // of info, its JSON; of error, the words; of a message, its body
  std::string_view subject{};  // of a message
  std::uint32_t status = 0;    // of a message that is none but the server's word about one
};

/// Takes a stream of bytes apart into what was said. It keeps at most 160 KiB.
class NatsReader {
 public:
  void feed(std::string_view bytes);
  /// The next that is whole; nothing: more is to come. Error: it speaks no NATS, or too much.
  [[nodiscard]] Result<std::optional<NatsMessage>> next();

 private:
  [[nodiscard]] Result<std::optional<NatsMessage>> next_message(std::string_view line,
                                                                std::size_t head_bytes,
                                                                bool has_headers);

  std::string bytes_;
  std::size_t taken_ = 0;
};

/// What a server says about itself.
struct NatsInfo {
  std::uint64_t message_bytes_max = 0;  // headers and body; 0: it did not say
  bool has_headers = false;
  bool wants_tls = false;
  bool is_leaving = false;  // it will stop soon, and asks its clients to go
  std::string nonce;        // to be signed by who has a key
};
/// Error: this is no JSON object.
[[nodiscard]] Result<NatsInfo> read_nats_info(simdjson::dom::parser& parser, std::string_view json);

/// What an answer says of the message that was published.
[[nodiscard]] PushResult read_nats_answer(simdjson::dom::parser& parser, const NatsMessage& answer);

/// Who we are.
struct NatsLogin {
  std::string_view username{};
  std::string_view password{};  // without a user name it is a token
  std::string_view jwt{};       // with the signature of the server's nonce
  std::string_view signature{};
  bool tls = false;
};
/// The signature of a nonce, as it is sent. Error: the seed is none.
[[nodiscard]] Result<std::string> sign_nats_nonce(const std::string& seed,
                                                  const std::string& nonce);

// What we say.
void append_nats_connect(std::string& out, const NatsLogin& login);
void append_nats_subscribe(std::string& out, std::string_view subjects);
void append_nats_ping(std::string& out);
void append_nats_pong(std::string& out);
/// `answer_to`: the subject that the answer comes to.
void append_nats_publish(std::string& out, const Push& push, std::string_view answer_to);
/// To which it is published.
[[nodiscard]] std::string_view nats_subject(const Push& push);
/// How many bytes of headers and body the message of a push has.
[[nodiscard]] std::size_t nats_message_bytes(const Push& push);

}  // namespace carillon
