#include "http/routes.h"

#include <array>
#include <optional>

#include "http/handlers.h"

namespace carillon {
namespace {

// Where a custom method and a plain name both fit, the custom method stands first. What is asked
// most stands before the rest.
constexpr auto kRoutes = std::to_array<ApiRoute>({
    {"POST", "/v1/tasks", Role::write, Access::serving, Takes::json, "", create_task},
    {"GET", "/v1/tasks", Role::read, Access::serving, Takes::nothing,
     "group target lane state due_from due_to limit cursor", list_tasks},
    {"POST", "/v1/tasks/{id}:push", Role::write, Access::serving, Takes::nothing, "", push_task},
    {"GET", "/v1/tasks/{id}", Role::read, Access::serving, Takes::nothing, "", get_task},
    {"PATCH", "/v1/tasks/{id}", Role::write, Access::serving, Takes::json_patch, "", change_task},
    {"DELETE", "/v1/tasks/{id}", Role::write, Access::serving, Takes::nothing, "retries",
     cancel_task},
    {"POST", "/v1/tasks:batchCreate", Role::write, Access::serving, Takes::tasks, "", create_tasks},
    {"POST", "/v1/tasks:batchCancel", Role::write, Access::serving, Takes::json, "", cancel_tasks},

    {"POST", "/v1/groups/{group}:cancel", Role::write, Access::serving, Takes::json_if_any, "",
     cancel_group},
    {"POST", "/v1/groups/{group}:shift", Role::write, Access::serving, Takes::json, "",
     shift_group},
    {"GET", "/v1/groups/{group}", Role::read, Access::serving, Takes::nothing, "", get_group},

    {"GET", "/v1/targets", Role::read, Access::serving, Takes::nothing, "limit cursor",
     list_targets},
    {"POST", "/v1/targets/{name}:pause", Role::admin, Access::serving, Takes::nothing, "",
     pause_target},
    {"POST", "/v1/targets/{name}:resume", Role::admin, Access::serving, Takes::nothing, "",
     resume_target},
    {"POST", "/v1/targets/{name}:test", Role::admin, Access::serving, Takes::nothing, "",
     test_target},
    {"GET", "/v1/targets/{name}", Role::read, Access::serving, Takes::nothing, "", get_target},
    {"PUT", "/v1/targets/{name}", Role::admin, Access::serving, Takes::json, "", put_target},
    {"PATCH", "/v1/targets/{name}", Role::admin, Access::serving, Takes::json_patch, "",
     change_target},
    {"DELETE", "/v1/targets/{name}", Role::admin, Access::serving, Takes::nothing, "force",
     delete_target},

    {"GET", "/v1/dead", Role::read, Access::serving, Takes::nothing,
     "group target due_from due_to limit cursor", list_dead},
    {"POST", "/v1/dead:redrive", Role::write, Access::serving, Takes::json_if_any, "",
     redrive_all_dead},
    {"POST", "/v1/dead:purge", Role::write, Access::serving, Takes::json_if_any, "",
     purge_all_dead},
    {"POST", "/v1/dead/{id}:redrive", Role::write, Access::serving, Takes::json_if_any, "",
     redrive_dead},
    {"GET", "/v1/dead/{id}", Role::read, Access::serving, Takes::nothing, "", get_dead},
    {"DELETE", "/v1/dead/{id}", Role::write, Access::serving, Takes::nothing, "", delete_dead},

    {"GET", "/healthz", Role::read, Access::probe, Takes::nothing, "", get_health},
    {"GET", "/readyz", Role::read, Access::probe, Takes::nothing, "", get_readiness},
    {"GET", "/metrics", Role::read, Access::metrics, Takes::nothing, "", get_metrics},
    {"GET", "/openapi.json", Role::read, Access::open, Takes::nothing, "", get_openapi},
    {"GET", "/v1/stats", Role::read, Access::serving, Takes::nothing, "", get_stats},
    {"GET", "/v1/wheel", Role::read, Access::serving, Takes::nothing, "", get_wheel},
    {"GET", "/v1/forecast", Role::read, Access::serving, Takes::nothing, "bucket from to target",
     get_forecast},
    {"GET", "/v1/export", Role::admin, Access::serving, Takes::nothing, "", export_tasks},
    {"POST", "/v1/admin/checkpoint", Role::admin, Access::serving, Takes::json, "",
     make_checkpoint},
    {"POST", "/v1/clock:advance", Role::admin, Access::serving, Takes::json, "", advance_clock},
});

/// What stands for the part in braces, empty where the pattern has none; nothing: it does not fit.
std::optional<std::string_view> match(std::string_view pattern, std::string_view path) {
  const std::size_t open = pattern.find('{');
  if (open == std::string_view::npos)
    return pattern == path ? std::optional(std::string_view()) : std::nullopt;
  const std::string_view suffix = pattern.substr(pattern.find('}') + 1);
  if (!path.starts_with(pattern.substr(0, open)) || !path.ends_with(suffix)) return std::nullopt;
  path.remove_prefix(open);
  if (path.size() <= suffix.size()) return std::nullopt;
  path.remove_suffix(suffix.size());
  if (path.find('/') != std::string_view::npos) return std::nullopt;
  return path;
}

}  // namespace

std::span<const ApiRoute> routes() {
  return kRoutes;
}

RouteMatch find_route(std::string_view method, std::string_view path) {
  const std::string_view wanted = method == "HEAD" ? "GET" : method;
  RouteMatch found;
  std::string_view pattern;  // the first that fits decides which resource is meant
  for (const ApiRoute& route : kRoutes) {
    if (!pattern.empty() && route.pattern != pattern) continue;
    const auto name = match(route.pattern, path);
    if (!name) continue;
    if (route.method == wanted) return {&route, *name, ""};
    pattern = route.pattern;
    if (!found.allow.empty()) found.allow += ", ";
    found.allow += route.method;
    if (route.method == "GET") found.allow += ", HEAD";
  }
  return found;
}

}  // namespace carillon
