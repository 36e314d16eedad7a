// What an AMQP broker says, byte by byte, for tests in which it is scripted.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace carillon::amqp_broker {

inline std::string number(std::uint64_t value, std::size_t bytes) {
  std::string out;
  for (std::size_t i = bytes; i > 0; --i) {
    out.push_back(static_cast<char>(value >> (8 * (i - 1)) & 0xff));
  }
  return out;
}
inline std::string short_text(std::string_view text) {
  return number(text.size(), 1).append(text);
}
inline std::string long_text(std::string_view text) {
  return number(text.size(), 4).append(text);
}
inline std::string frame(int type, int channel, std::string_view payload) {
  std::string out = number(static_cast<std::uint64_t>(type), 1);
  out += number(static_cast<std::uint64_t>(channel), 2) + long_text(payload) + '\xCE';
  return out;
}
inline std::string method(int channel, int of_class, int id, std::string_view fields = {}) {
  std::string payload = number(static_cast<std::uint64_t>(of_class), 2);
  payload += number(static_cast<std::uint64_t>(id), 2);
  return frame(1, channel, payload.append(fields));
}

inline std::string start(std::string_view mechanisms = "PLAIN AMQPLAIN") {
  return method(
      0, 10, 10,
      number(0, 1) + number(9, 1) + long_text("") + long_text(mechanisms) + long_text("en_US"));
}
inline std::string tune(std::uint32_t frame_bytes_max = 131'072) {
  return method(0, 10, 30, number(2047, 2) + number(frame_bytes_max, 4) + number(60, 2));
}
inline std::string open_ok() {
  return method(0, 10, 41, short_text(""));
}
inline std::string channel_open_ok() {
  return method(1, 20, 11, long_text(""));
}
inline std::string select_ok() {
  return method(1, 85, 11);
}
inline std::string qos_ok() {
  return method(1, 60, 11);
}
inline std::string ack(std::uint64_t tag, bool multiple = false) {
  return method(1, 60, 80, number(tag, 8) + number(multiple ? 1 : 0, 1));
}
inline std::string nack(std::uint64_t tag, bool multiple = false) {
  return method(1, 60, 120, number(tag, 8) + number(multiple ? 1 : 0, 1));
}
inline std::string blocked(std::string_view reason) {
  return method(0, 10, 60, short_text(reason));
}
inline std::string unblocked() {
  return method(0, 10, 61);
}
inline std::string close(std::uint16_t code, std::string_view why) {
  return method(0, 10, 50, number(code, 2) + short_text(why) + number(0, 4));
}
inline std::string channel_close(std::uint16_t code, std::string_view why) {
  return method(1, 20, 40, number(code, 2) + short_text(why) + number(0, 4));
}
inline std::string returned() {
  return method(1, 60, 50,
                number(312, 2) + short_text("NO_ROUTE") + short_text("x") + short_text("key"));
}
/// The header of a message with this id, and a table beside it.
inline std::string header(std::string_view message_id, std::uint64_t body_bytes) {
  constexpr std::uint64_t kHeadersAndId = 1 << 13 | 1 << 7;
  return frame(2, 1,
               number(60, 2) + number(0, 2) + number(body_bytes, 8) + number(kHeadersAndId, 2) +
                   long_text("whatever") + short_text(message_id));
}
inline std::string body(std::string_view piece) {
  return frame(3, 1, piece);
}
inline std::string heartbeat() {
  return frame(8, 0, "");
}

}  // namespace carillon::amqp_broker
