// Requests that are cheap to send and dear to serve: they cost those who send them, nobody else.
#include <atomic>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <openssl/bio.h>
#include <openssl/ssl.h>

#include "tests/end_to_end/json_find.h"
#include "tests/end_to_end/scenarios.h"
#include "tests/faults/attack.h"
#include "tests/faults/socket_crowd.h"
#include "tests/net/certificate.h"

namespace carillon::test {
namespace {

constexpr char kNowhere[] = R"("target":"http://127.0.0.1:9/")";

class AttackByRequests : public Attack {
 protected:
  /// `count` tasks that are due in ten days, each with a payload of so many bytes.
  void add_waiting(std::size_t count, std::size_t payload_bytes) {
    const WallTime due = wall_millis() + std::chrono::days(10);
    const std::string more =
        kNowhere + std::string(R"(,"payload":")") + std::string(payload_bytes, 'x') + '"';
    const std::size_t batch =
        std::clamp<std::size_t>(12'000'000 / (payload_bytes + 200), 1, 10'000);
    for (std::size_t done = 0; done < count; done += batch) {
      const std::size_t some = std::min(batch, count - done);
      ASSERT_EQ(add(tasks(some, due, [&](std::size_t) { return more; })), some);
    }
  }
  /// Calls `step` on `threads` threads, again and again for as long as the attack goes on; each has
  /// a connection of its own.
  void many(std::size_t threads, const std::function<void(client::ApiClient&)>& step) const {
    const auto until = std::chrono::steady_clock::now() + length();
    std::vector<std::thread> all;
    for (std::size_t i = 0; i < threads; ++i) {
      all.emplace_back([&] {
        const auto api = server.connect();
        while (std::chrono::steady_clock::now() < until) step(*api);
      });
    }
    for (std::thread& thread : all) thread.join();
  }
};

TEST_F(AttackByRequests, ATaskWithThousandsOfHeadersIsRefusedAtOnce) {
  ASSERT_NO_FATAL_FAILURE(start());
  std::string headers;
  for (int i = 0; i < 95'000; ++i) headers += fmt::format("\"{:x}\":\"\",", i);
  headers.pop_back();
  const std::string task =
      fmt::format(R"({{"delay":"1h",{},"headers":{{{}}}}})", kNowhere, headers);
  ASSERT_LT(task.size(), 1'048'576U);
  std::atomic<int> refused = 0;
  beside("95,000 headers", [&] {
    many(2, [&](client::ApiClient& api) {
      const auto answer = api.call("POST", "/v1/tasks", task);
      ASSERT_TRUE(answer) << answer.error().detail;
      EXPECT_EQ(answer->status, 400U) << answer->body.substr(0, 500);
      ++refused;
    });
  });
  EXPECT_GT(refused, 10);
}

TEST_F(AttackByRequests, ExportsThatNobodyReadsAndListsOfLargeTasksHoldLittle) {
  ASSERT_NO_FATAL_FAILURE(start());
  ASSERT_NO_FATAL_FAILURE(add_waiting(sized(150, 1'000), 1'000'000));
  SocketCrowd readers(server, sized(4, 10), 4096);
  beside("exports of large tasks that nobody reads", [&] {
    readers.send("GET /v1/export HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n");
    many(2, [](client::ApiClient& api) {
      const auto page = api.call("GET", "/v1/tasks?limit=1000");
      EXPECT_TRUE(page && page->ok());
    });
  });
}

TEST_F(AttackByRequests, HundredsOfListingsAndExportsAtOnceGiveWayToPushes) {
  ASSERT_NO_FATAL_FAILURE(start());
  const std::size_t count = sized(40'000, 1'000'000);
  ASSERT_NO_FATAL_FAILURE(add_waiting(count, 10));
  std::atomic<std::size_t> pages = 0;
  beside("listings and exports at once", [&] {
    std::thread exports([&] {
      many(sized(4, 20), [&](client::ApiClient& api) {
        const auto all = api.call("GET", "/v1/export");
        EXPECT_TRUE(all && all->ok()) << (all ? "" : all.error().detail);
      });
    });
    many(sized(20, 200), [&](client::ApiClient& api) {
      std::string cursor;
      do {
        const auto page = api.call("GET", "/v1/tasks?limit=1000" + cursor);
        ASSERT_TRUE(page && page->ok()) << (page ? page->body : page.error().detail);
        ++pages;
        cursor = text_at(page->body, "/next_cursor");
        if (!cursor.empty()) cursor = "&cursor=" + cursor;
      } while (!cursor.empty() && pages < 2'000);
    });
    exports.join();
  });
  EXPECT_GT(pages, 20U);
}

TEST_F(AttackByRequests, ThousandsOfTargetsAreListedAndMeasuredInPieces) {
  const std::size_t count = sized(3'000, 65'537);
  std::string config;
  for (std::size_t i = 0; i < count; ++i) {
    config += fmt::format("[targets.t{}]\nurl = \"http://127.0.0.1:9/\"\n", i);
  }
  ASSERT_NO_FATAL_FAILURE(start(config));
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::minutes(5);
  while (server.call("GET", fmt::format("/v1/targets/t{}", count - 1)).status != 200U) {
    ASSERT_LT(std::chrono::steady_clock::now(), deadline) << "they are not made";
    std::this_thread::sleep_for(Millis(100));
  }
  beside(fmt::format("{} targets", count), [&] {
    many(2, [](client::ApiClient& api) {
      for (const char* path : {"/metrics", "/v1/targets"}) {
        const auto answer = api.call("GET", path);
        EXPECT_TRUE(answer && answer->ok()) << path;
      }
    });
  });
}

/// The first flight of a TLS handshake.
std::string client_hello() {
  SSL_CTX* context = SSL_CTX_new(TLS_client_method());
  SSL* session = SSL_new(context);
  BIO* out = BIO_new(BIO_s_mem());
  SSL_set_bio(session, BIO_new(BIO_s_mem()), out);
  SSL_set_connect_state(session);
  static_cast<void>(SSL_do_handshake(session));
  char* bytes = nullptr;
  const long size = BIO_get_mem_data(out, &bytes);
  std::string hello(bytes, static_cast<std::size_t>(size));
  SSL_free(session);
  SSL_CTX_free(context);
  return hello;
}

TEST_F(AttackByRequests, ThousandsOfHalfOpenTlsHandshakesHoldLittle) {
  const CertificateFiles files = make_certificate(dir, "server");
  // For our own calls: the certificate is its own CA.
  ASSERT_EQ(::setenv("SSL_CERT_FILE", files.certificate.c_str(), 1), 0);
  ASSERT_NO_FATAL_FAILURE(
      start(fmt::format("[tls]\ncertificate_file = \"{}\"\nprivate_key_file = \"{}\"\n",
                        files.certificate, files.private_key)));
  ASSERT_TRUE(server.url().starts_with("https:")) << server.url();
  const std::string hello = client_hello();
  ASSERT_GT(hello.size(), 100U);
  beside("half-open TLS handshakes", [&] {
    SocketCrowd crowd(server, sockets_at_most(sized(2'000, 9'600)));
    crowd.send(hello);
    const auto until = std::chrono::steady_clock::now() + length();
    while (std::chrono::steady_clock::now() < until) {
      crowd.receive(16'384);
      std::this_thread::sleep_for(Millis(50));
    }
  });
  EXPECT_EQ(server.call("GET", "/healthz").status, 200U);
  ::unsetenv("SSL_CERT_FILE");
}

}  // namespace
}  // namespace carillon::test
