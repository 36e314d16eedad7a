#include "delivery/nats/protocol.h"

#include <algorithm>
#include <array>
#include <charconv>

#include <nats/nats.h>

#include "base/json.h"
#include "base/text.h"
#include "delivery/broker/connection.h"
#include "delivery/broker/properties.h"
#include "delivery/errors.h"
#include "net/base64.h"

namespace carillon {
namespace {

namespace dom = simdjson::dom;

constexpr std::string_view kLineEnd = "\r\n";
constexpr std::string_view kHeadersBegin = "NATS/1.0";
/// Answers are a few words, and what a server says of itself a few for each of its peers.
constexpr std::size_t kSaidBytesMax = 64 * 1024;
constexpr std::uint32_t kUnavailable = 503;

Error no_nats() {
  return network_error("it does not speak NATS' protocol");
}

/// Takes the first word off.
std::string_view take_word(std::string_view& words) {
  words = trimmed(words);
  const std::string_view word = words.substr(0, words.find_first_of(kBlanks));
  words.remove_prefix(word.size());
  return word;
}

std::optional<std::size_t> size_in(std::string_view word) {
  std::size_t size = 0;
  const auto [end, failed] = std::from_chars(word.data(), word.data() + word.size(), size);
  if (failed != std::errc() || end != word.data() + word.size()) return std::nullopt;
  return size;
}

/// "'Authorization Violation'" without its quotes.
std::string_view unquoted(std::string_view words) {
  words = trimmed(words);
  if (words.size() < 2 || !words.starts_with('\'') || !words.ends_with('\'')) return words;
  return words.substr(1, words.size() - 2);
}

std::optional<NatsMessage::Kind> kind_of(std::string_view verb) {
  using Kind = NatsMessage::Kind;
  static constexpr std::array<std::pair<std::string_view, Kind>, 7> kAll = {
      {{"MSG", Kind::message},
       {"HMSG", Kind::message},
       {"PING", Kind::ping},
       {"PONG", Kind::pong},
       {"INFO", Kind::info},
       {"+OK", Kind::ok},
       {"-ERR", Kind::error}}};
  const auto* const found = std::ranges::find(kAll, verb, [](const auto& it) { return it.first; });
  if (found == kAll.end()) return std::nullopt;
  return found->second;
}

/// What stands behind MSG and HMSG: a subject, the number of our subscription, perhaps a subject
/// for an answer, and sizes.
struct MessageLine {
  std::string_view subject;
  std::size_t header_bytes = 0;
  std::size_t bytes = 0;  // with the headers
};
std::optional<MessageLine> read_message_line(std::string_view words, bool has_headers) {
  std::array<std::string_view, 6> all;
  std::size_t count = 0;
  while (count < all.size() && !(all[count] = take_word(words)).empty()) ++count;
  const std::size_t sizes = has_headers ? 2 : 1;
  if (count != sizes + 2 && count != sizes + 3) return std::nullopt;
  const std::optional<std::size_t> bytes = size_in(all[count - 1]);
  const std::optional<std::size_t> header_bytes = has_headers ? size_in(all[count - 2]) : 0;
  if (!bytes || !header_bytes || *header_bytes > *bytes) return std::nullopt;
  return MessageLine{all[0], *header_bytes, *bytes};
}

/// The number in the first line of headers; nothing where they are none.
std::optional<std::uint32_t> read_status(std::string_view headers) {
  if (headers.empty()) return 0;
  if (!headers.starts_with(kHeadersBegin)) return std::nullopt;
  std::string_view first = headers.substr(0, headers.find('\r')).substr(kHeadersBegin.size());
  const std::string_view word = take_word(first);
  if (word.empty()) return 0;
  const std::optional<std::size_t> status = size_in(word);
  if (!status || *status > 999) return std::nullopt;
  return static_cast<std::uint32_t>(*status);
}

template <typename Value>
Value member_or(const dom::object& object, std::string_view name, Value other) {
  Value value{};
  return object[name].get(value) == simdjson::SUCCESS ? value : other;
}

std::optional<dom::object> read_object(dom::parser& parser, std::string_view json) {
  dom::object object;
  if (parser.parse(json.data(), json.size()).get(object) != simdjson::SUCCESS) return std::nullopt;
  return object;
}

/// Whether a code of JetStream says that a server or an account has no room left.
bool is_full(std::int64_t code) {
  constexpr std::array<std::int64_t, 3> kFull = {10002, 10028, 10047};
  return std::ranges::find(kFull, code) != kFull.end();
}

/// A stream's error.
PushResult refused(const dom::object& error) {
  PushResult result{.may_be_seen = true};
  result.status = static_cast<std::uint32_t>(
      std::clamp<std::int64_t>(member_or(error, "code", std::int64_t{0}), 0, 999));
  if (result.status == kUnavailable || is_full(member_or(error, "err_code", std::int64_t{0}))) {
    result.not_now = NotNow::unavailable;
  }
  result.error = "the stream answered " + std::to_string(result.status) + " " +
                 quoted_answer(member_or(error, "description", std::string_view("without a word")));
  return result;
}

void append_headers(std::string& out, const Push& push) {
  out.append(kHeadersBegin).append(kLineEnd);
  for_each_property(push, [&](std::string_view name, std::string_view value) {
    // By this one a stream knows what it has already.
    out.append(name == "webhook-id" ? std::string_view("Nats-Msg-Id") : name);
    out.append(": ").append(value).append(kLineEnd);
  });
  out.append(kLineEnd);
}

}  // namespace

// Reading.

void NatsReader::feed(std::string_view bytes) {
  bytes_.erase(0, std::exchange(taken_, 0));
  bytes_.append(bytes);
}

Result<std::optional<NatsMessage>> NatsReader::next() {
  const std::string_view rest = std::string_view(bytes_).substr(taken_);
  const std::size_t line_bytes = rest.find('\n');
  if (std::min(line_bytes, rest.size()) > kSaidBytesMax) {
    return network_error("the server said a line of over 64 KiB");
  }
  if (line_bytes == std::string_view::npos) return std::optional<NatsMessage>();
  std::string_view line = rest.substr(0, line_bytes);
  if (!line.ends_with('\r')) return no_nats();
  line.remove_suffix(1);
  const std::string_view verb = take_word(line);
  const std::optional<NatsMessage::Kind> kind = kind_of(verb);
  if (!kind) return no_nats();
  const std::size_t head_bytes = line_bytes + 1;
  if (*kind == NatsMessage::Kind::message) return next_message(line, head_bytes, verb == "HMSG");
  taken_ += head_bytes;
  const bool is_error = *kind == NatsMessage::Kind::error;
  const std::string_view text = is_error ? unquoted(line) : trimmed(line);
  return std::optional(NatsMessage{.kind = *kind, .text = text});
}

/// `line`: what stands behind the verb, at the beginning of `head_bytes`.
Result<std::optional<NatsMessage>> NatsReader::next_message(std::string_view line,
                                                            std::size_t head_bytes,
                                                            bool has_headers) {
  const std::optional<MessageLine> its = read_message_line(line, has_headers);
  if (!its) return no_nats();
  if (its->bytes > kSaidBytesMax) return network_error("the server sent an answer of over 64 KiB");
  const std::string_view rest = std::string_view(bytes_).substr(taken_ + head_bytes);
  if (rest.size() < its->bytes + kLineEnd.size()) return std::optional<NatsMessage>();
  const std::string_view content = rest.substr(0, its->bytes);
  const std::optional<std::uint32_t> status = read_status(content.substr(0, its->header_bytes));
  if (!status || rest.substr(its->bytes, kLineEnd.size()) != kLineEnd) return no_nats();
  taken_ += head_bytes + its->bytes + kLineEnd.size();
  return std::optional(NatsMessage{.kind = NatsMessage::Kind::message,
                                   .text = content.substr(its->header_bytes),
                                   .subject = its->subject,
                                   .status = *status});
}

Result<NatsInfo> read_nats_info(dom::parser& parser, std::string_view json) {
  const std::optional<dom::object> object = read_object(parser, json);
  if (!object) return no_nats();
  NatsInfo info;
  info.message_bytes_max = static_cast<std::uint64_t>(
      std::max<std::int64_t>(member_or(*object, "max_payload", std::int64_t{0}), 0));
  info.has_headers = member_or(*object, "headers", false);
  info.wants_tls = member_or(*object, "tls_required", false);
  info.is_leaving = member_or(*object, "ldm", false);
  info.nonce = member_or(*object, "nonce", std::string_view());
  return info;
}

PushResult read_nats_answer(dom::parser& parser, const NatsMessage& answer) {
  PushResult result{.may_be_seen = true};
  result.status = answer.status;
  if (answer.status == kUnavailable) {
    result.error = "no stream takes it: 503 no responders";
    return result;
  }
  const std::optional<dom::object> object = read_object(parser, answer.text);
  dom::object error;
  if (object && (*object)["error"].get(error) == simdjson::SUCCESS) return refused(error);
  if (!object || member_or(*object, "stream", std::string_view()).empty()) {
    result.error = "what answered is no stream of JetStream: " + quoted_answer(answer.text);
    return result;
  }
  if (member_or(*object, "seq", std::uint64_t{0}) == 0) {
    // It was seen, but whether it is in the stream nobody knows: the one before may have been lost.
    result.error = "the stream has not stored it: " + quoted_answer(answer.text);
    return result;
  }
  result.kind = PushResult::Kind::delivered;
  return result;
}

Result<std::string> sign_nats_nonce(const std::string& seed, const std::string& nonce) {
  unsigned char* made = nullptr;
  int size = 0;
  if (nats_Sign(seed.c_str(), nonce.c_str(), &made, &size) != NATS_OK) {
    return network_error("the seed in the credentials is none");
  }
  const std::unique_ptr<unsigned char, void (*)(void*)> held(made, std::free);
  std::string signature =
      base64_encode({reinterpret_cast<const char*>(made), static_cast<std::size_t>(size)});
  // The alphabet for URLs, without padding.
  std::ranges::replace(signature, '+', '-');
  std::ranges::replace(signature, '/', '_');
  signature.resize(std::min(signature.size(), signature.find('=')));
  return Result<std::string>(boost::system::in_place_value, std::move(signature));
}

// Writing.

void append_nats_connect(std::string& out, const NatsLogin& login) {
  out.append("CONNECT ");
  JsonWriter json(out);
  json.begin_object();
  json.key("verbose").boolean(false).key("pedantic").boolean(false);
  json.key("tls_required").boolean(login.tls);
  json.key("name").string("carillon").key("lang").string("c++").key("version").string("0.1.0");
  json.key("protocol").integer(1).key("echo").boolean(false);
  json.key("headers").boolean(true).key("no_responders").boolean(true);
  if (!login.jwt.empty()) {
    json.key("jwt").string(login.jwt).key("sig").string(login.signature);
  } else if (!login.username.empty()) {
    json.key("user").string(login.username).key("pass").string(login.password);
  } else if (!login.password.empty()) {
    json.key("auth_token").string(login.password);
  }
  json.end_object();
  out.append(kLineEnd);
}

void append_nats_subscribe(std::string& out, std::string_view subjects) {
  out.append("SUB ").append(subjects).append(" 1").append(kLineEnd);
}

void append_nats_ping(std::string& out) {
  out.append("PING").append(kLineEnd);
}

void append_nats_pong(std::string& out) {
  out.append("PONG").append(kLineEnd);
}

void append_nats_publish(std::string& out, const Push& push, std::string_view answer_to) {
  std::string headers;
  append_headers(headers, push);
  out.append("HPUB ").append(nats_subject(push));
  out.append(" ").append(answer_to).append(" ");
  append_number(out, headers.size());
  out.append(" ");
  append_number(out, headers.size() + push.content.body.size());
  out.append(kLineEnd).append(headers).append(push.content.body).append(kLineEnd);
}

std::string_view nats_subject(const Push& push) {
  if (!push.content.key.empty()) return push.content.key;
  return nats_settings(*push.target).subject;
}

std::size_t nats_message_bytes(const Push& push) {
  std::string headers;
  append_headers(headers, push);
  return headers.size() + push.content.body.size();
}

}  // namespace carillon
