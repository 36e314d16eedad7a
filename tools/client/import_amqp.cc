// carillon import --amqp: messages that wait in a queue of RabbitMQ, as long as their header
// `x-delay` or their expiration says.
//
// A message is acknowledged when Carillon has its task; all others are back in the queue when the
// import ends. One that says when it was made (`timestamp`) is due so long after that, any other so
// long after it was fetched: RabbitMQ does not tell when it came.
//
// A message without an id gets one that is made of all that it is. Where another one is the same in
// everything, the id has a number behind it: the broker says of a message that it was fetched
// before (`redelivered`), and only such a one may be in Carillon already.

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <deque>
#include <iostream>
#include <map>
#include <utility>

#include "base/json.h"
#include "base/text.h"
#include "base/time.h"
#include "delivery/amqp/librabbitmq.h"
#include "delivery/amqp/settings.h"
#include "delivery/body_json.h"
#include "net/url.h"
#include "tools/client/import_source.h"

namespace carillon::client {
namespace {

constexpr const char* kUsualUrl = "amqp://127.0.0.1:5672/%2F";
constexpr amqp_channel_t kChannel = 1;
constexpr int kFrameBytesMax = 128 * 1024;

Error unreachable(const std::string& why) {
  return {.slug = "unreachable", .detail = "RabbitMQ: " + why, .field = {}};
}

std::string_view text_of(amqp_bytes_t bytes) {
  return {static_cast<const char*>(bytes.bytes), bytes.len};
}
amqp_bytes_t bytes_of(const std::string& text) {
  return {text.size(), const_cast<char*>(text.data())};
}

Result<> checked(const amqp_rpc_reply_t& reply) {
  if (reply.reply_type == AMQP_RESPONSE_NORMAL) return {};
  if (reply.reply_type == AMQP_RESPONSE_LIBRARY_EXCEPTION) {
    return unreachable(amqp_error_string2(reply.library_error));
  }
  if (reply.reply.id == AMQP_CHANNEL_CLOSE_METHOD) {
    const auto& close = *static_cast<const amqp_channel_close_t*>(reply.reply.decoded);
    return unreachable(std::string(text_of(close.reply_text)));
  }
  if (reply.reply.id == AMQP_CONNECTION_CLOSE_METHOD) {
    const auto& close = *static_cast<const amqp_connection_close_t*>(reply.reply.decoded);
    return unreachable(std::string(text_of(close.reply_text)));
  }
  return unreachable("it answered something else");
}

/// Digits, and text as it is; nothing of another kind.
std::optional<std::string> value_of(const amqp_field_value_t& value) {
  switch (value.kind) {
    case AMQP_FIELD_KIND_UTF8:
      return std::string(text_of(value.value.bytes));
    case AMQP_FIELD_KIND_I8:
      return std::to_string(value.value.i8);
    case AMQP_FIELD_KIND_U8:
      return std::to_string(value.value.u8);
    case AMQP_FIELD_KIND_I16:
      return std::to_string(value.value.i16);
    case AMQP_FIELD_KIND_U16:
      return std::to_string(value.value.u16);
    case AMQP_FIELD_KIND_I32:
      return std::to_string(value.value.i32);
    case AMQP_FIELD_KIND_U32:
      return std::to_string(value.value.u32);
    case AMQP_FIELD_KIND_I64:
      return std::to_string(value.value.i64);
    case AMQP_FIELD_KIND_U64:
      return std::to_string(value.value.u64);
    default:
      return std::nullopt;
  }
}

/// What of a message matters.
struct Message {
  std::uint64_t tag = 0;
  bool was_fetched_before = false;
  std::string routing_key;
  std::string id;
  std::string content_type;
  std::string expiration;
  std::uint64_t made_at_seconds = 0;
  std::map<std::string, std::string> headers;
  std::string body;

