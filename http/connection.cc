#include "http/connection.h"

#include <algorithm>

#include <boost/asio/post.hpp>

#include "http/route.h"

namespace carillon {
namespace {

// A buffer that is larger is freed when its request is done.
constexpr std::size_t kKept = std::size_t{4} << 10;

Error too_many_connections() {
  return {"too_many_connections", "the server has as many connections as it may", ""};
}
Error request_timeout() {
  return {"request_timeout", "the rest of the request did not come in time", ""};
}

}  // namespace

HttpConnection::HttpConnection(boost::asio::io_context& loop, std::shared_ptr<ConnectionHub> hub,
                               Transport::Socket socket, Door door,
                               std::shared_ptr<boost::asio::ssl::context> tls, OpenSlot slot)
    : hub_(std::move(hub)),
      slot_(std::move(slot)),
      settings_(hub_->settings),
      transport_(std::move(socket), std::move(tls)),
      door_(door),
      deadline_([this] { interrupt(request_timeout()); }),
      loop_(loop),
      buffers_(hub_->server->buffers, [this] { give_way(); }) {
  hub_->connections.push_back(*this);
}

HttpConnection::~HttpConnection() {
  unlink();
}

void HttpConnection::close_if_idle() {
  if (idle_) transport_.close();
}

void HttpConnection::close() {
  if (handshake_) handshake_->give_up();
  transport_.close();
}

void HttpConnection::interrupt(const Error& because) {
  interrupted_ = because;
  if (handshake_) handshake_->give_up();
  transport_.cancel();
}

/// Another connection needs what this one holds. Called on that one's thread, which may be
/// another, and under the lock of the budget: so nothing is done here but to post.
void HttpConnection::give_way() {
  boost::asio::post(loop_, [weak = weak_from_this()] {
    const auto self = weak.lock();
    // It may have come to the end of what it held it for.
    if (self && self->buffers_.lost()) self->interrupt(overloaded());
  });
}

/// Starts something that may be interrupted.
void HttpConnection::arm(Deadlines& deadlines) {
  interrupted_.reset();
  deadlines.arm(deadline_);
}

Async<void> HttpConnection::serve(std::shared_ptr<HttpConnection> self) {
  if (self->transport_.is_tls() && !co_await self->shake_hands()) co_return;
  for (bool more = true; more;) {
    more = co_await self->one_request();
    // Its client cannot have asked again yet: the answers of the same commit go out before the next
    // look, which would find nothing now.
    if (more && self->input_.size() == 0) co_await boost::asio::post(boost::asio::use_awaitable);
  }
  if (self->sent_all_) co_await self->linger();
}

/// Until the client has sent something, it has no slot and costs nothing of TLS.
Async<bool> HttpConnection::shake_hands() {
  arm(settings_->header);
  idle_ = true;
  if (co_await transport_.wait_for_input()) co_return false;
  idle_ = false;
  handshake_.emplace(loop_, hub_->handshakes);
  co_await handshake_->wait();
  if (!handshake_->granted() || interrupted_) co_return false;
  arm(settings_->handshake);
  co_await handshake_turn();
  if (interrupted_) co_return false;
  const bool done = !co_await transport_.handshake();
  handshake_.reset();
  co_return done;
}

/// A handshake's first step signs something, which takes a millisecond or two. Where many clients
/// come at once, everything else has its turn after each few of them.
Async<void> HttpConnection::handshake_turn() {
  constexpr std::size_t kBegunPerTurn = 4;
  while (hub_->handshakes_begun >= kBegunPerTurn) {
    co_await boost::asio::post(boost::asio::use_awaitable);
  }
  if (hub_->handshakes_begun++ > 0) co_return;
  boost::asio::post(loop_, [hub = std::weak_ptr(hub_)] {
    if (const auto alive = hub.lock()) alive->handshakes_begun = 0;
  });
}

Async<void> HttpConnection::turn_away(std::shared_ptr<HttpConnection> self) {
  self->refuse(too_many_connections());
  self->format_answer();
  const bool sent = co_await self->send_answer();
  if (sent) co_await self->linger();
}

HttpConnection::Step HttpConnection::refuse(const Error& error) {
  response_.reset();
  if (!head_read_) {
    request_ = {};
    request_.door = door_;
    head_settings_ = nullptr;
  }
  hub_->service->refuse(request_, error, response_);
  close_after_ = true;
  return Step::answered;
}

/// After a receive of nothing: why, or that there is nobody to tell.
HttpConnection::Step HttpConnection::refuse_interrupted() {
  if (!interrupted_) return Step::ended;
  return refuse(*interrupted_);
}

Async<bool> HttpConnection::one_request() {
  settings_ = hub_->settings;
  response_.reset();
  body_.clear();
  wire_.clear();
  head_read_ = false;
  Step step = co_await receive_head();
  if (step == Step::go_on) step = parse_head();
  if (step == Step::go_on && !hub_->service->admit(request_, response_, body_bytes_max_)) {
    step = Step::answered;
    const std::size_t here = input_.size() - head_size_;
    // Only where its body is here already can the next request be found behind it. One for another
    // name is the last of its connection.
    if (parser_->chunked() || parser_->content_length() > here || !request_.right_host)
      close_after_ = true;
    else
      used_ = head_size_ + static_cast<std::size_t>(parser_->content_length());
  }
  if (step == Step::go_on && parser_->cross_origin() && !request_.route->linkable)
    step = refuse_page();
  if (step == Step::go_on && !body_is_here()) step = co_await receive_body();
  deadline_.disarm();
  if (!buffers_.pin() && step == Step::go_on) step = refuse(overloaded());
  if (step == Step::go_on) co_await hub_->service->answer(request_, response_);
  if (step == Step::ended) co_return false;
  request_.body = {};
  release_large(body_);
  buffers_.give_back();
  if (!send_answer_now() && !co_await send_answer()) co_return false;
  input_.consume(used_);
  used_ = 0;
  // What came behind a chunked body is the start of the next request.
  for (std::string_view rest = wire_; !rest.empty();) {
    const std::span<char> space = input_.space();
    const std::size_t count = std::min(space.size(), rest.size());
    std::copy_n(rest.data(), count, space.data());
    input_.received(count);
    rest.remove_prefix(count);
  }
  release_large_buffers();
  sent_all_ = close_after_;
  co_return !close_after_;
}

Async<void> HttpConnection::linger() {
  constexpr std::size_t kDiscardMax = std::size_t{64} << 20;
  arm(settings_->linger);
  co_await transport_.finish_sending();
  std::array<char, 4096> discarded;
  for (std::size_t total = 0; total < kDiscardMax;) {
    const std::size_t count =
        co_await receive(boost::asio::buffer(discarded.data(), discarded.size()));
    if (count == 0) break;
    total += count;
  }
}

/// What a connection keeps from one request to the next is so little that all of them together may
/// wait for their clients.
void HttpConnection::release_large_buffers() {
  for (std::string* buffer : {&wire_, &body_, &output_, &response_.body}) release_large(*buffer);
  input_.release_if_empty();
  if (head_.capacity() <= kKept) return;
  head_settings_ = nullptr;
  request_ = {};
  std::string().swap(head_);
}

Error HttpConnection::overloaded() {
  return {"overloaded", "The server holds as much for its clients as it may; retry later", ""};
}

void HttpConnection::release_large(std::string& buffer) {
  if (buffer.capacity() > kKept) std::string().swap(buffer);
}

}  // namespace carillon
