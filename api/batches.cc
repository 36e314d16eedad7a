#include <algorithm>
#include <string>
#include <vector>

#include "api/api.h"
#include "api/handlers.h"
#include "api/problem.h"
#include "api/trace_context.h"
#include "base/json.h"
#include "base/json_syntax.h"
#include "http/media_type.h"

namespace carillon {
namespace {

/// The tasks of a batch: what adding each comes to, or why it cannot be.
struct Batched {
  std::vector<NewTask> adds;
  struct Item {
    std::optional<Error> error;  // else adds[index]
    std::size_t index = 0;
    std::string_view id;  // as sent
    std::string own_id;   // where `id` is empty: made here, or read as far as it could be

    [[nodiscard]] std::string_view shown_id() const { return id.empty() ? own_id : id; }
  };
  std::vector<Item> items;
};

Error batch_too_large(std::size_t tasks_max) {
  return {"batch_too_large",
          "A batch has at most " + std::to_string(tasks_max) + " tasks; send several", ""};
}

Error body_too_large(std::size_t bytes_max) {
  return {"body_too_large",
          "The body of a task has at most " + std::to_string(bytes_max) + " bytes", ""};
}

Result<PlannedAdd> plan_item(simdjson::ondemand::value value, Call& call, std::string& id) {
  auto task = parse_task(value, *call.scratch, &id);
  if (!task) return task.error();
  keep_trace(call.traceparent(), call.request.tracestate, task->content.headers);
  const std::string_view sent_id = task->content.id;
  const std::size_t body_bytes_max = call.options.limits.body_bytes_max;
  Result<PlannedAdd> planned = task->content.body.size() > body_bytes_max
                                   ? Result<PlannedAdd>(body_too_large(body_bytes_max))
                                   : call.tasks.plan(std::move(*task));
  if (!planned) id = sent_id;
  return planned;
}

Result<> read_item(simdjson::ondemand::value value, Call& call, Batched& batch) {
  std::string id;
  auto planned = plan_item(value, call, id);
  if (!planned) {
    batch.items.push_back({planned.error(), 0, {}, std::move(id)});
    return {};
  }
  const bool made = !planned->made_id.empty();
  batch.items.push_back({std::nullopt, batch.adds.size(),
                         made ? std::string_view() : planned->created.content.id,
                         std::move(planned->made_id)});
  batch.adds.emplace_back(std::move(planned->task));
  return {};
}

Result<> read_array(Call& call, Batched& batch) {
  const std::size_t tasks_max = call.options.limits.batch_tasks_max;
  return call.scratch->reader.parse(call.request.body, [&](simdjson::ondemand::value value) {
    return for_each_element(value, "",
                            [&](std::size_t index, simdjson::ondemand::value item) -> Result<> {
                              if (index == tasks_max) return batch_too_large(tasks_max);
                              return read_item(item, call, batch);
                            });
  });
}

/// The lines that are JSON become one array, so that one parse holds the text of all; a line that
/// is not is that item's failure and stands in the array as null.
Result<> read_lines(Call& call, Batched& batch) {
  const ApiLimits& limits = call.options.limits;
  std::string_view text = call.request.body;
  std::string array = "[";
  array.reserve(text.size() + 2);
  std::vector<std::optional<Error>> broken;
  while (!text.empty()) {
    std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(line.size() + 1, text.size()));
    if (line.ends_with('\r')) line.remove_suffix(1);
    // Where files were put together, the second's mark stands in the middle.
    line = without_byte_order_mark(line);
    if (line.find_first_not_of(" \t") == std::string_view::npos) continue;
    if (broken.size() == limits.batch_tasks_max) return batch_too_large(limits.batch_tasks_max);
    const auto checked = check_json(line, limits.json_depth_max);
    broken.emplace_back(checked ? std::nullopt : std::optional(checked.error()));
    if (broken.size() > 1) array += ',';
    array += checked ? line : "null";
  }
  array += ']';
  return call.scratch->reader.parse_checked(array, [&](simdjson::ondemand::value value) {
    return for_each_element(value, "",
                            [&](std::size_t index, simdjson::ondemand::value item) -> Result<> {
                              if (!broken[index]) return read_item(item, call, batch);
                              batch.items.push_back({std::move(broken[index]), 0, {}, {}});
                              return {};
                            });
  });
}

Result<> read_batch(Call& call, Batched& batch) {
  const auto media = parse_media_type(call.request.content_type);
  if (media && media->is("application/x-ndjson")) return read_lines(call, batch);
  return read_array(call, batch);
}

void append_failure(JsonWriter& json, std::string_view id, const Refusal& refusal) {
  json.begin_object();
  if (!id.empty()) json.key("id").string(id);
  append_problem_members(json, refusal);
  json.end_object();
}

}  // namespace

