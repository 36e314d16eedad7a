#include "api/routes.h"

#include <algorithm>
#include <array>

#include "api/handlers.h"
#include "cluster/peers.h"

namespace carillon {
namespace {

using enum Role;
using enum Access;
using enum Takes;

constexpr bool kLinkable = true;
constexpr std::string_view kTaskFilters = "group target lane state due_from due_to limit cursor";

// Where a custom method and a plain name both fit, the custom method stands first. What is asked
// most stands before the rest.
constexpr auto kRoutes = std::to_array<ApiRoute>({
    {{"POST", "/v1/tasks"}, create_task, write, json},
    {{"GET", "/v1/tasks"}, list_tasks, read, nothing, serving, kTaskFilters},
    {{"POST", "/v1/tasks/{id}:push"}, push_task, write},
    {{"GET", "/v1/tasks/{id}/explain"}, explain_task, read},
    {{"GET", "/v1/tasks/{id}/timeline"}, get_timeline, read},
    {{"GET", "/v1/tasks/{id}"}, get_task, read},
    {{"PATCH", "/v1/tasks/{id}"}, change_task, write, json_patch},
    {{"DELETE", "/v1/tasks/{id}"}, cancel_task, write, nothing, serving, "retries"},
    {{"POST", "/v1/tasks:batchCreate"}, create_tasks, write, tasks},
    {{"POST", "/v1/tasks:batchCancel"}, cancel_tasks, write, json},

    {{"POST", "/v1/groups/{group}:cancel"}, cancel_group, write, json_if_any},
    {{"POST", "/v1/groups/{group}:shift"}, shift_group, write, json},
    {{"GET", "/v1/groups/{group}"}, get_group, read},

    {{"GET", "/v1/targets"}, list_targets, read, nothing, serving, "limit cursor"},
    {{"POST", "/v1/targets/{name}:pause"}, pause_target, admin},
    {{"POST", "/v1/targets/{name}:resume"}, resume_target, admin},
    {{"POST", "/v1/targets/{name}:test"}, test_target, admin},
    {{"GET", "/v1/targets/{name}"}, get_target, read},
    {{"PUT", "/v1/targets/{name}"}, put_target, admin, json},
    {{"PATCH", "/v1/targets/{name}"}, change_target, admin, json_patch},
    {{"DELETE", "/v1/targets/{name}"}, delete_target, admin, nothing, serving, "force"},

    {{"GET", "/v1/lanes"}, list_lanes, read},
    {{"GET", "/v1/lanes/{name}"}, get_lane, read},
    {{"PUT", "/v1/lanes/{name}"}, put_lane, admin, json},
    {{"DELETE", "/v1/lanes/{name}"}, delete_lane, admin},

    {{"GET", "/v1/dead"},
     list_dead,
     read,
     nothing,
     serving,
     "group target due_from due_to limit cursor"},
    {{"POST", "/v1/dead:redrive"}, redrive_all_dead, write, json_if_any},
    {{"POST", "/v1/dead:purge"}, purge_all_dead, write, json_if_any},
    {{"POST", "/v1/dead/{id}:redrive"}, redrive_dead, write, json_if_any},
    {{"GET", "/v1/dead/{id}"}, get_dead, read},
    {{"DELETE", "/v1/dead/{id}"}, delete_dead, write},

    {{"GET", "/v1/cluster"}, get_cluster, read, nothing, always},
    {{"POST", "/v1/cluster/nodes/{node}:drain"}, drain_node, admin, nothing, always},

    {{"GET", "/healthz"}, get_health, read, nothing, probe},
    {{"GET", "/readyz"}, get_readiness, read, nothing, probe},
    {{"GET", "/metrics"}, get_metrics, read, nothing, metrics},
    {{"GET", "/openapi.json"}, get_openapi, read, nothing, open},
    {{"GET", "/v1/stats"}, get_stats, read},
    {{"GET", "/v1/wheel"}, get_wheel, read},
    {{"GET", "/v1/forecast"}, get_forecast, read, nothing, serving, "bucket from to target lane"},
    {{"GET", "/v1/history"}, get_history, read, nothing, serving, "from to step"},
    {{"GET", "/v1/alarms"}, get_alarms, read},
    {{"GET", "/v1/audit"}, get_audit, read, nothing, serving, "limit"},
    {{"GET", "/v1/export"}, export_tasks, admin},
    {{"POST", "/v1/admin/checkpoint"}, make_checkpoint, admin, json},
    {{"POST", "/v1/clock:advance"}, advance_clock, admin, json},

    {{"GET", "/v1/whoami"}, get_sender, read, nothing, always},
    {{"GET", "/ui/*path", kLinkable}, get_dashboard, read, nothing, page},
    {{"GET", "/ui", kLinkable}, lead_to_dashboard, read, nothing, page},
    {{"GET", "/", kLinkable}, lead_browser_to_dashboard, read, nothing, page},

    {{"POST", kPeerCallPath}, answer_peer, admin, anything, peer, {}, set_peer_refusal},
});

constexpr auto kBulk = std::to_array<Handler>(
    {cancel_tasks, cancel_group, shift_group, redrive_all_dead, purge_all_dead});

}  // namespace

bool is_audited(const ApiRoute& route) {
  if (route.access == peer || route.method == "GET") return false;
  return route.role == admin || std::ranges::find(kBulk, route.handler) != kBulk.end();
}

bool adds_tasks(const ApiRoute& route) {
  return route.handler == create_task || route.handler == create_tasks;
}

std::span<const ApiRoute> routes() {
  return kRoutes;
}

}  // namespace carillon
