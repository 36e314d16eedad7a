#include "api/api.h"

#include <algorithm>
#include <span>

#include "api/auth.h"
#include "api/handlers.h"
#include "api/names.h"
#include "api/problem.h"
#include "api/routes.h"
#include "base/text.h"
#include "engine/task_service.h"
#include "http/media_type.h"
#include "http/uri.h"
#include "monitor/audit.h"

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

/// The name in a path. The rest of a path is no name, and what it may be is its handler's to say.
Result<std::string> decode_name(const ApiRoute& route, std::string_view encoded) {
  auto name = percent_decode(encoded);
  if (!name) return Error{"bad_id", "the path has a % without two hex digits", ""};
  const bool is_rest = route.pattern.find('*') != std::string_view::npos;
  if (const auto checked = check_name(*name, ""); !checked && !is_rest) return checked.error();
  return Result<std::string>(boost::system::in_place_value, std::move(*name));
}

/// Of what a node passes on: a batch, with what is added to each of its tasks (its keys, and the
/// trace of the request).
std::size_t peer_bytes_max(const ApiLimits& limits) {
  constexpr std::size_t kAddedBytes = 1024;
  return 2 * limits.batch_bytes_max + kAddedBytes * limits.batch_tasks_max;
}

/// In the dialect of the route, or where there is none as a problem; and what every dialect's
/// clients hear of in the head.
void answer_error(const ApiRoute* route, const Refusal& refusal, HttpResponse& response) {
  response.body.clear();
  response.stream = nullptr;
  response.cache_control = "no-store";
  (route == nullptr ? set_problem : route->format_error)(response, refusal);
  const ProblemKind& kind = problem_kind(refusal.slug);
  if (kind.retry_after_seconds > 0)
    response.headers += "retry-after: " + std::to_string(kind.retry_after_seconds) + "\r\n";
  if (kind.status == 401) response.headers += "www-authenticate: Bearer\r\n";
}

}  // namespace

Api::Api(TaskService& tasks, Metrics metrics, ApiOptions options, std::span<const ApiRoute> routes)
    : tasks_(tasks), metrics_(std::move(metrics)), options_(std::move(options)), routes_(routes) {}

bool Api::admit(HttpRequest& request, HttpResponse& response, std::size_t& body_bytes_max) {
  const ApiOptions& options = options_.read();
  body_bytes_max = options.limits.body_bytes_max;
  const RouteMatch<ApiRoute> found = find_route(routes_, request.method, request.path);
  if (found.route == nullptr || !is_served(*found.route, options)) {
    answer_error(found.route, Error{"not_found", "There is no such route", ""}, response);
    return false;
  }
  const ApiRoute& route = *found.route;
  if (!found.allow.empty()) {
    answer_error(&route, Error{"method_not_allowed", "Allowed here: " + found.allow, ""}, response);
    response.headers += "allow: " + found.allow + "\r\n";
    return false;
  }
  request.route = &route;
  request.name = found.name;
  if (route.takes == Takes::tasks) body_bytes_max = options.limits.batch_bytes_max;
  if (route.access == Access::peer) body_bytes_max = peer_bytes_max(options.limits);
  Answer<> checked = check_sender(route, options, request);
  if (checked) checked = check_ready(route);
  if (checked && request.has_body) checked = check_body(route, request, response);
  if (!checked) answer_error(&route, checked.error(), response);
  return checked.has_value();
}

bool Api::is_served(const ApiRoute& route, const ApiOptions& options) const {
  if (route.access == Access::peer) return peers_ != nullptr;
  return route.access != Access::page || options.dashboard;
}

/// Whether the request's sender may do what the route does; sets its role.
Answer<> Api::check_sender(const ApiRoute& route, const ApiOptions& options,
                           HttpRequest& request) const {
  const bool is_probe = route.access == Access::probe || route.access == Access::metrics;
  if (request.door == Door::probes) {
    set_role(request, Role::read);
    if (is_probe) return {};
    return Refusal(Error{"not_found", "Only probes are served here", ""});
  }
  if (route.access == Access::peer) return {};  // it is looked at with the body
  if (options.tokens.empty()) {
    if (!request.right_host)
      return Refusal(Error{"wrong_host",
                           "Send the request to localhost or an IP address, or add the name to "
                           "http.hosts",
                           ""});
    set_role(request, Role::admin);
    return {};
  }
  if (route.access == Access::open || route.access == Access::page || route.access == Access::probe)
    return {};
  const Token* const token = token_of(request.authorization, options.tokens);
  if (token == nullptr)
    return Refusal(Error{"unauthorized", "Send `Authorization: Bearer <token>`", ""});
  set_role(request, token->role);
  if (token->role >= route.role) return {};
  return Refusal(Error{"forbidden",
                       "This needs a token with the role " + std::string(name_of(route.role)), ""});
}

Answer<> Api::check_ready(const ApiRoute& route) const {
  if (route.access != Access::serving) return {};
  std::string why = tasks_.not_ready_because();
  if (why.empty()) return {};
  return Refusal(Error{"not_ready", std::move(why), ""});
}

Answer<> Api::check_body(const ApiRoute& route, const HttpRequest& request,
                         HttpResponse& response) {
  if (!request.content_coding.empty()) {
    response.headers += "accept-encoding: identity\r\n";
    return Refusal(unsupported("Send the body without a content coding"));
  }
  if (route.takes == Takes::nothing || route.takes == Takes::anything) return {};
  if (const auto checked = check_media_type(route.takes, request.content_type); !checked)
    return Refusal(checked.error());
  return {};
}

Async<void> Api::answer(const HttpRequest& request, HttpResponse& response) {
  const auto& route = static_cast<const ApiRoute&>(*request.route);
  auto query = Query::parse(request.query, route.parameters);
  if (!query) co_return answer_error(&route, query.error(), response);
  std::string name;
  if (!request.name.empty()) {
    auto decoded = decode_name(route, request.name);
    if (!decoded) co_return answer_error(&route, decoded.error(), response);
    name = std::move(*decoded);
  }
  const ApiOptions& options = options_.read();
  Call call{.tasks = tasks_,
            .api = *this,
            .options = options,
            .request = request,
            .response = response,
            .scratch = JsonScratch::take(options.limits.json_depth_max),
            .query = std::move(*query),
            .name = std::move(name)};
  std::unique_ptr<AddSpan> span;
  if (tracer_ != nullptr && adds_tasks(route)) span = AddSpan::begin(*tracer_, request);
  call.span = span.get();
  const Answer<> done = co_await route.handler(call);
  if (!done) answer_error(&route, done.error(), response);
  if (span) span->end(response.status);
  if (audit_ != nullptr && is_audited(route)) note(route, call);
  JsonScratch::give_back(std::move(call.scratch));
}

void Api::note(const ApiRoute& route, const Call& call) const {
  constexpr std::size_t kResultBytes = 256;
  const HttpResponse& response = call.response;
  const Token* const token = token_of(call.request.authorization, call.options.tokens);
  const bool is_count = route.role == Role::write && response.status == 200;
  const std::string action = std::string(route.method) + " " + std::string(route.pattern);
  audit_->note({.at = tasks_.now(),
                .who = token == nullptr ? std::string_view() : token->name,
                .action = action,
                .of = call.name,
                .status = static_cast<std::uint32_t>(response.status),
                .result = is_count && response.body.size() <= kResultBytes
                              ? std::string_view(response.body)
                              : std::string_view()});
}

void Api::refuse(const HttpRequest& request, const Error& error, HttpResponse& response) {
  answer_error(find_route(routes_, request.method, request.path).route, error, response);
}

}  // namespace carillon
