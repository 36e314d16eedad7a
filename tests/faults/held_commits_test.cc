// Each kind of call, and each step of a push, with its commit held before it is written and just
// after: until the commit is done nobody is told and nothing is pushed. Killed there, all is as it
// was before, or, once written, as if it had been answered.

#include <gtest/gtest.h>

#include "tests/end_to_end/json_find.h"
#include "tests/faults/caller.h"
#include "tests/faults/crashing_server.h"
#include "tests/support/http_client.h"
#include "tests/support/temp_dir.h"
#include "tools/load/receiver.h"

namespace carillon::test {
namespace {

/// In this time an answer or a push would come that must not.
constexpr Millis kNothingComes{400};
constexpr Millis kPatience = std::chrono::minutes(1);

/// Far ahead, and a minute later.
const WallTime kDueMoment =
    std::chrono::floor<std::chrono::seconds>(wall_now_up()) + std::chrono::days(10);
const std::string kDue = format_moment(kDueMoment);
const std::string kLater = format_moment(kDueMoment + std::chrono::minutes(1));

const std::string kBefore = "commit.before_write";
const std::string kWritten = "commit.written";

class HeldCommit : public ::testing::Test {
 protected:
  void SetUp() override {
    load::Receiver::Options options;
    options.keep_arrivals = true;
    options.answer_delay = Millis(100);  // a push that must not be is seen before its answer is
    receiver = std::move(load::Receiver::start(options).value());
    ASSERT_NO_FATAL_FAILURE(start());
    call("PUT", "/v1/targets/shop", R"({"url":")" + receiver->url() + R"("})");
  }
  void start(const std::string& failpoint = {}) {
    server.launch(failpoint);
    ASSERT_TRUE(server.await_ready()) << server.log();
  }
  [[nodiscard]] Result<client::ApiAnswer> try_call(std::string_view method, std::string_view path,
                                                   std::string_view body, Millis timeout) const {
    client::ApiClient::Options options;
    options.timeout = timeout;
    return client::ApiClient(client::parse_endpoint(server.url()).value(), options)
        .call(method, path, body);
  }
  client::ApiAnswer call(std::string_view method, std::string_view path,
                         std::string_view body = {}) const {
    const auto answer = try_call(method, path, body, kPatience);
    EXPECT_TRUE(answer && answer->ok())
        << method << " " << path << ": " << (answer ? answer->body : answer.error().detail);
    return answer ? *answer : client::ApiAnswer{};
  }
  /// The server starts anew, and its committer is held at this commit of this life.
  void start_held(const std::string& failpoint, int commit = 1) {
    EXPECT_EQ(server.stop(), (Ending{0, 0}));
    ASSERT_NO_FATAL_FAILURE(start(failpoint + ":" + std::to_string(commit) + ":hold"));
  }
  void kill_and_start() {
    server.kill();
    ASSERT_NO_FATAL_FAILURE(start());
  }
  void add(const std::string& id, std::string_view more = {}) const {
    call("POST", "/v1/tasks", task(id, more));
  }
  [[nodiscard]] static std::string task(const std::string& id, std::string_view more = {}) {
    std::string body = R"({"id":")" + id + R"(","target":"shop","payload":"first")";
    if (more.find("delay") == std::string_view::npos) body += R"(,"due_at":")" + kDue + '"';
    return body.append(more) + "}";
  }
  void wait_until_state(const std::string& id, std::string_view state) const {
    const auto deadline = std::chrono::steady_clock::now() + kPatience;
    std::string seen;
    while (std::chrono::steady_clock::now() < deadline && seen != state) {
      seen = text_at(call("GET", "/v1/tasks/" + id).body, "/state");
    }
    EXPECT_EQ(seen, state);
  }

