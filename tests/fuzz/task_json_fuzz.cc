// Tasks, changes and filters as JSON: a task that is taken is, exported and read again, the same,
// and so is the row that is kept of it.

#include "api/task_json.h"
#include "storage/content.h"
#include "tests/fuzz/fuzz.h"

namespace carillon {
namespace {

constexpr WallTime kNow{std::chrono::sys_days(std::chrono::year(2026) / 11 / 21)};
constexpr Millis kHorizon = std::chrono::days(30);

/// A payload may come back as a body: its bytes and type count.
bool same_push(TaskContent a, const TaskContent& b) {
  a.body_is_json = b.body_is_json;
  return same_choices(a, b);
}

template <typename Parsed>
Result<Parsed> parse_with(Result<Parsed> (*parse)(simdjson::ondemand::value, JsonScratch&),
                          std::string_view text, JsonScratch& scratch) {
  Parsed parsed;
  const auto done = scratch.reader.parse(text, [&](simdjson::ondemand::value value) -> Result<> {
    auto read = parse(value, scratch);
    if (!read) return read.error();
    parsed = std::move(*read);
    return {};
  });
  if (!done) return done.error();
  return Result<Parsed>(boost::system::in_place_value, std::move(parsed));
}

Result<AddRequest> task_of(simdjson::ondemand::value value, JsonScratch& scratch) {
  return parse_task(value, scratch);
}
Result<TaskFilter> filter_of(simdjson::ondemand::value value, JsonScratch&) {
  return parse_filter(value);
}

void check_task(std::string_view text) {
  JsonScratch scratch(64);
  const auto task = parse_with(task_of, text, scratch);
  if (!task) return;
  CARILLON_CHECK(task->due_at.has_value() != task->delay.has_value());
  if (task->delay.value_or(Millis(0)) > kHorizon) return;

  TaskView view;
  view.content = task->content;
  if (view.content.id.empty()) view.content.id = "made here";
  view.due_at = task->due_at ? *task->due_at : kNow + *task->delay;
  std::string line;
  JsonWriter json(line);
  append_task(json, view, TaskDetail::import, Secrets::shown);
  CARILLON_CHECK(line.find('\n') == std::string::npos);
  JsonScratch other(64);
  const auto again = parse_with(task_of, line, other);
  CARILLON_CHECK(again && again->due_at == view.due_at);
  CARILLON_CHECK(same_push(again->content, view.content));

  const std::string row = encode_content(view.content);
  const auto kept = decode_content(row);
  CARILLON_CHECK(kept && same_choices(*kept, view.content));
}

}  // namespace
}  // namespace carillon

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text = carillon::fuzz::text_of(data, size);
  carillon::check_task(text);
  carillon::JsonScratch scratch(64);
  static_cast<void>(carillon::parse_with(carillon::parse_change, text, scratch));
  static_cast<void>(carillon::parse_with(carillon::filter_of, text, scratch));
  return 0;
}
