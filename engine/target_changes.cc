#include "engine/target_changes.h"

#include <memory>
#include <utility>

#include "delivery/batch.h"
#include "delivery/kind.h"
#include "engine/async.h"
#include "engine/made_ids.h"
#include "storage/content.h"

namespace carillon {
namespace {

constexpr std::size_t kAnswerBytesShown = 256;
constexpr std::string_view kTestId = "carillon-test";
constexpr std::string_view kTestBody = R"({"test":true})";

}  // namespace

Push TargetChanges::test_push(std::shared_ptr<const TargetSettings> target,
                              std::string_view webhook_id) {
  TaskContent content;
  content.id = kTestId;
  content.target = target->name;
  content.body = kTestBody;
  content.content_type = "application/json";
  content.body_is_json = true;
  content.webhook_id = webhook_id;
  content.created_at = its_.local.clock().wall();
  Push push;
  push.row = std::make_shared<const std::string>(encode_content(content));
  push.content = *decode_content(*push.row);
  push.target = std::move(target);
  push.due = content.created_at;
  push.answer_body_bytes = kAnswerBytesShown;
  if (push.target->own->batch().tasks_max == 0) return push;
  const std::string text = format_batched(push.content, push.due, push.attempt);
  const std::string_view alone = text;
  return make_batch(push.target, {&alone, 1}, make_webhook_id(its_.local.random()));
}

Async<Answer<TestPush>> TargetChanges::test(std::string_view name) {
  if (const std::string why = its_.local.driver().not_ready_because(); !why.empty()) {
    co_return Refusal(Error{"not_ready", "The server is " + why + ".", ""});
  }
  std::shared_ptr<const TargetSettings> target = its_.local.targets().find(name);
  if (target == nullptr) co_return co_await its_.refusals.confirmed(not_found("target"));
  const MonoTime began = std::chrono::steady_clock::now();
  const std::string webhook_id = make_webhook_id(its_.local.random());
  const std::string_view id = webhook_id;
  PushResult result = co_await push_to_the_end(its_.local.sink(), test_push(target, id));
  TestPush test;
  test.body = result.answer_body.substr(0, kAnswerBytesShown);
  if (target->own->batch().tasks_max > 0) {
    JsonReader reader;
    result = batch_results(reader, result, {&id, 1}).front();
  }
  test.status = result.status;
  test.delivered = result.kind == PushResult::Kind::delivered;
  if (!test.delivered) test.error = std::move(result.error);
  test.duration = std::chrono::duration_cast<Millis>(std::chrono::steady_clock::now() - began);
  co_return test;
}

Async<Answer<PutAnswer<TargetView>>> TargetChanges::change(std::string name, TargetChange change) {
  if (auto why = its_.refusals.closed()) co_return Refusal(std::move(*why));
  const Allowance::Share turn = co_await its_.changes.take(1);
  Answer<TargetSettings> settings = changed(name, change);
  if (!settings) co_return co_await its_.refusals.confirmed(std::move(settings).error());
  co_return co_await put(*std::move(settings));
}

Answer<TargetSettings> TargetChanges::changed(const std::string& name,
                                              const TargetChange& change) const {
  Result<TargetSettings> settings = change(its_.local.targets().find(name).get());
  if (!settings) return Refusal(std::move(settings).error());
  settings->name = name;
  if (Result<> ok = settings->own->check_address(its_.urls); !ok)
    return Refusal(std::move(ok).error());
  if (Result<> ok = settings->own->check_files(); !ok) return Refusal(std::move(ok).error());
  return *std::move(settings);
}

Async<Answer<PutAnswer<TargetView>>> TargetChanges::put(TargetSettings settings) {
  command::TargetPut put;
  put.key = its_.local.keys().of(settings.name);
  put.name = settings.name;
  put.concurrency = settings.concurrency;
  put.rate = settings.rate;
  put.batch_tasks = settings.own->batch().tasks_max;
  put.batch_wait = put.batch_tasks > 0 ? settings.own->batch().wait_max : Millis(0);
  put.takes_one = !settings.own->takes_several();
  put.paused = settings.paused;
  put.settings = format_target(settings, Secrets::stored);
  const TargetKey key = put.key;
  const Reply reply = co_await ask(its_.local.driver(), std::move(put));
  if (reply.verdict == Verdict::too_many_targets || lost(reply)) {
    co_return its_.refusals.of(reply);
  }
  // A breaker that is switched off holds nothing any more.
  const TargetState* const target = its_.local.shard().target(key);
  const bool is_failing =
      target != nullptr && target->hold.active() && target->hold.reason() == HoldReason::failing;
  if (is_failing && settings.breaker.failures == 0) {
    static_cast<void>(co_await ask(its_.local.driver(), command::TargetRelease{key}));
  }
  PutAnswer<TargetView> answer;
  answer.view = its_.local.targets().view(settings.name).value();
  answer.made = reply.verdict == Verdict::done;
  co_return answer;
}

Async<Answer<>> TargetChanges::remove(std::string_view name, bool force) {
  if (auto why = its_.refusals.closed()) co_return Refusal(std::move(*why));
  const Allowance::Share turn = co_await its_.changes.take(1);
  const Reply reply =
      co_await ask(its_.local.driver(), command::TargetDelete{its_.local.keys().of(name), force});
  if (reply.verdict == Verdict::target_in_use || lost(reply)) co_return its_.refusals.of(reply);
  if (reply.verdict != Verdict::done) co_return Refusal(not_found("target"));
  co_return Answer<>();
}

Async<Answer<TargetView>> TargetChanges::pause(std::string_view name, bool paused) {
  if (auto why = its_.refusals.closed()) co_return Refusal(std::move(*why));
  const Allowance::Share turn = co_await its_.changes.take(1);
  const auto found = its_.local.targets().find(name);
  if (!found) co_return co_await its_.refusals.confirmed(not_found("target"));
  // To resume a target also ends its hold, if there is one.
  if (!paused) {
    const Reply released =
        co_await ask(its_.local.driver(), command::TargetRelease{its_.local.keys().of(name)});
    if (lost(released)) co_return its_.refusals.of(released);
  }
  TargetSettings settings = *found;
  settings.paused = paused;
  Answer<PutAnswer<TargetView>> answer = co_await put(std::move(settings));
  if (!answer) co_return std::move(answer).error();
  co_return std::move(answer->view);
}

}  // namespace carillon
