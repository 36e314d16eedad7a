#include "delivery/http/route.h"

#include <algorithm>

#include "net/proxy.h"

namespace carillon {
namespace {

/// Pools are shared by what may share a connection: the origin, and for TLS who vouches for whom.
std::string pool_key(const Url& url, const ClientTls& tls) {
  std::string key = url.origin();
  if (!url.tls) return key;
  key.append(tls.verify ? " +" : " -");
  // With its length before it, no path can pass for the end of another.
  for (const std::string* file : {&tls.ca_file, &tls.certificate_file, &tls.private_key_file}) {
    key.append(std::to_string(file->size())).append(":").append(*file);
  }
  return key;
}

}  // namespace

Result<TlsContext> Routes::tls_context(const Pool& pool) {
  if (!pool.tls) return TlsContext();
  return tls_contexts_.context(pool.tls_files);
}

Result<std::shared_ptr<const Route>> Routes::route(
    const std::shared_ptr<const TargetSettings>& settings) {
  if (const auto found = routes_.find(settings.get()); found != routes_.end()) {
    return found->second;
  }
  auto route = std::make_shared<Route>();
  route->settings = settings;
  route->http = &http_settings(*settings);
  if (!route->http->url.empty()) {
    const Result<Url> url = parse_url(route->http->url);
    if (!url) return url.error();
    route->destination = destination(*url, route->http->tls);
  }
  Result<WebhookSigner> signer = WebhookSigner::make(route->http->secrets);
  if (!signer) return signer.error();
  route->signer = *std::move(signer);
  if (routes_.size() >= routes_max_) sweep_routes();
  routes_.emplace(settings.get(), route);
  return std::shared_ptr<const Route>(std::move(route));
}

Destination Routes::destination(const Url& url, const ClientTls& tls) {
  const std::string key = pool_key(url, tls);
  auto found = pools_.find(key);
  if (found == pools_.end()) {
    auto pool = std::make_shared<Pool>();
    pool->host = url.host;
    pool->lookup_name = url.lookup_name();
    pool->tls = url.tls;
    pool->local = is_this_machine(url.host);
    pool->tls_files = tls;
    pool->port = url.port_number();
    if (pools_.size() >= pools_max_) sweep_pools();
    found = pools_.emplace(key, std::move(pool)).first;
  }
  return Destination{url, found->second};
}

std::vector<std::shared_ptr<PushConnection>> Routes::take_unused() {
  std::vector<std::shared_ptr<PushConnection>> all;
  for (auto& [key, pool] : pools_) {
    for (auto* some : {&pool->idle, &pool->draining}) {
      all.insert(all.end(), some->begin(), some->end());
      some->clear();
    }
  }
  return all;
}

// Sweeping when the number has doubled since the last time costs each newcomer a constant.

void Routes::sweep_routes() {
  std::erase_if(routes_, [](const auto& entry) {
    return entry.second.use_count() == 1 && entry.second->settings.use_count() == 1;
  });
  routes_max_ = std::max<std::size_t>(64, routes_.size() * 2);
}

void Routes::sweep_pools() {
  std::erase_if(pools_, [](const auto& entry) {
    return entry.second.use_count() == 1 && entry.second->idle.empty() &&
           entry.second->draining.empty();
  });
  pools_max_ = std::max<std::size_t>(64, pools_.size() * 2);
}

}  // namespace carillon
