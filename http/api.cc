#include "http/api.h"

#include <algorithm>
#include <span>

#include "engine/engine.h"
#include "http/auth.h"
#include "http/handlers.h"
#include "http/media_type.h"
#include "http/problem.h"
#include "http/routes.h"
#include "http/uri.h"

namespace carillon {
namespace {

std::span<const std::string_view> types_of(Takes what) {
  static constexpr std::string_view kJson[] = {"application/json"};
  static constexpr std::string_view kPatch[] = {"application/json", "application/merge-patch+json"};
  static constexpr std::string_view kTasks[] = {"application/json", "application/x-ndjson"};
  if (what == Takes::json_patch) return kPatch;
  if (what == Takes::tasks) return kTasks;
  return kJson;
}

Error unsupported(std::string detail) {
  return {"unsupported_media_type", std::move(detail), ""};
}

Result<> check_media_type(Takes what, std::string_view content_type) {
  const auto types = types_of(what);
  const auto media = parse_media_type(content_type);
  if (!media || std::ranges::none_of(types, [&](auto type) { return media->is(type); })) {
    std::string detail = "Send the body as " + std::string(types[0]);
    if (types.size() > 1) detail += " or " + std::string(types[1]);
    return unsupported(std::move(detail));
  }
  if (!media->is_utf8()) return unsupported("Send the body as UTF-8, not as " + media->charset);
  return {};
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
      set_problem(response, Error{"not_found", "There is no such route", ""});
    } else {
      set_problem(response, Error{"method_not_allowed", "Allowed here: " + found.allow, ""});
      response.headers += "allow: " + found.allow + "\r\n";
    }
    return false;
  }
  request.route = found.route;
  request.name = found.name;
  if (found.route->takes == Takes::tasks) body_bytes_max = options_.limits.batch_bytes_max;
  Answer<> checked = check_sender(request);
  if (checked) checked = check_ready(*found.route);
  if (checked && request.has_body) checked = check_body(request, response);
  if (!checked) set_problem(response, checked.error());
  return checked.has_value();
}

/// Whether the request's sender may do what the route does; sets its role.
Answer<> Api::check_sender(HttpRequest& request) const {
  const ApiRoute& route = *request.route;
  const bool is_probe = route.access == Access::probe || route.access == Access::metrics;
  if (request.door == Door::probes) {
    request.role = Role::read;
    if (is_probe) return {};
    return Refusal(Error{"not_found", "Only probes are served here", ""});
  }
  if (options_.tokens.empty()) {
    request.role = Role::admin;
    return {};
  }
  if (route.access == Access::open || route.access == Access::probe) return {};
  const auto role = role_of(request.authorization, options_.tokens);
  if (!role) return Refusal(Error{"unauthorized", "Send `Authorization: Bearer <token>`", ""});
  request.role = *role;
  if (request.role >= route.role) return {};
  return Refusal(Error{"forbidden",
                       "This needs a token with the role " + std::string(name_of(route.role)), ""});
}

Answer<> Api::check_ready(const ApiRoute& route) const {
  if (route.access != Access::serving) return {};
  std::string why = engine_.not_ready_because();
  if (why.empty()) return {};
  return Refusal(Error{"not_ready", std::move(why), ""});
}

Answer<> Api::check_body(const HttpRequest& request, HttpResponse& response) {
  if (!request.content_coding.empty()) {
    response.headers += "accept-encoding: identity\r\n";
    return Refusal(unsupported("Send the body without a content coding"));
  }
  if (request.route->takes == Takes::nothing) return {};
  if (const auto checked = check_media_type(request.route->takes, request.content_type); !checked)
    return Refusal(checked.error());
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
