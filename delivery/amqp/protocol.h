// Frames and methods of AMQP 0-9-1, as far as one who publishes needs them. The encoding of methods
// and properties is librabbitmq's.
//
// A conversation, ours on the left:
//
//     "AMQP" 0 0 9 1   ──▶  start
//     start-ok         ──▶  tune
//     tune-ok, open    ──▶  open-ok
//     channel.open     ──▶  open-ok
//     confirm.select   ──▶  select-ok      from here on messages are confirmed, counted from 1
//     publish, header, body ──▶  ack or nack; before it return, where no queue takes it
//
// Concurrency: none.
//
// Limitations: one channel. Tables that a broker sends are passed over.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "delivery/amqp/settings.h"
#include "delivery/sink.h"

struct amqp_pool_t_;  // of librabbitmq

namespace carillon {

inline constexpr std::uint16_t kAmqpChannel = 1;
/// The frames of ours and of the broker have at most so many bytes.
inline constexpr std::uint32_t kAmqpFrameBytesMax = 128 * 1024;
/// A broker must take frames of so many, that the headers of any task fit in one.
inline constexpr std::uint32_t kAmqpFrameBytesMin = 32 * 1024;
inline constexpr std::uint16_t kAmqpHeartbeatSeconds = 60;

struct AmqpFrame {
  enum class Type : std::uint8_t { method = 1, header = 2, body = 3, heartbeat = 8 };
  Type type = Type::heartbeat;
  std::uint16_t channel = 0;
  std::string_view payload;  // until the reader's next call
};

/// Takes a stream of bytes apart into frames. Keeps one frame of the greatest size, and what it was
/// fed last.
class AmqpFrameReader {
 public:
  void feed(std::string_view bytes);
  /// The next whole frame; nothing: more is to come. Error: this is no AMQP, or too long.
  [[nodiscard]] Result<std::optional<AmqpFrame>> next();
  /// Until this is called the greatest frame has 16 KiB: nobody is known to be there.
  void take_long_frames() { frame_bytes_max_ = kAmqpFrameBytesMax; }

 private:
  std::string bytes_;
  std::size_t taken_ = 0;
  std::uint32_t frame_bytes_max_ = 16 * 1024;
};

/// What a broker says, with those of its fields that matter.
struct AmqpMethod {
  enum class Kind : std::uint8_t {
    start,
    tune,
    open_ok,
    channel_open_ok,
    select_ok,
    qos_ok,
    ack,
    nack,
    returned,
    blocked,
    unblocked,
    close,          // of the connection
    channel_close,  // of the channel
    other,
  };
  Kind kind = Kind::other;
  std::uint64_t tag = 0;              // of ack and nack
  bool multiple = false;              // of ack and nack: all before it, too
  std::uint32_t frame_bytes_max = 0;  // of tune; 0: any
  std::uint16_t code = 0;             // of returned and the two closes
  std::string text{};                 // of start: mechanisms; of the others: a reason
};

class AmqpDecoder {
 public:
  AmqpDecoder();
  ~AmqpDecoder();
  AmqpDecoder(const AmqpDecoder&) = delete;
  AmqpDecoder& operator=(const AmqpDecoder&) = delete;

  /// Error: it is cut short, or no method.
  [[nodiscard]] Result<AmqpMethod> decode(std::string_view payload);

 private:
  std::unique_ptr<amqp_pool_t_> pool_;
};

/// The header before a body.
struct AmqpHeader {
  std::uint64_t body_bytes = 0;
  std::string_view message_id;  // of the payload it was read from
};
[[nodiscard]] Result<AmqpHeader> read_amqp_header(std::string_view payload);

// What we say.
void append_amqp_protocol(std::string& out);
void append_amqp_start_ok(std::string& out, std::string_view username, std::string_view password);
void append_amqp_tune_ok(std::string& out, std::uint32_t frame_bytes_max);
void append_amqp_open(std::string& out, std::string_view vhost);
void append_amqp_channel_open(std::string& out);
void append_amqp_confirm_select(std::string& out);
void append_amqp_qos(std::string& out);
void append_amqp_heartbeat(std::string& out);
/// The method, the header with the properties, and the body.
void append_amqp_publish(std::string& out, const Push& push, std::uint32_t frame_bytes_max);

}  // namespace carillon