Async<Answer<>> create_tasks(Call& call) {
  Batched batch;
  if (const auto read = read_batch(call, batch); !read) co_return read.error();
  std::vector<Answer<Added>> answers;
  if (!batch.adds.empty()) {
    if (call.span != nullptr) call.span->commit_begins();
    answers = co_await call.tasks.add_batch(std::move(batch.adds));
    if (call.span != nullptr) call.span->commit_ends();
  }

  std::uint64_t created = 0;
  std::uint64_t failed = 0;
  JsonWriter json(call.response.body);
  json.begin_object().key("results").begin_array();
  for (const Batched::Item& item : batch.items) {
    if (item.error || !answers[item.index]) {
      ++failed;
      append_failure(json, item.shown_id(),
                     item.error ? Refusal(*item.error) : answers[item.index].error());
      continue;
    }
    const bool is_new = *answers[item.index] == Added::created;
    created += is_new ? 1 : 0;
    json.begin_object().key("id").string(item.shown_id());
    json.key("status").integer(is_new ? 201 : 200).end_object();
  }
  json.end_array().key("created").unsigned_integer(created);
  json.key("failed").unsigned_integer(failed).end_object();
  co_return Answer<>();
}

namespace {

struct BatchCancel {
  std::vector<std::string_view> ids;
  bool retries = false;
};

/// What `{"ids": [...]}` asks for, perhaps with `"retries": "cancel"`.
Result<BatchCancel> read_cancel(Call& call) {
  constexpr std::string_view kKnown[] = {"ids", "retries"};
  const std::size_t tasks_max = call.options.limits.batch_tasks_max;
  BatchCancel cancel;
  bool there = false;
  const auto read_id = [&](std::size_t index, simdjson::ondemand::value value) -> Result<> {
    if (index == tasks_max) return batch_too_large(tasks_max);
    const auto id = json_string(value, "ids");
    if (!id) return id.error();
    cancel.ids.push_back(*id);
    return {};
  };
  const auto read = [&](std::string_view key, simdjson::ondemand::value value) -> Result<bool> {
    if (key == "ids") {
      there = true;
      if (const auto done = for_each_element(value, "ids", read_id); !done) return done.error();
      return true;
    }
    const auto retries = json_string(value, key);
    if (!retries) return retries.error();
    if (*retries != "cancel") return Error{"bad_value", "`retries` must be cancel.", "retries"};
    cancel.retries = true;
    return true;
  };
  const auto parsed = call.scratch->reader.parse(
      call.request.body,
      [&](simdjson::ondemand::value value) { return for_each_field(value, kKnown, read); });
  if (!parsed) return parsed.error();
  if (!there) return Error{"missing_field", "`ids` is required", "ids"};
  return cancel;
}

}  // namespace

Async<Answer<>> cancel_tasks(Call& call) {
  const auto asked = read_cancel(call);
  if (!asked) co_return asked.error();
  const std::vector<std::string_view>& ids = asked->ids;
  std::vector<Answer<CancelAnswer>> answers;
  if (!ids.empty()) answers = co_await call.tasks.cancel_batch(ids, asked->retries);
  std::uint64_t cancelled = 0;
  JsonWriter json(call.response.body);
  json.begin_object().key("results").begin_array();
  for (std::size_t i = 0; i < answers.size(); ++i) {
    if (!answers[i]) {
      append_failure(json, ids[i], answers[i].error());
      continue;
    }
    ++cancelled;
    json.begin_object().key("id").string(ids[i]).key("status").integer(200);
    append_cancelled(json, *answers[i]);
    json.end_object();
  }
  json.end_array().key("cancelled").unsigned_integer(cancelled);
  json.key("failed").unsigned_integer(answers.size() - cancelled).end_object();
  co_return Answer<>();
}

}  // namespace carillon
