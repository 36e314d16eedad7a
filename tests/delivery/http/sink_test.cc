#include "delivery/http/sink.h"

#include <gmock/gmock.h>
#include <sys/resource.h>
#include <unistd.h>

#include "tests/delivery/http/fixture.h"

namespace carillon {
namespace {

class HttpSinkTest : public HttpSinkFixture {};

bool allow_open_files(rlim_t wanted) {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return false;
  limit.rlim_cur = std::max(limit.rlim_cur, std::min(limit.rlim_max, wanted));
  return setrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur >= wanted;
}

TEST_F(HttpSinkTest, APushArrivesByteForByteWithItsHeaders) {
  Receiver here(loop);
  TargetSettings settings = settings_for(here.url("/in?x=1"));
  http_of(settings).method = "PUT";
  http_of(settings).headers = {{"X-Of-Target", "target"}, {"X-Both", "target"}};
  const std::string body("a\0\r\n\xff", 5);
  Push push = make_push(settings, body);
  push.content.id = "caf\xc3\xa9 1/2";
  push.content.headers = {{"x-both", "task"}};
  push.content.content_type = "application/octet-stream";
  push.attempt = 3;
  const PushResult result = deliver(push);
  EXPECT_EQ(result.kind, Kind::delivered) << result.error;
  EXPECT_EQ(result.status, 200U);
  ASSERT_EQ(here.requests().size(), 1U);
  const ReceivedRequest& got = here.requests()[0];
  EXPECT_EQ(got.body, body);
  EXPECT_EQ(got.head,
            "PUT /in?x=1 HTTP/1.1\r\n"
            "Host: 127.0.0.1:" +
                std::to_string(here.port()) +
                "\r\n"
                "X-Of-Target: target\r\n"
                "x-both: task\r\n"
                "Content-Type: application/octet-stream\r\n"
                "User-Agent: carillon\r\n"
                "Content-Length: 5\r\n"
                "webhook-id: msg_1\r\n"
                "webhook-timestamp: 1800000001\r\n"
                "carillon-task-id: caf%C3%A9%201/2\r\n"
                "carillon-due-at: 2027-01-15T08:00:00.123Z\r\n"
                "carillon-attempt: 3\r\n\r\n");
}

TEST_F(HttpSinkTest, AtTheMostConnectionsIdleOnesMakeRoom) {
  SinkOptions few = options();
  few.connections_max = 2;
  sink = std::make_unique<HttpSink>(few);
  Receiver first(loop), second(loop), third(loop);
  EXPECT_EQ(deliver(settings_for(first.url())).kind, Kind::delivered);
  EXPECT_EQ(deliver(settings_for(second.url())).kind, Kind::delivered);
  EXPECT_EQ(sink->stats().connections_open, 2U);
  EXPECT_EQ(deliver(settings_for(third.url())).kind, Kind::delivered);
  EXPECT_EQ(sink->stats().connections_open, 1U);
  EXPECT_EQ(deliver(settings_for(first.url())).kind, Kind::delivered);
}

/// Takes all the descriptors that are left, and gives them back.
class NoDescriptors {
 public:
  NoDescriptors() {
    getrlimit(RLIMIT_NOFILE, &before_);
    const int next = ::dup(STDERR_FILENO);  // the lowest that is free
    taken_.push_back(next);
    rlimit few = before_;
    few.rlim_cur = static_cast<rlim_t>(next) + 64;
    setrlimit(RLIMIT_NOFILE, &few);
    for (int fd = 0; (fd = ::dup(STDERR_FILENO)) >= 0;) taken_.push_back(fd);
  }
  ~NoDescriptors() {
    for (const int fd : taken_) ::close(fd);
    setrlimit(RLIMIT_NOFILE, &before_);
  }
  NoDescriptors(const NoDescriptors&) = delete;
  NoDescriptors& operator=(const NoDescriptors&) = delete;

