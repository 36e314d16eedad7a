// Not a test: how many pushes a second one core's HTTP sink makes, to a receiver on a thread of its
// own that does next to nothing.
//
//   delivery_push_load [pushes] [concurrency] [signed: 0 or 1]
#include <array>
#include <cstdio>
#include <cstdlib>
#include <thread>

#include <netinet/in.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/check.h"
#include "delivery/http/sink.h"
#include "tests/delivery/http_target.h"

namespace carillon {
namespace {

/// Answers 200 to whatever one read brings. Never ends: the program's end ends it.
class EchoReceiver {
 public:
  EchoReceiver() : listener_(socket(AF_INET, SOCK_STREAM, 0)), epoll_(epoll_create1(0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    CARILLON_CHECK(bind(listener_, reinterpret_cast<sockaddr*>(&address), size) == 0);
    CARILLON_CHECK(listen(listener_, 4096) == 0);
    CARILLON_CHECK(getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size) == 0);
    port_ = ntohs(address.sin_port);
    watch(listener_);
    std::thread([this] { run(); }).detach();
  }
  [[nodiscard]] int port() const { return port_; }

 private:
  void watch(int descriptor) const {
    epoll_event event{};
    event.events = EPOLLIN;
    event.data.fd = descriptor;
    CARILLON_CHECK(epoll_ctl(epoll_, EPOLL_CTL_ADD, descriptor, &event) == 0);
  }

  void run() const {
    std::array<epoll_event, 256> events;
    while (true) {
      const int count = epoll_wait(epoll_, events.data(), static_cast<int>(events.size()), -1);
      for (int i = 0; i < count; ++i) serve(events[static_cast<std::size_t>(i)].data.fd);
    }
  }

  void serve(int descriptor) const {
    static constexpr std::string_view kAnswer = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";
    if (descriptor == listener_) return watch(accept(listener_, nullptr, nullptr));
    std::array<char, 16'384> bytes;
    if (recv(descriptor, bytes.data(), bytes.size(), 0) <= 0 ||
        ::send(descriptor, kAnswer.data(), kAnswer.size(), MSG_NOSIGNAL) < 0) {
      close(descriptor);
    }
  }

  int listener_;
  int epoll_;
  int port_ = 0;
};

double seconds_of(const timeval& time) {
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
}

double cpu_seconds() {
  rusage usage{};
  getrusage(RUSAGE_THREAD, &usage);
  return seconds_of(usage.ru_utime) + seconds_of(usage.ru_stime);
}

struct Load {
  Sink& sink;
  Push push;
  int left = 0;
  int under_way = 0;
  int failed = 0;

  void next() {
    if (left == 0) return;
    --left;
    ++under_way;
    sink.push(push, [this](const PushResult& result) {
      --under_way;
      if (result.kind != PushResult::Kind::delivered) ++failed;
      next();
    });
  }
};

int run(int pushes, int concurrency, bool signs) {
  const EchoReceiver receiver;
  boost::asio::io_context loop{1};
  SystemClock clock;
  UrlPolicy urls;
  HttpSink sink({.loop = loop, .clock = clock, .urls = urls});
  TargetSettings target =
      http_target("", "http://127.0.0.1:" + std::to_string(receiver.port()) + "/in");
  if (signs) http_of(target).secrets = {"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"};
  Load load{.sink = sink, .push = {}};
  load.push.target = std::make_shared<const TargetSettings>(target);
  load.push.row = std::make_shared<const std::string>(150, 'x');
  load.push.content.id = "user-123456:coupon-42";
  load.push.content.body = *load.push.row;
  load.push.content.content_type = "application/json";
  load.push.content.webhook_id = "msg_2mX9qZ8sT4vB7nK1";
  load.push.due = clock.wall();
  load.left = pushes;
  const double cpu_before = cpu_seconds();
  const auto start = std::chrono::steady_clock::now();
  for (int i = 0; i < concurrency; ++i) load.next();
  while (load.under_way > 0) loop.run_one();
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - start;
  const double cpu = cpu_seconds() - cpu_before;
  std::printf("%d pushes, %d at once%s: %.0f/s, %.2f us CPU each, %d failed, %lu connections\n",
              pushes, concurrency, signs ? ", signed" : "", pushes / took.count(),
              cpu / pushes * 1e6, load.failed, sink.stats().connections_made);
  return load.failed == 0 ? 0 : 1;
}

}  // namespace
}  // namespace carillon

int main(int argc, char** argv) {
  const auto argument = [&](int at, int otherwise) {
    return argc > at ? std::atoi(argv[at]) : otherwise;
  };
  return carillon::run(argument(1, 200'000), argument(2, 64), argument(3, 0) != 0);
}
