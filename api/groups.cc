#include <algorithm>
#include <optional>

#include "api/handlers.h"
#include "api/names.h"
#include "base/json.h"

namespace carillon {

namespace {

constexpr std::size_t kOperationMax = 64;  // characters

struct Shift {
  std::optional<Millis> by;
  std::string operation;
};

Result<Shift> read_shift(Call& call) {
  constexpr std::string_view kKnown[] = {"by", "operation"};
  Shift shift;
  const auto read = [&shift](std::string_view key,
                             simdjson::ondemand::value value) -> Result<bool> {
    if (key == "operation") return read_operation(value, shift.operation);
    const auto by = json_duration(value, key, /*allow_negative=*/true);
    if (!by) return by.error();
    shift.by = *by;
    return true;
  };
  const auto parsed = call.scratch->reader.parse(call.request.body,
                                                 [&read, &kKnown](simdjson::ondemand::value value) {
                                                   return for_each_field(value, kKnown, read);
                                                 });
  if (!parsed) return parsed.error();
  if (!shift.by) return Error{"missing_field", "`by` is required.", "by"};
  return shift;
}

}  // namespace

Result<bool> read_operation(simdjson::ondemand::value value, std::string& operation) {
  const auto name = json_string(value, "operation");
  if (!name) return name.error();
  const auto is_continuation = [](char c) {
    return (static_cast<unsigned char>(c) & 0xc0) == 0x80;
  };
  const auto characters =
      name->size() - static_cast<std::size_t>(std::ranges::count_if(*name, is_continuation));
  if (const auto checked = check_name(*name, "operation"); !checked || characters > kOperationMax) {
    return Error{"bad_value", "`operation` must be 1 to 64 characters without control characters.",
                 "operation"};
  }
  operation = *name;
  return true;
}

Result<> read_operation_body(Call& call, std::string& operation) {
  constexpr std::string_view kKnown[] = {"operation"};
  if (call.request.body.empty()) return {};
  return call.scratch->reader.parse(call.request.body, [&](simdjson::ondemand::value value) {
    return for_each_field(value, kKnown,
                          [&operation](std::string_view, simdjson::ondemand::value inner) {
                            return read_operation(inner, operation);
                          });
  });
}

Async<Answer<>> get_group(Call& call) {
  const auto group = co_await call.tasks.group(call.name);
  if (!group) co_return group.error();
  JsonWriter json(call.response.body);
  json.begin_object().key("group").string(call.name).key("counts").begin_object();
  for (std::size_t i = 0; i < group->counts.size(); ++i)
    json.key(kStateNames[i]).unsigned_integer(group->counts[i]);
  json.end_object();
  if (group->earliest_due) json.key("earliest_due").moment(*group->earliest_due);
  if (group->latest_due) json.key("latest_due").moment(*group->latest_due);
  json.end_object();
  co_return Answer<>();
}

Async<Answer<>> cancel_group(Call& call) {
  std::string operation;
  if (const auto read = read_operation_body(call, operation); !read) co_return read.error();
  const auto done = co_await call.tasks.cancel_group(call.name, operation);
  if (!done) co_return done.error();
  JsonWriter json(call.response.body);
  json.begin_object().key("cancelled").unsigned_integer(done->cancelled);
  json.key("firing").unsigned_integer(done->firing).end_object();
  co_return Answer<>();
}

Async<Answer<>> shift_group(Call& call) {
  const auto shift = read_shift(call);
  if (!shift) co_return shift.error();
  const auto shifted =
      co_await call.tasks.shift_group(call.name, *shift->by, shift->operation, ShiftStep::whole);
  if (!shifted) co_return shifted.error();
  JsonWriter json(call.response.body);
  json.begin_object().key("shifted").unsigned_integer(*shifted).end_object();
  co_return Answer<>();
}

}  // namespace carillon
