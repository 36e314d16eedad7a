// The dashboard's files, which a browser loads from /ui/, and the way there.
#include "api/handlers.h"
#include "base/text.h"
#include "ui/assets.h"

namespace carillon {
namespace {

// Nothing from elsewhere, no script in the page, no frame around it: a text of a task that gets
// into the page as markup could still do nothing.
constexpr std::string_view kPolicy =
    "content-security-policy: default-src 'self'; frame-ancestors 'none'; base-uri 'none'; "
    "form-action 'none'\r\n"
    "x-frame-options: DENY\r\n"
    "referrer-policy: no-referrer\r\n"
    "cross-origin-opener-policy: same-origin\r\n"
    "cross-origin-resource-policy: same-origin\r\n";

/// Whether a list such as `gzip, br;q=0.5` has `wanted` and does not rule it out.
bool takes(std::string_view list, std::string_view wanted) {
  while (!list.empty()) {
    std::string_view item = list.substr(0, list.find(','));
    list.remove_prefix(std::min(item.size() + 1, list.size()));
    while (item.starts_with(' ')) item.remove_prefix(1);
    const std::string_view name = item.substr(0, item.find_first_of("; "));
    if (!same_in_any_case(name, wanted)) continue;
    const std::size_t weight = item.find("q=0");  // 0, 0.0, ... rule it out
    return weight == std::string_view::npos ||
           item.find_first_not_of("0. ", weight + 2) != std::string_view::npos;
  }
  return false;
}

std::string_view field(const Call& call, std::string_view name) {
  return call.request.fields.find(name).value_or("");
}

void redirect(HttpResponse& response) {
  response.status = 307;
  response.headers += "location: /ui/\r\n";
}

}  // namespace

Async<Answer<>> get_dashboard(Call& call) {
  const UiAsset* const asset = find_ui_asset(call.name);
  if (asset == nullptr) co_return Error{"not_found", "The dashboard has no such file.", ""};
  HttpResponse& response = call.response;
  response.content_type = asset->content_type;
  response.cache_control = "no-cache";  // kept, but asked for each time, with the ETag
  response.headers += kPolicy;
  response.headers += "vary: accept-encoding\r\netag: ";
  response.headers += asset->etag;
  response.headers += "\r\n";
  if (field(call, "if-none-match").find(asset->etag) != std::string_view::npos) {
    response.status = 304;
  } else if (takes(field(call, "accept-encoding"), "gzip")) {
    response.headers += "content-encoding: gzip\r\n";
    response.body = asset->gzip;
  } else {
    response.body = unpack(*asset);
  }
  co_return Answer<>();
}

Async<Answer<>> lead_to_dashboard(Call& call) {
  redirect(call.response);
  co_return Answer<>();
}

Async<Answer<>> lead_browser_to_dashboard(Call& call) {
  call.response.headers += "vary: accept\r\n";
  if (!takes(field(call, "accept"), "text/html"))
    co_return Error{"not_found", "There is no such route", ""};
  redirect(call.response);
  co_return Answer<>();
}

}  // namespace carillon
