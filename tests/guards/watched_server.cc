#include "tests/guards/watched_server.h"

#include <csignal>
#include <fstream>
#include <sstream>

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/check.h"
#include "tools/load/generator.h"

namespace carillon::test {
namespace {

constexpr std::chrono::seconds kPatience{60};

CountedCalls* map_counts(const std::string& path) {
  const int fd = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  CARILLON_CHECK(fd >= 0 && ::ftruncate(fd, sizeof(CountedCalls)) == 0);
  void* const shared =
      ::mmap(nullptr, sizeof(CountedCalls), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  ::close(fd);
  CARILLON_CHECK(shared != MAP_FAILED);
  return static_cast<CountedCalls*>(shared);
}

bool is_http_thread(int process, int thread) {
  std::ifstream file("/proc/" + std::to_string(process) + "/task/" + std::to_string(thread) +
                     "/comm");
  std::string name;
  return std::getline(file, name) && name == "http";
}

/// The lines of `strace -f -o`: "PID name(...) = 0"; the second half of a call that another
/// thread's interrupted begins "PID <... name resumed>" and is no call of its own.
SystemCalls count_calls(const std::string& path, int process) {
  SystemCalls calls;
  std::ifstream file(path);
  for (std::string line; std::getline(file, line);) {
    std::istringstream words(line);
    int thread = 0;
    std::string call;
    words >> thread >> call;
    const std::size_t bracket = call.find('(');
    if (bracket == std::string::npos) continue;
    auto& whose = thread == process                 ? calls.loop
                  : is_http_thread(process, thread) ? calls.http
                                                    : calls.other;
    ++whose[call.substr(0, bracket)];
  }
  return calls;
}

}  // namespace

WatchedServer::WatchedServer() : counts_(map_counts(dir_ / "counts")) {
  server_.run_under({"/usr/bin/env", "LD_PRELOAD=" + program("counted_calls.so"),
                     "COUNTED_CALLS=" + (dir_ / "counts")});
}

WatchedServer::~WatchedServer() {
  ::munmap(counts_, sizeof(CountedCalls));
}

void WatchedServer::start() {
  ASSERT_TRUE(server_.start());
  // Nothing falls due in such a run, so nobody need listen there.
  ASSERT_TRUE(
      server_.connect()->call("PUT", "/v1/targets/nobody", R"({"url":"http://127.0.0.1:9/"})"));
  run({.tasks = 5'000});
}

void WatchedServer::run(const Load& load) {
  const auto endpoint = client::parse_endpoint(server_.url()).value();
  load::TaskPlan plan;
  plan.first = added_;
  plan.target = "nobody";
  plan.payload_bytes = kPayloadBytes;
  added_ += load.tasks;
  const auto adds =
      load::make_adds({endpoint.host, ""}, plan, load.batch, load::BatchForm::ndjson, load.tasks);
  const auto done = load::run_load(endpoint, {.connections = load.connections}, *adds);
  ASSERT_TRUE(done) << done.error().detail;
  ASSERT_EQ(done->tasks, load.tasks) << server_.process().errors();
}

double WatchedServer::metric(const std::string& name) const {
  const auto answer = server_.connect()->call("GET", "/metrics");
  const std::size_t at = answer ? answer->body.find("\n" + name + " ") : std::string::npos;
  if (at != std::string::npos) return std::stod(answer->body.substr(at + name.size() + 2));
  ADD_FAILURE() << "/metrics has no " << name;
  return 0;
}

Tally WatchedServer::now(bool ask_first) {
  Tally tally;
  const auto ask = [&] {
    tally.commits = metric("carillon_commits_total");
    tally.commit_bytes = metric("carillon_commit_bytes_total");
  };
  if (ask_first) ask();
  tally.loop_allocations = static_cast<double>(counts_->loop_allocations);
  tally.http_allocations = static_cast<double>(counts_->http_allocations);
  tally.other_allocations = static_cast<double>(counts_->other_allocations);
  tally.syncs = static_cast<double>(counts_->syncs);
  std::ifstream io("/proc/" + std::to_string(server_.process().pid()) + "/io");
  for (std::string name; io >> name;) {
    if (name == "wchar:") io >> tally.written_bytes;
  }
  if (!ask_first) ask();
  return tally;
}

Tally WatchedServer::tally(const Load& load) {
  const Tally before = now(true);
  const auto begin = std::chrono::steady_clock::now();
  run(load);
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begin;
  const Tally after = now(false);
  return {after.loop_allocations - before.loop_allocations,
          after.http_allocations - before.http_allocations,
          after.other_allocations - before.other_allocations,
          after.syncs - before.syncs,
          after.commits - before.commits,
          after.commit_bytes - before.commit_bytes,
          after.written_bytes - before.written_bytes,
          took.count()};
}

SystemCalls WatchedServer::trace(const Load& load) {
  const double commits = metric("carillon_commits_total");
  const int pid = server_.process().pid();
  Process strace(
      {"/usr/bin/strace", "-f", "-o", dir_ / "calls", "-s", "0", "-p", std::to_string(pid)});
  EXPECT_TRUE(strace.wait_for_line("attached", kPatience))
      << "strace must be installed and may attach as root:\n"
      << strace.errors();
  run(load);
  strace.signal(SIGINT);
  EXPECT_TRUE(strace.wait(kPatience));
  SystemCalls calls = count_calls(dir_ / "calls", pid);
  calls.commits = metric("carillon_commits_total") - commits;
  return calls;
}

}  // namespace carillon::test