  [[nodiscard]] std::optional<Millis> wait() const {
    const auto delay = headers.find("x-delay");
    const std::string& digits = delay == headers.end() ? expiration : delay->second;
    char* end = nullptr;
    const long long ms = std::strtoll(digits.c_str(), &end, 10);
    if (digits.empty() || *end != '\0') return std::nullopt;
    return Millis(std::max(ms, 0LL));
  }
  /// Made of all of it but of what another fetching changes.
  [[nodiscard]] std::string digest() const {
    std::string all;
    const auto add = [&](std::string_view text) {
      append_number(all, text.size());
      all.append(":").append(text);
    };
    for (const std::string* text : {&routing_key, &content_type, &expiration, &body}) add(*text);
    add(std::to_string(made_at_seconds));
    for (const auto& [name, value] : headers) {
      add(name);
      add(value);
    }
    return import_digest(all);
  }
};

class ImportAmqp final : public ImportSource {
 public:
  ImportAmqp(std::string queue, ImportOptions options)
      : connection_(amqp_new_connection()),
        queue_(std::move(queue)),
        options_(std::move(options)) {}
  ~ImportAmqp() override {
    // What is not acknowledged is back in its queue when the connection is closed. The broker
    // answers that when it has taken all that came before: acknowledgements that it has not read by
    // the end of a connection may be lost.
    if (is_open_) amqp_connection_close(connection_, AMQP_REPLY_SUCCESS);
    amqp_destroy_connection(connection_);
    if (stayed_ == 0) return;
    std::cerr << "carillon: " << stayed_
              << " messages do not say how long they wait, and stayed where they are; --delay says "
                 "it of them\n";
  }

  [[nodiscard]] Result<> open(const Url& url) {
    if (!options_.delay.empty()) {
      const auto parsed = parse_duration(options_.delay);
      if (!parsed) return Error{"bad_source", "--delay: " + parsed.error().detail, ""};
      delay_ = *parsed;
    }
    const Result<std::string> password = import_password(options_);
    if (!password) return password.error();
    const std::optional<std::string> vhost = percent_decode(url.path.substr(1));
    amqp_socket_t* const socket = amqp_tcp_socket_new(connection_);
    timeval patience{.tv_sec = 30, .tv_usec = 0};
    const int opened =
        amqp_socket_open_noblock(socket, url.host.c_str(), url.port_number(), &patience);
    if (opened != AMQP_STATUS_OK) return unreachable(amqp_error_string2(opened));
    amqp_set_rpc_timeout(connection_, &patience);
    const bool is_guest = options_.username.empty();
    const std::string username = is_guest ? "guest" : options_.username;
    if (const Result<> in = checked(amqp_login(
            connection_, vhost->empty() ? "/" : vhost->c_str(), 1, kFrameBytesMax, 0,
            AMQP_SASL_METHOD_PLAIN, username.c_str(), is_guest ? "guest" : password->c_str()));
        !in) {
      return in;
    }
    is_open_ = true;
    amqp_channel_open(connection_, kChannel);
    return checked(amqp_get_rpc_reply(connection_));
  }

  Result<std::vector<ImportedTask>> next(std::size_t count) override {
    given_ = std::exchange(again_, {});
    std::size_t bytes = 0;
    while (!is_empty_ && !failed_ && given_.size() < count && bytes < kImportBytesMax) {
      Result<std::optional<Message>> message = fetch();
      if (!message) failed_ = message.error();
      if (!message) break;
      is_empty_ = !message->has_value();
      if (is_empty_) break;
      const std::optional<Millis> wait = (*message)->wait() ? (*message)->wait() : delay_;
      if (!wait) {
        ++stayed_;
        continue;
      }
      bytes += (*message)->body.size();
      given_.push_back(taken(*std::move(*message), *wait));
    }
    if (given_.empty() && failed_) return *failed_;
    std::vector<ImportedTask> tasks;
    for (const Taken& one : given_) tasks.push_back({json_of(one), "message " + id_of(one)});
    return tasks;
  }

  Result<> settled(const std::vector<unsigned>& statuses) override {
    constexpr unsigned kThereAlready = 200;
    for (std::size_t i = 0; i < statuses.size(); ++i) {
      Taken& one = given_[i];
      const bool may_be_there = one.has_own_id || one.was_fetched_before;
      if (statuses[i] == kThereAlready && !may_be_there) {
        one.number = used_[one.id]++;
        again_.push_back(std::move(one));
      } else if (statuses[i] >= 200 && statuses[i] < 300) {
        const int sent = amqp_basic_ack(connection_, kChannel, one.tag, 0);
        if (sent != AMQP_STATUS_OK) return unreachable(amqp_error_string2(sent));
      }
    }
    return {};
  }

 private:
  /// A message that was fetched, as a task.
  struct Taken {
    std::uint64_t tag = 0;
    bool was_fetched_before = false;
    bool has_own_id = false;
    std::string id;
    std::size_t number = 0;  // of those that are the same in everything
    std::string members;     // of the task's JSON, behind its id
  };

  [[nodiscard]] static std::string id_of(const Taken& one) {
    return one.number == 0 ? one.id : one.id + "-" + std::to_string(one.number);
  }
  [[nodiscard]] static std::string json_of(const Taken& one) {
    std::string out = "{\"id\":";
    append_json_string(out, id_of(one));
    return out + "," + one.members;
  }

