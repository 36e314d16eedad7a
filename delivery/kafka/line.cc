#include "delivery/kafka/line.h"

#include <algorithm>
#include <utility>

#include <boost/asio/buffer.hpp>
#include <boost/asio/write.hpp>
#include <poll.h>

#include "delivery/errors.h"

namespace carillon {
namespace {

namespace asio = boost::asio;
using std::chrono::steady_clock;

constexpr std::size_t kHeldBytesMax = 256 * 1024;  // each way
constexpr std::size_t kFrameBytesMax = 256 * 1024 * 1024;
constexpr std::size_t kUntoldBytesMax = 8 * 1024 * 1024;
constexpr std::size_t kLengthBytes = 4;
constexpr std::size_t kKeyBytes = 2;  // of a request, behind its length: which one it is
constexpr std::size_t kProduce = 0;

// "ApiVersions", version 0, with a number that librdkafka does not come to, and a name of ours.
constexpr std::string_view kQuestion{
    "\0\0\0\x12\0\x12\0\0\x7f\xff\xff\xff\0\x08"
    "carillon",
    22};
constexpr std::size_t kQuestionNumber = 0x7fffffff;

std::size_t number_at(std::string_view bytes, std::size_t size) {
  std::size_t number = 0;
  for (const char c : bytes.substr(0, size)) number = number << 8 | static_cast<unsigned char>(c);
  return number;
}

Error no_kafka() {
  return network_error("the broker does not speak Kafka");
}

}  // namespace

KafkaLine::KafkaLine(BrokerNetwork& network, Events& events, KafkaSockets::Socket library,
                     const Url& url, const ClientTls& tls, Millis silent_for)
    : events_(&events), library_(std::move(library)), silent_for_(silent_for) {
  BrokerLink::Events& its = *this;
  link_ = std::make_shared<BrokerLink>(network, its, url, tls, BrokerLink::TlsBegins::at_once);
}

KafkaLine::~KafkaLine() {
  // Its handlers keep the link alive, and it would report to what is gone.
  link_->close();
}

void KafkaLine::open() {
  link_->open();
  hear_library();
}

void KafkaLine::close() {
  events_ = nullptr;
  link_->close();
  boost::system::error_code ignored;
  library_.close(ignored);
}

void KafkaLine::end(const Error* why) {
  if (events_ == nullptr) return;
  const auto keep = shared_from_this();
  Events& events = *events_;
  close();
  events.closed(*this, why);
}

void KafkaLine::opened() {
  was_open_ = true;
  heard_at_ = steady_clock::now();
  events_->opened(*this);
  pass_requests(false);
}

// From librdkafka to the broker.

/// Also while nothing may be passed, so that it is noticed where librdkafka gives up.
void KafkaLine::hear_library() {
  if (events_ == nullptr || is_hearing_ || requests_.size() >= kHeldBytesMax) return;
  is_hearing_ = true;
  library_.async_read_some(
      asio::buffer(in_),
      [self = shared_from_this()](boost::system::error_code failed, std::size_t size) {
        self->is_hearing_ = false;
        if (self->events_ == nullptr) return;
        if (failed) return self->end(nullptr);
        self->requests_.append(self->in_.data(), size);
        self->pass_requests(self->is_silent());
        self->hear_library();
      });
}

bool KafkaLine::is_silent() const {
  const Moment since = awaited_ > 0 ? std::max(heard_at_, asked_at_) : heard_at_;
  return steady_clock::now() - since >= silent_for_;
}

/// While a write is under way nothing is: what comes meanwhile is written together.
void KafkaLine::pass_requests(bool silent) {
  if (events_ == nullptr || !link_->is_open() || link_->is_writing()) return;
  const std::size_t passed = gather_requests(silent);
  if (to_broker_.empty()) return;
  if (const Result<> allowed = link_->check_rules(); !allowed) {
    const Error denied = allowed.error();
    return end(&denied);
  }
  if (is_given_up()) return end(nullptr);
  requests_.erase(0, passed);
  link_->write(to_broker_);
  hear_library();
}

/// How many bytes of `requests_` are to be written.
std::size_t KafkaLine::gather_requests(bool silent) {
  std::size_t passed = 0;
  while (passed < requests_.size()) {
    const std::string_view rest = std::string_view(requests_).substr(passed);
    if (request_left_ == 0) {
      if (rest.size() < kLengthBytes + kKeyBytes || !may_begin(rest, silent)) break;
      if (awaited_++ == 0) asked_at_ = steady_clock::now();
      request_left_ = kLengthBytes + number_at(rest, kLengthBytes);
    }
    const std::size_t bytes = std::min(request_left_, rest.size());
    to_broker_.append(rest.substr(0, bytes));
    request_left_ -= bytes;
    passed += bytes;
  }
  return passed;
}

bool KafkaLine::may_begin(std::string_view request, bool silent) {
  if (!silent || number_at(request.substr(kLengthBytes), kKeyBytes) != kProduce) return true;
  if (awaited_ == 0) ask_for_life();
  return false;
}

void KafkaLine::ask_for_life() {
  to_broker_.append(kQuestion);
  asks_ = true;
  asked_at_ = steady_clock::now();
  ++awaited_;
}

/// Whether librdkafka has closed its end. Then nothing that it said before may leave.
bool KafkaLine::is_given_up() {
  pollfd end{.fd = library_.native_handle(), .events = POLLRDHUP, .revents = 0};
  return ::poll(&end, 1, 0) > 0 && (end.revents & (POLLHUP | POLLRDHUP | POLLERR)) != 0;
}

// From the broker to librdkafka.

void KafkaLine::received(std::string_view bytes) {
  const auto keep = shared_from_this();
  heard_at_ = steady_clock::now();
  const bool asked = asks_;
  pass_answers(bytes);
  tell_library();
  const bool gave_sign_of_life = asked && !asks_;
  pass_requests(!gave_sign_of_life && is_silent());
}

void KafkaLine::pass_answers(std::string_view bytes) {
  const auto take = [&](std::size_t size) {
    const std::string_view taken = bytes.substr(0, size);
    bytes.remove_prefix(taken.size());
    return taken;
  };
  while (!bytes.empty() && events_ != nullptr) {
    if (answer_left_ > 0) {
      const std::string_view part = take(answer_left_);
      answer_left_ -= part.size();
      if (!drops_answer_) to_library_.append(part);
      continue;
    }
    const std::size_t wanted = answer_head_.size() < kLengthBytes ? kLengthBytes : 2 * kLengthBytes;
    answer_head_.append(take(wanted - answer_head_.size()));
    if (answer_head_.size() == wanted && !begin_answer()) {
      const Error why = no_kafka();
      end(&why);
    }
  }
}

/// Behind the length stands, where there is room for it, the number of the request.
bool KafkaLine::begin_answer() {
  const std::size_t size = number_at(answer_head_, kLengthBytes);
  const bool has_number = size >= kLengthBytes;
  if (has_number && answer_head_.size() == kLengthBytes) return size <= kFrameBytesMax;
  if (awaited_ == 0) return false;
  --awaited_;
  const std::size_t number = number_at(std::string_view(answer_head_).substr(kLengthBytes), 4);
  drops_answer_ = asks_ && has_number && number == kQuestionNumber;
  if (drops_answer_) asks_ = false;
  if (!drops_answer_) to_library_.append(answer_head_);
  answer_left_ = size - (has_number ? kLengthBytes : 0);
  answer_head_.clear();
  return true;
}

void KafkaLine::tell_library() {
  if (events_ == nullptr || is_telling_ || to_library_.empty()) return;
  if (to_library_.size() > kUntoldBytesMax) {
    const Error why = network_error("the broker says too much");
    return end(&why);
  }
  is_telling_ = true;
  being_told_.clear();
  being_told_.swap(to_library_);
  asio::async_write(library_, asio::buffer(being_told_),
                    [self = shared_from_this()](boost::system::error_code failed, std::size_t) {
                      self->is_telling_ = false;
                      if (self->events_ == nullptr) return;
                      if (failed) return self->end(nullptr);
                      self->tell_library();
                    });
}

}  // namespace carillon
