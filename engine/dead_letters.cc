#include "engine/dead_letters.h"

#include <algorithm>
#include <utility>

#include "engine/lane_changes.h"
#include "storage/content.h"

namespace carillon {
namespace {

constexpr std::size_t kDeadAtATime = 500;
constexpr std::uint64_t kRedrivenBytes = std::uint64_t{4} << 20;

/// Of all that the filter of a redrive can say.
std::uint64_t digest_of(const TaskFilter& filter) {
  std::string text;
  const auto append = [&text](std::string_view part) {
    text.append(std::to_string(part.size())).append(1, ':').append(part);
  };
  const auto append_moment = [&append](const std::optional<WallTime>& moment) {
    append(moment ? std::to_string(moment->time_since_epoch().count()) : "");
  };
  append(filter.group.value_or(""));
  append(filter.target.value_or(""));
  append(filter.lane.value_or(""));
  append_moment(filter.due_from);
  append_moment(filter.due_to);
  return siphash(SipKey{}, text).low;
}

}  // namespace

Async<Answer<TaskView>> DeadLetters::redrive(std::string_view id, std::string_view operation) {
  if (auto why = its_.refusals.closed()) co_return Refusal(std::move(*why));
  const OperationName name = its_.planner.operation("dead:redrive", id, operation, 0);
  const record::Operation* const done =
      name.given() ? its_.local.shard().operation(name.key) : nullptr;
  if (done != nullptr) co_return co_await redriven_before(id, done->at);
  const std::optional<Statement> dead = its_.local.shard().find_dead(its_.local.keys().task(id));
  if (!dead) co_return co_await its_.refusals.confirmed(not_found("dead letter"));
  std::vector<Statement> tasks(1, *dead);
  std::vector<Answer<Statement>> answers = co_await redrive_these(std::move(tasks), name);
  if (!answers.front()) co_return co_await its_.refusals.confirmed(answers.front().error());
  // Another of the same name was first.
  if (answers.front()->number == 0)
    co_return co_await redriven_before(id, its_.local.clock().wall());
  co_return co_await its_.queries.view(*answers.front());
}

/// The answer to a redrive that was carried out before: the task as it stands now, or what is known
/// of one that was forgotten since.
Async<Answer<TaskView>> DeadLetters::redriven_before(std::string_view id, WallTime at) {
  if (auto lost = co_await its_.refusals.outdated()) co_return Refusal(*std::move(lost));
  ++its_.local.counters().repeated;
  Answer<TaskView> now = co_await its_.queries.get(id);
  if (now) co_return now;
  TaskView view;
  view.due_at = at;
  view.row = std::make_shared<const std::string>(id);
  view.content.id = *view.row;
  view.content.created_at = at;
  view.content.redriven_at = at;
  co_return view;
}

/// Gives each its attempts back and makes it due now, as many at a time as may be held in memory.
/// An operation names the redrive of a single one.
Async<std::vector<Answer<Statement>>> DeadLetters::redrive_these(std::vector<Statement> dead,
                                                                 OperationName operation) {
  std::vector<Answer<Statement>> answers(dead.size(), Refusal(not_found("dead letter")));
  std::vector<std::size_t> missing;
  for (std::size_t i = 0; i < dead.size(); ++i) missing.push_back(i);
  while (!missing.empty()) {
    Fetch wanted{.numbers = {}, .notes = true, .bytes_max = kRedrivenBytes, .in_background = true};
    for (const std::size_t index : missing) wanted.numbers.push_back(dead[index].number);
    std::vector<Fetched> fetched = co_await fetch(its_.local.log(), std::move(wanted));
    std::vector<std::size_t> left;
    for (std::size_t i = 0; i < missing.size(); ++i) {
      if (fetched[i].left_out) left.push_back(missing[i]);
    }
    co_await redrive_some(dead, missing, fetched, answers, operation);
    missing = std::move(left);
  }
  co_return answers;
}

/// Those whose contents were read.
Async<void> DeadLetters::redrive_some(const std::vector<Statement>& dead,
                                      const std::vector<std::size_t>& which,
                                      const std::vector<Fetched>& fetched,
                                      std::vector<Answer<Statement>>& answers,
                                      OperationName operation) {
  std::vector<Command> commands;
  std::vector<std::size_t> asked;
  for (std::size_t at = 0; at < which.size(); ++at) {
    if (!fetched[at].content) continue;
    const std::size_t i = which[at];
    Result<TaskContent> content = decode_content(*fetched[at].content);
    if (!content) {
      answers[i] = Refusal(content.error());
      continue;
    }
    const WallTime now = its_.local.clock().wall();
    name_true_lane(its_.local.shard().lanes(), dead[i], *content);
    content->attempts_before = dead[i].attempt;
    content->redriven_at = now;
    command::Change change;
    change.redrive = true;
    change.expected = dead[i].number;
    if (fetched[at].note) change.note = std::make_shared<const Note>(*fetched[at].note);
    change.operation = operation;
    change.task.task = dead[i].task;
    change.task.due = now;
    if (Result<> addressed = its_.planner.address(change.task, *content); !addressed) {
      answers[i] = Refusal(addressed.error());
      continue;
    }
    change.task.lane = its_.local.shard().lanes().named_by(content->lane);
    change.content = encode_content(*content);
    commands.emplace_back(std::move(change));
    asked.push_back(i);
  }
  std::vector<Reply> replies(commands.size());
  co_await ask_all(its_.loop, its_.local.driver(), commands, replies.data());
  for (std::size_t i = 0; i < asked.size(); ++i) {
    if (replies[i].verdict == Verdict::repeated) {
      answers[asked[i]] = Statement();  // of number 0
      continue;
    }
    if (replies[i].verdict != Verdict::replaced) {
      answers[asked[i]] = its_.refusals.of(replies[i]);
      continue;
    }
    ++its_.local.counters().redriven;
    answers[asked[i]] = replies[i].task;
  }
}

Async<Answer<>> DeadLetters::remove(std::string_view id) {
  if (auto why = its_.refusals.closed()) co_return Refusal(std::move(*why));
  const Reply reply =
      co_await ask(its_.local.driver(), command::RemoveDead{its_.local.keys().task(id), 0});
  if (lost(reply)) co_return its_.refusals.of(reply);
  if (reply.verdict != Verdict::done) co_return Refusal(not_found("dead letter"));
  co_return Answer<>();
}

/// Those whose contents do.
Async<void> DeadLetters::keep_those_that_fit(const Match& match, std::vector<Statement>& tasks) {
  Fetch wanted{.numbers = {}, .heads = true, .in_background = true};
  for (const Statement& task : tasks) wanted.numbers.push_back(task.number);
  std::vector<Fetched> fetched = co_await fetch(its_.local.log(), std::move(wanted));
  std::size_t kept = 0;
  for (std::size_t i = 0; i < tasks.size(); ++i) {
    if (!fetched[i].content) continue;
    Result<TaskContent> content = decode_content(*fetched[i].content);
    if (content) name_true_lane(its_.local.shard().lanes(), tasks[i], *content);
    if (content && content_fits(match, *content)) tasks[kept++] = tasks[i];
  }
  tasks.resize(kept);
}

/// Adds those of the next positions that match; false: there are no more positions.
bool DeadLetters::collect_some(const Match& match, std::uint32_t& position,
                               std::vector<Statement>& dead) {
  for (std::uint32_t looked = 0; looked < kSlice / 4 && dead.size() < kDeadAtATime; ++looked) {
    position = its_.local.shard().next_finished(position);
    if (position >= its_.local.shard().positions()) return false;
    const std::optional<Statement> task = its_.local.shard().at(position++);
    if (task && task->state == State::dead && fits(match, *task)) dead.push_back(*task);
  }
  return true;
}

/// The next dead letters that match, from `position` on; empty at the end.
Async<std::vector<Statement>> DeadLetters::collect(const Match& match, std::uint32_t& position) {
  std::vector<Statement> dead;
  const Allowance::Share turn = co_await its_.turns.take(1);
  for (bool more = true; more && dead.empty();) {
    more = collect_some(match, position, dead);
    if (!dead.empty() && (match.target_url || match.lane)) {
      co_await keep_those_that_fit(match, dead);
    }
    if (dead.empty()) co_await yield(its_.loop);
  }
  co_return dead;
}

Async<Answer<std::uint64_t>> DeadLetters::redrive_all(TaskFilter filter, std::string operation) {
  if (auto why = its_.refusals.closed()) co_return Refusal(std::move(*why));
  const Result<Match> wanted = match(filter, its_.local.keys());
  if (!wanted) co_return Refusal(wanted.error());
  const OperationName name =
      its_.planner.operation("dead:redriveAll", "", operation, digest_of(filter));
  if (!name.given()) {
    const std::uint64_t redriven = co_await redrive_matching(*wanted);
    if (co_await its_.refusals.outdated()) co_return Refusal(outcome_unknown());
    co_return redriven;
  }
  // The same that is under way is waited for, and then answered alike.
  while (std::ranges::find(redriving_, name.key) != redriving_.end()) {
    co_await its_.changed.wait(MonoTime::max());
  }
  if (const record::Operation* const done = its_.local.shard().operation(name.key)) {
    Reply reply;
    reply.verdict = Verdict::operation_reused;
    const bool same = done->name.arguments == name.arguments;
    const std::uint64_t redriven = done->count;
    if (auto lost = co_await its_.refusals.outdated()) co_return Refusal(*std::move(lost));
    if (!same) co_return its_.refusals.of(reply);
    ++its_.local.counters().repeated;
    co_return redriven;
  }
  redriving_.push_back(name.key);
  const std::uint64_t redriven = co_await redrive_matching(*wanted);
  const Reply reply = co_await ask(
      its_.local.driver(), command::Operation{name, its_.local.clock().wall(), redriven, 0});
  std::erase(redriving_, name.key);
  its_.changed.notify();
  // Some may have been redriven.
  if (lost(reply)) co_return Refusal(outcome_unknown());
  if (reply.verdict != Verdict::done) co_return its_.refusals.of(reply);
  co_return redriven;
}

Async<std::uint64_t> DeadLetters::redrive_matching(Match wanted) {
  std::uint64_t redriven = 0;
  std::uint32_t position = 0;
  for (;;) {
    std::vector<Statement> dead = co_await collect(wanted, position);
    if (dead.empty()) co_return redriven;
    for (const Answer<Statement>& answer : co_await redrive_these(std::move(dead), {})) {
      if (answer) ++redriven;
    }
  }
}

Async<Answer<std::uint64_t>> DeadLetters::purge(TaskFilter filter) {
  if (auto why = its_.refusals.closed()) co_return Refusal(std::move(*why));
  const Result<Match> wanted = match(filter, its_.local.keys());
  if (!wanted) co_return Refusal(wanted.error());
  std::uint64_t purged = 0;
  std::uint32_t position = 0;
  for (;;) {
    const std::vector<Statement> dead = co_await collect(*wanted, position);
    if (dead.empty()) break;
    std::vector<Command> commands;
    for (const Statement& task : dead)
      commands.emplace_back(command::RemoveDead{task.task, task.number});
    std::vector<Reply> replies(commands.size());
    co_await ask_all(its_.loop, its_.local.driver(), commands, replies.data());
    for (const Reply& reply : replies) {
      if (reply.verdict == Verdict::done) ++purged;
    }
  }
  if (co_await its_.refusals.outdated()) co_return Refusal(outcome_unknown());
  co_return purged;
}

}  // namespace carillon
