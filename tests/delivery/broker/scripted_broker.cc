#include "tests/delivery/broker/scripted_broker.h"

#include <array>
#include <deque>
#include <utility>

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/write.hpp>

#include "base/check.h"

namespace carillon {
namespace {

using boost::asio::ip::tcp;
using Code = boost::system::error_code;

struct Session {
  explicit Session(tcp::socket accepted) : socket(std::move(accepted)) {}
  tcp::socket socket;
  bool is_open = true;
  std::string received;
  std::array<char, 64 * 1024> in{};
};

void read_on(const std::shared_ptr<Session>& session) {
  session->socket.async_read_some(boost::asio::buffer(session->in),
                                  [session](Code failed, std::size_t size) {
                                    session->received.append(session->in.data(), size);
                                    session->is_open = !failed;
                                    if (!failed) read_on(session);
                                  });
}

}  // namespace

struct ScriptedBroker::State : std::enable_shared_from_this<State> {
  explicit State(boost::asio::io_context& loop)
      : acceptor(loop, {boost::asio::ip::address_v4::loopback(), 0}) {}

  void accept() {
    acceptor.async_accept([self = shared_from_this()](Code failed, tcp::socket socket) {
      if (failed) return;
      read_on(self->sessions.emplace_back(std::make_shared<Session>(std::move(socket))));
      self->accept();
    });
  }

  tcp::acceptor acceptor;
  std::deque<std::shared_ptr<Session>> sessions;
};

ScriptedBroker::ScriptedBroker(boost::asio::io_context& loop)
    : state_(std::make_shared<State>(loop)) {
  state_->accept();
}

ScriptedBroker::~ScriptedBroker() {
  state_->acceptor.close();
  for (const auto& session : state_->sessions) session->socket.close();
}

std::string ScriptedBroker::url(std::string_view scheme) const {
  return std::string(scheme) +
         "://127.0.0.1:" + std::to_string(state_->acceptor.local_endpoint().port());
}

std::size_t ScriptedBroker::connections() const {
  return state_->sessions.size();
}

std::size_t ScriptedBroker::open_connections() const {
  std::size_t open = 0;
  for (const auto& session : state_->sessions) open += session->is_open ? 1 : 0;
  return open;
}

const std::string& ScriptedBroker::received(std::size_t connection) const {
  static const std::string kNothing;
  return connection < connections() ? state_->sessions[connection]->received : kNothing;
}

void ScriptedBroker::say(std::string_view bytes, std::size_t connection) {
  // A client that has had enough may have closed it.
  Code ignored;
  boost::asio::write(state_->sessions.at(connection)->socket, boost::asio::buffer(bytes), ignored);
}

void ScriptedBroker::close(std::size_t connection) {
  state_->sessions.at(connection)->socket.close();
}

}  // namespace carillon
