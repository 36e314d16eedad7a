#include "server/app.h"

#include <algorithm>
#include <chrono>
#include <csignal>
#include <memory>
#include <optional>
#include <thread>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <unistd.h>

#include "api/api.h"
#include "base/check.h"
#include "base/thread.h"
#include "delivery/delivery.h"
#include "delivery/kind.h"
#include "engine/async.h"
#include "http/server.h"
#include "http/threads.h"
#include "monitor/audit.h"
#include "monitor/monitor.h"
#include "net/tls.h"
#include "net/url_policy.h"
#include "server/backend.h"
#include "server/configured.h"
#include "server/fitted_options.h"
#include "server/listen.h"
#include "server/logging.h"
#include "server/metrics.h"
#include "server/process.h"
#include "server/version.h"

namespace carillon {
namespace {

namespace asio = boost::asio;

// Of the time for stopping, answering the requests under way may take this much; the rest is for
// the pushes.
constexpr Millis kHttpDeadline{std::chrono::seconds(5)};
// How long a failed store leaves the loop to answer /readyz before the process ends.
constexpr Millis kLastWords{300};

Millis since(MonoTime start) {
  return std::chrono::ceil<Millis>(std::chrono::steady_clock::now() - start);
}

std::unique_ptr<Clock> make_clock(const std::string& kind) {
  SystemClock system;
  if (kind == "manual") return std::make_unique<ManualClock>(system.wall());
  return std::make_unique<SystemClock>();
}

ServerTls server_tls(const Options& options) {
  return {options.tls.certificate_file, options.tls.private_key_file, options.tls.client_ca_file};
}

class App {
 public:
  App(const Arguments& arguments, Options options)
      : arguments_(arguments),
        options_(std::move(options)),
        clock_(make_clock(options_.clock)),
        http_threads_(options_.http.threads),
        metrics_(options_.api.version),
        signals_(loop_, SIGINT, SIGTERM, SIGHUP),
        grace_(loop_) {}

  /// The connections' threads end first, however `run` ended.
  ~App() { http_threads_.stop(); }
  App(const App&) = delete;
  App& operator=(const App&) = delete;

  ExitCode run();

 private:
  Result<> open();
  Result<> listen();
  Result<> recover();
  void watch();
  void on_signal(int signal);
  [[noreturn]] void storage_failed(const std::string& why);
  [[noreturn]] static void end_refused(const std::string& why);
  void reload();
  static void refuse(const Error& error);
  void apply(Options fresh);
  void apply_egress();
  Async<void> check_target_files();
  Async<void> stop();

