#include "net/url_policy.h"

#include <utility>

namespace carillon {

Result<UrlPolicy::Known*> UrlPolicy::know(std::string_view text) {
  if (const auto found = known_.find(text); found != known_.end()) return &found->second;
  Result<Url> url = parse_url(text);
  if (!url) return url.error();
  if (known_.size() >= kKnownMax) known_.clear();
  std::string origin = url->origin();
  auto known = std::make_shared<const KnownUrl>(KnownUrl{*std::move(url), std::move(origin)});
  return &known_.emplace(text, Known{std::move(known)}).first->second;
}

Result<std::shared_ptr<const KnownUrl>> UrlPolicy::parse(std::string_view text) {
  const std::lock_guard lock(mutex_);
  const Result<Known*> known = know(text);
  if (!known) return known.error();
  return (*known)->url;
}

Result<std::shared_ptr<const KnownUrl>> UrlPolicy::check(std::string_view text) {
  const std::lock_guard lock(mutex_);
  const Result<Known*> found = know(text);
  if (!found) return found.error();
  Known& known = **found;
  if (!known.allowed) {
    const Url& url = known.url->url;
    Result<> ok = proxy_ && !is_this_machine(url.host)
                      ? egress_.check_proxied(url.host, url.port_number())
                      : egress_.check_unresolved(url.host, url.port_number());
    if (!ok) return ok.error();
    known.allowed = true;
  }
  return known.url;
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
