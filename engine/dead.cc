// Dead letters: redriven or removed, one or all that match.

#include "engine/impl.h"
#include "storage/content.h"

namespace carillon {
namespace {

constexpr std::size_t kDeadAtATime = 500;

Error no_dead_letter() {
  return {"not_found", "There is no such dead letter.", ""};
}

}  // namespace

Async<Answer<TaskView>> Engine::Impl::redrive(std::string_view id) {
  if (auto why = closed()) co_return Refusal(std::move(*why));
  const std::optional<Statement> dead = shard_.find_dead(fingerprint(id));
  if (!dead) co_return Refusal(no_dead_letter());
  std::vector<Statement> tasks(1, *dead);
  std::vector<Answer<TaskView>> answers = co_await redrive_these(std::move(tasks));
  co_return std::move(answers.front());
}

/// Gives each its attempts back and makes it due now, under one commit.
Async<std::vector<Answer<TaskView>>> Engine::Impl::redrive_these(std::vector<Statement> dead) {
  std::vector<TaskNumber> numbers;
  for (const Statement& task : dead) numbers.push_back(task.number);
  std::vector<Fetched> fetched = co_await fetch(std::move(numbers));

  std::vector<Answer<TaskView>> answers(dead.size(), Refusal(no_dead_letter()));
  std::vector<Command> commands;
  std::vector<std::size_t> asked;
  for (std::size_t i = 0; i < dead.size(); ++i) {
    if (!fetched[i].content) continue;
    Result<TaskContent> content = decode_content(*fetched[i].content);
    if (!content) {
      answers[i] = Refusal(content.error());
      continue;
    }
    content->attempts_before = dead[i].attempt;
    content->delay.reset();
    content->due_at.reset();
    command::Change change;
    change.redrive = true;
    change.due_given = true;
    change.expected = dead[i].number;
    change.task.task = dead[i].task;
    change.task.due = clock_.wall();
    if (Result<> addressed = address(change.task, *content); !addressed) {
      answers[i] = Refusal(addressed.error());
      continue;
    }
    change.content = encode_content(*content);
    commands.emplace_back(std::move(change));
    asked.push_back(i);
  }
  std::vector<Reply> replies(commands.size());
  co_await ask_all(commands, replies.data());
  for (std::size_t i = 0; i < asked.size(); ++i) {
    if (replies[i].verdict != Verdict::replaced) {
      answers[asked[i]] = refused(replies[i]);
      continue;
    }
    ++counters_.redriven;
    answers[asked[i]] = co_await view(replies[i].task);
  }
  co_return answers;
}

Async<Answer<>> Engine::Impl::remove_dead(std::string_view id) {
  if (auto why = closed()) co_return Refusal(std::move(*why));
  const Reply reply = co_await ask(command::RemoveDead{fingerprint(id), 0});
  if (reply.verdict != Verdict::done) co_return Refusal(no_dead_letter());
  co_return Answer<>();
}

/// Tasks of one origin are alike to the shard; which URL each is for, its content says.
Async<void> Engine::Impl::keep_those_for(std::string url, std::vector<Statement>& tasks) {
  std::vector<TaskNumber> numbers;
  for (const Statement& task : tasks) numbers.push_back(task.number);
  const std::vector<Fetched> fetched = co_await fetch(std::move(numbers));
  std::size_t kept = 0;
  for (std::size_t i = 0; i < tasks.size(); ++i) {
    if (!fetched[i].content) continue;
    const Result<TaskContent> content = decode_content(*fetched[i].content);
    if (content && content->target == url) tasks[kept++] = tasks[i];
  }
  tasks.resize(kept);
}

/// The next dead letters that match, from `position` on; empty at the end.
Async<std::vector<Statement>> Engine::Impl::collect_dead(Match match, std::uint32_t& position,
                                                         std::size_t most) {
  match.state = State::dead;
  std::vector<Statement> dead;
  const std::uint32_t end = shard_.positions();
  while (position < end && dead.empty()) {
    for (std::uint32_t slice = 0; position < end && dead.size() < most; ++position) {
      State state{};
      WallTime due{};
      if (shard_.peek(position, state, due) && state == State::dead) {
        const std::optional<Statement> task = shard_.at(position);
        if (task && fits(match, *task)) dead.push_back(*task);
      }
      if (++slice % kSlice == 0) co_await yield();
    }
    if (match.target_url) co_await keep_those_for(*match.target_url, dead);
  }
  co_return dead;
}

Async<Answer<std::uint64_t>> Engine::Impl::redrive_all(TaskFilter filter) {
  if (auto why = closed()) co_return Refusal(std::move(*why));
  const Result<Match> wanted = match(filter);
  if (!wanted) co_return Refusal(wanted.error());
  std::uint64_t redriven = 0;
  std::uint32_t position = 0;
  for (;;) {
    std::vector<Statement> dead = co_await collect_dead(*wanted, position, kDeadAtATime);
    if (dead.empty()) co_return redriven;
    for (const Answer<TaskView>& answer : co_await redrive_these(std::move(dead))) {
      if (answer) ++redriven;
    }
  }
}

Async<Answer<std::uint64_t>> Engine::Impl::purge_dead(TaskFilter filter) {
  if (auto why = closed()) co_return Refusal(std::move(*why));
  const Result<Match> wanted = match(filter);
  if (!wanted) co_return Refusal(wanted.error());
  std::uint64_t purged = 0;
  std::uint32_t position = 0;
  for (;;) {
    const std::vector<Statement> dead = co_await collect_dead(*wanted, position, kDeadAtATime);
    if (dead.empty()) co_return purged;
    std::vector<Command> commands;
    for (const Statement& task : dead)
      commands.emplace_back(command::RemoveDead{task.task, task.number});
    std::vector<Reply> replies(commands.size());
    co_await ask_all(commands, replies.data());
    for (const Reply& reply : replies) {
      if (reply.verdict == Verdict::done) ++purged;
    }
  }
}

}  // namespace carillon
