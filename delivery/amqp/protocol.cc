#include "delivery/amqp/protocol.h"

#include <algorithm>
#include <deque>
#include <vector>

#include "base/check.h"
#include "base/text.h"
#include "delivery/amqp/librabbitmq.h"
#include "delivery/broker/properties.h"
#include "delivery/errors.h"

namespace carillon {
namespace {

constexpr std::size_t kFrameHeadBytes = 7;  // type, channel, bytes of the payload
constexpr char kFrameEnd = '\xCE';
constexpr std::size_t kMethodBytesMax = 16 * 1024;  // of each that we say
constexpr std::uint16_t kNoChannel = 0;
constexpr std::uint8_t kPersistent = 2;
constexpr std::uint8_t kTransient = 1;

Error no_amqp() {
  return network_error("the broker does not speak AMQP 0-9-1");
}

/// Takes numbers and texts off the front of bytes; once they are used up, zeros and nothing.
class Taker {
 public:
  explicit Taker(std::string_view bytes) : rest_(bytes) {}

  std::uint64_t number(std::size_t bytes) {
    std::uint64_t value = 0;
    for (const char c : take(bytes)) value = value << 8 | static_cast<unsigned char>(c);
    return value;
  }
  std::string_view take(std::uint64_t bytes) {
    if (bytes > rest_.size()) is_short_ = true;
    const std::string_view taken = is_short_ ? std::string_view() : rest_.substr(0, bytes);
    rest_.remove_prefix(taken.size());
    return taken;
  }
  std::string_view short_text() { return take(number(1)); }
  std::string_view long_text() { return take(number(4)); }
  [[nodiscard]] bool is_short() const { return is_short_; }