  /// Nothing: the queue is empty.
  [[nodiscard]] Result<std::optional<Message>> fetch() {
    amqp_maybe_release_buffers(connection_);
    const amqp_rpc_reply_t got = amqp_basic_get(connection_, kChannel, bytes_of(queue_), 0);
    if (Result<> ok = checked(got); !ok) return ok.error();
    if (got.reply.id == AMQP_BASIC_GET_EMPTY_METHOD) return std::optional<Message>();
    const auto& from = *static_cast<const amqp_basic_get_ok_t*>(got.reply.decoded);
    Message message;
    message.tag = from.delivery_tag;
    message.was_fetched_before = from.redelivered != 0;
    message.routing_key = text_of(from.routing_key);
    amqp_message_t read;
    if (Result<> ok = checked(amqp_read_message(connection_, kChannel, &read, 0)); !ok) {
      return ok.error();
    }
    const amqp_basic_properties_t& its = read.properties;
    const auto has = [&](amqp_flags_t flag) { return (its._flags & flag) != 0; };
    if (has(AMQP_BASIC_MESSAGE_ID_FLAG)) message.id = text_of(its.message_id);
    if (has(AMQP_BASIC_CONTENT_TYPE_FLAG)) message.content_type = text_of(its.content_type);
    if (has(AMQP_BASIC_EXPIRATION_FLAG)) message.expiration = text_of(its.expiration);
    if (has(AMQP_BASIC_TIMESTAMP_FLAG)) message.made_at_seconds = its.timestamp;
    for (int i = 0; has(AMQP_BASIC_HEADERS_FLAG) && i < its.headers.num_entries; ++i) {
      const amqp_table_entry_t& entry = its.headers.entries[i];
      const std::optional<std::string> value = value_of(entry.value);
      if (value) message.headers[std::string(text_of(entry.key))] = *value;
    }
    message.body = text_of(read.body);
    amqp_destroy_message(&read);
    return std::optional(std::move(message));
  }

  [[nodiscard]] Taken taken(Message message, Millis wait) {
    const Millis now =
        std::chrono::duration_cast<Millis>(std::chrono::system_clock::now().time_since_epoch());
    const Millis from = message.made_at_seconds == 0
                            ? now
                            : Millis(static_cast<std::int64_t>(message.made_at_seconds) * 1000);
    Taken one{.tag = message.tag,
              .was_fetched_before = message.was_fetched_before,
              .has_own_id = !message.id.empty(),
              .id = message.id.empty() ? "imported:" + message.digest() : import_id(message.id),
              .number = 0,
              .members = {}};
    if (!one.has_own_id) one.number = used_[one.id]++;
    std::string members;
    JsonWriter json(members);
    json.begin_object().key("due_at").integer((from + wait).count());
    append_import_members(json, options_);
    if (options_.takes_key && !message.routing_key.empty()) {
      json.key("key").string(message.routing_key);
    }
    append_content(json, message);
    json.end_object();
    one.members = members.substr(1);
    return one;
  }

  /// The body byte for byte, and the headers that are none of RabbitMQ's own.
  static void append_content(JsonWriter& json, const Message& message) {
    const bool is_typed = !message.content_type.empty();
    append_body_members(json, message.body,
                        is_typed ? message.content_type : "application/octet-stream");
    json.key("headers").begin_object();
    for (const auto& [name, value] : message.headers) {
      const bool is_of_rabbit = name == "x-delay" || name == "x-death" ||
                                name.starts_with("x-first-death-") ||
                                name.starts_with("x-last-death-");
      if (!is_of_rabbit) json.key(name).string(value);
    }
    json.end_object();
  }

  amqp_connection_state_t connection_;
  bool is_open_ = false;
  const std::string queue_;
  const ImportOptions options_;
  std::optional<Millis> delay_;
  bool is_empty_ = false;
  std::optional<Error> failed_;
  std::size_t stayed_ = 0;
  std::map<std::string, std::size_t> used_;  // numbers, of ids that are made of the message
  std::vector<Taken> given_;                 // last
  std::vector<Taken> again_;                 // to be given with another id
};

}  // namespace

Result<std::unique_ptr<ImportSource>> open_import_amqp(const std::string& queue,
                                                       const ImportOptions& options) {
  const Result<Url> url = import_url(options, kUsualUrl, kAmqpSchemes);
  if (!url) return url.error();
  auto source = std::make_unique<ImportAmqp>(queue, options);
  if (Result<> ok = source->open(*url); !ok) return ok.error();
  return std::unique_ptr<ImportSource>(std::move(source));
}

}  // namespace carillon::client
