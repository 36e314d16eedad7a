// A broker that says only what a test has it say. On the test's own loop, over real sockets on a
// free port of 127.0.0.1.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include <boost/asio/io_context.hpp>

namespace carillon {

class ScriptedBroker {
 public:
  explicit ScriptedBroker(boost::asio::io_context& loop);
  ~ScriptedBroker();
  ScriptedBroker(const ScriptedBroker&) = delete;
  ScriptedBroker& operator=(const ScriptedBroker&) = delete;

  /// "redis://127.0.0.1:43123".
  [[nodiscard]] std::string url(std::string_view scheme) const;
  /// How many connections there have been, and how many of them the client has not closed.
  [[nodiscard]] std::size_t connections() const;
  [[nodiscard]] std::size_t open_connections() const;
  /// All that came on a connection, the first one being 0.
  [[nodiscard]] const std::string& received(std::size_t connection = 0) const;
  void say(std::string_view bytes, std::size_t connection = 0);
  void close(std::size_t connection = 0);

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace carillon
