// Finds the route of a request.
//
// A route is a method and a pattern of paths. A pattern has at most one variable part:
//   "/v1/tasks"                 none: that path alone
//   "/v1/tasks/{id}"            one segment
//   "/v1/groups/{group}:cancel" one segment up to a custom method, told by the last plain ":"; an
//                               encoded one is part of the name
//   "/ui/*path"                 the rest of the path, whatever it has, or nothing
// An application derives its routes from HttpRoute and keeps a table of them.
#pragma once

#include <concepts>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace carillon {

struct HttpRoute {
  std::string_view method;
  std::string_view pattern;
  bool linkable = false;  // a link on a page of another origin may lead here
};

/// What of an encoded path stands for the variable part of `pattern`, empty where it has none.
/// Nothing: the path does not fit.
[[nodiscard]] std::optional<std::string_view> match_path(std::string_view pattern,
                                                         std::string_view path);

template <std::derived_from<HttpRoute> Route>
struct RouteMatch {
  const Route* route = nullptr;  // empty: no route has that path
  std::string_view name;         // what stands for the variable part, still encoded
  std::string allow;  // empty: `route` is it; else the methods of that path, which lack this one
};

/// Of `routes`, in their order: the first whose pattern fits decides which resource is meant. HEAD
/// is taken where GET is.
template <std::derived_from<HttpRoute> Route>
[[nodiscard]] RouteMatch<Route> find_route(std::span<const Route> routes, std::string_view method,
                                           std::string_view path) {
  const std::string_view wanted = method == "HEAD" ? "GET" : method;
  RouteMatch<Route> found;
  for (const Route& route : routes) {
    if (found.route != nullptr && route.pattern != found.route->pattern) continue;
    const auto name = match_path(route.pattern, path);
    if (!name) continue;
    if (route.method == wanted) return {&route, *name, ""};
    found.route = &route;
    if (!found.allow.empty()) found.allow += ", ";
    found.allow += route.method;
    if (route.method == "GET") found.allow += ", HEAD";
  }
  return found;
}

}  // namespace carillon