  TempDir dir;
  ServerAddress address;
  CrashingServer server{dir / "data", address};
  std::unique_ptr<load::Receiver> receiver;
};

TEST_F(HeldCommit, FillsTheQueueToTheDiskAndThenAddsAreRefusedAndCounted) {
  ASSERT_NO_FATAL_FAILURE(start_held(kBefore));
  EXPECT_FALSE(try_call("POST", "/v1/tasks", task("held"), kNothingComes));
  ASSERT_TRUE(server.held_at(kBefore));
  // Until more waits than the 64 MiB that `limits.queue_bytes_max` is.
  const std::string payload(1'000'000, 'x');
  int batches = 0;
  for (Result<client::ApiAnswer> answer = Error{}; !answer && batches < 10; ++batches) {
    std::string tasks;
    for (int i = 0; i < 15; ++i) {
      tasks += R"({"target":"shop","due_at":")" + kDue + R"(","payload":")" + payload + "\"},";
    }
    tasks.back() = ']';
    answer = try_call("POST", "/v1/tasks:batchCreate", "[" + tasks, Millis(3'000));
  }
  EXPECT_GE(batches, 5) << "15 MB each";
  HttpClient client(server.url());
  const HttpAnswer refused = client.post("/v1/tasks", task("too late"));
  EXPECT_EQ(refused.status, 503) << refused.body;
  EXPECT_NE(refused.body.find("/problems/overloaded"), std::string::npos) << refused.body;
  EXPECT_NE(refused.header("retry-after"), "");
  const std::string metrics = client.get("/metrics").body;
  EXPECT_EQ(metrics.find("carillon_refused_total{reason=\"overloaded\"} 0"), std::string::npos);
  EXPECT_EQ(client.get("/healthz").status, 200);
  kill_and_start();
  add("afterwards");
}

/// A call that changes something, and what shows whether it has.
struct Change {
  std::string name, method, path, body;
  std::string look;           // GET this, and
  std::string pointer;        // see what is here:
  std::string before, after;  // empty: nothing
};
void PrintTo(const Change& change, std::ostream* out) {
  *out << change.name;
}

std::vector<Change> task_changes() {
  const std::string fresh = R"("target":"shop","due_at":")" + kDue + '"';
  return {
      {"add", "POST", "/v1/tasks", R"({"id":"b","payload":1,)" + fresh + "}", "/v1/tasks/b",
       "/state", "", "scheduled"},
      {"batch_create", "POST", "/v1/tasks:batchCreate",
       R"([{"id":"b","payload":1,)" + fresh + R"(},{"id":"c","payload":2,)" + fresh + "}]",
       "/v1/tasks/c", "/state", "", "scheduled"},
      {"replace", "POST", "/v1/tasks",
       R"({"id":"a","payload":"second","if_exists":"replace",)" + fresh + "}", "/v1/tasks/a",
       "/payload", "first", "second"},
      {"cancel", "DELETE", "/v1/tasks/a", "", "/v1/tasks/a", "/state", "scheduled", "cancelled"},
      {"batch_cancel", "POST", "/v1/tasks:batchCancel", R"({"ids":["x","a"]})", "/v1/tasks/a",
       "/state", "scheduled", "cancelled"},
      {"move", "PATCH", "/v1/tasks/a", R"({"due_at":")" + kLater + "\"}", "/v1/tasks/a", "/due_at",
       kDue, kLater},
      {"change", "PATCH", "/v1/tasks/a", R"({"payload":"second"})", "/v1/tasks/a", "/payload",
       "first", "second"},
      {"group_cancel", "POST", "/v1/groups/g:cancel", "", "/v1/tasks/a", "/state", "scheduled",
       "cancelled"},
      {"group_shift", "POST", "/v1/groups/g:shift", R"({"by":"1m"})", "/v1/tasks/a", "/due_at",
       kDue, kLater},
      {"redrive", "POST", "/v1/dead/d:redrive", "", "/v1/tasks/d", "/state", "dead", "scheduled"},
      {"remove_dead", "DELETE", "/v1/dead/d", "", "/v1/dead/d", "/state", "dead", ""},
  };
}

std::vector<Change> target_changes() {
  const std::string old_url = "http://127.0.0.1:9/old";
  const std::string new_url = "http://127.0.0.1:9/new";
  return {
      {"target_put", "PUT", "/v1/targets/more", R"({"url":")" + new_url + "\"}", "/v1/targets/more",
       "/url", "", new_url},
      {"target_change", "PUT", "/v1/targets/spare", R"({"url":")" + new_url + "\"}",
       "/v1/targets/spare", "/url", old_url, new_url},
      {"target_delete", "DELETE", "/v1/targets/spare", "", "/v1/targets/spare", "/url", old_url,
       ""},
  };
}

