#include "http/problem.h"

#include <algorithm>
#include <array>

#include "base/json.h"

namespace carillon {
namespace {

// By slug, so that it can be searched.
constexpr auto kKinds = std::to_array<ProblemKind>({
    {"bad_body", 400, "The body is not as it must be"},
    {"bad_cursor", 400, "The cursor is not one that was handed out"},
    {"bad_duration", 400, "Not a duration"},
    {"bad_header", 400, "A header that a push may not have"},
    {"bad_id", 400, "Not an id or name"},
    {"bad_json", 400, "Not JSON"},
    {"bad_parameter", 400, "A query parameter cannot be read"},
    {"bad_request", 400, "Not a well-formed HTTP request"},
    {"bad_secret", 400, "Not a signing secret"},
    {"bad_time", 400, "Not a moment"},
    {"bad_type", 400, "A value of the wrong type"},
    {"bad_url", 400, "Not a URL that can be pushed to"},
    {"bad_value", 400, "A value that is not allowed"},
    {"batch_too_large", 413, "Too many tasks in one batch"},
    {"beyond_horizon", 422, "Due further ahead than the horizon"},
    {"body_too_large", 413, "The body is too large"},
    {"checkpoint_failed", 409, "The checkpoint could not be made"},
    {"conflicting_fields", 400, "Fields that exclude each other"},
    {"cross_origin", 403, "Asked for by a web page of another origin"},
    {"duplicate_field", 400, "A field is there twice"},
    {"forbidden", 403, "The token may not do this"},
    {"full", 429, "As many tasks are pending as may be", 60},
    {"headers_too_large", 431, "The request's head is too large"},
    {"internal", 500, "Internal error"},
    {"json_too_deep", 400, "The JSON nests too deep"},
    {"method_not_allowed", 405, "The method is not one for this resource"},
    {"missing_field", 400, "A field is missing"},
    {"no_space", 507, "The disk is nearly full", 60},
    {"not_found", 404, "There is no such thing"},
    {"not_ready", 503, "The server is not ready", 1},
    {"overloaded", 503, "More work is waiting than may", 1},
    {"request_timeout", 408, "The request did not come in time"},
    {"secret_needed", 422, "A hidden value has to be sent again"},
    {"storage_failed", 503, "The storage has failed"},
    {"target_denied", 422, "Pushes to that address are not allowed"},
    {"target_in_use", 409, "Tasks still name the target"},
    {"task_exists", 409, "Another task has that id"},
    {"task_finished", 409, "The task is finished"},
    {"task_firing", 409, "The task is being pushed"},
    {"too_many_connections", 503, "Too many connections", 1},
    {"too_many_targets", 409, "As many targets are there as may be"},
    {"unauthorized", 401, "A token is needed"},
    {"unknown_field", 400, "There is no such field"},
    {"unknown_parameter", 400, "There is no such query parameter"},
    {"unknown_target", 422, "There is no such target"},
    {"unsupported_expectation", 417, "The expectation cannot be met"},
    {"unsupported_media_type", 415, "The content type is not taken here"},
    {"unusable_file", 422, "A file cannot be used"},
    {"uri_too_long", 414, "The request target is too long"},
    {"wrong_host", 421, "The server does not answer to that host"},
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
  response.body.clear();
  response.stream = nullptr;
  JsonWriter json(response.body);
  json.begin_object();
  append_problem_members(json, refusal);
  json.end_object();
  if (kind.retry_after_seconds > 0)
    response.headers += "retry-after: " + std::to_string(kind.retry_after_seconds) + "\r\n";
  if (kind.status == 401) response.headers += "www-authenticate: Bearer\r\n";
}

}  // namespace carillon
