#include "http/api.h"

#include <algorithm>

#include <boost/beast/core/string.hpp>

#include "engine/engine.h"
#include "http/auth.h"
#include "http/handlers.h"
#include "http/problem.h"
#include "http/routes.h"
#include "http/uri.h"

namespace carillon {
namespace {

/// "Application/JSON ; charset=UTF-8" as "Application/JSON".
std::string_view media_type(std::string_view content_type) {
  content_type = content_type.substr(0, content_type.find(';'));
  return content_type.substr(0, content_type.find_last_not_of(" \t") + 1);
}

bool takes(Takes what, std::string_view content_type) {
  const std::string_view type = media_type(content_type);
  const auto is = [&](std::string_view wanted) { return boost::beast::iequals(type, wanted); };
  switch (what) {
    case Takes::nothing:
      return true;
    case Takes::json:
    case Takes::json_if_any:
      return is("application/json");
    case Takes::json_patch:
      return is("application/json") || is("application/merge-patch+json");
    case Takes::tasks:
      return is("application/json") || is("application/x-ndjson");
  }
  return false;
}

Error unsupported(Takes what) {
  std::string detail = "wanted content-type: application/json";
  if (what == Takes::tasks) detail += " or application/x-ndjson";
  if (what == Takes::json_patch) detail += " or application/merge-patch+json";
  return {"unsupported_media_type", std::move(detail), ""};
}

Result<std::string> decode_name(std::string_view encoded) {
  auto name = percent_decode(encoded);
  if (!name) return Error{"bad_id", "the path has a % without two hex digits", ""};
  if (const auto checked = check_name(*name, ""); !checked) return checked.error();
  return Result<std::string>(boost::system::in_place_value, std::move(*name));
}

}  // namespace

Api::Api(Engine& engine, prometheus::Registry& registry, const ConnectionHub& hub,
         HttpOptions options)
    : engine_(engine), registry_(registry), hub_(hub), options_(std::move(options)) {}

void Api::set_options(HttpOptions options) {
  options_ = std::move(options);
  scratches_.clear();
}

bool Api::admit(HttpRequest& request, HttpResponse& response, std::size_t& body_bytes_max) {
  body_bytes_max = options_.limits.body_bytes_max;
  RouteMatch found = find_route(request.method, request.path);
  if (found.route == nullptr) {
    if (found.allow.empty()) {
      set_problem(response, Error{"not_found", "there is no such route", ""});
    } else {
      set_problem(response, Error{"method_not_allowed", "allowed: " + found.allow, ""});
      response.headers += "allow: " + found.allow + "\r\n";
    }
    return false;
  }
  request.route = found.route;
  request.name = found.name;
  if (found.route->takes == Takes::tasks) body_bytes_max = options_.limits.batch_bytes_max;
  const Answer<> checked = check(request);
  if (!checked) set_problem(response, checked.error());
  return checked.has_value();
}

Answer<> Api::check(const HttpRequest& request) const {
  const ApiRoute& route = *request.route;
  if (route.access != Access::open && !options_.tokens.empty()) {
    const auto role = role_of(request.authorization, options_.tokens);
    if (!role) return Refusal(Error{"unauthorized", "send Authorization: Bearer <token>", ""});
    if (*role < route.role)
      return Refusal(Error{"forbidden", "the token's role does not reach this", ""});
  }
  if (route.access == Access::serving) {
    if (std::string why = engine_.not_ready_because(); !why.empty())
      return Refusal(Error{"not_ready", std::move(why), ""});
  }
  if (request.has_body && !takes(route.takes, request.content_type))
    return Refusal(unsupported(route.takes));
  return {};
}

Async<void> Api::answer(const HttpRequest& request, HttpResponse& response) {
  const ApiRoute& route = *request.route;
  auto query = Query::parse(request.query, route.parameters);
  if (!query) co_return set_problem(response, query.error());
  std::string name;
  if (!request.name.empty()) {
    auto decoded = decode_name(request.name);
    if (!decoded) co_return set_problem(response, decoded.error());
    name = std::move(*decoded);
  }
  Call call{engine_, *this, request, response, take_scratch(), std::move(*query), std::move(name)};
  const Answer<> done = co_await route.handler(call);
  if (!done) set_problem(response, done.error());
  give_back(std::move(call.scratch));
}

std::unique_ptr<JsonScratch> Api::take_scratch() {
  if (scratches_.empty()) return std::make_unique<JsonScratch>(options_.limits.json_depth_max);
  auto scratch = std::move(scratches_.back());
  scratches_.pop_back();
  return scratch;
}

void Api::give_back(std::unique_ptr<JsonScratch> scratch) {
  constexpr std::size_t kKeptMax = 256;
  constexpr std::size_t kBytesMax = std::size_t{64} << 10;
  if (!scratch) return;
  scratch->decoded.clear();
  if (scratches_.size() < kKeptMax && scratch->reader.capacity() <= kBytesMax)
    scratches_.push_back(std::move(scratch));
}

}  // namespace carillon