 private:
  std::string_view rest_;
  bool is_short_ = false;
};

void append_big_endian(std::string& out, std::uint64_t value, std::size_t bytes) {
  for (std::size_t i = bytes; i > 0; --i) {
    out.push_back(static_cast<char>(value >> (8 * (i - 1)) & 0xff));
  }
}

amqp_bytes_t bytes_of(std::string_view text) {
  // It is only read, and an empty one must not look like none.
  return {text.size(), const_cast<char*>(text.data() == nullptr ? "" : text.data())};
}

std::string_view text_of(amqp_bytes_t bytes) {
  return {static_cast<const char*>(bytes.bytes), bytes.len};
}

amqp_table_entry_t text_entry(std::string_view key, std::string_view value) {
  amqp_table_entry_t entry{};
  entry.key = bytes_of(key);
  entry.value.kind = AMQP_FIELD_KIND_UTF8;
  entry.value.value.bytes = bytes_of(value);
  return entry;
}

/// Appends a frame whose payload `write` appends.
template <typename Write>
void append_frame(std::string& out, AmqpFrame::Type type, std::uint16_t channel,
                  const Write& write) {
  append_big_endian(out, static_cast<std::uint8_t>(type), 1);
  append_big_endian(out, channel, 2);
  const std::size_t at = out.size();
  append_big_endian(out, 0, 4);
  write(out);
  std::string size;
  append_big_endian(size, out.size() - at - 4, 4);
  out.replace(at, 4, size);
  out.push_back(kFrameEnd);
}

/// Appends what `encode` writes into at most `bytes_max` bytes and tells the length of.
template <typename Encode>
void append_encoded(std::string& out, std::size_t bytes_max, const Encode& encode) {
  const std::size_t at = out.size();
  out.resize(at + bytes_max);
  const int size = encode(amqp_bytes_t{bytes_max, out.data() + at});
  CARILLON_CHECK(size >= 0);  // all that we say is bounded
  out.resize(at + static_cast<std::size_t>(size));
}

void append_method(std::string& out, std::uint16_t channel, amqp_method_number_t id, void* fields,
                   std::size_t bytes_max = 64) {
  append_frame(out, AmqpFrame::Type::method, channel, [&](std::string& payload) {
    append_big_endian(payload, id, 4);
    append_encoded(payload, bytes_max,
                   [&](amqp_bytes_t to) { return amqp_encode_method(id, fields, to); });
  });
}

AmqpMethod::Kind kind_of(std::uint32_t id) {
  using Kind = AmqpMethod::Kind;
  switch (id) {
    case AMQP_CONNECTION_TUNE_METHOD:
      return Kind::tune;
    case AMQP_CONNECTION_OPEN_OK_METHOD:
      return Kind::open_ok;
    case AMQP_CHANNEL_OPEN_OK_METHOD:
      return Kind::channel_open_ok;
    case AMQP_CONFIRM_SELECT_OK_METHOD:
      return Kind::select_ok;
    case AMQP_BASIC_QOS_OK_METHOD:
      return Kind::qos_ok;
    case AMQP_BASIC_ACK_METHOD:
      return Kind::ack;
    case AMQP_BASIC_NACK_METHOD:
      return Kind::nack;
    case AMQP_BASIC_RETURN_METHOD:
      return Kind::returned;
    case AMQP_CONNECTION_BLOCKED_METHOD:
      return Kind::blocked;
    case AMQP_CONNECTION_UNBLOCKED_METHOD:
      return Kind::unblocked;
    case AMQP_CONNECTION_CLOSE_METHOD:
      return Kind::close;
    case AMQP_CHANNEL_CLOSE_METHOD:
      return Kind::channel_close;
    default:
      return Kind::other;
  }
}

/// By hand: librabbitmq reads the table in it, however deep a hostile one nests.
Result<AmqpMethod> read_start(std::string_view fields) {
  Taker from(fields);
  AmqpMethod method{.kind = AmqpMethod::Kind::start};
  const bool is_0_9 = from.number(1) == 0 && from.number(1) == 9;
  static_cast<void>(from.long_text());  // about the broker
  method.text = from.long_text();
  if (from.is_short() || !is_0_9) return no_amqp();
  return method;
}

/// A message's properties, and the texts that they point to.
class Properties {
 public:
  Properties(const Push& push, const AmqpSettings& target) {
    constexpr std::size_t kShortTextMax = 255;
    for_each_property(push, [&](std::string_view name, std::string_view value) {
      const std::string_view kept = texts_.emplace_back(value);
      bytes_ += name.size() + value.size() + 8;
      if (name == "webhook-id") {
        all_.message_id = bytes_of(kept);
      } else if (name == "content-type" && value.size() <= kShortTextMax) {
        all_.content_type = bytes_of(kept);
        all_._flags |= AMQP_BASIC_CONTENT_TYPE_FLAG;
      } else {
        headers_.push_back(text_entry(texts_.emplace_back(name), kept));
      }
    });
    all_.headers = {static_cast<int>(headers_.size()), headers_.data()};
    all_.delivery_mode = target.persistent ? kPersistent : kTransient;
    all_.app_id = bytes_of("carillon");
    all_._flags |= AMQP_BASIC_MESSAGE_ID_FLAG | AMQP_BASIC_HEADERS_FLAG |
                   AMQP_BASIC_DELIVERY_MODE_FLAG | AMQP_BASIC_APP_ID_FLAG;
  }

  void append_to(std::string& out) {
    constexpr std::size_t kBesides = 64;  // flags, and what stands alone
    append_encoded(out, bytes_ + kBesides, [&](amqp_bytes_t to) {
      return amqp_encode_properties(AMQP_BASIC_CLASS, &all_, to);
    });
  }

