#include "engine/engine.h"

#include "base/check.h"
#include "engine/impl.h"

namespace carillon {

void throw_exception_from_error(const Refusal& error, const boost::source_location& where) {
  throw_exception_from_error(static_cast<const Error&>(error), where);
}

Engine::Engine(boost::asio::io_context& loop, Clock& clock, Log& log, Delivery& delivery,
               UrlPolicy& urls, EngineOptions options)
    : impl_(std::make_unique<Impl>(loop, clock, log, delivery, urls, std::move(options))) {}
Engine::~Engine() = default;

Result<> Engine::recover(const std::function<void(std::uint64_t, std::uint64_t)>& progress) {
  return impl_->recover(progress);
}
void Engine::start() {
  impl_->start();
}
Async<void> Engine::drain(Millis deadline) {
  return impl_->drain(deadline);
}
void Engine::storage_failed() {
  impl_->storage_failed();
}
std::string Engine::not_ready_because() const {
  return impl_->not_ready_because();
}
bool Engine::short_of_space() const {
  return impl_->short_of_space();
}

Result<PlannedAdd> Engine::plan(AddRequest request) {
  return impl_->plan(std::move(request));
}
Async<Answer<AddAnswer>> Engine::add(command::Add add) {
  return impl_->add(std::move(add));
}
Async<std::vector<Answer<Added>>> Engine::add_batch(std::vector<Command> adds) {
  return impl_->add_batch(std::move(adds));
}
Async<Answer<TaskView>> Engine::get(std::string_view id) {
  return impl_->get(id);
}
Async<Answer<TaskView>> Engine::change(std::string_view id, ChangeRequest request) {
  return impl_->change(id, std::move(request));
}
Async<Answer<CancelAnswer>> Engine::cancel(std::string_view id, bool retries) {
  return impl_->cancel(id, retries);
}
Async<std::vector<Answer<CancelAnswer>>> Engine::cancel_batch(std::vector<std::string_view> ids,
                                                              bool retries) {
  return impl_->cancel_batch(std::move(ids), retries);
}
Async<Answer<TaskView>> Engine::push_now(std::string_view id) {
  return impl_->push_now(id);
}
Async<Answer<Page>> Engine::list(TaskFilter filter, std::string cursor, std::size_t limit) {
  return impl_->list(std::move(filter), std::move(cursor), limit);
}

Async<Answer<GroupView>> Engine::group(std::string_view name) {
  return impl_->group(name);
}
Async<Answer<GroupCancelAnswer>> Engine::cancel_group(std::string_view name,
                                                      std::string_view operation) {
  return impl_->cancel_group(name, operation);
}
Async<Answer<std::uint64_t>> Engine::shift_group(std::string_view name, Millis by,
                                                 std::string_view operation) {
  return impl_->shift_group(name, by, operation);
}

Async<Answer<bool>> Engine::change_target(std::string name, TargetChange change) {
  return impl_->change_target(std::move(name), std::move(change));
}
Async<Answer<>> Engine::delete_target(std::string_view name, bool force) {
  return impl_->delete_target(name, force);
}
Async<Answer<>> Engine::pause_target(std::string_view name, bool paused) {
  return impl_->pause_target(name, paused);
}
Async<Answer<TestPush>> Engine::test_target(std::string_view name) {
  return impl_->test_target(name);
}
Answer<TargetView> Engine::target(std::string_view name) const {
  return impl_->target(name);
}
std::vector<TargetView> Engine::targets(std::string_view after, std::size_t limit) const {
  return impl_->targets(after, limit);
}
std::size_t Engine::target_count() const {
  return impl_->target_count();
}
TargetCounts Engine::target_counts(std::string_view after) const {
  return impl_->target_counts(after);
}

Async<Answer<TaskView>> Engine::redrive(std::string_view id, std::string_view operation) {
  return impl_->redrive(id, operation);
}
Async<Answer<>> Engine::remove_dead(std::string_view id) {
  return impl_->remove_dead(id);
}
Async<Answer<std::uint64_t>> Engine::redrive_all(TaskFilter filter, std::string operation) {
  return impl_->redrive_all(std::move(filter), std::move(operation));
}
Async<Answer<std::uint64_t>> Engine::purge_dead(TaskFilter filter) {
  return impl_->purge_dead(std::move(filter));
}

Stats Engine::stats() const {
  return impl_->stats();
}
const EngineCounters& Engine::counters() const {
  return impl_->counters();
}
std::vector<WheelLevel> Engine::wheel() const {
  return impl_->wheel();
}
WallTime Engine::now() const {
  return impl_->now();
}
Async<std::vector<ForecastBucket>> Engine::forecast(Millis bucket, WallTime from, WallTime to,
                                                    std::optional<std::string> target) {
  return impl_->forecast(bucket, from, to, std::move(target));
}
Async<Result<>> Engine::checkpoint(std::string dir) {
  return impl_->checkpoint(std::move(dir));
}
Async<std::vector<TaskView>> Engine::export_next(Export& its) {
  return impl_->export_next(its);
}
Async<WallTime> Engine::advance_clock(Millis by) {
  return impl_->advance_clock(by);
}
bool Engine::clock_is_manual() const {
  return impl_->clock_is_manual();
}

}  // namespace carillon
