#include "tests/faults/watch.h"

#include <filesystem>
#include <fstream>

#include <fcntl.h>
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "tests/end_to_end/scenarios.h"

namespace carillon::test {
namespace {

constexpr Millis kPatience = std::chrono::minutes(3);
constexpr Millis kBetweenCalls{10};
constexpr std::size_t kBatch = 1000;

double millis(Histogram::Micros time) {
  return static_cast<double>(time.count()) / 1000;
}

std::string proc(int pid, const char* file) {
  return "/proc/" + std::to_string(pid) + "/" + file;
}

}  // namespace

ProcessUsage usage_of(int pid) {
  ProcessUsage usage;
  std::ifstream status(proc(pid, "status"));
  for (std::string line; std::getline(status, line);) {
    const auto take = [&](std::string_view name, std::uint64_t& into) {
      if (line.starts_with(name)) into = std::stoull(line.substr(name.size())) << 10;
    };
    take("VmRSS:", usage.resident_bytes);
    take("VmHWM:", usage.peak_bytes);
    take("VmSize:", usage.address_space_bytes);
  }
  std::error_code gone;
  for (auto at = std::filesystem::directory_iterator(proc(pid, "fd"), gone);
       at != std::filesystem::directory_iterator(); at.increment(gone)) {
    ++usage.open_files;
  }
  EXPECT_GT(usage.resident_bytes, 0U) << "process " << pid << " is gone";
  return usage;
}

void forget_peak(int pid) {
  std::ofstream(proc(pid, "clear_refs")) << 5;
}

std::uint64_t tcp_kernel_bytes() {
  std::ifstream sockets("/proc/net/sockstat");
  for (std::string line; std::getline(sockets, line);) {
    const std::size_t at = line.find(" mem ");
    if (line.starts_with("TCP:") && at != std::string::npos) {
      return std::stoull(line.substr(at + 5)) * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
    }
  }
  ADD_FAILURE() << "/proc/net/sockstat does not say";
  return 0;
}

double mib(std::uint64_t bytes) {
  return static_cast<double>(bytes) / (1 << 20);
}

std::string quantiles(const Histogram& times) {
  return fmt::format("p50 {:.1f} ms, p99 {:.1f} ms, max {:.1f} ms ({})",
                     millis(times.quantile(0.5)), millis(times.quantile(0.99)), millis(times.max()),
                     times.count());
}

void put_target(const Carillond& server, const std::string& name, const std::string& settings) {
  const auto answer = server.call("PUT", "/v1/targets/" + name, settings);
  EXPECT_TRUE(answer.ok()) << answer.status << " " << answer.body;
}

MachineStalls::MachineStalls(const std::string& dir)
    : file_(::open((dir + "/stalls").c_str(), O_CREAT | O_WRONLY | O_CLOEXEC, 0600)),
      thread_([this] { run(); }) {}

MachineStalls::~MachineStalls() {
  stopping_ = true;
  thread_.join();
  ::close(file_);
}

void MachineStalls::run() {
  const std::string page(4096, 'x');
  while (!stopping_) {
    const auto begin = std::chrono::steady_clock::now();
    std::this_thread::sleep_for(Millis(1));
    EXPECT_EQ(::pwrite(file_, page.data(), page.size(), 0), std::ssize(page));
    EXPECT_EQ(::fdatasync(file_), 0);
    const auto took =
        std::chrono::duration_cast<Histogram::Micros>(std::chrono::steady_clock::now() - begin);
    longest_us_ = std::max<std::int64_t>(longest_us_, took.count());
  }
}

Histogram::Micros p99_max(const Histogram& alone, Millis more, const MachineStalls& stalls) {
  return alone.quantile(0.99) * 3 + more + stalls.longest() * 2;
}

Customer::Customer(const Carillond& server, const std::string& name, const std::string& host)
    : server_(server), name_(name), receiver_(start_receiver()), people_(name) {
  std::string url = receiver_->url();
  const std::string loopback = "127.0.0.1";
  url.replace(url.find(loopback), loopback.size(), host);
  put_target(server, name, "{\"url\":\"" + url + "\"}");
}

void Customer::add(std::size_t rate, Millis length, WallTime start) {
  const std::size_t count = rate * static_cast<std::size_t>(length.count()) / 1000;
  std::vector<Subscribers::Index> tasks;
  for (std::size_t i = 0; i < count; ++i) {
    const Millis after(i * 1000 / rate);
    tasks.push_back(people_.plan(
        name_ + ":" + std::to_string(start.time_since_epoch().count() + after.count()) + ":" +
            std::to_string(i),
        start + after));
  }
  ASSERT_EQ(people_.add_all(*server_.connect(), tasks, kBatch), tasks.size());
  EXPECT_LT(wall_millis(), start) << "this machine is too slow for the time given";
}

Histogram Customer::finish() {
  EXPECT_TRUE(receiver_->wait_for_accepted(people_.to_come(), kPatience));
  people_.take_arrivals(*receiver_);
  const auto verdict = people_.ledger().judge({});
  EXPECT_TRUE(verdict.good()) << verdict.text();
  EXPECT_EQ(receiver_->summary().early, 0U);
  return receiver_->summary().lateness;
}

GoodClient::GoodClient(const Carillond& server, std::string target)
    : api_(server.connect()), target_(std::move(target)) {
  EXPECT_TRUE(api_->call("GET", "/healthz"));
  thread_ = std::thread([this] { run(); });
}

GoodClient::~GoodClient() {
  stop();
}

const GoodClient::Figures& GoodClient::stop() {
  stopping_ = true;
  if (thread_.joinable()) thread_.join();
  return figures_;
}

void GoodClient::run() {
  Histogram ignored;
  while (!stopping_) {
    time("GET", "/healthz", {}, figures_.health);
    const std::string task =
        R"({"id":"good client","delay":"1d","payload":1,"target":")" + target_ + "\"}";
    if (time("POST", "/v1/tasks", task, figures_.add)) {
      time("DELETE", "/v1/tasks/good%20client", {}, ignored);
    }
    std::this_thread::sleep_for(kBetweenCalls);
  }
}

bool GoodClient::time(std::string_view method, const std::string& path, const std::string& body,
                      Histogram& into) {
  const auto begin = std::chrono::steady_clock::now();
  const auto answer = api_->call(method, path, body);
  into.record(
      std::chrono::duration_cast<Histogram::Micros>(std::chrono::steady_clock::now() - begin));
  if (answer && answer->ok()) return true;
  ++(answer ? figures_.refused : figures_.cut_off);
  if (figures_.first_refusal.empty()) {
    figures_.first_refusal = answer ? answer->body : answer.error().detail;
  }
  return false;
}

}  // namespace carillon::test
