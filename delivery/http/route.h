// A target made ready to push to: what can be worked out once and not for each push.
#pragma once

#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/result.h"
#include "delivery/http/addresses.h"
#include "delivery/http/connection.h"
#include "delivery/http/settings.h"
#include "delivery/http/signature.h"
#include "net/tls.h"
#include "net/url.h"

namespace carillon {

/// The idle connections to one origin with one set of TLS settings.
struct Pool : std::enable_shared_from_this<Pool> {
  std::string host;
  std::string lookup_name;  // the host as it is looked up
  std::uint16_t port = 0;
  bool tls = false;
  bool local = false;  // this machine, to which no push goes by a proxy
  ClientTls tls_files;
  std::vector<std::shared_ptr<PushConnection>> idle;  // the last used at the end
  std::vector<std::shared_ptr<PushConnection>> draining;
  Addresses addresses;           // as last looked up and allowed; empty: not yet
  int pushes_not_spread = 0;     // that took an idle connection to another address than was best
  std::deque<Attempt*> waiting;  // for their turn to open a connection
};

/// A URL taken apart, and where its connections are kept.
struct Destination {
  Url url;
  std::shared_ptr<Pool> pool;
};

struct Route {
  std::shared_ptr<const TargetSettings> settings;  // keeps the key of Routes in use
  const HttpSettings* http = nullptr;              // of these
  std::optional<Destination> destination;          // none where each task brings its own URL
  WebhookSigner signer;
};

/// All of them, by target. Those that nobody uses any more are dropped as new ones come.
class Routes {
 public:
  /// Errors: bad_url, bad_secret.
  [[nodiscard]] Result<std::shared_ptr<const Route>> route(
      const std::shared_ptr<const TargetSettings>& settings);
  /// Where `url` goes, under `tls`.
  [[nodiscard]] Destination destination(const Url& url, const ClientTls& tls);

  /// The context for a new connection of `pool`, empty for plain HTTP. Error slug: config.
  [[nodiscard]] Result<TlsContext> tls_context(const Pool& pool);
  /// Makes new connections read their TLS files again.
  void forget_tls_files() { tls_contexts_.forget(); }
  /// Takes every connection out that carries no push.
  [[nodiscard]] std::vector<std::shared_ptr<PushConnection>> take_unused();

 private:
  void sweep_routes();
  void sweep_pools();

  std::unordered_map<const TargetSettings*, std::shared_ptr<const Route>> routes_;
  std::unordered_map<std::string, std::shared_ptr<Pool>> pools_;
  ClientTlsContexts tls_contexts_;
  std::size_t routes_max_ = 64;
  std::size_t pools_max_ = 64;
};

}  // namespace carillon
