// The API's one table: each route with all that is decided before its handler runs.
//
// 404, 405 with Allow, 401, 403, 415, the limit on the body and the known query parameters all come
// from here, and the tests hold /openapi.json against it.
#pragma once

#include <span>
#include <string_view>

#include "api/options.h"
#include "api/problem.h"
#include "engine/task_service.h"
#include "http/message.h"
#include "http/route.h"

namespace carillon {

struct Call;

/// What of a task is a route's business; views and references live until the handler returns.
using Handler = Async<Answer<>> (*)(Call& call);

enum class Access {
  probe,    // no token, and before the engine is ready; also where only probes are served
  metrics,  // the same, but with a token where not only probes are served
  open,     // no token, and before the engine is ready
  always,   // with a token, and before the engine is ready
  serving,  // with a token, once the engine is ready
  page,     // of the dashboard: as `open`, and not there where the dashboard is switched off
  peer,     // of a node of the cluster, which signs it; where there is no cluster, nobody
};

/// What a route takes as a body; `anything` is of any media type, which its handler looks at.
enum class Takes { nothing, json, json_if_any, json_patch, tasks, anything };

/// Writes why a request is refused, in the form that the clients of a route expect: status, type
/// and body, which is empty before.
using ErrorFormat = void (*)(HttpResponse& response, const Refusal& refusal);

struct ApiRoute : HttpRoute {
  Handler handler = nullptr;
  Role role = Role::read;
  Takes takes = Takes::nothing;
  Access access = Access::serving;
  std::string_view parameters = {};  // of the query, separated by spaces
  /// Of all that is refused here, also by the server itself.
  ErrorFormat format_error = set_problem;
};

/// Whether it is noted who called it: what changes settings, or many tasks at once.
[[nodiscard]] bool is_audited(const ApiRoute& route);

/// Whether its requests add tasks.
[[nodiscard]] bool adds_tasks(const ApiRoute& route);

/// Those of Carillon, in the order in which they are tried.
[[nodiscard]] std::span<const ApiRoute> routes();

}  // namespace carillon
