// The members of kind `http` in a target's JSON: read, written, hidden, and kept where they come
// back hidden.

#include <algorithm>
#include <array>

#include "base/text.h"
#include "delivery/http/settings.h"
#include "delivery/json_fields.h"
#include "delivery/tls_settings.h"

namespace carillon {
namespace {

using simdjson::ondemand::value;

constexpr std::uint32_t kBatchTasks = 500;  // of one that does not say

using Headers = std::vector<std::pair<std::string, std::string>>;

Result<> read_headers(value from, Headers& headers) {
  simdjson::ondemand::object object;
  if (from.get_object().get(object) != simdjson::SUCCESS) {
    return Error{"bad_type", "wanted an object of names and values", "headers"};
  }
  for (auto member : object) {
    std::string_view name;
    value inner;
    if (member.unescaped_key().get(name) != simdjson::SUCCESS ||
        member.value().get(inner) != simdjson::SUCCESS) {
      return Error{"bad_json", "a header cannot be read", "headers"};
    }
    const Result<std::string_view> text = json_string(inner, "headers");
    if (!text) return text.error();
    headers.emplace_back(name, *text);
  }
  return {};
}

Result<> read_secrets(value from, std::vector<std::string>& secrets) {
  return for_each_element(from, "secrets", [&](std::size_t, value inner) -> Result<> {
    const Result<std::string_view> secret = json_string(inner, "secrets");
    if (!secret) return secret.error();
    secrets.emplace_back(*secret);
    return {};
  });
}

Result<> read_batch(value from, BatchLimit& to) {
  static constexpr std::array<std::string_view, 3> kKnown = {"tasks_max", "bytes_max", "wait_max"};
  to = {.tasks_max = kBatchTasks};
  const Result<> ok = read_fields(from, kKnown, [&](std::string_view key, value inner) -> Result<> {
    if (key == "tasks_max") return read_integer(inner, key, to.tasks_max);
    if (key == "bytes_max") return read_bytes(inner, key, to.bytes_max);
    return read_duration(inner, key, to.wait_max);
  });
  if (!ok) return within("batch", ok.error());
  // In a BatchLimit 0 stands for what is not there.
  if (to.tasks_max == 0) {
    return Error{"bad_value", "`tasks_max` must be 1 to 10000", "batch.tasks_max"};
  }
  return {};
}

void write_batch(JsonWriter& json, const BatchLimit& batch) {
  json.key("batch").begin_object().key("tasks_max").unsigned_integer(batch.tasks_max);
  json.key("bytes_max").string(format_bytes(batch.bytes_max));
  json.key("wait_max").duration(batch.wait_max).end_object();
}

bool same_host_and_port(const std::string& a, const std::string& b) {
  const Result<Url> one = parse_url(a);
  const Result<Url> other = parse_url(b);
  return one && other && one->host == other->host && one->port == other->port;
}

Error secret_needed(std::string_view field, std::string detail) {
  return {.slug = "secret_needed", .detail = std::move(detail), .field = std::string(field)};
}

/// Puts what is stored in the place of hidden values.
class Keeper {
 public:
  Keeper(HttpSettings& to, const HttpSettings* before) : to_(to), before_(before) {}

  Result<> keep() {
    if (Result<> ok = keep_secrets(); !ok) return ok;
    if (Result<> ok = keep_headers(); !ok) return ok;
    if (Result<> ok = keep_query(); !ok) return ok;
    if (kept_.empty() || same_host_and_port(before_->url, to_.url)) return {};
    return secret_needed(kept_, "`" + kept_ +
                                    "` was set for another host or port; send its values again" +
                                    (kept_ == "secrets" ? ", or [] to push unsigned" : ""));
  }

 private:
  Result<> keep_query() {
    const std::size_t at = to_.url.find('?');
    if (at == std::string::npos || to_.url.substr(at + 1) != kHiddenValue) return {};
    const std::size_t stored = before_ == nullptr ? std::string::npos : before_->url.find('?');
    if (stored == std::string::npos) {
      return secret_needed("url", "`url` has a hidden query, and none is stored");
    }
    to_.url.replace(at, std::string::npos, before_->url, stored, std::string::npos);
    kept("url");
    return {};
  }

  Result<> keep_secrets() {
    std::size_t used = 0;
    for (std::string& secret : to_.secrets) {
      if (secret != kHiddenSecret) continue;
      if (before_ == nullptr || used >= before_->secrets.size()) {
        return secret_needed("secrets", "`secrets` has more hidden values than are stored");
      }
      secret = before_->secrets[used++];
      kept("secrets");
    }
    return {};
  }

  Result<> keep_headers() {
    for (auto& [name, value] : to_.headers) {
      if (value != kHiddenValue) continue;
      const auto same = [&](const auto& stored) { return same_in_any_case(stored.first, name); };
      const std::string* found = nullptr;
      if (before_ != nullptr) {
        const auto at = std::ranges::find_if(before_->headers, same);
        if (at != before_->headers.end()) found = &at->second;
      }
      if (found == nullptr) {
        return secret_needed("headers", "the value of " + name + " is hidden, and none is stored");
      }
      value = *found;
      kept("headers");
    }
    return {};
  }

  void kept(std::string_view field) {
    if (kept_.empty()) kept_ = field;
  }

  HttpSettings& to_;
  const HttpSettings* before_;
  std::string kept_;  // the first field of which something was kept
};

}  // namespace

Result<> HttpSettings::read(std::string_view key, value from) {
  if (key == "url") return read_string(from, key, url);
  if (key == "method") return read_string(from, key, method);
  if (key == "headers") return read_headers(from, headers);
  if (key == "connection_max_age") return read_duration(from, key, connection_max_age);
  if (key == "batch") return read_batch(from, batched);
  if (key == "secrets") return read_secrets(from, secrets);
  return read_tls(from, tls);
}

Result<std::shared_ptr<const KindSettings>> HttpSettings::with_hidden_kept(
    const KindSettings* before) const {
  if (url.empty()) return Error{"missing_field", "`url` is required", "url"};
  auto kept = std::make_shared<HttpSettings>(*this);
  Keeper keeper(*kept, static_cast<const HttpSettings*>(before));
  if (Result<> ok = keeper.keep(); !ok) return ok.error();
  return std::shared_ptr<const KindSettings>(std::move(kept));
}

void HttpSettings::write(JsonWriter& json, Place place, Secrets show) const {
  switch (place) {
    case Place::receiver:
      json.key("url").string(show == Secrets::hidden ? mask_query(url) : url);
      json.key("method").string(method).key("headers").begin_object();
      for (const auto& [name, text] : headers) {
        json.key(name).string(show == Secrets::hidden ? kHiddenValue : std::string_view(text));
      }
      json.end_object();
      break;
    case Place::connection:
      json.key("connection_max_age").duration(connection_max_age);
      if (batched.tasks_max != 0) write_batch(json, batched);
      break;
    case Place::trust:
      json.key("secrets").begin_array();
      for (const std::string& secret : secrets) {
        json.string(show == Secrets::stored ? std::string_view(secret) : kHiddenSecret);
      }
      json.end_array();
      write_tls(json, tls);
      break;
  }
}

void HttpSettings::write_kept(JsonWriter& json) const {
  json.key("secrets").begin_array();
  for (std::size_t i = 0; i < secrets.size(); ++i) json.string(kHiddenSecret);
  json.end_array();
}

}  // namespace carillon
