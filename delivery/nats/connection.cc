#include "delivery/nats/connection.h"

#include <algorithm>
#include <charconv>
#include <random>
#include <utility>

#include "base/text.h"
#include "delivery/errors.h"

namespace carillon {
namespace {

/// Of the headers of any task, together.
constexpr std::size_t kHeaderBytesMax = 32 * 1024;

Error unasked() {
  return network_error("the server says what nobody asked for");
}

/// The beginning of subjects that nobody else can know.
std::string make_inbox() {
  constexpr std::size_t kDigits = 8;
  std::random_device random;
  std::string inbox = "_INBOX.";
  for (int i = 0; i < 4; ++i) {
    inbox.append(kDigits, '0');
    write_hex(&inbox[inbox.size() - kDigits], random(), kDigits);
  }
  return inbox + ".";
}

}  // namespace

NatsConnection::NatsConnection(Parts parts)
    : BrokerConnection(std::move(parts)),
      settings_(nats_settings(target())),
      inbox_(make_inbox()) {}

// The greeting.

Result<> NatsConnection::greet(std::string& /*out*/, std::string_view password) {
  password_ = password;
  return {};
}

Result<> NatsConnection::take_info(std::string_view json) {
  const Result<NatsInfo> info = read_nats_info(json_, json);
  if (!info) return info.error();
  if (info->message_bytes_max > 0) message_bytes_max_ = info->message_bytes_max;
  if (!std::exchange(is_introduced_, true)) return log_in(*info);
  if (info->is_leaving) retire();
  return {};
}

Result<> NatsConnection::log_in(const NatsInfo& info) {
  const bool tls = settings_.parsed_url()->tls;
  if (info.wants_tls && !tls) return network_error("the server wants TLS: its URL is tls://...");
  if (!info.has_headers) return network_error("the server takes no messages with headers");
  const Result<NatsCredentials> credentials = settings_.read_credentials();
  if (!credentials) return credentials.error();
  std::string signature;
  if (!credentials->jwt.empty()) {
    Result<std::string> made = sign_nats_nonce(credentials->seed, info.nonce);
    if (!made) return made.error();
    signature = *std::move(made);
  }
  append_nats_connect(out(), {.username = settings_.username,
                              .password = password_,
                              .jwt = credentials->jwt,
                              .signature = signature,
                              .tls = tls});
  password_.clear();
  append_nats_subscribe(out(), inbox_ + "*");
  append_nats_ping(out());
  asks_ = true;
  return {};
}

Result<> NatsConnection::take_pong() {
  if (!std::exchange(asks_, false)) return unasked();
  if (std::exchange(is_in_, true)) {
    gave_sign_of_life();
  } else {
    let_in();
  }
  return {};
}

// Sending.

void NatsConnection::write_question(std::string& out) {
  append_nats_ping(out);
  asks_ = true;
}

Result<> NatsConnection::check_message(const Push& push) const {
  // The server would end the connection.
  if (message_bytes_max_ == 0) return {};
  if (push.content.body.size() + kHeaderBytesMax <= message_bytes_max_) return {};
  if (nats_message_bytes(push) <= message_bytes_max_) return {};
  return Error{"unfit",
               "the server takes messages of " + std::to_string(message_bytes_max_) +
                   " bytes with their headers, and this one is longer",
               ""};
}

void NatsConnection::write_message(std::string& out, BrokerAttempt& attempt) {
  std::string answer_to = inbox_;
  append_number(answer_to, first_ + sent_.size());
  append_nats_publish(out, attempt.push, answer_to);
  sent_.push_back(&attempt);
  ++unanswered_;
}

std::vector<BrokerAttempt*> NatsConnection::take_unanswered() {
  std::vector<BrokerAttempt*> all(sent_.begin(), sent_.end());
  std::erase(all, nullptr);
  sent_.clear();
  unanswered_ = 0;
  return all;
}

// Hearing.

Result<> NatsConnection::read(std::string_view bytes) {
  reader_.feed(bytes);
  while (!is_closed()) {
    const Result<std::optional<NatsMessage>> said = reader_.next();
    if (!said) return said.error();
    if (!*said) break;
    if (Result<> ok = take(**said); !ok) return ok;
  }
  return {};
}

Result<> NatsConnection::take(const NatsMessage& said) {
  using Kind = NatsMessage::Kind;
  if (said.kind == Kind::info) return take_info(said.text);
  if (said.kind == Kind::error) return take_error(said.text);
  if (!is_introduced_) return unasked();
  switch (said.kind) {
    case Kind::ping:
      append_nats_pong(out());
      return {};
    case Kind::pong:
      return take_pong();
    case Kind::message:
      return take_answer(said);
    default:
      return {};
  }
}

Result<> NatsConnection::take_answer(const NatsMessage& answer) {
  std::string_view digits = answer.subject;
  if (!digits.starts_with(inbox_)) return unasked();
  digits.remove_prefix(inbox_.size());
  std::uint64_t number = 0;
  const auto [end, failed] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
  const bool is_number = failed == std::errc() && end == digits.data() + digits.size();
  if (!is_number || number >= first_ + sent_.size()) return unasked();
  // Somebody else may listen to the subject, and answer, too.
  if (number < first_ || sent_[number - first_] == nullptr) return {};
  finish(number - first_, read_nats_answer(json_, answer));
  return {};
}

/// Its callback may send more, or close the connection.
void NatsConnection::finish(std::size_t index, PushResult result) {
  BrokerAttempt& attempt = *std::exchange(sent_[index], nullptr);
  --unanswered_;
  while (!sent_.empty() && sent_.front() == nullptr) {
    sent_.pop_front();
    ++first_;
  }
  ended(attempt, std::move(result));
}

Result<> NatsConnection::take_error(std::string_view words) {
  constexpr std::string_view kMayNotPublish = "Permissions Violation for Publish to \"";
  if (words.starts_with(kMayNotPublish) && words.ends_with('"')) {
    std::string_view subject = words.substr(kMayNotPublish.size());
    subject.remove_suffix(1);
    if (refuse_first_to(subject, words)) return {};
  }
  Error error = network_error("the server said: " + quoted_answer(words));
  if (words.ends_with("connections exceeded")) error.slug = "not_now";
  return error;
}

/// The server says it of each such message, in their order.
bool NatsConnection::refuse_first_to(std::string_view subject, std::string_view words) {
  const auto goes_there = [&](const BrokerAttempt* attempt) {
    return attempt != nullptr && nats_subject(attempt->push) == subject;
  };
  const auto found = std::ranges::find_if(sent_, goes_there);
  if (found == sent_.end()) return false;
  PushResult result{.may_be_seen = true};
  result.error = "the server said: " + quoted_answer(words);
  finish(static_cast<std::size_t>(found - sent_.begin()), std::move(result));
  return true;
}

}  // namespace carillon
