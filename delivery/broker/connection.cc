#include "delivery/broker/connection.h"

#include <algorithm>
#include <utility>

#include "base/check.h"
#include "delivery/errors.h"

namespace carillon {
namespace {

using std::chrono::steady_clock;

constexpr std::size_t kWriteBytes = 256 * 1024;  // of one write, and then what is begun
constexpr auto kUnusedFor = std::chrono::minutes(10);
constexpr auto kDeadAfter = std::chrono::minutes(2);

constexpr const char* kNoAnswer = "the broker stopped answering";

}  // namespace

BrokerConnection::BrokerConnection(Parts parts)
    : its_(std::move(parts)),
      events_(&its_.events),
      settings_(static_cast<const BrokerSettings&>(*its_.target->own)),
      patience_([this] {
        fail(network_error(state_ == State::checking ? kNoAnswer : "no connection in time"));
      }),
      heartbeat_([this] { look_after(); }) {}

BrokerConnection::~BrokerConnection() {
  // Its handlers keep the link alive, and it would report to what is gone.
  if (link_) link_->close();
}

void BrokerConnection::open() {
  const Result<Url> url = settings_.parsed_url();
  CARILLON_CHECK(url.has_value());  // it was checked when it was set
  BrokerLink::Events& events = *this;
  link_ = std::make_shared<BrokerLink>(its_.network, events, *url, settings_.tls, tls_begins());
  its_.answers.arm(patience_);
  link_->open();
}

void BrokerConnection::opened() {
  // The rules may have changed since the address was dialled.
  if (const Result<> allowed = link_->check_rules(); !allowed) return fail(allowed.error());
  const Result<std::string> password = settings_.read_password();
  if (!password) return fail(password.error());
  state_ = State::greeting;
  if (const Result<> ok = greet(out_, *password); !ok) return fail(ok.error());
  if (!out_.empty()) link_->write(out_);
}

void BrokerConnection::let_in() {
  was_ready_ = true;
  its_.heartbeats.arm(heartbeat_);
  events_->ready();
  give_back_unfit();
  if (!is_closed()) gave_sign_of_life();
}

void BrokerConnection::gave_sign_of_life() {
  patience_.disarm();
  state_ = State::ready;
  write_more(false);
}

// Sending.

void BrokerConnection::push(BrokerAttempt& attempt) {
  attempt.is_sent = false;
  waiting_.push_back(&attempt);
  ++carried_;
  used_at_ = steady_clock::now();
  if (state_ == State::ready) write_more(is_silent());
}

bool BrokerConnection::is_silent() const {
  const Moment since = awaits_answers() ? std::max(heard_at_, asked_at_) : heard_at_;
  return steady_clock::now() - since >= its_.silent_for;
}

/// While a write is under way nothing is: what comes meanwhile is written together.
void BrokerConnection::write_more(bool silent) {
  if (is_closed() || link_->is_writing()) return;
  if (state_ == State::ready && !waiting_.empty() && takes_messages()) {
    if (const Result<> allowed = link_->check_rules(); !allowed) return turn_away(allowed.error());
    if (!silent) {
      write_messages();
    } else if (!awaits_answers()) {
      return ask_for_life();
    }
  }
  if (!out_.empty()) link_->write(out_);
}

void BrokerConnection::write_messages() {
  if (!awaits_answers()) asked_at_ = steady_clock::now();
  while (!waiting_.empty() && out_.size() < kWriteBytes) {
    BrokerAttempt& attempt = *waiting_.front();
    waiting_.pop_front();
    write_message(out_, attempt);
    attempt.is_sent = true;
  }
  end_messages(out_);
}

bool BrokerConnection::withdraw(BrokerAttempt& attempt) {
  if (attempt.is_sent) return false;
  const auto found = std::ranges::find(waiting_, &attempt);
  if (found != waiting_.end()) {
    waiting_.erase(found);
    --carried_;
    drop_when_done();
  }
  return true;
}

void BrokerConnection::ask_for_life() {
  state_ = State::checking;
  its_.answers.arm(patience_);
  write_question(out_);
  write_more(false);
}

void BrokerConnection::look_after() {
  if (is_closed()) return;
  its_.heartbeats.arm(heartbeat_);
  const auto now = steady_clock::now();
  // One that is blocked answers nothing, but its heartbeats go on.
  if (blocked_ && now - heard_at_ > kDeadAfter) return fail(network_error(kNoAnswer));
  if (link_->is_writing()) return;
  const bool is_unused = state_ == State::ready && is_idle() && !blocked_;
  if (is_unused && now - used_at_ > kUnusedFor) return retire();
  if (is_unused) return ask_for_life();
  write_heartbeat(out_);
  write_more(is_silent());
}

void BrokerConnection::received(std::string_view bytes) {
  const auto keep = shared_from_this();
  heard_at_ = steady_clock::now();
  const Result<> understood = read(bytes);
  if (is_closed()) return;
  if (!understood) return fail(understood.error());
  drop_when_done();
  write_more(is_silent());
}

// The end.

void BrokerConnection::ended(BrokerAttempt& attempt, PushResult result) {
  --carried_;
  events_->ended(attempt, std::move(result));
}

void BrokerConnection::give_up(BrokerAttempt& late) {
  fail(network_error("another message was not answered in time"), &late);
}

/// What has not been sent goes elsewhere; what has been is still answered here.
void BrokerConnection::turn_away(const Error& denied) {
  const auto keep = shared_from_this();
  take_no_more();
  give_back_waiting(denied);
  drop_when_done();
}

void BrokerConnection::give_back_waiting(const Error& why) {
  const std::deque<BrokerAttempt*> waiting = std::exchange(waiting_, {});
  carried_ -= waiting.size();
  for (BrokerAttempt* attempt : waiting) {
    if (events_ == nullptr) return;
    events_->unsent(*attempt, why, was_ready_);
  }
}

/// What was waiting before anyone knew what the broker takes.
void BrokerConnection::give_back_unfit() {
  std::vector<std::pair<BrokerAttempt*, Error>> unfit;
  std::erase_if(waiting_, [&](BrokerAttempt* attempt) {
    const Result<> fits = check_message(attempt->push);
    if (!fits) unfit.emplace_back(attempt, fits.error());
    return !fits;
  });
  carried_ -= unfit.size();
  for (const auto& [attempt, why] : unfit) {
    if (events_ == nullptr) return;
    events_->unsent(*attempt, why, true);
  }
}

Result<> BrokerConnection::check_push(const Push& push) const {
  if (blocked_) return *blocked_;
  return was_ready_ ? check_message(push) : Result<>();
}

void BrokerConnection::block(std::string why) {
  blocked_ = Error{.slug = "not_now", .detail = std::move(why), .field = {}};
  give_back_waiting(Error(*blocked_));
}

void BrokerConnection::retire() {
  const auto keep = shared_from_this();
  take_no_more();
  drop_when_done();
}

void BrokerConnection::take_no_more() {
  if (is_closed() || std::exchange(is_retiring_, true)) return;
  events_->closed(*this);
}

void BrokerConnection::drop_when_done() {
  if (is_retiring_ && carried_ == 0) drop();
}

void BrokerConnection::fail(const Error& why, const BrokerAttempt* late) {
  if (is_closed()) return;
  const auto keep = shared_from_this();
  state_ = State::closed;
  patience_.disarm();
  heartbeat_.disarm();
  link_->close();
  const std::vector<BrokerAttempt*> sent = take_unanswered();
  carried_ -= sent.size();
  if (!is_retiring_) events_->closed(*this);
  for (BrokerAttempt* attempt : sent) {
    if (events_ == nullptr) return;
    PushResult result{.may_be_seen = true};
    result.error = attempt == late
                       ? "no answer within " + format_duration(attempt->push.target->timeout)
                       : "the connection ended before the answer: " + why.detail;
    events_->ended(*attempt, std::move(result));
  }
  give_back_waiting(why);
}

void BrokerConnection::drop() {
  events_ = nullptr;
  state_ = State::closed;
  patience_.disarm();
  heartbeat_.disarm();
  if (link_) link_->close();
  carried_ = 0;
  waiting_.clear();
  static_cast<void>(take_unanswered());
}

std::string quoted_answer(std::string_view text) {
  constexpr std::size_t kBytesMax = 256;
  std::string quoted(text.substr(0, kBytesMax));
  std::ranges::replace_if(quoted, [](char c) { return c < ' ' || c > '~'; }, '?');
  return quoted;
}

}  // namespace carillon
