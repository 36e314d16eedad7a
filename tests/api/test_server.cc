#include "tests/api/test_server.h"

#include <csignal>
#include <future>
#include <thread>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_future.hpp>

#include "api/api.h"
#include "base/check.h"
#include "delivery/delivery.h"
#include "engine/engine.h"
#include "http/threads.h"
#include "monitor/audit.h"
#include "monitor/monitor.h"
#include "server/metrics.h"
#include "tests/storage/memory_log.h"
#include "tests/support/http_threads.h"
#include "tests/support/temp_dir.h"
#include "tests/support/test_names.h"

namespace carillon::test {

namespace asio = boost::asio;

class TestServer::Impl {
 public:
  explicit Impl(ServerSetup setup)
      : http_threads(test::http_threads()),
        log(post(), AutoAck::yes),
        delivery({.loop = loop,
                  .clock = clock(setup.manual_clock),
                  .urls = policy,
                  .lookup = TestNames()}),
        engine(loop, clock(setup.manual_clock), log, delivery, policy, setup.engine),
        api(std::make_shared<Api>(
            engine, [this] { return metrics.text(); }, setup.api, setup.routes)),
        http(loop, http_threads.loops(), api, setup.http) {
    metrics.add(engine);
    metrics.add(http);
    metrics.add(monitor);
    api->show(monitor);
    api->note_in(audit);
    std::signal(SIGPIPE, SIG_IGN);  // as the server does
    if (setup.recovered) {
      CARILLON_CHECK(engine.recover([](auto, auto) {}));
      engine.start();
    }
    auto bound = http.listen(setup.listen);
    CARILLON_CHECK(bound);
    urls = *bound;
    thread = std::thread([this] { loop.run(); });
  }
  ~Impl() {
    loop.stop();
    thread.join();
    http_threads.stop();
  }

  Post post() {
    return [this](std::function<void()> done) { asio::post(loop, std::move(done)); };
  }
  Clock& clock(bool manual) {
    return manual ? static_cast<Clock&>(manual_clock) : static_cast<Clock&>(system_clock);
  }

  HttpThreads http_threads;
  asio::io_context loop{1};
  asio::executor_work_guard<asio::io_context::executor_type> work{loop.get_executor()};
  ManualClock manual_clock{WallTime(std::chrono::sys_days(std::chrono::year(2026) / 11 / 21))};
  SystemClock system_clock;
  MemoryLog log;
  UrlPolicy policy;
  Delivery delivery;
  Engine engine;
  Monitor monitor{
      {.loop = loop, .tasks = engine, .sink = delivery, .cluster = nullptr, .url_defaults = {}},
      {}};
  TempDir dir;
  Audit audit{dir.path().string()};
  Metrics metrics{"test"};
  std::shared_ptr<Api> api;
  HttpServer http;
  std::vector<std::string> urls;
  std::thread thread;
};

TestServer::TestServer(ServerSetup setup)
    : impl_(std::make_unique<Impl>(std::move(setup))), urls_(impl_->urls) {}

TestServer::~TestServer() = default;

void TestServer::on_loop(const std::function<void()>& work) {
  std::promise<void> done;
  asio::post(impl_->loop, [&] {
    work();
    done.set_value();
  });
  done.get_future().wait();
}

void TestServer::look() {
  asio::co_spawn(impl_->loop, impl_->monitor.look(), asio::use_future).wait();
}

void TestServer::reload(const ServerSetup& setup) {
  on_loop([&] {
    impl_->http.reload(setup.http);
    impl_->api->set_options(setup.api);
  });
}

void TestServer::drain(Millis deadline) {
  asio::co_spawn(impl_->loop, impl_->http.drain(deadline), asio::use_future).wait();
}

void TestServer::drain_engine() {
  asio::co_spawn(impl_->loop, impl_->engine.drain(std::chrono::seconds(5)), asio::use_future)
      .wait();
}

std::string task_json(const std::string& id, const std::string& more) {
  return R"({"id":")" + id + R"(","delay":"1d","target":"http://127.0.0.1:9/")" +
         (more.empty() ? "" : "," + more) + "}";
}

}  // namespace carillon::test
