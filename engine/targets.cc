// Trying a target: a push of a task that is stored nowhere.

#include <memory>
#include <utility>

#include <boost/asio/async_result.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "engine/impl.h"
#include "storage/content.h"

namespace carillon {
namespace {

namespace asio = boost::asio;

constexpr std::size_t kAnswerBytesShown = 256;
constexpr std::string_view kTestId = "carillon-test";
constexpr std::string_view kTestBody = R"({"test":true})";

/// Waits until the push is over.
Async<PushResult> push_to_the_end(Delivery& delivery, Push push) {
  return asio::async_initiate<const asio::use_awaitable_t<>, void(PushResult)>(
      [&delivery, push = std::move(push)](auto handler) mutable {
        using Handler = decltype(handler);
        // The callback must be copyable, which a handler is not.
        auto kept = std::make_shared<Handler>(std::move(handler));
        delivery.push(std::move(push),
                      [kept](PushResult result) { std::move (*kept)(std::move(result)); });
      },
      asio::use_awaitable);
}

}  // namespace

Push Engine::Impl::test_push(std::shared_ptr<const TargetSettings> target) {
  const std::string webhook_id = make_webhook_id(random_);
  TaskContent content;
  content.id = kTestId;
  content.target = target->name;
  content.body = kTestBody;
  content.content_type = "application/json";
  content.body_is_json = true;
  content.webhook_id = webhook_id;
  content.created_at = clock_.wall();
  Push push;
  push.row = std::make_shared<const std::string>(encode_content(content));
  push.content = *decode_content(*push.row);
  push.target = std::move(target);
  push.due = content.created_at;
  push.answer_body_bytes = kAnswerBytesShown;
  return push;
}

Async<Answer<TestPush>> Engine::Impl::test_target(std::string_view name) {
  if (phase_ != Phase::serving) {
    co_return Refusal(Error{"not_ready", "The server is " + not_ready_because() + ".", ""});
  }
  const auto found = named_targets_.find(key_of(name).low);
  if (found == named_targets_.end()) {
    co_return Refusal(Error{"not_found", "There is no such target.", ""});
  }
  const MonoTime began = std::chrono::steady_clock::now();
  PushResult result = co_await push_to_the_end(delivery_, test_push(found->second));
  TestPush test;
  test.status = result.http_status;
  test.delivered = result.kind == PushResult::Kind::delivered;
  if (!test.delivered) test.error = std::move(result.error);
  test.body = std::move(result.answer_body);
  test.duration = std::chrono::duration_cast<Millis>(std::chrono::steady_clock::now() - began);
  co_return test;
}

}  // namespace carillon
