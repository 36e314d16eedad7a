// Commands: requests become commands of the shard, replies become answers.

#include <charconv>

#include <boost/asio/async_result.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "engine/impl.h"
#include "net/url.h"
#include "storage/content.h"

namespace carillon {
namespace {

namespace asio = boost::asio;

constexpr int kChangeTries = 8;

/// Writes the low `digits` hex digits of `value` from `at` on.
void write_hex(char* at, std::uint64_t value, int digits) {
  for (int i = digits - 1; i >= 0; --i, value >>= 4) at[i] = "0123456789abcdef"[value & 15];
}

/// UUIDv7 (RFC 9562): the Unix time in milliseconds, then random bits.
std::string make_uuid(WallTime now, std::mt19937_64& random) {
  const auto ms = static_cast<std::uint64_t>(now.time_since_epoch().count());
  const std::uint64_t a = random();
  std::string uuid = "00000000-0000-0000-0000-000000000000";
  write_hex(&uuid[0], ms >> 16, 8);
  write_hex(&uuid[9], ms, 4);
  write_hex(&uuid[14], 0x7000 | (a & 0x0fff), 4);
  write_hex(&uuid[19], 0x8000 | ((a >> 16) & 0x3fff), 4);
  write_hex(&uuid[24], random(), 12);
  return uuid;
}

/// Whether an add asks for what is there already: the same choices, and either the due in the same
/// words or the due that stands.
bool is_same(const Reply& reply, const TaskContent& there, const TaskContent& asked) {
  return same_choices(there, asked) && (reply.same_due || same_due_asked(there, asked));
}

Error changed_all_the_time() {
  return {"overloaded", "Other changes of the task came first, again and again; retry later", ""};
}

Error not_found(std::string_view what) {
  return {"not_found", "There is no such " + std::string(what) + ".", ""};
}

}  // namespace

std::string make_webhook_id(std::mt19937_64& random) {
  std::string id = "msg_00000000000000000000000000000000";
  write_hex(&id[4], random(), 16);
  write_hex(&id[20], random(), 16);
  return id;
}

void Engine::Impl::submit(std::span<Command> commands, Waiter& waiter) {
  CARILLON_CHECK(commands.size() <= kTicketMask);
  waiter.missing = commands.size();
  std::size_t index = waiters_.size();
  if (free_waiters_.empty()) {
    waiters_.push_back(&waiter);
  } else {
    index = free_waiters_.back();
    free_waiters_.pop_back();
    waiters_[index] = &waiter;
  }
  shard_.submit(commands, (index + 1) << kTicketBits);
  carry_out();
}

Async<void> Engine::Impl::replies(Waiter& waiter) {
  return asio::async_initiate<const asio::use_awaitable_t<>, void()>(
      [&waiter](auto handler) {
        using Handler = decltype(handler);
        struct Resume final : Waiter::Resume {
          explicit Resume(Handler its) : caller(std::move(its)) {}
          void resume() override { std::move(caller)(); }
          Handler caller;
        };
        waiter.resume = std::make_unique<Resume>(std::move(handler));
      },
      asio::use_awaitable);
}

Async<void> Engine::Impl::ask_all(std::span<Command> commands, Reply* into) {
  if (commands.empty()) co_return;
  Waiter waiter;
  waiter.replies = into;
  submit(commands, waiter);
  if (waiter.missing > 0) co_await replies(waiter);
}

Async<Reply> Engine::Impl::ask(Command command) {
  Reply reply;
  Waiter waiter;
  waiter.replies = &reply;
  submit(std::span(&command, 1), waiter);
  if (waiter.missing > 0) co_await replies(waiter);
  co_return reply;
}

std::optional<Error> Engine::Impl::closed() const {
  switch (phase_) {
    case Phase::recovering:
    case Phase::draining:
      return Error{"not_ready", "The server is " + not_ready_because() + ".", ""};
    case Phase::failed:
      return Error{"storage_failed", "Nothing was done; the server is about to end.", ""};
    case Phase::serving:
      break;
  }
  if (shard_.open_bytes() <= options_.pending_bytes_max) return std::nullopt;
  return Error{"overloaded", "The queue to the disk is full; retry later.", ""};
}

std::optional<Error> Engine::Impl::closed_to_contents(std::uint64_t tasks) {
  if (auto why = closed()) {
    if (why->slug == "overloaded") counters_.refused_overloaded += tasks;
    return why;
  }
  if (!short_of_space()) return std::nullopt;
  counters_.refused_no_space += tasks;
  return Error{"no_space",
               "The server's disk is nearly full; cancels, reads and pushes go on. Send it again "
               "after a pause.",
               ""};
}

Result<WallTime> Engine::Impl::due_of(const std::optional<WallTime>& due_at,
                                      const std::optional<Millis>& delay) {
  // A delay counts from now, and now is rounded up: what it ends at is never early.
  const auto now = std::chrono::ceil<Millis>(clock_.wall_micros());
  const WallTime due = due_at ? *due_at : now + *delay;
  if (due - now > options_.horizon) {
    return Error{"beyond_horizon",
                 (due_at ? "`due_at`" : "`delay`") + std::string(" is more than ") +
                     format_duration(options_.horizon) + " ahead, which is the limit (`horizon`)",
                 due_at ? "due_at" : "delay"};
  }
  return std::max(due, WallTime{});
}

/// Fills in the keys of target and group. A URL's tasks are queued by its origin, a name's by the
/// name.
Result<> Engine::Impl::address(Statement& task, const TaskContent& content) {
  task.target_is_url = is_url(content.target);
  std::string_view queue = content.target;
  if (task.target_is_url) {
    const Result<std::string_view> origin = urls_.check(content.target);
    if (!origin) return origin.error().at_field("target");
    queue = *origin;
  }
  task.target = key_of(queue);
  task.group = content.group.empty() ? GroupKey{} : key_of(content.group);
  task.expire_after = content.expire_after;
  return {};
}

Result<PlannedAdd> Engine::Impl::plan(AddRequest request) {
  PlannedAdd planned;
  command::Add& add = planned.command;
  TaskContent& content = request.content;
  const Result<WallTime> due = due_of(request.due_at, request.delay);
  if (!due) return due.error();
  add.task.due = *due;
  if (Result<> addressed = address(add.task, content); !addressed) return addressed.error();
  content.delay = request.delay;
  content.due_at = request.due_at;
  content.created_at = clock_.wall();
  if (content.id.empty()) {
    planned.made_id = make_uuid(content.created_at, random_);
    content.id = planned.made_id;
  }
  const std::string webhook_id = make_webhook_id(random_);
  content.webhook_id = webhook_id;
  add.task.task = fingerprint(content.id);
  shard_.prefetch(add.task.task);
  add.content = encode_content(content);
  add.if_exists = request.if_exists;
  content.webhook_id = {};
  planned.created.due_at = *due;
  planned.created.next_attempt_at = *due;
  planned.created.content = std::move(content);
  return planned;
}

Async<void> Engine::Impl::recognise(std::span<Reply> replies) {
  Fetch wanted;
  std::vector<Reply*> taken;  // whose ids are
  for (Reply& reply : replies) {
    if (reply.content.empty()) continue;
    wanted.numbers.push_back(reply.task.number);
    taken.push_back(&reply);
  }
  if (taken.empty()) co_return;
  co_await fetch_each(std::move(wanted), [&taken](std::size_t index, const Fetched& there) {
    Reply& reply = *taken[index];
    if (!there.content) {
      // Gone since: nobody can tell any more.
      reply.verdict = Verdict::content_moved;
      return;
    }
    const Result<TaskContent> old = decode_content(*there.content);
    const Result<TaskContent> asked = decode_content(reply.content);
    if (old && asked && is_same(reply, *old, *asked)) reply.verdict = Verdict::same;
  });
}

Answer<Added> Engine::Impl::added(const Reply& reply) {
  switch (reply.verdict) {
    case Verdict::done:
      ++counters_.added;
      return Added::created;
    case Verdict::replaced:
      ++counters_.replaced;
      return Added::replaced;
    case Verdict::same:
      return Added::same;
    case Verdict::kept:
      return Added::kept;
    default:
      return refused(reply);
  }
}

Async<Answer<AddAnswer>> Engine::Impl::add(command::Add add) {
  if (auto why = closed_to_contents()) co_return Refusal(std::move(*why));
  Reply reply = co_await ask(std::move(add));
  if (!reply.content.empty()) co_await recognise(std::span(&reply, 1));
  const Answer<Added> how = added(reply);
  if (!how) co_return how.error();
  AddAnswer answer;
  answer.how = *how;
  if (*how == Added::created) co_return answer;
  Answer<TaskView> there = co_await view(reply.task);
  if (!there) co_return there.error();
  answer.task = std::move(*there);
  co_return answer;
}

Async<std::vector<Answer<Added>>> Engine::Impl::add_batch(std::vector<Command> adds) {
  std::vector<Answer<Added>> answers;
  if (auto why = closed_to_contents(adds.size())) {
    answers.assign(adds.size(), Refusal(std::move(*why)));
    co_return answers;
  }
  std::vector<Reply> replies(adds.size());
  co_await ask_all(adds, replies.data());
  co_await recognise(replies);
  answers.reserve(adds.size());
  for (const Reply& reply : replies) answers.push_back(added(reply));
  co_return answers;
}

Refusal Engine::Impl::refused(const Reply& reply) {
  const Standing standing{reply.task.state, reply.task.attempt,
                          finished(reply.task.state) ? reply.task.finished_at : reply.task.due};
  switch (reply.verdict) {
    case Verdict::task_exists:
      return {Error{"task_exists",
                    "Another task has this id; choose another one, or send `if_exists`", "id"},
              standing};
    case Verdict::task_firing:
      return {Error{"task_firing",
                    "The task is being pushed right now. To make this attempt its last, cancel it "
                    "with retries=cancel.",
                    ""},
              standing};
    case Verdict::task_finished:
      return {Error{"task_finished",
                    "The task is finished: " + std::string(name_of(standing.state)) + ".", ""},
              standing};
    case Verdict::unknown_target:
      return Error{"unknown_target",
                   "There is no target of this name; PUT /v1/targets/{name} makes one.", "target"};
    case Verdict::target_in_use:
      return Error{"target_in_use",
                   std::to_string(reply.count) +
                       " tasks name this target; with ?force they go to the dead "
                       "letters when due.",
                   ""};
    case Verdict::too_many_targets:
      ++counters_.refused_full;
      return Error{"full",
                   "Tasks for 262144 different receivers are pending or still readable; retry when "
                   "some of them are gone.",
                   "target"};
    case Verdict::content_moved:
      return changed_all_the_time();
    case Verdict::operation_reused:
      return Error{"operation_reused",
                   "This name was used within the last day for a call with other arguments; choose "
                   "another one.",
                   "operation"};
    case Verdict::too_many_operations:
      ++counters_.refused_full;
      return Error{"full",
                   "As many named operations are remembered as may be. Send it without a name, or "
                   "later.",
                   "operation"};
    case Verdict::beyond_horizon:
      return Error{"beyond_horizon",
                   "A task would be due further ahead than " + format_duration(options_.horizon) +
                       ", the server's horizon. None was moved.",
                   "by"};
    case Verdict::full:
      ++counters_.refused_full;
      return Error{"full", why_full(), ""};
    default:
      return not_found("task");
  }
}

/// What holds the room, and what to do about it: dead letters never leave unasked.
std::string Engine::Impl::why_full() const {
  const std::string most = std::to_string(options_.shard.pending_max);
  const std::uint64_t dead = shard_.counts()[static_cast<std::size_t>(State::dead)];
  if (dead == 0)
    return "All " + most + " tasks that `max_pending` allows are waiting; retry later.";
  return "`max_pending` is " + most + ", and " + std::to_string(dead) +
         " of these tasks are dead letters: redrive them (POST /v1/dead:redrive) or purge them "
         "(POST "
         "/v1/dead:purge), or retry later.";
}

Async<Answer<TaskView>> Engine::Impl::move(const Fingerprint& task, WallTime due) {
  const Reply reply = co_await ask(command::Move{task, due});
  if (reply.verdict != Verdict::done) co_return refused(reply);
  ++counters_.changed;
  co_return co_await view(reply.task);
}

Async<Answer<TaskView>> Engine::Impl::change(std::string_view id, ChangeRequest request) {
  if (auto why = closed()) co_return Refusal(std::move(*why));
  const Fingerprint task = fingerprint(id);
  std::optional<WallTime> due;
  if (request.due_at || request.delay) {
    const Result<WallTime> wanted = due_of(request.due_at, request.delay);
    if (!wanted) co_return Refusal(wanted.error());
    due = *wanted;
  }
  const bool content_changes = request.body || request.headers || request.target || request.group ||
                               request.lane || request.expire_after || request.retry;
  if (!content_changes && due) co_return co_await move(task, *due);
  if (auto why = closed_to_contents()) co_return Refusal(std::move(*why));
  if (request.target && is_url(*request.target)) {
    if (const auto allowed = urls_.check(*request.target); !allowed)
      co_return Refusal(allowed.error().at_field("target"));
  }

  for (int tries = 0; tries < kChangeTries; ++tries) {
    const std::optional<Statement> before = shard_.find(task);
    if (!before) co_return Refusal(not_found("task"));
    Fetch wanted;
    wanted.numbers.push_back(before->number);
    wanted.notes = true;
    std::vector<Fetched> fetched = co_await fetch(std::move(wanted));
    if (!fetched[0].content) continue;
    Result<TaskContent> content = decode_content(*fetched[0].content);
    if (!content) co_return Refusal(std::move(content).error());
    if (request.body) {
      content->body = request.body->bytes;
      content->content_type = request.body->content_type;
      content->body_is_json = request.body->is_json;
    }
    if (request.headers) content->headers = *request.headers;
    if (request.target) content->target = *request.target;
    if (request.group) content->group = *request.group;
    if (request.lane) content->lane = *request.lane;
    if (request.expire_after) content->expire_after = *request.expire_after;
    if (request.retry) content->retry = *request.retry;
    if (due) {
      content->delay = request.delay;
      content->due_at = request.due_at;
    }

    command::Change change;
    if (fetched[0].note) change.note = std::make_shared<const Note>(std::move(*fetched[0].note));
    change.task.task = task;
    change.task.due = due.value_or(before->due);
    change.due_given = due.has_value();
    change.expected = before->number;
    if (Result<> addressed = address(change.task, *content); !addressed)
      co_return Refusal(addressed.error());
    change.content = encode_content(*content);
    const Reply reply = co_await ask(std::move(change));
    if (reply.verdict == Verdict::content_moved) continue;
    if (reply.verdict != Verdict::replaced) co_return refused(reply);
    ++counters_.changed;
    co_return co_await view(reply.task);
  }
  co_return Refusal(changed_all_the_time());
}

Async<Answer<TaskView>> Engine::Impl::push_now(std::string_view id) {
  if (auto why = closed()) co_return Refusal(std::move(*why));
  co_return co_await move(fingerprint(id), clock_.wall());
}

Answer<CancelAnswer> Engine::Impl::cancel_answer(const Reply& reply) {
  if (reply.verdict != Verdict::done) return refused(reply);
  const bool firing = reply.task.state == State::firing;
  if (!firing) ++cancelled_;
  return CancelAnswer{reply.task.attempt, firing};
}

Async<Answer<CancelAnswer>> Engine::Impl::cancel(std::string_view id, bool retries) {
  if (auto why = closed()) co_return Refusal(std::move(*why));
  co_return cancel_answer(co_await ask(command::Cancel{fingerprint(id), retries}));
}

Async<std::vector<Answer<CancelAnswer>>> Engine::Impl::cancel_batch(
    std::vector<std::string_view> ids, bool retries) {
  std::vector<Answer<CancelAnswer>> answers;
  answers.reserve(ids.size());
  if (auto why = closed()) {
    answers.assign(ids.size(), Refusal(*why));
    co_return answers;
  }
  std::vector<Command> commands;
  commands.reserve(ids.size());
  for (const std::string_view id : ids) {
    commands.emplace_back(command::Cancel{fingerprint(id), retries});
  }
  std::vector<Reply> replies(ids.size());
  co_await ask_all(commands, replies.data());
  for (const Reply& reply : replies) answers.push_back(cancel_answer(reply));
  co_return answers;
}

OperationName Engine::Impl::operation_name(std::string_view call, std::string_view about,
                                           std::string_view operation,
                                           std::uint64_t arguments) const {
  if (operation.empty()) return {};
  // Neither a call nor a name has a control character in it.
  std::string text(call);
  text.append(1, '\n').append(about).append(1, '\n').append(operation);
  return {key_of(text), arguments};
}

Async<Answer<GroupCancelAnswer>> Engine::Impl::cancel_group(std::string_view name,
                                                            std::string_view operation) {
  if (auto why = closed()) co_return Refusal(std::move(*why));
  const Reply reply = co_await ask(
      command::GroupCancel{key_of(name), operation_name("groups:cancel", name, operation, 0)});
  if (reply.verdict == Verdict::repeated) ++counters_.repeated;
  if (reply.verdict == Verdict::done) cancelled_ += reply.count;
  if (reply.verdict == Verdict::not_found) co_return Refusal(not_found("group"));
  if (reply.verdict != Verdict::done && reply.verdict != Verdict::repeated)
    co_return refused(reply);
  co_return GroupCancelAnswer{reply.count, reply.firing};
}

Async<Answer<std::uint64_t>> Engine::Impl::shift_group(std::string_view name, Millis by,
                                                       std::string_view operation) {
  if (auto why = closed()) co_return Refusal(std::move(*why));
  const OperationName named =
      operation_name("groups:shift", name, operation, static_cast<std::uint64_t>(by.count()));
  const Reply reply =
      co_await ask(command::GroupShift{key_of(name), by, named, clock_.wall() + options_.horizon});
  if (reply.verdict == Verdict::repeated) ++counters_.repeated;
  if (reply.verdict == Verdict::done) counters_.changed += reply.count;
  if (reply.verdict == Verdict::not_found) co_return Refusal(not_found("group"));
  if (reply.verdict != Verdict::done && reply.verdict != Verdict::repeated)
    co_return refused(reply);
  co_return reply.count;
}

Async<Answer<bool>> Engine::Impl::change_target(std::string name, TargetChange change) {
  if (auto why = closed()) co_return Refusal(std::move(*why));
  co_await begin_target_change();
  const Answer<TargetSettings> settings = changed_target(name, change);
  Answer<bool> made = false;
  if (settings) {
    made = co_await submit_target(*settings);
  } else {
    made = settings.error();
  }
  end_target_change();
  co_return made;
}

Answer<TargetSettings> Engine::Impl::changed_target(const std::string& name,
                                                    const TargetChange& change) const {
  const auto found = named_targets_.find(key_of(name).low);
  Result<TargetSettings> settings =
      change(found == named_targets_.end() ? nullptr : found->second.get());
  if (!settings) return Refusal(std::move(settings).error());
  settings->name = name;
  if (const auto allowed = urls_.check(settings->url); !allowed) {
    return Refusal(allowed.error().at_field("url"));
  }
  if (Result<> ok = check_tls_files(settings->tls); !ok) return Refusal(std::move(ok).error());
  return *std::move(settings);
}

Async<void> Engine::Impl::begin_target_change() {
  while (changing_target_) co_await changed_.wait(MonoTime::max());
  changing_target_ = true;
}

void Engine::Impl::end_target_change() {
  changing_target_ = false;
  changed_.notify();
}

Async<Answer<bool>> Engine::Impl::submit_target(const TargetSettings& settings) {
  command::TargetPut put;
  put.key = key_of(settings.name);
  put.name = settings.name;
  put.concurrency = settings.concurrency;
  put.paused = settings.paused;
  put.settings = format_target(settings, Secrets::shown);
  const Reply reply = co_await ask(std::move(put));
  if (reply.verdict == Verdict::too_many_targets) co_return refused(reply);
  co_return reply.verdict == Verdict::done;
}

Async<Answer<>> Engine::Impl::delete_target(std::string_view name, bool force) {
  if (auto why = closed()) co_return Refusal(std::move(*why));
  co_await begin_target_change();
  const Reply reply = co_await ask(command::TargetDelete{key_of(name), force});
  end_target_change();
  if (reply.verdict == Verdict::target_in_use) co_return refused(reply);
  if (reply.verdict != Verdict::done) co_return Refusal(not_found("target"));
  co_return Answer<>();
}

Async<Answer<>> Engine::Impl::pause_target(std::string_view name, bool paused) {
  if (auto why = closed()) co_return Refusal(std::move(*why));
  co_await begin_target_change();
  const auto found = named_targets_.find(key_of(name).low);
  Answer<bool> done = Refusal(not_found("target"));
  if (found != named_targets_.end()) {
    TargetSettings settings = *found->second;
    settings.paused = paused;
    done = co_await submit_target(settings);
    // To resume a target also ends its hold, if there is one.
    if (done && !paused) static_cast<void>(co_await ask(command::TargetRelease{key_of(name)}));
  }
  end_target_change();
  if (!done) co_return done.error();
  co_return Answer<>();
}

}  // namespace carillon