 private:
  rlimit before_{};
  std::vector<int> taken_;
};

TEST_F(HttpSinkTest, WithNoDescriptorLeftIdleConnectionsMakeRoom) {
  Receiver here(loop);
  EXPECT_EQ(deliver(settings_for(here.url())).kind, Kind::delivered);
  // It connects, but nobody accepts, which would take a descriptor of this process, too.
  boost::asio::ip::tcp::acceptor silent(loop, {boost::asio::ip::make_address("127.0.0.1"), 0});
  TargetSettings settings =
      settings_for("http://127.0.0.1:" + std::to_string(silent.local_endpoint().port()) + "/");
  settings.timeout = Millis(200);
  const NoDescriptors none;
  EXPECT_EQ(deliver(settings).error, "no answer within 200ms");
  // Its descriptor was given up by now; take it, and nothing is left to give up.
  const int last = ::dup(STDERR_FILENO);
  const int of_receiver = ::dup(STDERR_FILENO);
  const std::string error = deliver(settings).error;
  ::close(last);
  ::close(of_receiver);
  // With a descriptor at hand: the undefined-behaviour sanitizer needs some to look at memory.
  EXPECT_THAT(error, testing::HasSubstr("Too many open files"));
}

TEST_F(HttpSinkTest, ATargetWithSecretsIsSigned) {
  Receiver here(loop);
  TargetSettings settings = settings_for(here.url());
  http_of(settings).secrets = {"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"};
  EXPECT_EQ(deliver(settings).kind, Kind::delivered);
  EXPECT_TRUE(here.requests()[0].header("webhook-signature").starts_with("v1,"));
}

TEST_F(HttpSinkTest, ATaskMayBringItsOwnUrl) {
  Receiver here(loop);
  TargetSettings stand_in;
  const std::string url = here.url("/own");
  Push push = make_push(stand_in);
  push.content.target = url;
  EXPECT_EQ(deliver(push).kind, Kind::delivered);
  EXPECT_TRUE(here.requests()[0].head.starts_with("POST /own HTTP/1.1\r\n"));
}

TEST_F(HttpSinkTest, ALargeBodyArrivesWhole) {
  Receiver here(loop);
  std::string body(8 << 20, 'x');
  for (std::size_t i = 0; i < body.size(); i += 1000) body[i] = static_cast<char>(i / 1000);
  EXPECT_EQ(deliver(make_push(settings_for(here.url()), body)).kind, Kind::delivered);
  EXPECT_EQ(here.requests()[0].body, body);
}

TEST_F(HttpSinkTest, AConnectionIsUsedAgain) {
  Receiver here(loop);
  const Push push = make_push(settings_for(here.url()));
  for (int i = 0; i < 10; ++i) EXPECT_EQ(deliver(push).kind, Kind::delivered);
  EXPECT_EQ(here.connections(), 1U);
  EXPECT_EQ(sink->stats().connections_made, 1U);
  EXPECT_EQ(sink->stats().connections_reused, 9U);
  EXPECT_EQ(sink->stats().connections_open, 1U);
  EXPECT_EQ(sink->stats().in_flight, 0U);
}

TEST_F(HttpSinkTest, AConnectionOverItsAgeIsNotUsedAgain) {
  Receiver here(loop);
  TargetSettings settings = settings_for(here.url());
  http_of(settings).connection_max_age = Millis(0);
  for (int i = 0; i < 3; ++i) EXPECT_EQ(deliver(settings).kind, Kind::delivered);
  EXPECT_EQ(here.connections(), 3U);
  EXPECT_EQ(sink->stats().connections_open, 1U);
}

TEST_F(HttpSinkTest, PushesFromTheCallbackUseTheSameConnection) {
  Receiver here(loop);
  const Push push = make_push(settings_for(here.url()));
  int done = 0;
  std::function<void(PushResult)> next = [&](const PushResult& result) {
    EXPECT_EQ(result.kind, Kind::delivered) << result.error;
    if (++done < 100) sink->push(push, next);
  };
  sink->push(push, next);
  run_until([&] { return done == 100; });
  EXPECT_EQ(here.connections(), 1U);
}

TEST_F(HttpSinkTest, AnAnswerThatSaysCloseOrBringsMoreEndsItsConnection) {
  for (const Reaction& reaction :
       {Reaction{.bytes = http_answer("200 OK", "", "Connection: close\r\n")},
        Reaction{.bytes = "HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n"},
        Reaction{.bytes = http_answer("200 OK") + "x"},
        Reaction{.bytes = "HTTP/1.1 200 OK\r\n\r\nto the end", .then = Reaction::Then::close}}) {
    EXPECT_EQ(deliver_to(reaction).kind, Kind::delivered) << reaction.bytes;
    EXPECT_EQ(sink->stats().connections_open, 0U) << reaction.bytes;
  }
}

TEST_F(HttpSinkTest, AKeptConnectionThatTheReceiverClosedIsNoticed) {
  Receiver here(loop);
  const Push push = make_push(settings_for(here.url()));
  deliver(push);
  here.close_connections();
  run_until([&] { return sink->stats().connections_open == 0; });
  EXPECT_EQ(deliver(push).kind, Kind::delivered);
  EXPECT_EQ(here.connections(), 2U);
}

TEST_F(HttpSinkTest, APushIsNeverSentTwiceWhereTheReceiverMayHaveSeenIt) {
  // Reads the second request of a connection whole, and ends the connection without a word.
  for (const auto then : {Reaction::Then::reset, Reaction::Then::close}) {
    Receiver here(loop, [&, seen = 0](const ReceivedRequest&) mutable {
      if (++seen == 2) return Reaction{.bytes = "", .then = then};
      return Reaction{.bytes = http_answer("200 OK")};
    });
    const Push push = make_push(settings_for(here.url()));
    EXPECT_EQ(deliver(push).kind, Kind::delivered);
    const PushResult broken = deliver(push);
    EXPECT_EQ(broken.kind, Kind::failed);
    EXPECT_TRUE(broken.may_be_seen);
    EXPECT_EQ(here.requests().size(), 2U);
    EXPECT_EQ(here.connections(), 1U);
  }
}

TEST_F(HttpSinkTest, AKeptConnectionThatTheReceiverClosedIsNotUsedEvenBeforeTheLoopHearsOfIt) {
  Receiver here(loop);
  const Push push = make_push(settings_for(here.url()));
  deliver(push);
  // The loop has not run since, so only a look at the socket can tell.
  here.close_connections();
  const PushResult result = deliver(push);
  EXPECT_EQ(result.kind, Kind::delivered) << result.error;
  EXPECT_EQ(here.connections(), 2U);
  EXPECT_EQ(sink->stats().connections_reused, 0U);
}

TEST_F(HttpSinkTest, WhetherAReceiverMayHaveSeenAPushIsTold) {
  EXPECT_TRUE(deliver_to({.bytes = http_answer("500 Oops")}).may_be_seen);
  EXPECT_TRUE(deliver_to({.bytes = "", .then = Reaction::Then::reset}).may_be_seen);
  const std::string url = receiver->url();
  receiver->refuse();
  sink = std::make_unique<HttpSink>(options());
  EXPECT_FALSE(deliver(settings_for(url)).may_be_seen);
  EXPECT_FALSE(deliver(settings_for("http://169.254.169.254/")).may_be_seen);
}

TEST_F(HttpSinkTest, TheRestOfAnAnswerIsReadAfterThePushAndThenTheConnectionIsUsedAgain) {
  const std::string answer = http_answer("200 OK", std::string(40'000, 'x'));
  Receiver here(loop, [&](const ReceivedRequest&) {
    return Reaction{.bytes = answer, .pause = Millis(1), .piece_bytes = 10'000};
  });
  Receiver other(loop);
  const Push push = make_push(settings_for(here.url()));
  for (std::size_t sent = 1; sent <= 3; ++sent) {
    EXPECT_EQ(deliver(push).kind, Kind::delivered);
    EXPECT_LT(here.bytes_sent(), sent * answer.size()) << "the push is over before the answer is";
    run_until([&] { return here.bytes_sent() == sent * answer.size(); });
    // What was sent before these arrives before their answers do.
    for (int i = 0; i < 10; ++i) deliver(settings_for(other.url()));
  }
  EXPECT_EQ(here.connections(), 1U);
}

TEST_F(HttpSinkTest, AnAnswerThatDoesNotEndCostsItsConnection) {
  sink = std::make_unique<HttpSink>(options(), HttpSink::Options{.drain_timeout = Millis(20)});
  EXPECT_EQ(deliver_to({.bytes = "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nx",
                        .then = Reaction::Then::hang})
                .kind,
            Kind::delivered);
  EXPECT_EQ(sink->stats().connections_open, 1U);
  run_until([&] { return sink->stats().connections_open == 0; });
}

TEST_F(HttpSinkTest, AReceiverThatKeepsConnectionsForASecondGetsANewOneEachTime) {
  Receiver here(loop, [](const ReceivedRequest&) {
    return Reaction{.bytes = http_answer("200 OK", "", "Keep-Alive: timeout=1\r\n")};
  });
  const Push push = make_push(settings_for(here.url()));
  for (int i = 0; i < 3; ++i) EXPECT_EQ(deliver(push).kind, Kind::delivered);
  EXPECT_EQ(here.connections(), 3U);
}

TEST_F(HttpSinkTest, IdleConnectionsAreClosedAfterAWhile) {
  sink = std::make_unique<HttpSink>(options(), HttpSink::Options{.idle_timeout = Millis(20)});
  Receiver here(loop);
  deliver(settings_for(here.url()));
  EXPECT_EQ(sink->stats().connections_open, 1U);
  run_until([&] { return sink->stats().connections_open == 0; });
}

TEST_F(HttpSinkTest, NoMoreIdleConnectionsAreKeptThanAllowed) {
  sink = std::make_unique<HttpSink>(options(), HttpSink::Options{.idle_connections_max = 3});
  Receiver here(loop);
  int done = 0;
  for (int i = 0; i < 10; ++i) {
    sink->push(make_push(settings_for(here.url())), [&](const PushResult&) { ++done; });
  }
  run_until([&] { return done == 10; });
  EXPECT_EQ(here.connections(), 10U);
  EXPECT_EQ(sink->stats().connections_open, 3U);
}

TEST_F(HttpSinkTest, EgressRulesHoldForNamesAddressesAndOurOwnPort) {
  resolve_as("receiver.test", {"127.0.0.1"});
  Receiver here(loop);
  Egress rules = *Egress::make({.allow_private = true, .allow = {}, .deny = {"denied.example"}});
  rules.refuse_endpoint({boost::asio::ip::make_address("127.0.0.1"), here.port()});
  urls.set_egress(rules);
  for (const std::string& url :
       {here.url(), "http://receiver.test:" + std::to_string(here.port()) + "/",
        std::string("http://denied.example/"), std::string("http://169.254.169.254/latest")}) {
    const PushResult result = deliver(settings_for(url));
    EXPECT_EQ(result.kind, Kind::refused_for_good);
    EXPECT_EQ(result.status, 0U);
    EXPECT_NE(result.error.find("denied"), std::string::npos) << result.error;
  }
  EXPECT_EQ(here.connections(), 0U);
}

TEST_F(HttpSinkTest, NewEgressRulesHoldForTheNextPushAlsoOnAConnectionThatIsOpen) {
  resolve_as("receiver.test", {"127.0.0.1"});
  Receiver here(loop);
  for (const std::string& host : {std::string("127.0.0.1"), std::string("receiver.test")}) {
    const Push push =
        make_push(settings_for("http://" + host + ":" + std::to_string(here.port()) + "/"));
    EXPECT_EQ(deliver(push).kind, Kind::delivered);
    const std::size_t seen = here.requests().size();
    urls.set_egress(*Egress::make({.allow_private = true, .allow = {}, .deny = {"127.0.0.1"}}));
    EXPECT_EQ(deliver(push).kind, Kind::refused_for_good) << host;
    EXPECT_EQ(here.requests().size(), seen);
    urls.set_egress(Egress());
    EXPECT_EQ(deliver(push).kind, Kind::delivered) << host;
    urls.set_egress(*Egress::make({.allow_private = true, .allow = {}, .deny = {"x.test"}}));
    const std::uint64_t made = sink->stats().connections_made;
    EXPECT_EQ(deliver(push).kind, Kind::delivered) << host;
    EXPECT_EQ(sink->stats().connections_made, made) << "what is still allowed stays open";
  }
}

TEST_F(HttpSinkTest, AReceiverThatSaysNotNowHasNotFailed) {
  const auto came_of = [&](const std::string& status, const std::string& headers = "") {
    return deliver_to({.bytes = http_answer(status, "", headers)});
  };
  EXPECT_EQ(came_of("429 Slow").not_now, NotNow::too_many_requests);
  EXPECT_EQ(came_of("503 Busy", "Retry-After: 7\r\n").not_now, NotNow::unavailable);
  EXPECT_EQ(came_of("503 Busy", "Retry-After: 7\r\n").retry_after, Millis(7000));
  EXPECT_EQ(came_of("503 Busy").not_now, std::nullopt);
  EXPECT_EQ(came_of("500 Oops", "Retry-After: 7\r\n").not_now, std::nullopt);
  EXPECT_EQ(came_of("200 OK", "Retry-After: 7\r\n").not_now, std::nullopt);
  // The head is cut short.
  EXPECT_EQ(deliver_to({.bytes = "HTTP/1.1 429 Slow\r\nRetry-"}).not_now,
            NotNow::too_many_requests);
}

TEST_F(HttpSinkTest, AWantedBodyThatNeverComesCostsThePushItsTimeAndNotItsSuccess) {
  Receiver here(loop, [](const ReceivedRequest&) {
    return Reaction{.bytes = "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf",
                    .then = Reaction::Then::hang};
  });
  TargetSettings settings = settings_for(here.url());
  settings.timeout = Millis(100);
  Push push = make_push(settings);
  push.answer_body_bytes = 256;
  const PushResult result = deliver(push);
  EXPECT_EQ(result.kind, Kind::delivered);
  EXPECT_EQ(result.status, 200U);
  EXPECT_EQ(result.answer_body, "half");
}

TEST_F(HttpSinkTest, StopDropsEveryPushWithoutCallingBack) {
  Receiver here(loop, [](const ReceivedRequest&) {
    return Reaction{.bytes = "", .then = Reaction::Then::hang};
  });
  const auto held = std::make_shared<int>(0);
  bool called = false;
  const auto push_to = [&](const std::string& url) {
    sink->push(make_push(settings_for(url)), [&called, held](const PushResult&) { called = true; });
  };
  for (int i = 0; i < 10; ++i) push_to(here.url());
  run_until([&] { return here.requests().size() == 10; });
  push_to("http://nobody.invalid/");  // being looked up
  push_to("http://169.254.0.1/");     // refused, but not told yet
  push_to(here.url("/connecting"));
  sink->stop();
  EXPECT_EQ(held.use_count(), 1) << "what the callbacks hold is let go";
  push_to(here.url());
  loop.run_for(std::chrono::milliseconds(20));
  EXPECT_FALSE(called);
  EXPECT_EQ(sink->stats().in_flight, 0U);
  EXPECT_EQ(sink->stats().connections_open, 0U);
}

TEST_F(HttpSinkTest, ItMayBeDestroyedAtOnceAndFromACallback) {
  Receiver here(loop);
  for (const std::string& url :
       {here.url(), std::string("http://169.254.0.1/"), std::string("http://127.0.0.1:1/")}) {
    bool called = false;
    auto& local = sink;
    local = std::make_unique<HttpSink>(options());
    local->push(make_push(settings_for(url)), [&](const PushResult&) {
      local.reset();
      called = true;
    });
    local->push(make_push(settings_for(url)),
                [&](const PushResult&) { FAIL() << "after its end"; });
    run_until([&] { return called; });
    local = std::make_unique<HttpSink>(options());
    local->push(make_push(settings_for(url)),
                [&](const PushResult&) { FAIL() << "after its end"; });
    local.reset();
  }
  loop.run_for(std::chrono::milliseconds(20));
}

TEST_F(HttpSinkTest, WhileThousandsConnectOneForAnotherReceiverGoesOut) {
  constexpr int kPushes = 1'000;
  Receiver slow(loop, [](const ReceivedRequest&) {
    return Reaction{.bytes = {}, .then = Reaction::Then::hang};
  });
  Receiver fast(loop);
  const Push push = make_push(settings_for(slow.url()));
  for (int i = 0; i < kPushes; ++i) sink->push(push, [](const PushResult&) {});
  std::optional<std::size_t> open;
  sink->push(make_push(settings_for(fast.url())), [&](const PushResult& result) {
    EXPECT_EQ(result.kind, Kind::delivered) << result.error;
    open = sink->stats().connections_open;
  });
  run_until([&] { return open.has_value(); });
  EXPECT_LT(*open, std::size_t{kPushes} / 2);
  run_until([&] { return slow.requests().size() == kPushes; });
}

TEST_F(HttpSinkTest, WhoseTimeIsUpBeforeItIsConnectedFailsOnce) {
  constexpr int kPushes = 2'000;
  Receiver here(loop, [](const ReceivedRequest&) {
    return Reaction{.bytes = {}, .then = Reaction::Then::hang};
  });
  TargetSettings settings = settings_for(here.url());
  settings.timeout = Millis(5);
  const Push push = make_push(settings);
  int done = 0;
  for (int i = 0; i < kPushes; ++i) {
    sink->push(push, [&](const PushResult& result) {
      EXPECT_EQ(result.kind, Kind::failed);
      ++done;
    });
  }
  run_until([&] { return done == kPushes; });
  EXPECT_EQ(sink->stats().in_flight, 0U);
  EXPECT_LT(sink->stats().connections_made, std::uint64_t{kPushes});
  settings.timeout = std::chrono::seconds(5);
  Receiver fine(loop);
  http_of(settings).url = fine.url();
  EXPECT_EQ(deliver(settings).kind, Kind::delivered);
}

TEST_F(HttpSinkTest, FiveThousandAreWaitedForAtOnce) {
  constexpr int kPushes = 5'000;
  ASSERT_TRUE(allow_open_files(2 * kPushes + 500)) << "needs a higher ulimit -n";
  std::size_t open_at_most = 0;
  Receiver here(loop, [&](const ReceivedRequest&) {
    open_at_most = std::max<std::size_t>(open_at_most, sink->stats().in_flight);
    return Reaction{.bytes = http_answer("200 OK"), .pause = Millis(300)};
  });
  const Push push = make_push(settings_for(here.url()));
  int delivered = 0;
  int done = 0;
  for (int i = 0; i < kPushes; ++i) {
    sink->push(push, [&](const PushResult& result) {
      ++done;
      delivered += result.kind == Kind::delivered ? 1 : 0;
      if (result.kind != Kind::delivered && done < 5) ADD_FAILURE() << result.error;
    });
  }
  EXPECT_EQ(sink->stats().in_flight, std::size_t{kPushes});
  run_until([&] { return done == kPushes; });
  EXPECT_EQ(delivered, kPushes);
  EXPECT_EQ(here.requests().size(), std::size_t{kPushes});
  // Where connecting took longer than the first answers, those connections went out again.
  EXPECT_EQ(here.connections() + sink->stats().connections_reused, std::size_t{kPushes});
  EXPECT_GT(open_at_most, std::size_t{kPushes} * 9 / 10);
}

}  // namespace
}  // namespace carillon
