// Problems: the errors of the API as RFC 9457 has them.
//
// Every slug of docs/api.md has its status and title here; a slug that is not here is an internal
// error, of which a client hears nothing more.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "base/result.h"
#include "engine/requests.h"
#include "http/message.h"

namespace carillon {

struct ProblemKind {
  std::string_view slug;
  int status = 500;
  std::string_view title;
  int retry_after_seconds = 0;  // 0: the answer has no Retry-After
};

/// The kind of a slug; that of `internal` where it is unknown.
[[nodiscard]] const ProblemKind& problem_kind(std::string_view slug);
/// All of them, for the documents' tests.
[[nodiscard]] std::span<const ProblemKind> problem_kinds();

/// Writes `refusal` as a problem: status, type and body of `response`.
void set_problem(HttpResponse& response, const Refusal& refusal);

class JsonWriter;
/// The members of a problem, for one inside another answer; no braces. `type title status detail
/// field state attempt at`.
void append_problem_members(JsonWriter& json, const Refusal& refusal);

}  // namespace carillon