  const Arguments& arguments_;
  Options options_;
  std::unique_ptr<Clock> clock_;
  HttpThreads http_threads_;
  // Sockets are used on the loop's thread alone; other threads only post to it.
  asio::io_context loop_{BOOST_ASIO_CONCURRENCY_HINT_UNSAFE_IO};
  Metrics metrics_;
  std::shared_ptr<WatchedTls> tls_;
  // Made in this order, and unmade in the reverse.
  UrlPolicy urls_;
  std::unique_ptr<Delivery> delivery_;
  std::optional<Tracing> tracing_;
  std::unique_ptr<Backend> backend_;
  std::shared_ptr<Api> api_;
  std::unique_ptr<HttpServer> http_;
  std::unique_ptr<Monitor> monitor_;
  std::unique_ptr<Audit> audit_;
  asio::signal_set signals_;
  asio::steady_timer grace_;
  enum class Phase { recovering, serving, leaving, stopping } phase_ = Phase::serving;
};

ExitCode App::run() {
  const MonoTime start = std::chrono::steady_clock::now();
  log_info("carillond starts", {{"version", kVersion},
                                {"data_dir", options_.data_dir},
                                {"clock", options_.clock},
                                {"pid", ::getpid()}});
  for (const std::string& warning : options_.warnings) log_warning(warning);
  watch();
  Result<> done = open();
  if (done) done = listen();
  if (done) done = recover();
  if (!done) {
    log_critical(done.error().detail);
    return ExitCode::start_failed;
  }
  backend_->start();
  monitor_->start();
  if (tracing_) tracing_->start();
  run_detached(loop_, check_target_files());
  run_detached(loop_,
               apply_configured(backend_->tasks(), *audit_, options_.lanes, options_.targets));
  log_info("ready", {{"took", format_duration(since(start))}});
  ask_for_short_slices();
  loop_.run();
  http_threads_.stop();
  http_.reset();
  api_.reset();
  audit_.reset();
  monitor_.reset();
  backend_->close();
  backend_.reset();
  tracing_.reset();
  delivery_.reset();
  log_info("stopped", {{"served", format_duration(since(start))}});
  return ExitCode::stopped;
}

Result<> App::open() {
  EngineOptions engine = within_memory(options_).engine;
  if (engine.shard.pending_max < options_.engine.shard.pending_max) {
    log_info("max_pending lowered to what memory holds",
             {{"max_pending", engine.shard.pending_max}});
  }
  if (engine.content_cache_bytes < options_.engine.content_cache_bytes) {
    log_info("buffers lowered to half of the memory",
             {{"content_cache_bytes", engine.content_cache_bytes}});
  }
  const FileShares files = share_files(open_files_max(), options_.http.limits.connections_max);
  engine.shard.in_flight_max = pushes_in_flight_max(options_);
  delivery_ = std::make_unique<Delivery>(
      SinkOptions{.loop = loop_,
                  .clock = *clock_,
                  .urls = urls_,
                  .connections_max = files.pushes / 8 * 7,
                  .resolving = {.lookups_max = std::clamp<std::size_t>(files.pushes / 16, 8, 512)},
                  .user_agent = "carillon/" + std::string(kVersion)});
  if (!options_.tracing.otlp_url.empty()) {
    tracing_.emplace(loop_, *clock_, *delivery_, options_.tracing, options_.engine.url_defaults,
                     std::string(kVersion));
    metrics_.add(tracing_->tracer());
  }
  engine.on_hold = [this](const std::string& target, const std::optional<TargetView::Held>& held) {
    if (monitor_) monitor_->hold_changed(target, held);
    if (held) {
      log_warning("target held", {{"target", target},
                                  {"until", format_moment(held->until)},
                                  {"reason", name_of(held->reason)}});
    } else {
      log_info("target not held any more", {{"target", target}});
    }
  };
  Sink& sink = tracing_ ? tracing_->sink() : *delivery_;
  Backend::Parts parts{.loop = loop_,
                       .clock = *clock_,
                       .sink = sink,
                       .urls = urls_,
                       .options = options_,
                       .engine = std::move(engine),
                       .on_storage_failed = [this](const std::string& why) { storage_failed(why); },
                       .on_refused = [](const std::string& why) { end_refused(why); }};
  auto backend =
      options_.cluster.given() ? open_clustered(std::move(parts)) : open_single(std::move(parts));
  if (!backend) return backend.error();
  backend_ = *std::move(backend);
  metrics_.add(backend_->tasks());
  return {};
}

Result<> App::listen() {
  if (!options_.tls.certificate_file.empty()) {
    tls_ = std::make_shared<WatchedTls>(server_tls(options_));
    if (const Result<TlsContext> made = tls_->context(); !made) return made.error();
  }
  api_ = std::make_shared<Api>(backend_->tasks(), [this] { return metrics_.text(); }, options_.api);
  backend_->introduce(*api_);
  if (api_->cluster() != nullptr) metrics_.add(*api_->cluster());
  monitor_ = std::make_unique<Monitor>(Monitor::Parts{.loop = loop_,
                                                      .tasks = backend_->tasks(),
                                                      .sink = *delivery_,
                                                      .cluster = api_->cluster(),
                                                      .url_defaults = options_.engine.url_defaults},
                                       options_.monitor);
  api_->show(*monitor_);
  metrics_.add(*monitor_);
  if (tracing_) api_->trace_with(tracing_->tracer());
  audit_ = std::make_unique<Audit>(options_.data_dir);
  api_->note_in(*audit_);
  http_ = std::make_unique<HttpServer>(loop_, http_threads_.loops(), api_,
                                       http_options(within_memory(options_)));
  metrics_.add(*http_);
  const auto addresses = listen_addresses(options_);
  if (!addresses) return addresses.error();
  for (ListenAddress address : *addresses) {
    if (!address.probes_only) address.tls = tls_;
    const auto bound = http_->listen(address);
    if (!bound) return bound.error();
    for (const std::string& url : *bound)
      log_info((address.probes_only ? "listening for probes on " : "listening on ") + url);
  }
  apply_egress();
  return {};
}

Result<> App::recover() {
  MonoTime told = std::chrono::steady_clock::now();
  phase_ = Phase::recovering;
  const auto progress = [&](std::uint64_t read, std::uint64_t in_all) {
    // Recovery has the thread to itself, so the loop gets its turns here: for signals, and for what
    // connections ask.
    loop_.poll();
    if (std::chrono::steady_clock::now() - told < std::chrono::seconds(1)) return;
    told = std::chrono::steady_clock::now();
    const std::uint64_t percent = in_all == 0 ? 100 : read * 100 / in_all;
    log_info("recovering", {{"percent", percent}, {"log_bytes", in_all}});
  };
  if (Result<> done = backend_->recover(progress); !done) return done;
  phase_ = Phase::serving;
  loop_.restart();
  return {};
}

void App::watch() {
  signals_.async_wait([this](const boost::system::error_code& error, int signal) {
    if (error) return;
    on_signal(signal);
    watch();
  });
}

void App::on_signal(int signal) {
  if (signal == SIGHUP) return reload();
  if (phase_ == Phase::recovering) {
    // Nothing is under way and nothing was written, so there is nothing to bring to an end.
    log_info("stopped while recovering");
    flush_log();
    std::_Exit(static_cast<int>(ExitCode::stopped));
  }
  if (phase_ == Phase::leaving) {
    grace_.cancel();
    return;
  }
  if (phase_ == Phase::stopping) {
    log_warning("stopped at once, by a second signal");
    flush_log();
    std::signal(signal, SIG_DFL);
    ::raise(signal);
  }
  phase_ = options_.drain_grace > Millis(0) ? Phase::leaving : Phase::stopping;
  log_info("stopping", {{"signal", signal == SIGTERM ? "SIGTERM" : "SIGINT"},
                        {"drain_grace", format_duration(options_.drain_grace)}});
  run_detached(loop_, stop());
}

Async<void> App::stop() {
  api_->announce_drain();
  metrics_.announce_drain();
  if (phase_ == Phase::leaving) {
    grace_.expires_after(options_.drain_grace);
    co_await grace_.async_wait(asio::as_tuple(asio::use_awaitable));
    log_info("no more requests are taken");
  }
  phase_ = Phase::stopping;
  monitor_->stop();
  const MonoTime start = std::chrono::steady_clock::now();
  const Millis all = options_.shutdown_timeout;
  co_await backend_->leave(all / 2);
  co_await http_->drain(std::clamp(all - since(start), Millis(0), kHttpDeadline));
  co_await backend_->drain(std::max(all - since(start), Millis(0)));
  if (tracing_) tracing_->stop();
  delivery_->stop();
  loop_.stop();
}

// Runs on storage's thread, and never comes back: that thread must not go on.
void App::storage_failed(const std::string& why) {
  log_critical("storage failed; nothing is acknowledged any more", {{"why", why}});
  // Meanwhile the loop fires nothing more and /readyz answers 503.
  asio::post(loop_, [this] {
    if (backend_) backend_->storage_failed();
  });
  std::this_thread::sleep_for(kLastWords);
  std::_Exit(static_cast<int>(ExitCode::storage_failed));
}

void App::end_refused(const std::string& why) {
  log_critical("this process must not go on", {{"why", why}});
  flush_log();
  std::_Exit(static_cast<int>(ExitCode::start_failed));
}

void App::reload() {
  if (phase_ != Phase::serving) return;
  Result<Options> fresh = load_options(arguments_, read_environment());
  if (!fresh) return refuse(fresh.error());
  apply(std::move(*fresh));
}

void App::refuse(const Error& error) {
  log_error("the new configuration is refused; the old one stays", {{"why", error.detail}});
}

void App::apply(Options fresh) {
  // The addresses stay what they are until a restart, so it is they that the new tokens must suit.
  Options as_it_runs = fresh;
  as_it_runs.listen = options_.listen;
  as_it_runs.insecure = options_.insecure;
  if (const auto allowed = listen_addresses(as_it_runs); !allowed) return refuse(allowed.error());
  for (const std::string& warning : fresh.warnings) log_warning(warning);
  if (tls_ && !fresh.tls.certificate_file.empty()) {
    // For new connections; those that are open keep what they began with.
    if (const Result<> done = tls_->replace(server_tls(fresh)); !done) return refuse(done.error());
  }
  if ((tls_ != nullptr) == fresh.tls.certificate_file.empty()) {
    log_warning("switching TLS on or off takes a restart");
  }
  for (const std::string_view key : settings_that_need_restart(options_, fresh)) {
    log_warning("takes a restart", {{"setting", key}});
  }
  if (options_.engine.url_defaults != fresh.engine.url_defaults) {
    log_warning("takes a restart", {{"setting", "url_defaults"}});
  }
  set_up_logging(fresh.log.level, fresh.log.format);
  Options limited = options_;
  limited.http = fresh.http;
  limited.api = fresh.api;
  http_->reload(http_options(within_memory(limited)));
  api_->set_options(std::move(fresh.api));
  options_.drain_grace = fresh.drain_grace;
  options_.shutdown_timeout = fresh.shutdown_timeout;
  options_.egress = fresh.egress;
  options_.monitor = fresh.monitor;
  monitor_->set_options(std::move(fresh.monitor));
  options_.proxy = fresh.proxy;
  options_.way_out = fresh.way_out;
  options_.targets = std::move(fresh.targets);
  options_.lanes = std::move(fresh.lanes);
  ShardOptions& shard = options_.engine.shard;
  shard.in_flight_max = fresh.engine.shard.in_flight_max;
  shard.pushes_per_second = fresh.engine.shard.pushes_per_second;
  TargetLimits limits = shard;
  limits.in_flight_max = pushes_in_flight_max(options_);
  backend_->set_limits(limits);
  apply_egress();
  run_detached(loop_, check_target_files());
  run_detached(loop_,
               apply_configured(backend_->tasks(), *audit_, options_.lanes, options_.targets));
  log_info("configuration reloaded");
}

void App::apply_egress() {
  Result<Egress> egress = Egress::make(options_.egress);
  CARILLON_CHECK(egress.has_value());  // load_options has checked it
  for (const auto& endpoint : http_->endpoints()) egress->refuse_endpoint(endpoint);
  urls_.set_egress(std::move(*egress));
  urls_.set_proxy(options_.way_out);
  delivery_->reload_files();
}

/// Files may have gone since a target was set: its pushes fail until they are back.
Async<void> App::check_target_files() {
  constexpr std::size_t kAtATime = 1000;
  std::string after;
  while (true) {
    const std::vector<TargetView> some = co_await backend_->tasks().targets(after, kAtATime);
    if (some.empty()) co_return;
    after = some.back().settings.name;
    for (const TargetView& target : some) {
      const Result<> usable = target.settings.own->check_files();
      if (usable) continue;
      log_error("a target names a file that cannot be used",
                {{"target", target.settings.name}, {"why", usable.error().detail}});
    }
  }
}

}  // namespace

ExitCode run_server(const Arguments& arguments, Options options) {
  return App(arguments, std::move(options)).run();
}

}  // namespace carillon
