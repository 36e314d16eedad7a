// Each way a receiver can misbehave: what comes of the push, in what time, at what cost.
#include <algorithm>

#include <boost/asio/write.hpp>

#include "net/tls.h"
#include "tests/delivery/http/fixture.h"
#include "tests/net/certificate.h"

namespace carillon {
namespace {

using std::chrono::steady_clock;
using Then = Reaction::Then;

class HostileReceiver : public HttpSinkFixture {
 protected:
  [[nodiscard]] static bool mentions(const PushResult& result, std::string_view words) {
    return result.error.find(words) != std::string::npos;
  }
};

TEST_F(HostileReceiver, RefusingIsAFailure) {
  std::string url;
  {
    Receiver gone(loop);
    url = gone.url();
  }
  const PushResult result = deliver(settings_for(url));
  EXPECT_EQ(result.kind, Kind::failed);
  EXPECT_EQ(result.status, 0U);
  EXPECT_TRUE(mentions(result, "connect to 127.0.0.1:")) << result.error;
  EXPECT_TRUE(mentions(result, "refused")) << result.error;
}

TEST_F(HostileReceiver, ANameThatDoesNotResolveIsAFailure) {
  const PushResult result = deliver(settings_for("http://no-such-host.invalid/"));
  EXPECT_EQ(result.kind, Kind::failed);
  EXPECT_TRUE(mentions(result, "cannot resolve no-such-host.invalid")) << result.error;
}

TEST_F(HostileReceiver, AFreshConnectionThatBreaksIsNotTriedTwice) {
  const PushResult result = deliver_to({.bytes = "", .then = Then::reset});
  EXPECT_EQ(result.kind, Kind::failed);
  EXPECT_EQ(result.status, 0U);
  EXPECT_EQ(receiver->requests().size(), 1U);
}

TEST_F(HostileReceiver, WhateverFollowsTheStatusLineSuccessIsSuccessAndGoneIsGone) {
  for (const auto& [status, kind] :
       {std::pair("200 OK", Kind::delivered), std::pair("410 Gone", Kind::refused_for_good)}) {
    const std::string line = std::string("HTTP/1.1 ") + status + "\r\n";
    for (const Reaction& reaction : {
             Reaction{.bytes = line, .then = Then::hang},
             Reaction{.bytes = line, .then = Then::reset},
             Reaction{.bytes = line + "Content-Le", .then = Then::close},
             Reaction{.bytes = line + "Content-Length: 100\r\n\r\nhalf", .then = Then::reset},
             Reaction{.bytes = line + "Content-Length: 100\r\n\r\nhalf", .then = Then::close},
             Reaction{.bytes = line + "Content-Length: 100\r\n\r\nhalf", .then = Then::hang},
             Reaction{.bytes = line + "Content-Length: -1\r\n\r\n", .then = Then::hang},
             Reaction{.bytes = line + "Transfer-Encoding: chunked\r\n\r\nzz\r\n"},
             Reaction{
                 .bytes = line + "Transfer-Encoding: chunked\r\n\r\n1;" + std::string(100'000, 'x'),
                 .then = Then::hang},
             Reaction{.bytes = line + "no colon\r\n\r\n", .then = Then::hang},
             Reaction{.bytes = line + "X: " + std::string(20'000, 'x'), .then = Then::hang},
             Reaction{.bytes = line + "a: b\r\n", .piece_bytes = 6, .for_ever = true},
             Reaction{.bytes = line + "Content-Type: text/event-stream\r\n\r\ndata: x\n\n",
                      .pause = Millis(1),
                      .piece_bytes = 9,
                      .for_ever = true},
         }) {
      const auto start = steady_clock::now();
      const PushResult result = deliver_to(reaction);
      EXPECT_EQ(result.kind, kind) << reaction.bytes.substr(0, 90);
      EXPECT_EQ(result.status, kind == Kind::delivered ? 200U : 410U);
      EXPECT_LT(steady_clock::now() - start, std::chrono::seconds(5)) << "it waits for no time-out";
      EXPECT_EQ(receiver->requests().size(), 1U);
      run_until([&] { return sink->stats().connections_open == 0; });
    }
  }
}

TEST_F(HostileReceiver, BreakingOffAfterTheStatusLineLeavesAnyOtherStatusAFailure) {
  for (const Then then : {Then::reset, Then::close}) {
    const PushResult result =
        deliver_to({.bytes = "HTTP/1.1 503 Busy\r\nRetry-After: 5\r\n", .then = then});
    EXPECT_EQ(result.kind, Kind::failed);
    EXPECT_EQ(result.status, 503U);
    EXPECT_TRUE(mentions(result, "read the answer")) << result.error;
  }
}

TEST_F(HostileReceiver, LeftoversOfOneAnswerAreNeverTakenForTheNext) {
  // What is left over looks like a success, and the second push is not answered at all.
  const std::string leftover = http_answer("200 OK");
  for (const std::string& first :
       {http_answer("200 OK") + leftover, "HTTP/1.1 204 No Content\r\n\r\n" + leftover,
        std::string("HTTP/1.1 204 No Content\r\nContent-Length: 38\r\n\r\n"),
        std::string("HTTP/1.1 304 Not Modified\r\nContent-Length: 38\r\n\r\n")}) {
    Receiver here(loop, [&, count = 0](const ReceivedRequest&) mutable {
      if (++count == 1) return Reaction{.bytes = first};
      return Reaction{.bytes = "", .then = Then::reset};
    });
    const Push push = make_push(settings_for(here.url()));
    deliver(push);
    EXPECT_EQ(deliver(push).kind, Kind::failed) << first;
    EXPECT_EQ(here.connections(), 2U) << first;
  }
}

TEST_F(HostileReceiver, HangingEndsWithTheTimeout) {
  const auto start = steady_clock::now();
  const PushResult result = deliver_to({.bytes = "", .then = Then::hang}, Millis(100));
  EXPECT_EQ(result.kind, Kind::failed);
  EXPECT_TRUE(mentions(result, "no answer within 100ms")) << result.error;
  EXPECT_GE(steady_clock::now() - start, Millis(100));
  EXPECT_EQ(sink->stats().connections_open, 0U);
}

TEST_F(HostileReceiver, NotEvenAcceptingEndsWithTheTimeout) {
  // A listener whose backlog is full drops what comes.
  boost::asio::ip::tcp::acceptor full(loop, {boost::asio::ip::make_address("127.0.0.1"), 0}, false);
  full.listen(0);
  const std::string url = "http://127.0.0.1:" + std::to_string(full.local_endpoint().port()) + "/";
  TargetSettings settings = settings_for(url);
  settings.timeout = Millis(150);
  int done = 0;
  for (int i = 0; i < 8; ++i) {
    sink->push(make_push(settings), [&](const PushResult& result) {
      ++done;
      EXPECT_EQ(result.kind, Kind::failed);
      EXPECT_EQ(result.status, 0U);
    });
  }
  run_until([&] { return done == 8; });
}

TEST_F(HostileReceiver, AByteAtATimeEndsWithTheTimeout) {
  const PushResult in_line = deliver_to(
      {.bytes = http_answer("200 OK"), .pause = Millis(20), .piece_bytes = 1}, Millis(150));
  EXPECT_EQ(in_line.kind, Kind::failed);
  EXPECT_TRUE(mentions(in_line, "150ms")) << in_line.error;
  const PushResult in_head =
      deliver_to({.bytes = "HTTP/1.1 503 Busy\r\nX: y", .then = Then::hang}, Millis(150));
  EXPECT_EQ(in_head.kind, Kind::failed);
  EXPECT_EQ(in_head.status, 503U);
}

TEST_F(HostileReceiver, AnEndlessBodyIsCutOffAndItsStatusCounts) {
  const std::string filler(4096, 'x');
  for (const std::string& bytes :
       {"HTTP/1.1 200 OK\r\nContent-Length: 999999999\r\n\r\n" + filler,
        "HTTP/1.1 200 OK\r\n\r\n" + filler,
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1000\r\n" + filler + "\r\n"}) {
    const bool chunked = bytes.find("chunked") != std::string::npos;
    const PushResult result =
        deliver_to({.bytes = bytes,
                    .then = Then::keep,
                    .pause = Millis(0),
                    .piece_bytes = chunked ? filler.size() + 8 : filler.size(),
                    .for_ever = true});
    EXPECT_EQ(result.kind, Kind::delivered) << result.error;
    EXPECT_EQ(result.status, 200U);
    run_until([&] { return sink->stats().connections_open == 0; });
  }
}

TEST_F(HostileReceiver, ABodyOfExactlyTheLimitIsReadAndTheConnectionKept) {
  EXPECT_EQ(deliver_to({.bytes = http_answer("200 OK", std::string(64 * 1024, 'x'))}).kind,
            Kind::delivered);
  EXPECT_EQ(sink->stats().connections_open, 1U);
}

TEST_F(HostileReceiver, HugeHeadersCostTheConnectionAndNoMore) {
  const std::string large = "X: " + std::string(15'000, 'x') + "\r\n";
  EXPECT_EQ(deliver_to({.bytes = http_answer("200 OK", "", large)}).kind, Kind::delivered);
  EXPECT_EQ(sink->stats().connections_open, 1U);
  EXPECT_EQ(deliver_to({.bytes = http_answer("200 OK", "", large + large)}).kind, Kind::delivered);
  const PushResult failed = deliver_to({.bytes = http_answer("500 Oops", "", large + large)});
  EXPECT_EQ(failed.kind, Kind::failed);
  EXPECT_EQ(failed.status, 500U);
  const PushResult endless =
      deliver_to({.bytes = "HTTP/1.1 200 " + std::string(20'000, 'x'), .then = Then::hang});
  EXPECT_EQ(endless.kind, Kind::delivered) << endless.error;
}

TEST_F(HostileReceiver, WhatIsNoStatusLineIsAFailure) {
  for (const std::string& bytes :
       {std::string("hello\r\n\r\n"), std::string("HTTP/2 200\r\n\r\n"),
        std::string("HTTP/1.1 2x0 OK\r\n\r\n"), std::string("HTTP/1.1\r\n\r\n"),
        std::string("\r\n\r\n"), std::string("\0\1"), std::string("HTTP/1.1 200 OK"),
        std::string("HTTP/1.1 2000 OK\r\n\r\n"), std::string(20'000, 'x')}) {
    const PushResult result = deliver_to({.bytes = bytes, .then = Then::close});
    EXPECT_EQ(result.kind, Kind::failed) << bytes.substr(0, 90);
    EXPECT_EQ(result.status, 0U);
    EXPECT_TRUE(mentions(result, "read the answer")) << result.error;
  }
}

TEST_F(HostileReceiver, AStatusLineIsReadAsOthersReadIt) {
  for (const char* bytes :
       {"HTTP/1.1 200\r\nContent-Length: 0\r\n\r\n", "HTTP/1.1 200 OK\nContent-Length: 0\n\n",
        "HTTP/1.1 200\nContent-Length: 0\n\n"}) {
    const PushResult result = deliver_to({.bytes = bytes});
    EXPECT_EQ(result.kind, Kind::delivered) << bytes << result.error;
    EXPECT_EQ(sink->stats().connections_open, 1U) << "and its connection is kept";
    receiver->close_connections();
    run_until([&] { return sink->stats().connections_open == 0; });
  }
}

TEST_F(HostileReceiver, InterimAnswersAreSkippedButNotForEver) {
  const std::string interim = "HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n";
  const PushResult skipped =
      deliver_to({.bytes = interim + interim + http_answer("204 No Content")});
  EXPECT_EQ(skipped.kind, Kind::delivered) << skipped.error;
  EXPECT_EQ(skipped.status, 204U);
  const PushResult only_interim = deliver_to(
      {.bytes = "HTTP/1.1 199 Odd\r\n\r\nHTTP/1.1 100 Continue\r\n\r\n", .then = Then::close});
  EXPECT_EQ(only_interim.kind, Kind::failed);
  EXPECT_EQ(only_interim.status, 0U) << "an interim answer is none";
  const PushResult endless = deliver_to({.bytes = interim,
                                         .then = Then::keep,
                                         .pause = Millis(0),
                                         .piece_bytes = std::string::npos,
                                         .for_ever = true});
  EXPECT_EQ(endless.kind, Kind::failed);
  const PushResult switched =
      deliver_to({.bytes = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n"});
  EXPECT_EQ(switched.kind, Kind::failed);
  EXPECT_EQ(switched.status, 101U);
}

TEST_F(HostileReceiver, EachStatusMeansWhatTheContractSays) {
  const std::pair<std::string, Kind> table[] = {{"200 OK", Kind::delivered},
                                                {"202 Accepted", Kind::delivered},
                                                {"204 Nothing", Kind::delivered},
                                                {"299 Odd", Kind::delivered},
                                                {"300 Choices", Kind::failed},
                                                {"301 Moved", Kind::failed},
                                                {"302 Found", Kind::failed},
                                                {"304 Not Modified", Kind::failed},
                                                {"399 Odd", Kind::failed},
                                                {"400 Bad Request", Kind::failed},
                                                {"404 Not Found", Kind::failed},
                                                {"409 Conflict", Kind::failed},
                                                {"410 Gone", Kind::refused_for_good},
                                                {"411 Length", Kind::failed},
                                                {"428 Precondition", Kind::failed},
                                                {"429 Too Many", Kind::failed},
                                                {"430 Odd", Kind::failed},
                                                {"499 Odd", Kind::failed},
                                                {"500 Oops", Kind::failed},
                                                {"503 Unavailable", Kind::failed},
                                                {"504 Timeout", Kind::failed},
                                                {"599 Odd", Kind::failed},
                                                {"600 Odd", Kind::failed},
                                                {"999 Odd", Kind::failed}};
  for (const auto& [status, kind] : table) {
    const PushResult result =
        deliver_to({.bytes = http_answer(status, "", "Location: http://127.0.0.1:1/\r\n")});
    EXPECT_EQ(result.kind, kind) << status;
    EXPECT_EQ(std::to_string(result.status), status.substr(0, 3));
    EXPECT_EQ(result.error.empty(), kind == Kind::delivered) << status;
    EXPECT_FALSE(result.retry_after.has_value());
    EXPECT_EQ(receiver->requests().size(), 1U) << "no redirect is followed";
  }
}

TEST_F(HostileReceiver, RetryAfterIsPassedOn) {
  // The fixture's real time is 2027-01-15T08:00:01.999Z.
  const std::pair<std::string, std::optional<Millis>> table[] = {
      {"120", Millis(120'000)},
      {"172800", Millis(172'800'000)},
      {"Sun, 17 Jan 2027 08:00:02 GMT", Millis(172'800'001)},
      {"0", Millis(0)},
      {"Fri, 15 Jan 2027 08:01:01 GMT", Millis(59'001)},
      {"Friday, 15-Jan-27 08:01:01 GMT", Millis(59'001)},
      {"Fri Jan 15 08:01:01 2027", Millis(59'001)},
      {"Fri, 15 Jan 2021 08:01:01 GMT", Millis(0)},
      {"99999999999999999999999999", Millis(999'999'999'000)},
      {"-1", std::nullopt},
      {"soon", std::nullopt},
      {"1.5", std::nullopt},
      {"Fri, 15 Jan 2027 08:01:01 GMT and more", std::nullopt}};
  for (const auto& [value, pause] : table) {
    for (const char* status : {"429 Too Many Requests", "503 Service Unavailable"}) {
      const PushResult result =
          deliver_to({.bytes = http_answer(status, "", "Retry-After: " + value + "\r\n")});
      EXPECT_EQ(result.kind, Kind::failed);
      EXPECT_EQ(result.retry_after, pause) << value;
    }
  }
  EXPECT_EQ(deliver_to({.bytes = http_answer("200 OK", "", "Retry-After: 5\r\n")}).retry_after,
            std::nullopt);
}

TEST_F(HostileReceiver, AnAnswerBeforeTheRequestIsReadCountsAndClosesTheConnection) {
  // The answer comes while 32 MiB of request are still on their way; nobody reads them.
  boost::asio::ip::tcp::acceptor acceptor(loop, {boost::asio::ip::make_address("127.0.0.1"), 0});
  boost::asio::ip::tcp::socket accepted(loop);
  const std::string answer = http_answer("413 Too Large");
  acceptor.async_accept(accepted, [&](boost::system::error_code error) {
    ASSERT_FALSE(error);
    boost::asio::write(accepted, boost::asio::buffer(answer));
  });
  const std::string url =
      "http://127.0.0.1:" + std::to_string(acceptor.local_endpoint().port()) + "/";
  const PushResult result = deliver(make_push(settings_for(url), std::string(32 << 20, 'x')));
  EXPECT_EQ(result.kind, Kind::failed);
  EXPECT_EQ(result.status, 413U);
  EXPECT_EQ(sink->stats().connections_open, 0U);
}

class HostileTls : public HostileReceiver {
 protected:
  PushResult deliver_over_tls(const CertificateRequest& request, bool verify = true,
                              const std::string& host = "127.0.0.1") {
    const CertificateFiles files = make_certificate(dir, "receiver", request);
    names.set("here.example", {"127.0.0.1"});
    TlsContext context = *make_server_tls({.certificate_file = files.certificate,
                                           .private_key_file = files.private_key,
                                           .client_ca_file = client_ca});
    Receiver here(
        loop, [](const ReceivedRequest&) { return Reaction{.bytes = http_answer("200 OK")}; },
        context);
    TargetSettings settings =
        settings_for("https://" + host + ":" + std::to_string(here.port()) + "/");
    http_of(settings).tls.verify = verify;
    http_of(settings).tls.ca_file = files.certificate;
    http_of(settings).tls.certificate_file = client.certificate;
    http_of(settings).tls.private_key_file = client.private_key;
    const PushResult first = deliver(settings);
    const PushResult second = deliver(settings);
    EXPECT_EQ(first.kind, second.kind);
    if (first.kind == Kind::delivered) {
      EXPECT_EQ(here.connections(), 1U);
      EXPECT_EQ(here.requests().size(), 2U);
    }
    return first;
  }

  test::TempDir dir;
  std::string client_ca;
  CertificateFiles client;
};

TEST_F(HostileTls, AGoodCertificateIsTakenAndTheConnectionKept) {
  const PushResult result = deliver_over_tls({});
  EXPECT_EQ(result.kind, Kind::delivered) << result.error;
  EXPECT_EQ(deliver_over_tls({.subject_alt_name = "DNS:here.example"}, true, "here.example").kind,
            Kind::delivered);
}

TEST_F(HostileTls, AnExpiredWrongOrUnknownCertificateIsRefused) {
  const PushResult expired =
      deliver_over_tls({.valid_from_seconds = -7200, .valid_until_seconds = -3600});
  EXPECT_EQ(expired.kind, Kind::failed);
  EXPECT_TRUE(mentions(expired, "expired")) << expired.error;

  const PushResult early =
      deliver_over_tls({.valid_from_seconds = 3600, .valid_until_seconds = 7200});
  EXPECT_TRUE(mentions(early, "not yet valid")) << early.error;

  const PushResult wrong_host = deliver_over_tls({.subject_alt_name = "DNS:other.example"});
  EXPECT_TRUE(mentions(wrong_host, "mismatch")) << wrong_host.error;
  const PushResult wrong_name =
      deliver_over_tls({.subject_alt_name = "DNS:other.example"}, true, "here.example");
  EXPECT_TRUE(mentions(wrong_name, "ostname mismatch")) << wrong_name.error;

  EXPECT_EQ(deliver_over_tls({.subject_alt_name = "DNS:other.example"}, false).kind,
            Kind::delivered);
}

TEST_F(HostileTls, AnUnknownCaIsRefused) {
  const CertificateFiles files = make_certificate(dir, "receiver");
  const CertificateFiles other = make_certificate(dir, "other");
  Receiver here(
      loop, [](const ReceivedRequest&) { return Reaction{.bytes = http_answer("200 OK")}; },
      *make_server_tls({files.certificate, files.private_key, ""}));
  TargetSettings settings = settings_for(here.url());
  http_of(settings).tls.ca_file = other.certificate;
  EXPECT_TRUE(mentions(deliver(settings), "self-signed")) << deliver(settings).error;
  http_of(settings).tls.ca_file = "";
  EXPECT_EQ(deliver(settings).kind, Kind::failed);
  http_of(settings).tls.ca_file = dir / "missing.pem";
  const PushResult missing = deliver(settings);
  EXPECT_TRUE(mentions(missing, "missing.pem")) << missing.error;
  EXPECT_EQ(here.requests().size(), 0U);
}

TEST_F(HostileTls, AClientCertificateIsShownWhereTheReceiverWantsOne) {
  client = make_certificate(dir, "client");
  client_ca = client.certificate;
  EXPECT_EQ(deliver_over_tls({}).kind, Kind::delivered);
  client = {};
  EXPECT_EQ(deliver_over_tls({}).kind, Kind::failed);
}

TEST_F(HostileTls, AReceiverThatSpeaksNoTlsOrNothingIsAFailure) {
  Receiver plain(loop,
                 [](const ReceivedRequest&) { return Reaction{.bytes = "", .then = Then::hang}; });
  TargetSettings settings = settings_for("https://127.0.0.1:" + std::to_string(plain.port()) + "/");
  http_of(settings).tls.verify = false;
  settings.timeout = Millis(100);
  const PushResult silent = deliver(settings);
  EXPECT_EQ(silent.kind, Kind::failed);
}

TEST_F(HostileReceiver, AHangingTargetDelaysNoOther) {
  Receiver hanging(
      loop, [](const ReceivedRequest&) { return Reaction{.bytes = "", .then = Then::hang}; });
  Receiver fast(loop);
  int hung = 0;
  for (int i = 0; i < 500; ++i) {
    sink->push(make_push(settings_for(hanging.url())), [&](const PushResult&) { ++hung; });
    sink->push(make_push(settings_for("http://slow-" + std::to_string(i) + ".invalid/")),
               [](const PushResult&) {});
  }
  run_until([&] { return hanging.requests().size() == 500; });
  const Push push = make_push(settings_for(fast.url()));
  std::vector<steady_clock::duration> took;
  for (int i = 0; i < 500; ++i) {
    const auto start = steady_clock::now();
    ASSERT_EQ(deliver(push).kind, Kind::delivered);
    took.push_back(steady_clock::now() - start);
  }
  std::ranges::sort(took);
  EXPECT_LT(took[took.size() / 2], Millis(20));
  EXPECT_EQ(hung, 0);
  EXPECT_EQ(sink->stats().in_flight >= 500, true);
}

}  // namespace
}  // namespace carillon
