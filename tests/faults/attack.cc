#include "tests/faults/attack.h"

#include <iostream>

#include <fmt/format.h>

#include "tests/end_to_end/json_find.h"
#include "tests/end_to_end/scenarios.h"
#include "tests/faults/socket_crowd.h"

namespace carillon::test {
namespace {

constexpr int kRate = 20;  // one each 50 ms
constexpr Millis kLead{500};
constexpr Millis kLatenessMax{100};

}  // namespace

void Attack::start(const std::string& config, std::vector<std::string> wrapper,
                   const std::string& customer_host) {
  customer_host_ = customer_host;
  write_file(dir / "carillon.toml", config);
  if (!wrapper.empty()) server.run_under(std::move(wrapper));
  ASSERT_TRUE(server.start());
  const MachineStalls stalls(dir.path());
  alone_ = measure([] {});
  std::cout << "[ figures  ] alone: lateness " << quantiles(alone_) << "; the machine took "
            << stalls.longest().count() / 1000 << " ms\n";
}

Histogram Attack::measure(const std::function<void()>& attack) {
  Customer customer(server, "customer", customer_host_);
  customer.add(kRate, length_, wall_millis() + kLead);
  attack();
  Histogram lateness = customer.finish();
  EXPECT_EQ(lateness.count(), static_cast<std::uint64_t>(kRate * length_.count() / 1000))
      << "not each was pushed at its first attempt";
  return lateness;
}

void Attack::beside(const std::string& name, const std::function<void()>& attack) {
  const int pid = server.process().pid();
  forget_peak(pid);
  const MachineStalls stalls(dir.path());
  const Histogram lateness = measure(attack);
  const ProcessUsage usage = usage_of(pid);
  std::cout << fmt::format(
      "[ figures  ] {}: lateness {}; resident {:.0f} MiB, peak {:.0f}; the machine took {} ms\n",
      name, quantiles(lateness), mib(usage.resident_bytes), mib(usage.peak_bytes),
      stalls.longest().count() / 1000);
  // Alone is what the machine makes of it; a push waits for a commit and for two processes.
  EXPECT_LE(lateness.quantile(0.99),
            kLatenessMax + 2 * alone_.quantile(0.99) + 3 * stalls.longest());
  EXPECT_LE(usage.peak_bytes, kResidentMax);
}

std::string Attack::tasks(std::size_t count, WallTime due,
                          const std::function<std::string(std::size_t)>& more) {
  std::string lines;
  for (std::size_t i = 0; i < count; ++i) {
    lines += fmt::format("{{\"due_at\":{},{}}}\n", due.time_since_epoch().count(), more(i));
  }
  return lines;
}

std::size_t Attack::add(const std::string& ndjson, std::string* text) const {
  const auto answer =
      server.connect()->call("POST", "/v1/tasks:batchCreate", ndjson, "application/x-ndjson");
  if (!answer) {
    ADD_FAILURE() << answer.error().detail;
    return 0;
  }
  if (text != nullptr) *text = answer->body;
  EXPECT_TRUE(answer->ok()) << answer->status << answer->body.substr(0, 500);
  return static_cast<std::size_t>(number_at(answer->body, "/created"));
}

double Attack::metric(const std::string& name) const {
  const std::string text = "\n" + server.call("GET", "/metrics").body;
  const std::size_t at = text.find("\n" + name + " ");
  if (at == text.npos) {
    ADD_FAILURE() << "no metric " << name;
    return -1;
  }
  return std::stod(text.substr(at + name.size() + 2));
}

SilentListener::SilentListener() : acceptor_(loop_, {boost::asio::ip::make_address("0.0.0.0"), 0}) {
  static_cast<void>(sockets_at_most(1));  // as many as there can be
  accept();
  thread_ = std::thread([this] { loop_.run(); });
}

SilentListener::~SilentListener() {
  loop_.stop();
  thread_.join();
}

std::string SilentListener::url(std::size_t number) const {
  return fmt::format("http://127.1.{}.{}:{}/", number / 250, number % 250 + 1,
                     acceptor_.local_endpoint().port());
}

void SilentListener::accept() {
  acceptor_.async_accept(
      [this](const boost::system::error_code& failed, boost::asio::ip::tcp::socket socket) {
        if (failed && failed != boost::asio::error::connection_aborted) return;
        if (!failed) taken_.push_back(std::move(socket));
        accept();
      });
}

}  // namespace carillon::test
