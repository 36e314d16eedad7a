// The handlers of the routes (api/routes.cc), a file for each family of them.
#pragma once

#include <memory>
#include <string>

#include "api/add_span.h"
#include "api/auth.h"
#include "api/task_json.h"
#include "engine/task_service.h"
#include "http/message.h"
#include "http/uri.h"

namespace carillon {

class Api;

/// One request on its way through a handler.
struct Call {
  TaskService& tasks;
  Api& api;
  const ApiOptions& options;
  const HttpRequest& request;
  HttpResponse& response;
  /// A handler that waits long gives it back first, if it can do without.
  std::unique_ptr<JsonScratch> scratch;
  Query query;
  /// What stands for the variable part of the path, decoded; of a name in braces it is checked,
  /// too.
  std::string name;
  AddSpan* span = nullptr;  // where the request adds tasks and is traced

  /// What the tasks that it adds keep.
  [[nodiscard]] std::string_view traceparent() const {
    return span == nullptr ? request.traceparent : span->traceparent();
  }
  /// Of what only the role `may_set` can set.
  [[nodiscard]] Secrets secrets(Role may_set) const {
    return role_of(request) >= may_set ? Secrets::shown : Secrets::hidden;
  }
};

// Each fills in the response, or answers with the refusal that becomes a problem.

// api/tasks.cc
Async<Answer<>> create_task(Call& call);
Async<Answer<>> list_tasks(Call& call);
Async<Answer<>> get_task(Call& call);
Async<Answer<>> explain_task(Call& call);
Async<Answer<>> get_timeline(Call& call);
Async<Answer<>> change_task(Call& call);
Async<Answer<>> cancel_task(Call& call);
Async<Answer<>> push_task(Call& call);
// api/batches.cc
Async<Answer<>> create_tasks(Call& call);
Async<Answer<>> cancel_tasks(Call& call);
// api/groups.cc
Async<Answer<>> get_group(Call& call);
Async<Answer<>> cancel_group(Call& call);
Async<Answer<>> shift_group(Call& call);
// api/targets.cc
Async<Answer<>> list_targets(Call& call);
Async<Answer<>> get_target(Call& call);
Async<Answer<>> put_target(Call& call);
Async<Answer<>> change_target(Call& call);
Async<Answer<>> delete_target(Call& call);
Async<Answer<>> pause_target(Call& call);
Async<Answer<>> resume_target(Call& call);
Async<Answer<>> test_target(Call& call);
// api/lanes.cc
Async<Answer<>> list_lanes(Call& call);
Async<Answer<>> get_lane(Call& call);
Async<Answer<>> put_lane(Call& call);
Async<Answer<>> delete_lane(Call& call);
// api/dead.cc
Async<Answer<>> list_dead(Call& call);
Async<Answer<>> get_dead(Call& call);
Async<Answer<>> delete_dead(Call& call);
Async<Answer<>> redrive_dead(Call& call);
Async<Answer<>> redrive_all_dead(Call& call);
Async<Answer<>> purge_all_dead(Call& call);
// api/cluster.cc
Async<Answer<>> get_cluster(Call& call);
Async<Answer<>> drain_node(Call& call);
// api/dashboard.cc
Async<Answer<>> get_dashboard(Call& call);
Async<Answer<>> lead_to_dashboard(Call& call);
/// Whoever says that it reads HTML; for others nothing is there.
Async<Answer<>> lead_browser_to_dashboard(Call& call);
// api/operate.cc
Async<Answer<>> get_health(Call& call);
Async<Answer<>> get_readiness(Call& call);
Async<Answer<>> get_metrics(Call& call);
Async<Answer<>> get_openapi(Call& call);
Async<Answer<>> get_sender(Call& call);
Async<Answer<>> get_stats(Call& call);
Async<Answer<>> get_wheel(Call& call);
Async<Answer<>> get_forecast(Call& call);
Async<Answer<>> export_tasks(Call& call);
Async<Answer<>> make_checkpoint(Call& call);
Async<Answer<>> advance_clock(Call& call);
// api/watch.cc
Async<Answer<>> get_history(Call& call);
Async<Answer<>> get_alarms(Call& call);
Async<Answer<>> get_audit(Call& call);
// api/peer.cc
Async<Answer<>> answer_peer(Call& call);
/// As nodes of the cluster read it.
void set_peer_refusal(HttpResponse& response, const Refusal& refusal);

[[nodiscard]] inline double in_ms(Histogram::Micros time) {
  return static_cast<double>(time.count()) / 1000;
}
/// In milliseconds, of pushes since the start.
void append_lateness(JsonWriter& json, const Histogram& lateness);

/// The member `silent_shards`, where there are any.
void append_silent(JsonWriter& json, const SilentShards& silent);

/// Makes the response a 201 that says where what was made is: at `path`, under that name.
void say_created(HttpResponse& response, std::string_view path, std::string_view name);

/// Reads the client's name for an operation, 1 to 64 characters. Error slug: bad_value.
Result<bool> read_operation(simdjson::ondemand::value value, std::string& operation);
/// Reads the one of a body that is `{"operation": ...}`, `{}` or nothing.
Result<> read_operation_body(Call& call, std::string& operation);

/// The duration `by` of a body that is `{"by": ...}`.
Result<Millis> read_by(Call& call, bool allow_negative);

/// The page that the query asks for: `filter`'s group, target, due_from, due_to and the limit come
/// from it. For tasks and dead letters.
Async<Answer<>> answer_page(Call& call, TaskFilter filter);

}  // namespace carillon
