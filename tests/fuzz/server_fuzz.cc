// A whole server, given any bytes on a connection: it answers in HTTP, and the connection ends.
//
// The engine is the real one over a log in memory; its clock stands still but for the API's own
// clock:advance, and its egress rules let no push out. The input's first byte says whether tokens
// are asked for; the rest is what a client sends before it sends no more.

#include <array>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/post.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/string_body.hpp>
#include <sys/socket.h>
#include <unistd.h>

#include "api/api.h"
#include "delivery/delivery.h"
#include "engine/engine.h"
#include "http/connection.h"
#include "server/config_tables.h"
#include "server/metrics.h"
#include "tests/fuzz/fuzz.h"
#include "tests/storage/memory_log.h"
#include "tests/support/test_names.h"

namespace carillon {
namespace {

namespace asio = boost::asio;
namespace http = boost::beast::http;

class FuzzedServer {
 public:
  FuzzedServer(const HttpOptions& http, ApiOptions api)
      : log_([this](std::function<void()> done) { asio::post(loop_, std::move(done)); },
             AutoAck::yes),
        urls_(no_way_out()),
        delivery_({.loop = loop_, .clock = clock_, .urls = urls_, .lookup = TestNames()}),
        engine_(loop_, clock_, log_, delivery_, urls_, EngineOptions()),
        hub_(std::make_shared<ConnectionHub>()) {
    hub_->service =
        std::make_shared<Api>(engine_, [this] { return metrics_.text(); }, std::move(api));
    hub_->server = std::make_shared<ServerShared>();
    hub_->settings = std::make_shared<ConnectionSettings>(loop_, http);
    hub_->server->buffers.set_most(http.limits.buffer_bytes_max);
    CARILLON_CHECK(engine_.recover([](auto, auto) {}));
    engine_.start();
  }
  ~FuzzedServer() {
    delivery_.stop();
    loop_.poll();
  }

  /// All that is answered to `sent`.
  std::string answer(std::string_view sent) {
    std::array<int, 2> ends;
    CARILLON_CHECK(
        ::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends.data()) == 0);
    CARILLON_CHECK(::send(ends[0], sent.data(), sent.size(), 0) ==
                   static_cast<ssize_t>(sent.size()));
    CARILLON_CHECK(::shutdown(ends[0], SHUT_WR) == 0);
    Transport::Socket socket(loop_, asio::generic::stream_protocol(AF_UNIX, 0), ends[1]);
    asio::co_spawn(
        loop_,
        HttpConnection::serve(std::make_shared<HttpConnection>(
            loop_, hub_, std::move(socket), Door::tcp, nullptr, OpenSlot(hub_->server, Door::tcp))),
        asio::detached);
    std::string answered;
    std::array<char, 16384> piece;
    for (ssize_t got = -1; got != 0;) {
      loop_.restart();
      loop_.poll();
      while ((got = ::recv(ends[0], piece.data(), piece.size(), 0)) > 0) {
        answered.append(piece.data(), static_cast<std::size_t>(got));
      }
    }
    ::close(ends[0]);
    return answered;
  }

 private:
  static Egress no_way_out() {
    Egress::Settings settings;
    settings.otherwise = "deny";
    return *Egress::make(settings);
  }

  asio::io_context loop_{1};
  ManualClock clock_{WallTime(std::chrono::sys_days(std::chrono::year(2026) / 11 / 21))};
  MemoryLog log_;
  UrlPolicy urls_;
  Delivery delivery_;
  Engine engine_;
  Metrics metrics_{"fuzzed"};
  std::shared_ptr<ConnectionHub> hub_;
};

HttpOptions http_options() {
  HttpOptions options;
  options.limits.header_bytes_max = 2048;
  options.hosts = {"h"};  // as the corpus has it
  return options;
}

ApiOptions api_options(bool with_tokens) {
  ApiOptions options;
  options.limits.batch_tasks_max = 16;
  if (with_tokens)
    options.tokens = {{"reader", sha256("r"), Role::read}, {"admin", sha256("a"), Role::admin}};
  return options;
}

/// Each answer is whole and the next begins where it ends.
void check_answers(std::string_view bytes) {
  while (!bytes.empty()) {
    http::response_parser<http::string_body> parser;
    parser.eager(true);
    parser.body_limit(boost::none);
    while (!parser.is_done()) {
      boost::beast::error_code error;
      bytes.remove_prefix(parser.put(asio::buffer(bytes.data(), bytes.size()), error));
      CARILLON_CHECK(!error);
    }
    const unsigned status = parser.get().result_int();
    CARILLON_CHECK(status == 100 || (status >= 200 && status < 600));
    // The one that says that something is wrong in here.
    CARILLON_CHECK(status != 500);
  }
}

}  // namespace
}  // namespace carillon

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  carillon::fuzz::Input input(data, size);
  const bool with_tokens = (input.u8() & 1) != 0;
  const std::string_view sent = input.rest();
  carillon::FuzzedServer server(carillon::http_options(), carillon::api_options(with_tokens));
  const std::string answered = server.answer(sent);
  // An answer to HEAD announces a body that does not come.
  if (sent.find("HEAD") == std::string_view::npos) carillon::check_answers(answered);
  return 0;
}
