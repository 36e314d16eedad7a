#include "delivery/amqp/connection.h"

#include <algorithm>
#include <utility>

#include "delivery/errors.h"

namespace carillon {
namespace {

constexpr std::string_view kGuest = "guest";  // what RabbitMQ takes from its own machine

Error unasked() {
  return network_error("the broker says what nobody asked for");
}

/// "NOT_FOUND - no exchange 'x' in vhost '/'" begins with the code's name already.
std::string told(std::string_view verb, const AmqpMethod& method) {
  return std::string("the broker ").append(verb) + " " + std::to_string(method.code) + " " +
         quoted_answer(method.text);
}

bool is_word_of(std::string_view list, std::string_view word) {
  while (!list.empty()) {
    const std::string_view one = list.substr(0, list.find(' '));
    if (one == word) return true;
    list.remove_prefix(std::min(list.size(), one.size() + 1));
  }
  return false;
}

}  // namespace

// The greeting.

Result<> AmqpConnection::greet(std::string& out, std::string_view password) {
  password_ = settings_.username.empty() ? kGuest : password;
  append_amqp_protocol(out);
  return {};
}

Result<> AmqpConnection::go_on_greeting(const AmqpMethod& method) {
  if (method.kind != awaited_) return unasked();
  switch (method.kind) {
    case Method::start:
      if (!is_word_of(method.text, "PLAIN")) {
        return network_error("the broker takes no log-in by name and password (PLAIN)");
      }
      append_amqp_start_ok(out(), settings_.username.empty() ? kGuest : settings_.username,
                           password_);
      password_.clear();
      awaited_ = Method::tune;
      return {};
    case Method::tune:
      return tuned(method.frame_bytes_max);
    case Method::open_ok:
      append_amqp_channel_open(out());
      append_amqp_confirm_select(out());
      awaited_ = Method::channel_open_ok;
      return {};
    case Method::channel_open_ok:
      awaited_ = Method::select_ok;
      return {};
    default:
      is_in_ = true;
      let_in();
      return {};
  }
}

Result<> AmqpConnection::tuned(std::uint32_t frame_bytes_max) {
  if (frame_bytes_max != 0) frame_bytes_max_ = std::min(frame_bytes_max, kAmqpFrameBytesMax);
  if (frame_bytes_max_ < kAmqpFrameBytesMin) {
    return network_error("the broker takes frames of " + std::to_string(frame_bytes_max) +
                         " bytes; its frame_max must be 32768 at least");
  }
  frames_.take_long_frames();
  append_amqp_tune_ok(out(), frame_bytes_max_);
  append_amqp_open(out(), settings_.vhost());
  awaited_ = Method::open_ok;
  return {};
}

// Sending.

void AmqpConnection::write_question(std::string& out) {
  append_amqp_qos(out);
  asks_ = true;
}

void AmqpConnection::write_message(std::string& out, BrokerAttempt& attempt) {
  append_amqp_publish(out, attempt.push, frame_bytes_max_);
  sent_.push_back({.attempt = &attempt});
  ++unconfirmed_;
}

std::vector<BrokerAttempt*> AmqpConnection::take_unanswered() {
  std::vector<BrokerAttempt*> all;
  for (const Sent& sent : sent_) {
    if (sent.attempt != nullptr) all.push_back(sent.attempt);
  }
  sent_.clear();
  unconfirmed_ = 0;
  return all;
}

// Hearing.

Result<> AmqpConnection::read(std::string_view bytes) {
  frames_.feed(bytes);
  while (!is_closed()) {
    const Result<std::optional<AmqpFrame>> frame = frames_.next();
    if (!frame) return frame.error();
    if (!*frame) break;
    if (Result<> ok = take(**frame); !ok) return ok;
  }
  return {};
}

Result<> AmqpConnection::take(const AmqpFrame& frame) {
  if (frame.type == AmqpFrame::Type::heartbeat) return {};
  // A return comes in one piece; only what is said of the connection may come between.
  AmqpFrame::Type wanted = AmqpFrame::Type::method;
  if (frame.channel != 0 && awaits_header_) wanted = AmqpFrame::Type::header;
  if (frame.channel != 0 && body_left_ > 0) wanted = AmqpFrame::Type::body;
  if (frame.channel > kAmqpChannel || frame.type != wanted) return unasked();
  switch (frame.type) {
    case AmqpFrame::Type::header:
      return take_returned_header(frame.payload);
    case AmqpFrame::Type::body:
      return take_returned_body(frame.payload);
    default: {
      Result<AmqpMethod> method = decoder_.decode(frame.payload);
      if (!method) return method.error();
      return take_method(*method);
    }
  }
}

Result<> AmqpConnection::take_method(const AmqpMethod& method) {
  switch (method.kind) {
    case Method::close:
    case Method::channel_close:
      return network_error(told("closed it:", method));
    case Method::blocked:
      block("the broker takes no messages now: " + quoted_answer(method.text));
      return {};
    case Method::unblocked:
      unblock();
      return {};
    default:
      break;
  }
  if (!is_in_) return go_on_greeting(method);
  switch (method.kind) {
    case Method::qos_ok:
      if (!std::exchange(asks_, false)) return unasked();
      gave_sign_of_life();
      return {};
    case Method::ack:
    case Method::nack:
      return confirmed(method.tag, method.multiple, method.kind == Method::ack);
    case Method::returned:
      return_ = method;
      awaits_header_ = true;
      return {};
    default:
      return unasked();
  }
}

Result<> AmqpConnection::confirmed(std::uint64_t tag, bool multiple, bool taken) {
  const std::uint64_t last = first_tag_ + sent_.size() - 1;
  if (multiple && tag == 0) tag = last;
  if (tag < first_tag_ || tag > last) return unasked();
  if (!multiple) {
    Sent& sent = sent_[tag - first_tag_];
    if (sent.attempt == nullptr) return unasked();
    confirm(sent, taken);
  }
  // A callback may have sent more meanwhile, or closed the connection.
  while (!sent_.empty() && (sent_.front().attempt == nullptr || (multiple && first_tag_ <= tag))) {
    Sent sent = std::move(sent_.front());
    sent_.pop_front();
    ++first_tag_;
    if (sent.attempt != nullptr) confirm(sent, taken);
  }
  return {};
}

/// Ends its attempt; after that it may be gone.
void AmqpConnection::confirm(Sent& sent, bool taken) {
  PushResult result{.may_be_seen = true};
  if (!sent.returned.empty()) {
    result.status = sent.code;
    result.error = std::move(sent.returned);
  } else if (taken) {
    result.kind = PushResult::Kind::delivered;
  } else {
    result.error = "the broker refused the message (basic.nack)";
  }
  --unconfirmed_;
  ended(*std::exchange(sent.attempt, nullptr), std::move(result));
}

/// Which message it was says its id: a task has one push under way at most.
Result<> AmqpConnection::take_returned_header(std::string_view payload) {
  const Result<AmqpHeader> header = read_amqp_header(payload);
  if (!header) return header.error();
  awaits_header_ = false;
  body_left_ = header->body_bytes;
  const auto sent = std::ranges::find_if(sent_, [&](const Sent& one) {
    return one.attempt != nullptr && one.returned.empty() &&
           one.attempt->push.content.webhook_id == header->message_id;
  });
  if (sent == sent_.end()) return unasked();
  sent->code = return_.code;
  sent->returned = told("returned it, as no queue takes it:", return_);
  return {};
}

Result<> AmqpConnection::take_returned_body(std::string_view payload) {
  if (payload.size() > body_left_) return unasked();
  body_left_ -= payload.size();
  return {};
}

}  // namespace carillon
