// The API's one table: each route with all that is decided before its handler runs.
//
// 404, 405 with Allow, 401, 403, 415, the limit on the body and the known query parameters all come
// from here, and the tests hold /openapi.json against it.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "engine/engine.h"
#include "http/message.h"

namespace carillon {

struct Call;

/// What of a task is a route's business; views and references live until the handler returns.
using Handler = Async<Answer<>> (*)(Call& call);

enum class Access {
  probe,    // no token, and before the engine is ready; also where only probes are served
  metrics,  // the same, but with a token where not only probes are served
  open,     // no token, and before the engine is ready
  serving,  // with a token, once the engine is ready
};

/// What a route takes as a body.
enum class Takes { nothing, json, json_if_any, json_patch, tasks };

struct ApiRoute {
  std::string_view method;
  /// "/v1/tasks/{id}": at most one part in braces, which is one segment, or one segment up to a
  /// custom method: "/v1/groups/{group}:cancel".
  std::string_view pattern;
  Role role = Role::read;
  Access access = Access::serving;
  Takes takes = Takes::nothing;
  std::string_view parameters;  // of the query, separated by spaces
  Handler handler = nullptr;
};

/// In the order in which they are tried.
[[nodiscard]] std::span<const ApiRoute> routes();

struct RouteMatch {
  const ApiRoute* route = nullptr;  // empty: none has that path, or none of these the method
  std::string_view name;            // what stands for the part in braces, still encoded
  std::string allow;                // where the path is known and the method is not
};
/// Of an encoded path. A custom method is told by the last plain ":"; an encoded one is part of the
/// name. HEAD is taken where GET is.
[[nodiscard]] RouteMatch find_route(std::string_view method, std::string_view path);

}  // namespace carillon