class HeldChange : public HeldCommit, public ::testing::WithParamInterface<Change> {
 protected:
  void SetUp() override {
    ASSERT_NO_FATAL_FAILURE(HeldCommit::SetUp());
    add("a", R"(,"group":"g")");
    call("PUT", "/v1/targets/spare", R"({"url":"http://127.0.0.1:9/old"})");
    receiver->set_failing({.share = 1, .attempts = 0, .status = 410});
    add("d", R"(,"delay":0)");
    wait_until_state("d", "dead");
    call("POST", "/v1/targets/shop:pause");
  }
  void expect_held(const std::string& failpoint, const std::string& afterwards) {
    ASSERT_NO_FATAL_FAILURE(start_held(failpoint));
    const Change& change = GetParam();
    EXPECT_EQ(state(), change.before);
    const auto answer = try_call(change.method, change.path, change.body, kNothingComes);
    EXPECT_FALSE(answer) << "answered before it was durable: " << answer->body;
    ASSERT_TRUE(server.held_at(failpoint));
    ASSERT_NO_FATAL_FAILURE(kill_and_start());
    EXPECT_EQ(state(), afterwards);
  }
  [[nodiscard]] std::string state() const {
    const auto answer = try_call("GET", GetParam().look, "", kPatience);
    EXPECT_TRUE(answer && (answer->ok() || answer->status == 404));
    return answer ? text_at(answer->body, GetParam().pointer) : "no answer";
  }
};

TEST_P(HeldChange, KilledBeforeItIsWrittenHasNotHappened) {
  expect_held(kBefore, GetParam().before);
}

TEST_P(HeldChange, KilledOnceItIsWrittenHasHappened) {
  expect_held(kWritten, GetParam().after);
}

const auto kName = [](const auto& change) { return change.param.name; };
INSTANTIATE_TEST_SUITE_P(Task, HeldChange, ::testing::ValuesIn(task_changes()), kName);
INSTANTIATE_TEST_SUITE_P(Target, HeldChange, ::testing::ValuesIn(target_changes()), kName);

/// A task is due and its target paused: to resume it is the first commit, Fire the second, the
/// outcome the third.
class HeldPush : public HeldCommit {
 protected:
  void hold(const std::string& failpoint, int commit) {
    call("POST", "/v1/targets/shop:pause");
    add("a", R"(,"delay":0)");
    ASSERT_NO_FATAL_FAILURE(start_held(failpoint, commit));
    call("POST", "/v1/targets/shop:resume");
    ASSERT_TRUE(server.held_at(failpoint));
  }
  void expect_no_push() const {
    EXPECT_FALSE(receiver->wait_for_accepted(1, kNothingComes));
    EXPECT_EQ(receiver->summary().received, 0U);
  }
  /// With that many attempts begun, of which `arrived` arrived.
  void expect_delivered(std::uint32_t attempts, std::size_t arrived) {
    ASSERT_NO_FATAL_FAILURE(kill_and_start());
    wait_until_state("a", "delivered");
    EXPECT_EQ(number_at(call("GET", "/v1/tasks/a").body, "/attempt"), attempts);
    const auto arrivals = receiver->take_arrivals();
    ASSERT_EQ(arrivals.size(), arrived);
    EXPECT_EQ(arrivals.back().attempt, attempts);
    EXPECT_EQ(arrivals.back().webhook_hash, arrivals.front().webhook_hash);
  }
};

TEST_F(HeldPush, BeforeItsFireIsWrittenItDoesNotBeginAndIsNotCounted) {
  ASSERT_NO_FATAL_FAILURE(hold(kBefore, 2));
  expect_no_push();
  expect_delivered(1, 1);
}

TEST_F(HeldPush, OnceItsFireIsWrittenItIsCountedAndBeginsAgain) {
  ASSERT_NO_FATAL_FAILURE(hold(kWritten, 2));
  expect_no_push();
  expect_delivered(2, 1);
}

TEST_F(HeldPush, WhoseOutcomeIsNotWrittenIsRepeatedWithTheSameId) {
  ASSERT_NO_FATAL_FAILURE(hold(kBefore, 3));
  EXPECT_EQ(text_at(call("GET", "/v1/tasks/a").body, "/state"), "firing");
  expect_delivered(2, 2);
}

TEST_F(HeldPush, WhoseOutcomeIsWrittenIsNotRepeated) {
  ASSERT_NO_FATAL_FAILURE(hold(kWritten, 3));
  expect_delivered(1, 1);
}

}  // namespace
}  // namespace carillon::test
