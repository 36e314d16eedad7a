#include "tests/http/thing_server.h"

#include <csignal>
#include <future>
#include <map>
#include <thread>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_future.hpp>

#include "base/check.h"
#include "http/media_type.h"
#include "http/route.h"
#include "http/threads.h"
#include "tests/support/http_threads.h"

namespace carillon::test {
namespace {

namespace asio = boost::asio;

enum class Does { add, list, get, health, echo, headers, page };

struct ThingRoute : HttpRoute {
  Does does;
};

constexpr ThingRoute kRoutes[] = {
    {{"POST", "/things"}, Does::add},
    {{"GET", "/things"}, Does::list},
    {{"GET", "/things/{id}"}, Does::get},
    {{"GET", "/health"}, Does::health},
    {{"POST", "/echo"}, Does::echo},
    {{"GET", "/headers"}, Does::headers},
    {{"GET", "/pages/*path", true}, Does::page},
};

int status_of(std::string_view slug) {
  static const std::map<std::string_view, int> kStatus = {
      {"bad_request", 400},
      {"body_too_large", 413},
      {"cross_origin", 403},
      {"headers_too_large", 431},
      {"method_not_allowed", 405},
      {"no_id", 400},
      {"not_found", 404},
      {"overloaded", 503},
      {"request_timeout", 408},
      {"too_many_connections", 503},
      {"unsupported_expectation", 417},
      {"unsupported_media_type", 415},
      {"uri_too_long", 414},
      {"wrong_host", 421},
  };
  return kStatus.at(slug);
}

class Things final : public HttpService {
 public:
  explicit Things(std::size_t body_bytes_max) : body_bytes_max_(body_bytes_max) {}

  bool admit(HttpRequest& request, HttpResponse& response, std::size_t& body_bytes_max) override {
    body_bytes_max = body_bytes_max_;
    if (!request.right_host) return refused(request, "wrong_host", response);
    const auto found = find(request);
    if (found.route == nullptr) return refused(request, "not_found", response);
    if (!found.allow.empty()) return refused(request, "method_not_allowed", response);
    const auto media = parse_media_type(request.content_type);
    if (found.route->does == Does::add && (!media || !media->is("application/json")))
      return refused(request, "unsupported_media_type", response);
    request.route = found.route;
    request.name = found.name;
    return true;
  }

  Async<void> answer(const HttpRequest& request, HttpResponse& response) override {
    switch (static_cast<const ThingRoute&>(*request.route).does) {
      case Does::add:
        add(request, response);
        break;
      case Does::list:
        response.stream = [this, next = things_.cbegin()](std::string& piece) mutable {
          return next_thing(next, piece);
        };
        break;
      case Does::get:
        get(request, response);
        break;
      case Does::health:
        response.body = R"({"status":"ok"})";
        break;
      case Does::echo:
        response.content_type = request.content_type;
        response.body = request.body;
        break;
      case Does::headers:
        response.content_type = "text/plain";
        for (const HttpField field : request.fields)
          response.body.append(field.name).append("=").append(field.value).append("\n");
        break;
      case Does::page:
        response.content_type = "text/html; charset=utf-8";
        response.cache_control = "max-age=60";
        response.body = "<p>" + std::string(request.name) + "</p>";
        if (request.fields.find("if-none-match") == "\"1\"") response.status = 304;
        break;
    }
    co_return;
  }

  void refuse(const HttpRequest& request, const Error& error, HttpResponse& response) override {
    const auto found = find(request);
    response.status = status_of(error.slug);
    if (found.route != nullptr && found.route->does == Does::page) {
      response.content_type = "text/html; charset=utf-8";
      response.body = "<h1>" + error.slug + "</h1>";
      return;
    }
    response.content_type = "text/plain";
    response.body = error.slug + ": " + error.detail + "\n";
  }

 private:
  using All = std::map<std::string, std::string, std::less<>>;

  static RouteMatch<ThingRoute> find(const HttpRequest& request) {
    return find_route(std::span<const ThingRoute>(kRoutes), request.method, request.path);
  }
  bool refused(const HttpRequest& request, std::string slug, HttpResponse& response) {
    refuse(request, Error{std::move(slug), "", ""}, response);
    return false;
  }
  void add(const HttpRequest& request, HttpResponse& response) {
    constexpr std::string_view kId = R"("id":")";
    const std::size_t at = request.body.find(kId);
    if (at == std::string_view::npos) {
      refused(request, "no_id", response);
      return;
    }
    const std::string_view from_id = request.body.substr(at + kId.size());
    things_.insert_or_assign(std::string(from_id.substr(0, from_id.find('"'))),
                             std::string(request.body));
    response.status = 201;
    response.body = request.body;
  }
  void get(const HttpRequest& request, HttpResponse& response) {
    const auto found = things_.find(request.name);
    if (found == things_.end()) {
      refused(request, "not_found", response);
      return;
    }
    response.body = found->second;
  }
  Async<Streamed> next_thing(All::const_iterator& next, std::string& piece) {
    if (next == things_.end()) co_return Streamed::last;
    if (next->first == "broken") co_return Streamed::broken;
    piece += (next++)->second + "\n";
    co_return next == things_.end() ? Streamed::last : Streamed::more;
  }

  std::size_t body_bytes_max_;
  All things_;
};

}  // namespace

class ThingServer::Impl {
 public:
  explicit Impl(const ThingSetup& setup)
      : http_threads(test::http_threads()),
        http(loop, http_threads.loops(), std::make_shared<Things>(setup.body_bytes_max),
             setup.http) {
    std::signal(SIGPIPE, SIG_IGN);  // as the server does
    auto bound = http.listen(setup.listen);
    CARILLON_CHECK(bound);
    url = bound->front();
    thread = std::thread([this] { loop.run(); });
  }
  ~Impl() {
    loop.stop();
    thread.join();
    http_threads.stop();
  }
  /// Runs `call` on the server's thread and waits for it.
  void on_loop(const std::function<void()>& call) {
    std::promise<void> done;
    asio::post(loop, [&] {
      call();
      done.set_value();
    });
    done.get_future().wait();
  }

  HttpThreads http_threads;
  asio::io_context loop{1};
  asio::executor_work_guard<asio::io_context::executor_type> work{loop.get_executor()};
  HttpServer http;
  std::string url;
  std::thread thread;
};

ThingServer::ThingServer(const ThingSetup& setup) : impl_(std::make_unique<Impl>(setup)) {}

ThingServer::~ThingServer() = default;

const std::string& ThingServer::url() const {
  return impl_->url;
}

HttpStats ThingServer::stats() const {
  return impl_->http.stats();
}

void ThingServer::reload(const HttpOptions& options) {
  impl_->on_loop([&] { impl_->http.reload(options); });
}

void ThingServer::drain(Millis deadline) {
  asio::co_spawn(impl_->loop, impl_->http.drain(deadline), asio::use_future).wait();
}

std::string thing(const std::string& id, const std::string& more) {
  return R"({"id":")" + id + "\"" + (more.empty() ? "" : "," + more) + "}";
}

}  // namespace carillon::test