 private:
  std::deque<std::string> texts_;
  std::vector<amqp_table_entry_t> headers_;
  std::size_t bytes_ = 0;
  amqp_basic_properties_t all_{};
};

}  // namespace

// Reading.

void AmqpFrameReader::feed(std::string_view bytes) {
  bytes_.erase(0, std::exchange(taken_, 0));
  bytes_.append(bytes);
}

Result<std::optional<AmqpFrame>> AmqpFrameReader::next() {
  const std::string_view rest = std::string_view(bytes_).substr(taken_);
  if (rest.empty()) return std::optional<AmqpFrame>();
  Taker head(rest);
  AmqpFrame frame;
  frame.type = static_cast<AmqpFrame::Type>(head.number(1));
  const bool is_known =
      (frame.type >= AmqpFrame::Type::method && frame.type <= AmqpFrame::Type::body) ||
      frame.type == AmqpFrame::Type::heartbeat;
  if (!is_known) return no_amqp();
  frame.channel = static_cast<std::uint16_t>(head.number(2));
  const std::uint64_t size = head.number(4);
  if (head.is_short()) return std::optional<AmqpFrame>();
  if (size + kFrameHeadBytes + 1 > frame_bytes_max_) {
    return network_error("the broker sent a frame of " + std::to_string(size) + " bytes");
  }
  if (rest.size() < kFrameHeadBytes + size + 1) return std::optional<AmqpFrame>();
  if (rest[kFrameHeadBytes + size] != kFrameEnd) return no_amqp();
  frame.payload = rest.substr(kFrameHeadBytes, size);
  taken_ += kFrameHeadBytes + size + 1;
  return std::optional<AmqpFrame>(frame);
}

AmqpDecoder::AmqpDecoder() : pool_(std::make_unique<amqp_pool_t_>()) {
  constexpr std::size_t kPageBytes = 1024;
  init_amqp_pool(pool_.get(), kPageBytes);
}

AmqpDecoder::~AmqpDecoder() {
  empty_amqp_pool(pool_.get());
}

Result<AmqpMethod> AmqpDecoder::decode(std::string_view payload) {
  Taker head(payload);
  const auto id = static_cast<std::uint32_t>(head.number(4));
  if (head.is_short()) return no_amqp();
  const std::string_view fields = payload.substr(4);
  if (id == AMQP_CONNECTION_START_METHOD) return read_start(fields);
  AmqpMethod method{.kind = kind_of(id)};
  if (method.kind == AmqpMethod::Kind::other) return method;
  recycle_amqp_pool(pool_.get());
  void* decoded = nullptr;
  if (amqp_decode_method(id, pool_.get(), bytes_of(fields), &decoded) != AMQP_STATUS_OK) {
    return network_error("the broker said what is cut short");
  }
  const auto closed = [&](const auto& its) {
    method.code = its.reply_code;
    method.text = text_of(its.reply_text);
  };
  const auto confirmed = [&](const auto& its) {
    method.tag = its.delivery_tag;
    method.multiple = its.multiple != 0;
  };
  switch (method.kind) {
    case AmqpMethod::Kind::tune:
      method.frame_bytes_max = static_cast<const amqp_connection_tune_t*>(decoded)->frame_max;
      break;
    case AmqpMethod::Kind::ack:
      confirmed(*static_cast<const amqp_basic_ack_t*>(decoded));
      break;
    case AmqpMethod::Kind::nack:
      confirmed(*static_cast<const amqp_basic_nack_t*>(decoded));
      break;
    case AmqpMethod::Kind::returned:
      closed(*static_cast<const amqp_basic_return_t*>(decoded));
      break;
    case AmqpMethod::Kind::close:
      closed(*static_cast<const amqp_connection_close_t*>(decoded));
      break;
    case AmqpMethod::Kind::channel_close:
      closed(*static_cast<const amqp_channel_close_t*>(decoded));
      break;
    case AmqpMethod::Kind::blocked:
      method.text = text_of(static_cast<const amqp_connection_blocked_t*>(decoded)->reason);
      break;
    default:
      break;
  }
  return method;
}

Result<AmqpHeader> read_amqp_header(std::string_view payload) {
  Taker from(payload);
  AmqpHeader header;
  static_cast<void>(from.number(4));  // class, weight
  header.body_bytes = from.number(8);
  const std::uint64_t flags = from.number(2);
  const auto has = [&](std::uint64_t flag) { return (flags & flag) != 0; };
  // Those before the message's id, in their order.
  if (has(AMQP_BASIC_CONTENT_TYPE_FLAG)) static_cast<void>(from.short_text());
  if (has(AMQP_BASIC_CONTENT_ENCODING_FLAG)) static_cast<void>(from.short_text());
  if (has(AMQP_BASIC_HEADERS_FLAG)) static_cast<void>(from.long_text());
  if (has(AMQP_BASIC_DELIVERY_MODE_FLAG)) static_cast<void>(from.number(1));
  if (has(AMQP_BASIC_PRIORITY_FLAG)) static_cast<void>(from.number(1));
  for (const std::uint64_t flag :
       {AMQP_BASIC_CORRELATION_ID_FLAG, AMQP_BASIC_REPLY_TO_FLAG, AMQP_BASIC_EXPIRATION_FLAG}) {
    if (has(flag)) static_cast<void>(from.short_text());
  }
  if (has(AMQP_BASIC_MESSAGE_ID_FLAG)) header.message_id = from.short_text();
  if (from.is_short()) return network_error("the broker said what is cut short");
  return header;
}

// Writing.

void append_amqp_protocol(std::string& out) {
  out.append(std::string_view("AMQP\0\0\x09\x01", 8));
}

void append_amqp_start_ok(std::string& out, std::string_view username, std::string_view password) {
  std::vector<amqp_table_entry_t> capabilities;
  for (const char* name :
       {"publisher_confirms", "basic.nack", "connection.blocked", "authentication_failure_close"}) {
    amqp_table_entry_t& entry = capabilities.emplace_back();
    entry.key = bytes_of(name);
    entry.value.kind = AMQP_FIELD_KIND_BOOLEAN;
    entry.value.value.boolean = 1;
  }
  std::vector<amqp_table_entry_t> about = {text_entry("product", "Carillon"),
                                           text_entry("connection_name", "carillon")};
  amqp_table_entry_t& can = about.emplace_back();
  can.key = bytes_of("capabilities");
  can.value.kind = AMQP_FIELD_KIND_TABLE;
  can.value.value.table = {static_cast<int>(capabilities.size()), capabilities.data()};
  std::string login;
  login.append(1, '\0').append(username).append(1, '\0').append(password);
  amqp_connection_start_ok_t fields{{static_cast<int>(about.size()), about.data()},
                                    bytes_of("PLAIN"),
                                    bytes_of(login),
                                    bytes_of("en_US")};
  append_method(out, kNoChannel, AMQP_CONNECTION_START_OK_METHOD, &fields, kMethodBytesMax);
}

void append_amqp_tune_ok(std::string& out, std::uint32_t frame_bytes_max) {
  amqp_connection_tune_ok_t fields{kAmqpChannel, frame_bytes_max, kAmqpHeartbeatSeconds};
  append_method(out, kNoChannel, AMQP_CONNECTION_TUNE_OK_METHOD, &fields);
}

void append_amqp_open(std::string& out, std::string_view vhost) {
  amqp_connection_open_t fields{bytes_of(vhost), bytes_of(""), 0};
  append_method(out, kNoChannel, AMQP_CONNECTION_OPEN_METHOD, &fields, kMethodBytesMax);
}

void append_amqp_channel_open(std::string& out) {
  amqp_channel_open_t fields{bytes_of("")};
  append_method(out, kAmqpChannel, AMQP_CHANNEL_OPEN_METHOD, &fields);
}

void append_amqp_confirm_select(std::string& out) {
  amqp_confirm_select_t fields{0};
  append_method(out, kAmqpChannel, AMQP_CONFIRM_SELECT_METHOD, &fields);
}

void append_amqp_qos(std::string& out) {
  amqp_basic_qos_t fields{0, 0, 0};
  append_method(out, kAmqpChannel, AMQP_BASIC_QOS_METHOD, &fields);
}

void append_amqp_heartbeat(std::string& out) {
  append_frame(out, AmqpFrame::Type::heartbeat, kNoChannel, [](std::string&) {});
}

void append_amqp_publish(std::string& out, const Push& push, std::uint32_t frame_bytes_max) {
  const AmqpSettings& target = amqp_settings(*push.target);
  amqp_basic_publish_t fields{
      0, bytes_of(target.exchange),
      bytes_of(push.content.key.empty() ? std::string_view(target.routing_key) : push.content.key),
      target.mandatory ? 1 : 0, 0};
  append_method(out, kAmqpChannel, AMQP_BASIC_PUBLISH_METHOD, &fields, 1024);
  std::string_view body = push.content.body;
  append_frame(out, AmqpFrame::Type::header, kAmqpChannel, [&](std::string& payload) {
    append_big_endian(payload, AMQP_BASIC_CLASS, 2);
    append_big_endian(payload, 0, 2);  // weight
    append_big_endian(payload, body.size(), 8);
    Properties(push, target).append_to(payload);
  });
  const std::size_t piece_bytes = frame_bytes_max - kFrameHeadBytes - 1;
  while (!body.empty()) {
    const std::string_view piece = body.substr(0, piece_bytes);
    append_frame(out, AmqpFrame::Type::body, kAmqpChannel,
                 [&](std::string& payload) { payload.append(piece); });
    body.remove_prefix(piece.size());
  }
}

}  // namespace carillon
