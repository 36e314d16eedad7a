#include "tests/faults/hostile_receiver.h"

#include "net/tls.h"

namespace carillon::test {
namespace {

using Then = Reaction::Then;

constexpr std::size_t kLarge = 4096;

Hostility answers(const std::string& status, const std::string& extra = "") {
  const std::string code = status.substr(0, 3);
  return {.name = code,
          .url = {},
          .reaction = {.bytes = http_answer(status, "no", extra)},
          .certificate = {},
          .error = "answered " + code};
}

Hostility does(const std::string& name, Reaction reaction, const std::string& error) {
  return {
      .name = name, .url = {}, .reaction = std::move(reaction), .certificate = {}, .error = error};
}

Hostility is_at(const std::string& name, const std::string& url, const std::string& error) {
  return {.name = name, .url = url, .reaction = {}, .certificate = {}, .error = error};
}

Hostility shows(const std::string& name, CertificateRequest certificate, const std::string& error) {
  return {.name = name,
          .url = {},
          .reaction = {.bytes = http_answer("200 OK")},
          .certificate = std::move(certificate),
          .error = error};
}

Hostility delivered(Hostility hostility) {
  hostility.state = "delivered";
  hostility.attempts = 1;
  return hostility;
}

std::vector<Hostility> that_break_http() {
  const std::string head = "HTTP/1.1 200 OK\r\n";
  const std::string filler(kLarge, 'x');
  return {
      does("reset", {.bytes = "", .then = Then::reset}, "reset|broken|read the answer"),
      delivered(does("reset mid-body",
                     {.bytes = head + "Content-Length: 100\r\n\r\nhalf", .then = Then::reset}, "")),
      does("accept and hang", {.bytes = "", .then = Then::hang}, "no answer within"),
      does("status line a byte at a time",
           {.bytes = http_answer("200 OK"), .pause = Millis(100), .piece_bytes = 1},
           "no answer within"),
      delivered(does("body a byte at a time",
                     {.bytes = head + "Content-Length: 9999\r\n\r\nx",
                      .then = Then::hang,
                      .piece_bytes = head.size() + 24},
                     "")),
      delivered(does("endless body",
                     {.bytes = head + "Content-Length: 9999999999\r\n\r\n" + filler,
                      .piece_bytes = kLarge,
                      .for_ever = true},
                     "")),
      delivered(
          does("endless chunks",
               {.bytes = head + "Transfer-Encoding: chunked\r\n\r\n1000\r\n" + filler + "\r\n",
                .piece_bytes = kLarge + 8,
                .for_ever = true},
               "")),
      delivered(
          does("huge headers",
               {.bytes = head + "X: " + std::string(200'000, 'x') + "\r\n\r\n", .then = Then::hang},
               "")),
      delivered(does("endless headers",
                     {.bytes = head + "a: " + std::string(995, 'b') + "\r\n",
                      .piece_bytes = 1000,
                      .for_ever = true},
                     "")),
      does("broken HTTP", {.bytes = "HTTP/9 what?\r\n\r\n", .then = Then::close},
           "read the answer"),
  };
}

}  // namespace

std::vector<Hostility> hostilities() {
  std::vector<Hostility> all = that_break_http();
  all.push_back(answers("302 Found", "Location: http://127.0.0.1:1/\r\n"));
  all.push_back(answers("404 Not Found"));
  all.push_back(answers("500 Oops"));
  all.push_back(answers("503 Unavailable"));
  all.push_back(answers("410 Gone"));
  all.back().attempts = 1;
  // Not a failure: its tasks wait, and its target is probed by one at a time.
  all.push_back(answers("429 Too Many Requests", "Retry-After: 1\r\n"));
  all.back().retry_pause = Millis(1000);
  all.back().state = "retrying";
  all.push_back(shows("expired certificate",
                      {.valid_from_seconds = -7200, .valid_until_seconds = -3600}, "TLS.*expired"));
  all.push_back(
      shows("another's certificate", {.subject_alt_name = "DNS:other.example"}, "TLS.*mismatch"));
  all.push_back(is_at("refuse", "http://127.0.0.1:1/", "connect to 127.0.0.1:1: .*refused"));
  all.push_back(is_at("no such name", "http://gone.test/", "cannot resolve gone.test"));
  all.push_back(is_at("a name that takes long", "http://slow.test/",
                      "no answer within|cannot resolve slow.test"));
  return all;
}

HostileReceiver::HostileReceiver(const Hostility& hostility)
    : url_(hostility.url), reaction_(hostility.reaction) {
  if (!url_.empty()) return;
  TlsContext tls;
  if (hostility.certificate) {
    certificate_ = make_certificate(dir_, "receiver", *hostility.certificate);
    tls = *make_server_tls({certificate_.certificate, certificate_.private_key, ""});
  }
  receiver_ = std::make_unique<Receiver>(
      loop_, [this](const ReceivedRequest& request) { return react(request); }, tls);
  url_ = receiver_->url();
  thread_ = std::thread([this] { loop_.run(); });
}

HostileReceiver::~HostileReceiver() {
  loop_.stop();
  if (thread_.joinable()) thread_.join();
}

Reaction HostileReceiver::react(const ReceivedRequest& request) {
  const Moment now = std::chrono::steady_clock::now();
  const auto [last, first] = last_push_.try_emplace(request.header("carillon-task-id"), now);
  if (!first) {
    const auto pause = std::chrono::duration_cast<Millis>(now - last->second);
    shortest_pause_ms_ = std::min<std::int64_t>(shortest_pause_ms_, pause.count());
    last->second = now;
  }
  return reaction_;
}

std::string HostileReceiver::target(Millis timeout, int attempts) const {
  std::string json = R"({"url":")" + url_ + R"(","timeout":)" + std::to_string(timeout.count());
  json += R"(,"retry":{"backoff_min":"10ms","backoff_max":"50ms","max_attempts":)" +
          std::to_string(attempts) + R"(},"breaker":{"failures":0})";
  if (!certificate_.certificate.empty()) {
    json += R"(,"tls":{"ca_file":")" + certificate_.certificate + "\"}";
  }
  return json + "}";
}

}  // namespace carillon::test
