#include "api/problem.h"

#include <algorithm>
#include <array>

#include "base/json.h"

namespace carillon {
namespace {

// By slug, so that it can be searched. A title names the kind of problem; what was wrong this time
// and what to do about it is the detail's to say.
constexpr auto kKinds = std::to_array<ProblemKind>({
    {"bad_cursor", 400, "Invalid cursor"},
    {"bad_duration", 400, "Invalid duration"},
    {"bad_header", 400, "Invalid push header"},
    {"bad_id", 400, "Invalid id or name"},
    {"bad_json", 400, "Malformed JSON"},
    {"bad_parameter", 400, "Invalid query parameter"},
    {"bad_request", 400, "Malformed HTTP request"},
    {"bad_secret", 400, "Invalid signing secret"},
    {"bad_time", 400, "Invalid moment"},
    {"bad_type", 400, "Wrong type"},
    {"bad_url", 400, "Invalid URL"},
    {"bad_value", 400, "Invalid value"},
    {"batch_too_large", 413, "Batch too large"},
    {"beyond_horizon", 422, "Due time beyond the horizon"},
    {"body_too_large", 413, "Body too large"},
    {"checkpoint_failed", 409, "Checkpoint failed"},
    {"conflicting_fields", 400, "Conflicting fields"},
    {"cross_origin", 403, "Cross-origin request refused"},
    {"duplicate_field", 400, "Duplicate field"},
    {"forbidden", 403, "Role not sufficient"},
    {"full", 429, "Server full", 60},
    {"headers_too_large", 431, "Request head too large"},
    {"internal", 500, "Internal error"},
    {"json_too_deep", 400, "JSON nested too deep"},
    {"key_not_allowed", 422, "Key not allowed"},
    {"lane_in_use", 409, "Lane in use"},
    {"log_away", 503, "Log away", 1},
    {"method_not_allowed", 405, "Method not allowed"},
    {"missing_field", 400, "Missing field"},
    {"moved", 503, "Shard moved", 1},
    {"no_space", 507, "Disk nearly full", 60},
    {"not_found", 404, "Not found"},
    {"not_ready", 503, "Server not ready", 1},
    {"operation_reused", 422, "Operation name reused"},
    {"outcome_unknown", 503, "Outcome unknown", 1},
    {"overloaded", 503, "Server overloaded", 1},
    {"request_timeout", 408, "Request timed out"},
    {"secret_needed", 422, "Hidden value needed"},
    {"shard_silent", 503, "Shard does not answer", 1},
    {"target_denied", 422, "Target address denied"},
    {"target_in_use", 409, "Target in use"},
    {"task_exists", 409, "Task exists"},
    {"task_finished", 409, "Task already finished"},
    {"task_firing", 409, "Task being pushed"},
    {"too_many_connections", 503, "Too many connections", 1},
    {"too_many_lanes", 422, "Too many lanes"},
    {"too_much_reserved", 422, "Too much reserved"},
    {"unauthorized", 401, "Token required"},
    {"unknown_field", 400, "Unknown field"},
    {"unknown_lane", 422, "Unknown lane"},
    {"unknown_parameter", 400, "Unknown query parameter"},
    {"unknown_target", 422, "Unknown target"},
    {"unmergeable", 422, "Unmergeable"},
    {"unsupported_expectation", 417, "Unsupported expectation"},
    {"unsupported_media_type", 415, "Unsupported media type"},
    {"unusable_file", 422, "Unusable file"},
    {"uri_too_long", 414, "Request target too long"},
    {"wrong_host", 421, "Host not served"},
});
static_assert(std::ranges::is_sorted(kKinds, {}, &ProblemKind::slug));

}  // namespace

const ProblemKind& problem_kind(std::string_view slug) {
  const auto* kind = std::ranges::lower_bound(kKinds, slug, {}, &ProblemKind::slug);
  if (kind != kKinds.end() && kind->slug == slug) return *kind;
  return *std::ranges::find(kKinds, "internal", &ProblemKind::slug);
}

std::span<const ProblemKind> problem_kinds() {
  return kKinds;
}

void append_problem_members(JsonWriter& json, const Refusal& refusal) {
  const ProblemKind& kind = problem_kind(refusal.slug);
  json.key("type").string("/problems/" + std::string(kind.slug));
  json.key("title").string(kind.title);
  json.key("status").integer(kind.status);
  // What went wrong inside is for the log, not for the client.
  if (kind.status != 500 && !refusal.detail.empty()) json.key("detail").string(refusal.detail);
  if (!refusal.field.empty()) json.key("field").string(refusal.field);
  if (!refusal.standing) return;
  json.key("state").string(name_of(refusal.standing->state));
  json.key("attempt").unsigned_integer(refusal.standing->attempt);
  json.key("at").moment(refusal.standing->at);
}

void set_problem(HttpResponse& response, const Refusal& refusal) {
  const ProblemKind& kind = problem_kind(refusal.slug);
  response.status = kind.status;
  response.content_type = "application/problem+json";
  JsonWriter json(response.body);
  json.begin_object();
  append_problem_members(json, refusal);
  json.end_object();
}

}  // namespace carillon
