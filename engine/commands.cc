#include "engine/commands.h"

#include <utility>

#include "delivery/kind.h"
#include "engine/lane_changes.h"
#include "net/url.h"
#include "storage/content.h"

namespace carillon {
namespace {

constexpr int kChangeTries = 8;

/// Whether an add asks for what is there already: the same choices, and either the due in the same
/// words or the due that stands.
bool is_same(const Reply& reply, const TaskContent& there, const TaskContent& asked) {
  return same_choices(there, asked) && (reply.same_due || same_due_asked(there, asked));
}

}  // namespace

command::Add Commands::as_command(NewTask task) const {
  task.task.lane = its_.local.shard().lanes().named_by(task.lane);
  const bool key_allowed = is_key_allowed(task.task, task.key);
  return {std::move(task.task), task.if_exists, std::move(task.content), key_allowed};
}

/// Makes `same` of the replies to adds that found just that task under their id. One fetch for all.
Async<void> Commands::recognise(std::span<Reply> replies) {
  Fetch wanted;
  std::vector<Reply*> taken;  // whose ids are
  for (Reply& reply : replies) {
    if (reply.content.empty()) continue;
    wanted.numbers.push_back(reply.task.number);
    taken.push_back(&reply);
  }
  if (taken.empty()) co_return;
  co_await fetch_each(its_.local.log(), std::move(wanted),
                      [&taken](std::size_t index, const Fetched& there) {
                        Reply& reply = *taken[index];
                        if (!there.content) {
                          // Gone since: nobody can tell any more.
                          reply.verdict = Verdict::content_moved;
                          return;
                        }
                        const Result<TaskContent> old = decode_content(*there.content);
                        const Result<TaskContent> asked = decode_content(reply.content);
                        if (old && asked && is_same(reply, *old, *asked))
                          reply.verdict = Verdict::same;
                      });
}

Answer<Added> Commands::added(const Reply& reply) {
  switch (reply.verdict) {
    case Verdict::done:
      ++its_.local.counters().added;
      return Added::created;
    case Verdict::replaced:
      ++its_.local.counters().replaced;
      return Added::replaced;
    case Verdict::same:
      return Added::same;
    case Verdict::kept:
      return Added::kept;
    default:
      return its_.refusals.of(reply);
  }
}

/// Whether the target that the task names allows its key, as it is set now.
bool Commands::is_key_allowed(const Statement& task, std::string_view key) const {
  if (key.empty()) return true;
  return its_.local.targets().of_push(task.target)->own->check_key(key).has_value();
}

Async<Answer<AddAnswer>> Commands::add(NewTask task) {
  if (auto why = its_.refusals.closed_to_contents()) co_return Refusal(std::move(*why));
  Reply reply = co_await ask(its_.local.driver(), as_command(std::move(task)));
  if (!reply.content.empty()) co_await recognise(std::span(&reply, 1));
  const Answer<Added> how = added(reply);
  if (!how) co_return how.error();
  AddAnswer answer;
  answer.how = *how;
  if (*how == Added::created) co_return answer;
  Answer<TaskView> there = co_await its_.queries.view(reply.task);
  if (!there) co_return there.error();
  answer.task = std::move(*there);
  co_return answer;
}

Async<std::vector<Answer<Added>>> Commands::add_batch(std::vector<NewTask> tasks) {
  std::vector<Answer<Added>> answers;
  if (auto why = its_.refusals.closed_to_contents(tasks.size())) {
    answers.assign(tasks.size(), Refusal(std::move(*why)));
    co_return answers;
  }
  std::vector<Command> adds;
  adds.reserve(tasks.size());
  for (NewTask& task : tasks) adds.emplace_back(as_command(std::move(task)));
  std::vector<Reply> replies(adds.size());
  co_await ask_all(its_.loop, its_.local.driver(), adds, replies.data());
  co_await recognise(replies);
  answers.reserve(replies.size());
  for (const Reply& reply : replies) answers.push_back(added(reply));
  co_return answers;
}

Async<Answer<TaskView>> Commands::move(Fingerprint task, WallTime due) {
  const Reply reply = co_await ask(its_.local.driver(), command::Move{task, due});
  if (reply.verdict != Verdict::done) co_return its_.refusals.of(reply);
  ++its_.local.counters().changed;
  co_return co_await its_.queries.view(reply.task);
}

/// What the request makes of the content that was fetched.
Result<command::Change> Commands::changed(const Statement& before, Fetched& fetched,
                                          const ChangeRequest& request,
                                          const std::optional<WallTime>& due) {
  Result<TaskContent> content = decode_content(*fetched.content);
  if (!content) return std::move(content).error();
  if (request.body) {
    content->body = request.body->bytes;
    content->content_type = request.body->content_type;
    content->body_is_json = request.body->is_json;
  }
  if (request.headers) content->headers = *request.headers;
  if (request.target) content->target = *request.target;
  if (request.group) content->group = *request.group;
  name_true_lane(its_.local.shard().lanes(), before, *content);
  if (request.lane) content->lane = *request.lane;
  if (request.key) content->key = *request.key;
  if (request.expire_after) content->expire_after = *request.expire_after;
  if (request.dies_late) content->dies_late = *request.dies_late;
  // Of what never expires nothing is to be said.
  if (!content->expire_after) content->dies_late = false;
  if (request.merge_within) content->merge_within = *request.merge_within;
  if (request.retry) content->retry = *request.retry;
  if (due) {
    content->delay = request.delay;
    content->due_at = request.due_at;
  }
  content->changed_at = its_.local.clock().wall();
  command::Change change;
  if (fetched.note) change.note = std::make_shared<const Note>(std::move(*fetched.note));
  change.task.task = before.task;
  change.task.due = due.value_or(before.due);
  change.due_given = due.has_value();
  change.expected = before.number;
  if (Result<> addressed = its_.planner.address(change.task, *content); !addressed)
    return addressed.error();
  if (request.key || request.target) {
    change.key_allowed = is_key_allowed(change.task, content->key);
  }
  change.task.lane = its_.local.shard().lanes().named_by(content->lane);
  change.content = encode_content(*content);
  return change;
}

Async<Answer<TaskView>> Commands::change(std::string_view id, ChangeRequest request) {
  if (auto why = its_.refusals.closed()) co_return Refusal(std::move(*why));
  const Fingerprint task = its_.local.keys().task(id);
  std::optional<WallTime> due;
  if (request.due_at || request.delay) {
    const Result<WallTime> wanted = its_.planner.due_of(request.due_at, request.delay);
    if (!wanted) co_return Refusal(wanted.error());
    due = *wanted;
  }
  const bool content_changes = request.body || request.headers || request.target || request.group ||
                               request.lane || request.key || request.expire_after ||
                               request.dies_late || request.merge_within || request.retry;
  if (!content_changes && due) co_return co_await move(task, *due);
  if (auto why = its_.refusals.closed_to_contents()) co_return Refusal(std::move(*why));
  if (request.target && is_url(*request.target)) {
    if (const auto allowed = its_.urls.check(*request.target); !allowed)
      co_return Refusal(allowed.error().at_field("target"));
  }
  for (int tries = 0; tries < kChangeTries; ++tries) {
    const std::optional<Statement> before = its_.local.shard().find(task);
    if (!before) co_return co_await its_.refusals.confirmed(not_found("task"));
    Fetch wanted;
    wanted.numbers.push_back(before->number);
    wanted.notes = true;
    std::vector<Fetched> fetched = co_await fetch(its_.local.log(), std::move(wanted));
    if (!fetched[0].content) continue;
    Result<command::Change> change = changed(*before, fetched[0], request, due);
    if (!change) co_return co_await its_.refusals.confirmed(std::move(change).error());
    const Reply reply = co_await ask(its_.local.driver(), *std::move(change));
    if (reply.verdict == Verdict::content_moved) continue;
    if (reply.verdict != Verdict::replaced) co_return its_.refusals.of(reply);
    ++its_.local.counters().changed;
    co_return co_await its_.queries.view(reply.task);
  }
  co_return Refusal(changed_all_the_time());
}

Async<Answer<TaskView>> Commands::push_now(std::string_view id) {
  if (auto why = its_.refusals.closed()) co_return Refusal(std::move(*why));
  co_return co_await move(its_.local.keys().task(id), its_.local.clock().wall());
}

Answer<CancelAnswer> Commands::cancel_answer(const Reply& reply) {
  if (reply.verdict != Verdict::done) return its_.refusals.of(reply);
  const bool firing = reply.task.state == State::firing;
  if (!firing) ++cancelled_;
  return CancelAnswer{reply.task.attempt, firing};
}

Async<Answer<CancelAnswer>> Commands::cancel(std::string_view id, bool retries) {
  if (auto why = its_.refusals.closed()) co_return Refusal(std::move(*why));
  co_return cancel_answer(
      co_await ask(its_.local.driver(), command::Cancel{its_.local.keys().task(id), retries}));
}

Async<std::vector<Answer<CancelAnswer>>> Commands::cancel_batch(std::vector<std::string_view> ids,
                                                                bool retries) {
  std::vector<Answer<CancelAnswer>> answers;
  answers.reserve(ids.size());
  if (auto why = its_.refusals.closed()) {
    answers.assign(ids.size(), Refusal(*why));
    co_return answers;
  }
  std::vector<Command> commands;
  commands.reserve(ids.size());
  for (const std::string_view id : ids) {
    commands.emplace_back(command::Cancel{its_.local.keys().task(id), retries});
  }
  std::vector<Reply> replies(ids.size());
  co_await ask_all(its_.loop, its_.local.driver(), commands, replies.data());
  for (const Reply& reply : replies) answers.push_back(cancel_answer(reply));
  co_return answers;
}

/// Why a call on a group was not carried out; nothing where it was, now or under its name before.
std::optional<Refusal> Commands::refused_group(const Reply& reply) {
  if (reply.verdict == Verdict::done) return std::nullopt;
  if (reply.verdict == Verdict::not_found) return Refusal(not_found("group"));
  if (reply.verdict != Verdict::repeated) return its_.refusals.of(reply);
  ++its_.local.counters().repeated;
  return std::nullopt;
}

Async<Answer<GroupCancelAnswer>> Commands::cancel_group(std::string_view name,
                                                        std::string_view operation) {
  if (auto why = its_.refusals.closed()) co_return Refusal(std::move(*why));
  const Reply reply = co_await ask(
      its_.local.driver(),
      command::GroupCancel{its_.local.keys().of(name),
                           its_.planner.operation("groups:cancel", name, operation, 0)});
  if (reply.verdict == Verdict::done) cancelled_ += reply.count;
  if (auto why = refused_group(reply)) co_return std::move(*why);
  co_return GroupCancelAnswer{reply.count, reply.firing};
}

Async<Answer<std::uint64_t>> Commands::shift_group(std::string_view name, Millis by,
                                                   std::string_view operation, ShiftStep step) {
  if (auto why = its_.refusals.closed()) co_return Refusal(std::move(*why));
  const OperationName named = its_.planner.operation("groups:shift", name, operation,
                                                     static_cast<std::uint64_t>(by.count()));
  command::GroupShift shift{its_.local.keys().of(name), by, named};
  if (step != ShiftStep::carry_out)
    shift.latest = its_.local.clock().wall() + its_.local.options().horizon;
  shift.only_asks = step == ShiftStep::ask;
  const Reply reply = co_await ask(its_.local.driver(), std::move(shift));
  if (reply.verdict == Verdict::done) its_.local.counters().changed += reply.count;
  if (auto why = refused_group(reply)) co_return std::move(*why);
  co_return reply.count;
}

}  // namespace carillon
