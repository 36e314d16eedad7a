#include "delivery/kafka/producer.h"

#include <algorithm>
#include <utility>

#include <boost/asio/post.hpp>
#include <sys/eventfd.h>
#include <unistd.h>

#include "delivery/broker/connection.h"
#include "delivery/broker/properties.h"
#include "delivery/errors.h"

namespace carillon {
namespace {

/// Reports taken at once, before others have their turn.
constexpr std::size_t kReportsPerTurn = kKafkaBatchMessages;

/// Words of the cluster for "not now".
bool is_not_now(rd_kafka_resp_err_t code) {
  return code == RD_KAFKA_RESP_ERR__QUEUE_FULL || code == RD_KAFKA_RESP_ERR_NOT_ENOUGH_REPLICAS ||
         code == RD_KAFKA_RESP_ERR_NOT_ENOUGH_REPLICAS_AFTER_APPEND ||
         code == RD_KAFKA_RESP_ERR_KAFKA_STORAGE_ERROR ||
         code == RD_KAFKA_RESP_ERR_THROTTLING_QUOTA_EXCEEDED;
}

}  // namespace

KafkaProducer::KafkaProducer(Parts parts)
    : its_(std::move(parts)),
      events_(&its_.events),
      settings_(kafka_settings(*its_.target)),
      wakeup_(its_.network.loop),
      library_(std::make_unique<KafkaLibrary>(
          its_.network.loop, [this](KafkaSockets::Socket library, const std::string& broker) {
            connect(std::move(library), broker);
          })) {}

Result<std::shared_ptr<KafkaProducer>> KafkaProducer::make(Parts parts) {
  std::shared_ptr<KafkaProducer> made(new KafkaProducer(std::move(parts)));
  const int wakeup = ::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  if (wakeup < 0) return network_error("no descriptor is left");
  made->wakeup_.assign(wakeup);
  const Parts& its = made->its_;
  if (Result<> ok = made->library_->start(*its.target, its.messages_max, wakeup); !ok) {
    return ok.error();
  }
  made->wait_for_reports();
  return made;
}

std::size_t KafkaProducer::connections_open() const {
  return static_cast<std::size_t>(
      std::ranges::count_if(lines_, [](const auto& line) { return line->was_open(); }));
}

// Connections.

void KafkaProducer::connect(KafkaSockets::Socket library, const std::string& broker) {
  if (events_ == nullptr) return;
  const std::string_view scheme = settings_.names_tls ? kKafkaSchemes.tls : kKafkaSchemes.plain;
  const Result<Url> url =
      parse_url(std::string(scheme) + "://" + kafka_host_and_port(broker), kKafkaSchemes);
  // One that a broker named and that is none: librdkafka sees it closed.
  if (!url) return;
  KafkaLine::Events& events = *this;
  lines_.push_back(std::make_shared<KafkaLine>(its_.network, events, std::move(library), *url,
                                               settings_.tls, its_.silent_for));
  lines_.back()->open();
}

void KafkaProducer::opened(KafkaLine& /*line*/) {
  problem_.reset();
  events_->connected();
}

void KafkaProducer::closed(KafkaLine& line, const Error* why) {
  const auto keep = shared_from_this();
  if (line.was_open()) events_->disconnected();
  std::erase_if(lines_, [&](const auto& one) { return one.get() == &line; });
  if (why == nullptr) return;
  problem_ = *why;
  if (lines_.empty() && !line.was_open()) give_up_waiting();
}

/// What has not been sent is over; its reports say so.
void KafkaProducer::give_up_waiting() {
  ++purges_;
  rd_kafka_purge(library_->handle(), RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_NON_BLOCKING);
}

void KafkaProducer::take_no_more() {
  if (!std::exchange(is_closed_, true)) events_->closed(*this);
}

// Messages.

Result<> KafkaProducer::push(KafkaAttempt& attempt) {
  const TaskContent& content = attempt.push.content;
  rd_kafka_headers_t* const headers = rd_kafka_headers_new(8);
  for_each_property(attempt.push, [&](std::string_view name, std::string_view value) {
    rd_kafka_header_add(headers, name.data(), static_cast<ssize_t>(name.size()), value.data(),
                        static_cast<ssize_t>(value.size()));
  });
  // Without a pointer it would be no value, which deletes the key of a compacted topic.
  const char* const body = content.body.empty() ? "" : content.body.data();
  const rd_kafka_resp_err_t failed = rd_kafka_producev(
      library_->handle(), RD_KAFKA_V_TOPIC(kafka_settings(*attempt.push.target).topic.c_str()),
      RD_KAFKA_V_MSGFLAGS(0), RD_KAFKA_V_VALUE(const_cast<char*>(body), content.body.size()),
      RD_KAFKA_V_KEY(content.key.data(), content.key.size()), RD_KAFKA_V_HEADERS(headers),
      RD_KAFKA_V_OPAQUE(&attempt), RD_KAFKA_V_END);
  used_at_ = std::chrono::steady_clock::now();
  attempt.purges_before = purges_;
  if (failed == RD_KAFKA_RESP_ERR_NO_ERROR) {
    ++carried_;
    return {};
  }
  rd_kafka_headers_destroy(headers);
  Error error = network_error(rd_kafka_err2str(failed));
  if (is_not_now(failed)) error.slug = "not_now";
  if (failed == RD_KAFKA_RESP_ERR__FATAL) take_no_more();
  return error;
}

void KafkaProducer::wait_for_reports() {
  wakeup_.async_wait(
      boost::asio::posix::descriptor_base::wait_read,
      [weak = weak_from_this()](boost::system::error_code failed) {
        const auto self = weak.lock();
        if (failed || !self || self->events_ == nullptr) return;
        std::uint64_t count = 0;
        static_cast<void>(::read(self->wakeup_.native_handle(), &count, sizeof count));
        self->take_reports();
      });
}

void KafkaProducer::take_reports() {
  const auto keep = shared_from_this();
  for (std::size_t taken = 0; taken < kReportsPerTurn;) {
    const std::unique_ptr<rd_kafka_event_t, void (*)(rd_kafka_event_t*)> event(
        rd_kafka_queue_poll(library_->reports(), 0), rd_kafka_event_destroy);
    if (event == nullptr) return wait_for_reports();
    taken += take_report(*event);
    if (events_ == nullptr) return;
  }
  boost::asio::post(its_.network.loop, [weak = weak_from_this()] {
    const auto self = weak.lock();
    if (self && self->events_ != nullptr) self->take_reports();
  });
}

/// How many messages it was about, at least one.
std::size_t KafkaProducer::take_report(rd_kafka_event_t& event) {
  if (rd_kafka_event_type(&event) == RD_KAFKA_EVENT_ERROR) take_error(event);
  if (rd_kafka_event_type(&event) != RD_KAFKA_EVENT_DR) return 1;
  std::size_t count = 0;
  while (const rd_kafka_message_t* const message = rd_kafka_event_message_next(&event)) {
    ++count;
    --carried_;
    auto& attempt = *static_cast<KafkaAttempt*>(message->_private);
    // librdkafka purges later than it is told to, and then also what came meanwhile.
    const bool is_hit_by_chance =
        message->err == RD_KAFKA_RESP_ERR__PURGE_QUEUE && attempt.purges_before == purges_;
    if (is_hit_by_chance && push(attempt)) continue;
    events_->ended(*this, attempt, result_of(*message));
    if (events_ == nullptr) break;
  }
  return count;
}

void KafkaProducer::take_error(rd_kafka_event_t& event) {
  const rd_kafka_resp_err_t code = rd_kafka_event_error(&event);
  // Of connections that end the lines know more.
  if (code == RD_KAFKA_RESP_ERR__TRANSPORT || code == RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN) return;
  problem_ = network_error(quoted_answer(rd_kafka_event_error_string(&event)));
  const bool is_fatal = rd_kafka_event_error_is_fatal(&event) != 0;
  if (!is_fatal && code != RD_KAFKA_RESP_ERR__AUTHENTICATION) return;
  // The next one reads the password again.
  give_up_waiting();
  take_no_more();
}

PushResult KafkaProducer::result_of(const rd_kafka_message_t& message) const {
  if (message.err == RD_KAFKA_RESP_ERR_NO_ERROR) {
    return {.kind = PushResult::Kind::delivered, .may_be_seen = true};
  }
  const std::string problem = problem_ ? problem_->detail : "no broker has confirmed it";
  PushResult result;
  result.may_be_seen = rd_kafka_message_status(&message) != RD_KAFKA_MSG_STATUS_NOT_PERSISTED;
  if (message.err == RD_KAFKA_RESP_ERR__PURGE_QUEUE) {
    result.error = problem;
    // What the egress rules deny now they deny the next time.
    if (problem_ && problem_->slug == "target_denied") {
      result.kind = PushResult::Kind::refused_for_good;
    }
  } else if (message.err == RD_KAFKA_RESP_ERR__MSG_TIMED_OUT) {
    result.error = "no answer within " + format_duration(its_.target->timeout) + ": " + problem;
  } else {
    if (message.err > 0) result.status = static_cast<std::uint32_t>(message.err);
    if (is_not_now(message.err)) result.not_now = NotNow::unavailable;
    result.error = quoted_answer(rd_kafka_err2str(message.err));
  }
  return result;
}

void KafkaProducer::drop() {
  events_ = nullptr;
  boost::system::error_code ignored;
  wakeup_.cancel(ignored);
  if (library_) library_->disconnect();
  for (const auto& line : lines_) line->close();
  lines_.clear();
}

}  // namespace carillon
