#include "net/url_policy.h"

#include <utility>

namespace carillon {

/// Taking a URL apart, and dropping those that were, is done without the lock.
Result<UrlPolicy::Known> UrlPolicy::know(std::string_view text) {
  {
    const std::lock_guard lock(mutex_);
    if (const auto found = known_.find(text); found != known_.end()) return found->second;
  }
  Result<Url> url = parse_url(text);
  if (!url) return url.error();
  std::string origin = url->origin();
  Known known{std::make_shared<const KnownUrl>(KnownUrl{*std::move(url), std::move(origin)})};
  decltype(known_) dropped;
  const std::lock_guard lock(mutex_);
  if (known_.size() >= kKnownMax) dropped.swap(known_);
  known_.emplace(text, known);
  return known;
}

Result<std::shared_ptr<const KnownUrl>> UrlPolicy::parse(std::string_view text) {
  const Result<Known> known = know(text);
  if (!known) return known.error();
  return known->url;
}

Result<std::shared_ptr<const KnownUrl>> UrlPolicy::check(std::string_view text) {
  const Result<Known> known = know(text);
  if (!known) return known.error();
  if (known->allowed) return known->url;
  const Url& url = known->url->url;
  const std::lock_guard lock(mutex_);
  Result<> ok = proxy_ && !is_this_machine(url.host)
                    ? egress_.check_proxied(url.host, url.port_number())
                    : egress_.check_unresolved(url.host, url.port_number());
  if (!ok) return ok.error();
  if (const auto kept = known_.find(text); kept != known_.end()) kept->second.allowed = true;
  return known->url;
}

void UrlPolicy::set_egress(Egress egress) {
  const std::lock_guard lock(mutex_);
  egress_ = std::move(egress);
  ++edition_;
  known_.clear();
}

void UrlPolicy::set_proxy(const std::optional<Proxy>& proxy) {
  const bool same = proxy ? proxy_ && *proxy_ == *proxy : !proxy_;
  if (same) return;
  const std::lock_guard lock(mutex_);
  proxy_ = proxy ? std::make_shared<const Proxy>(*proxy) : nullptr;
  known_.clear();
}

}  // namespace carillon
