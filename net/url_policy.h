// What the URL of a push may be, and by which way pushes leave.
//
// Operation: `parse` takes a URL apart; `check` also holds it against the egress rules, as far as
// that is possible before its host is looked up. What a URL comes to is kept for the last 4,096:
// tasks name the same few again and again, and taking one apart costs more than all else that is
// done to add a task. Whoever opens connections asks `egress` about each address, and goes by
// `proxy` where there is one.
//
// Concurrency: `parse` and `check` are for any thread; the other members for the loop's thread, on
// which the rules are set. What was answered stays valid.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "base/result.h"
#include "net/egress.h"
#include "net/proxy.h"
#include "net/url.h"

namespace carillon {

/// A URL, taken apart.
struct KnownUrl {
  Url url;
  std::string origin;
};

class UrlPolicy {
 public:
  explicit UrlPolicy(Egress egress = {}) : egress_(std::move(egress)) {}
  UrlPolicy(const UrlPolicy&) = delete;
  UrlPolicy& operator=(const UrlPolicy&) = delete;

  /// Error slug: bad_url.
  [[nodiscard]] Result<std::shared_ptr<const KnownUrl>> parse(std::string_view text);
  /// The same, if a push may go there. Error slugs: bad_url, target_denied.
  [[nodiscard]] Result<std::shared_ptr<const KnownUrl>> check(std::string_view text);

  /// Replaces the egress rules. They hold from now on, also for connections that are open:
  /// `edition` changes, and whoever keeps a connection asks again.
  void set_egress(Egress egress);
  /// Pushes leave by `proxy` from now on, but for those to this machine.
  void set_proxy(const std::optional<Proxy>& proxy);

  [[nodiscard]] const Egress& egress() const { return egress_; }
  /// Of the egress rules.
  [[nodiscard]] std::uint64_t edition() const { return edition_; }
  /// Null: none. The same object until another is set.
  [[nodiscard]] const std::shared_ptr<const Proxy>& proxy() const { return proxy_; }

 private:
  struct Known {
    std::shared_ptr<const KnownUrl> url;
    bool allowed = false;  // by the rules as they are
  };
  struct TextHash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const {
      return std::hash<std::string_view>()(text);
    }
  };
  static constexpr std::size_t kKnownMax = 4096;

  [[nodiscard]] Result<Known> know(std::string_view text);

  std::mutex
      mutex_;  // over all that follows, but for reading on the loop's thread what is set there
  Egress egress_;
  std::uint64_t edition_ = 0;
  std::shared_ptr<const Proxy> proxy_;
  std::unordered_map<std::string, Known, TextHash, std::equal_to<>> known_;
};

}  // namespace carillon
