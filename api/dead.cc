#include "api/handlers.h"
#include "base/json.h"

namespace carillon {
namespace {

/// The filter in the body; without a body, all of them. `operation`, where given, is read too.
Result<TaskFilter> read_filter(Call& call, std::string* operation = nullptr) {
  TaskFilter filter;
  if (call.request.body.empty()) return filter;
  const auto parsed = call.scratch->reader.parse(
      call.request.body, [&filter, operation](simdjson::ondemand::value value) -> Result<> {
        auto read = parse_filter(value, operation);
        if (!read) return read.error();
        filter = std::move(*read);
        return {};
      });
  if (!parsed) return parsed.error();
  return filter;
}

void answer_count(Call& call, std::string_view what, std::uint64_t count) {
  JsonWriter json(call.response.body);
  json.begin_object().key(what).unsigned_integer(count).end_object();
}

}  // namespace

Async<Answer<>> list_dead(Call& call) {
  TaskFilter filter;
  filter.state = State::dead;
  co_return co_await answer_page(call, std::move(filter));
}

Async<Answer<>> get_dead(Call& call) {
  const auto task = co_await call.tasks.get(call.name);
  if (!task) co_return task.error();
  if (task->state != State::dead)
    co_return Error{"not_found", "the task is not among the dead letters", ""};
  JsonWriter json(call.response.body);
  append_task(json, *task, TaskDetail::full, call.secrets(Role::write));
  co_return Answer<>();
}

Async<Answer<>> delete_dead(Call& call) {
  const auto done = co_await call.tasks.remove_dead(call.name);
  if (!done) co_return done.error();
  call.response.status = 204;
  co_return Answer<>();
}

Async<Answer<>> redrive_dead(Call& call) {
  std::string operation;
  if (const auto read = read_operation_body(call, operation); !read) co_return read.error();
  const auto task = co_await call.tasks.redrive(call.name, operation);
  if (!task) co_return task.error();
  JsonWriter json(call.response.body);
  append_task(json, *task, TaskDetail::full, call.secrets(Role::write));
  co_return Answer<>();
}

Async<Answer<>> redrive_all_dead(Call& call) {
  std::string operation;
  auto filter = read_filter(call, &operation);
  if (!filter) co_return filter.error();
  const auto count = co_await call.tasks.redrive_all(std::move(*filter), std::move(operation));
  if (!count) co_return count.error();
  answer_count(call, "redriven", *count);
  co_return Answer<>();
}

Async<Answer<>> purge_all_dead(Call& call) {
  auto filter = read_filter(call);
  if (!filter) co_return filter.error();
  const auto count = co_await call.tasks.purge_dead(std::move(*filter));
  if (!count) co_return count.error();
  answer_count(call, "purged", *count);
  co_return Answer<>();
}

}  // namespace carillon
