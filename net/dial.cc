#include "net/dial.h"

#include <algorithm>

#include <boost/asio/error.hpp>
#include <boost/asio/post.hpp>

#include "base/check.h"

namespace carillon {
namespace {

namespace error = boost::asio::error;

constexpr std::size_t kUnderWayMax = 4;

/// Where nobody listens at a port that the kernel gives to clients, it may give us that very port,
/// and TCP then connects the socket with itself.
bool is_to_itself(const Dial::tcp::socket& socket) {
  Dial::Error failed;
  const Dial::tcp::endpoint local = socket.local_endpoint(failed);
  if (failed) return false;
  return local == socket.remote_endpoint(failed) && !failed;
}

}  // namespace

std::string endpoint_text(const boost::asio::ip::tcp::endpoint& endpoint) {
  const std::string address = endpoint.address().to_string();
  return (endpoint.address().is_v6() ? "[" + address + "]" : address) + ":" +
         std::to_string(endpoint.port());
}

Dial::Dial(boost::asio::io_context& loop, std::vector<tcp::endpoint> endpoints, Deadlines& next,
           Deadlines& each, Done done)
    : loop_(loop),
      endpoints_(std::move(endpoints)),
      next_(next),
      each_(each),
      done_(std::move(done)),
      begin_deadline_([this] { begin_next(); }) {
  CARILLON_CHECK(!endpoints_.empty());
}

void Dial::begin_next() {
  if (under_way_.size() == kUnderWayMax) give_up(under_way_.front(), "no connection in time");
  const tcp::endpoint& endpoint = endpoints_[begun_++];
  const std::weak_ptr<Dial> weak = weak_from_this();
  const auto one = std::make_shared<Try>(loop_, endpoint, [weak, endpoint] {
    const std::shared_ptr<Dial> self = weak.lock();
    if (!self) return;
    const auto late = std::ranges::find(self->under_way_, endpoint,
                                        [](const auto& its) { return its->endpoint; });
    if (late == self->under_way_.end()) return;
    self->give_up(*late, "no connection in time");
    self->move_on();
  });
  under_way_.push_back(one);
  if (begun_ < endpoints_.size()) next_.arm(begin_deadline_);
  connect(one);
}

void Dial::connect(const std::shared_ptr<Try>& one) {
  each_.arm(one->deadline);
  auto handler = [self = shared_from_this(), one](Error failed) { self->ended(one, failed); };
  Error code;
  one->socket.open(one->endpoint.protocol(), code);
  if (code) {
    lacked_descriptor_ =
        code == error::no_descriptors || code == boost::system::errc::too_many_files_open_in_system;
    boost::asio::post(loop_, [handler, code] { handler(code); });
    return;
  }
  one->socket.set_option(tcp::no_delay(true), code);
  one->socket.non_blocking(true, code);
  one->socket.async_connect(one->endpoint, std::move(handler));
}

void Dial::ended(const std::shared_ptr<Try>& one, Error failed) {
  if (std::ranges::find(under_way_, one) == under_way_.end()) return;  // given up before
  if (!failed && is_to_itself(one->socket)) failed = error::connection_refused;
  if (failed) {
    give_up(one, failed.message());
    return move_on();
  }
  begin_deadline_.disarm();
  std::erase(under_way_, one);
  one->deadline.disarm();
  while (!under_way_.empty()) give_up(under_way_.front(), "slower than another address");
  endpoint_ = one->endpoint;
  taken_.emplace(std::move(one->socket));
  const Done done = done_;
  done(true);
}

void Dial::give_up(const std::shared_ptr<Try>& one, const std::string& why) {
  const std::shared_ptr<Try> keep = one;
  std::erase(under_way_, keep);
  keep->deadline.disarm();
  Error ignored;
  keep->socket.close(ignored);
  note_failure(keep->endpoint, why);
}

/// One has failed: on to the next at once, or to the end.
void Dial::move_on() {
  const auto keep = shared_from_this();
  begin_deadline_.disarm();
  if (begun_ < endpoints_.size()) return begin_next();
  if (!under_way_.empty()) return;
  const Done done = done_;
  done(false);
}

void Dial::go_on(const std::string& why) {
  note_failure(endpoint_, why);
  taken_.reset();
  boost::asio::post(loop_, [self = shared_from_this()] {
    if (self->done_) self->move_on();
  });
}

void Dial::note_failure(const tcp::endpoint& endpoint, const std::string& why) {
  unreachable_.push_back(endpoint);
  last_failure_ = "connect to " + endpoint_text(endpoint) + ": " + why;
}

std::string Dial::problem() const {
  if (unreachable_.size() < 2) return last_failure_;
  return last_failure_ + " (of " + std::to_string(unreachable_.size()) + " addresses the last)";
}

void Dial::close() {
  begin_deadline_.disarm();
  done_ = nullptr;
  for (const auto& one : std::exchange(under_way_, {})) {
    one->deadline.disarm();
    Error ignored;
    one->socket.close(ignored);
  }
}

}  // namespace carillon
