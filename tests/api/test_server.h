// A whole server in this process, on a thread of its own: the real engine over a log in memory, a
// clock that only the test moves, and pushes that go where the test says.
#pragma once

#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "api/options.h"
#include "api/routes.h"
#include "engine/options.h"
#include "http/server.h"
#include "tests/support/http_client.h"

namespace carillon::test {

struct ServerSetup {
  HttpOptions http;
  ApiOptions api;
  EngineOptions engine;
  bool manual_clock = true;
  bool recovered = true;  // false: the engine never becomes ready
  std::span<const ApiRoute> routes = carillon::routes();
  ListenAddress listen{.host = "127.0.0.1"};
};

class TestServer {
 public:
  explicit TestServer(ServerSetup setup = {});
  ~TestServer();
  TestServer(const TestServer&) = delete;
  TestServer& operator=(const TestServer&) = delete;

  /// As HttpServer::listen answers them: the first, and all.
  [[nodiscard]] const std::string& url() const { return urls_.front(); }
  [[nodiscard]] const std::vector<std::string>& urls() const { return urls_; }
  /// Runs `work` on the server's thread and waits for it.
  void on_loop(const std::function<void()>& work);
  /// What the server does by itself every ten seconds.
  void look();
  /// Takes the options of both layers.
  void reload(const ServerSetup& setup);
  /// Drains the HTTP server; returns when it is done.
  void drain(Millis deadline);
  /// Stops firing and refuses commands, as a server that is told to stop does.
  void drain_engine();

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
  std::vector<std::string> urls_;
};

/// A task as JSON with the id, due in a day, to a receiver that refuses connections.
[[nodiscard]] std::string task_json(const std::string& id, const std::string& more = "");

}  // namespace carillon::test
