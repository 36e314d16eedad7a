#include "tests/support/process.h"

#include <array>
#include <condition_variable>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <mutex>
#include <regex>
#include <thread>

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/check.h"

extern char** environ;

namespace carillon::test {
namespace {

std::vector<std::string> merged_environment(const Process::Environment& extra) {
  std::map<std::string, std::string> all;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string text = *entry;
    const std::size_t equals = text.find('=');
    if (!text.starts_with("CARILLON_")) all[text.substr(0, equals)] = text.substr(equals + 1);
  }
  for (const auto& [name, value] : extra) all[name] = value;
  std::vector<std::string> out;
  for (const auto& [name, value] : all) out.push_back(name + "=" + value);
  return out;
}

std::vector<char*> pointers(std::vector<std::string>& texts) {
  std::vector<char*> out;
  for (std::string& text : texts) out.push_back(text.data());
  out.push_back(nullptr);
  return out;
}

struct Pipe {
  int read = -1, write = -1;
  Pipe() {
    std::array<int, 2> ends{};
    CARILLON_CHECK(::pipe2(ends.data(), O_CLOEXEC) == 0);
    read = ends[0];
    write = ends[1];
  }
};

/// A signal that stops a process reaches its threads one after the other.
bool all_threads_stand(int pid) {
  std::error_code failed;
  const auto threads =
      std::filesystem::directory_iterator("/proc/" + std::to_string(pid) + "/task", failed);
  for (const auto& thread : threads) {
    std::ifstream file(thread.path() / "stat");
    const std::string stat{std::istreambuf_iterator<char>(file), {}};
    // "17 (a name) T ...": its state is behind the name.
    const std::size_t name_end = stat.rfind(") ");
    if (name_end != std::string::npos && stat[name_end + 2] != 'T') return false;
  }
  return true;
}

}  // namespace

class Process::Impl {
 public:
  Impl(std::vector<std::string> command, const Environment& environment, const std::string& input) {
    Pipe in, out, err;
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, in.read, STDIN_FILENO);
    posix_spawn_file_actions_adddup2(&actions, out.write, STDOUT_FILENO);
    posix_spawn_file_actions_adddup2(&actions, err.write, STDERR_FILENO);
    auto settings = merged_environment(environment);
    auto arguments = pointers(command);
    auto variables = pointers(settings);
    const int failed = ::posix_spawn(&pid_, command[0].c_str(), &actions, nullptr, arguments.data(),
                                     variables.data());
    posix_spawn_file_actions_destroy(&actions);
    if (failed != 0) std::fprintf(stderr, "%s: %s\n", command[0].c_str(), std::strerror(failed));
    CARILLON_CHECK(failed == 0);
    for (const int fd : {in.read, out.write, err.write}) ::close(fd);
    writer_ = std::thread([fd = in.write, input] {
      std::string_view rest = input;
      while (!rest.empty()) {
        const ssize_t wrote = ::write(fd, rest.data(), rest.size());
        if (wrote <= 0) break;
        rest.remove_prefix(static_cast<std::size_t>(wrote));
      }
      ::close(fd);
    });
    stdout_reader_ = std::thread([this, fd = out.read] { gather(fd, output_); });
    stderr_reader_ = std::thread([this, fd = err.read] { gather(fd, errors_); });
    waiter_ = std::thread([this] { await_end(); });
  }

  ~Impl() {
    signal(SIGKILL);
    for (std::thread* thread : {&writer_, &stdout_reader_, &stderr_reader_, &waiter_}) {
      thread->join();
    }
  }

  void signal(int number) {
    // Under the lock the process is known not to have been reaped, so the id is still its own.
    const std::lock_guard lock(mutex_);
    if (!ending_) ::kill(pid_, number);
  }

  std::optional<std::vector<std::string>> wait_for_line(const std::string& pattern,
                                                        std::chrono::milliseconds patience) {
    const std::regex regex(pattern);
    const auto deadline = std::chrono::steady_clock::now() + patience;
    std::size_t seen = 0;
    std::unique_lock lock(mutex_);
    while (true) {
      std::size_t end = 0;
      while ((end = errors_.find('\n', seen)) != std::string::npos) {
        const std::string line = errors_.substr(seen, end - seen);
        seen = end + 1;
        std::smatch match;
        if (std::regex_search(line, match, regex)) return {{match.begin(), match.end()}};
      }
      if (readers_done_ == 2) return std::nullopt;
      if (changed_.wait_until(lock, deadline) == std::cv_status::timeout) return std::nullopt;
    }
  }

  std::optional<Ending> wait(std::chrono::milliseconds patience) {
    std::unique_lock lock(mutex_);
    changed_.wait_for(lock, patience, [&] { return ending_ && readers_done_ == 2; });
    return ending_;
  }

  [[nodiscard]] int pid() const { return pid_; }
  [[nodiscard]] std::string output() const {
    const std::lock_guard lock(mutex_);
    return output_;
  }
  [[nodiscard]] std::string errors() const {
    const std::lock_guard lock(mutex_);
    return errors_;
  }

 private:
  void gather(int fd, std::string& into) {
    std::array<char, 4096> piece{};
    ssize_t got = 0;
    while ((got = ::read(fd, piece.data(), piece.size())) > 0) {
      const std::lock_guard lock(mutex_);
      into.append(piece.data(), static_cast<std::size_t>(got));
      changed_.notify_all();
    }
    ::close(fd);
    const std::lock_guard lock(mutex_);
    ++readers_done_;
    changed_.notify_all();
  }

  void await_end() {
    // WNOWAIT leaves it a zombie, so that no signal can meet another process with the same id.
    siginfo_t info{};
    while (::waitid(P_PID, static_cast<id_t>(pid_), &info, WEXITED | WNOWAIT) != 0) {
    }
    const std::lock_guard lock(mutex_);
    int status = 0;
    ::waitpid(pid_, &status, 0);
    ending_ = WIFEXITED(status) ? Ending{WEXITSTATUS(status), 0} : Ending{-1, WTERMSIG(status)};
    changed_.notify_all();
  }

  pid_t pid_ = -1;
  mutable std::mutex mutex_;  // guards all below but the threads
  std::condition_variable changed_;
  std::string output_, errors_;
  int readers_done_ = 0;
  std::optional<Ending> ending_;
  std::thread writer_, stdout_reader_, stderr_reader_, waiter_;
};

Process::Process(std::vector<std::string> command, const Environment& environment,
                 const std::string& input) {
  ::signal(SIGPIPE, SIG_IGN);  // a program may end before it has read its input
  impl_ = std::make_unique<Impl>(std::move(command), environment, input);
}
Process::~Process() = default;

int Process::pid() const {
  return impl_->pid();
}
void Process::signal(int number) const {
  impl_->signal(number);
}

void Process::freeze() const {
  signal(SIGSTOP);
  while (!all_threads_stand(pid())) std::this_thread::yield();
}

void Process::go_on() const {
  signal(SIGCONT);
}

std::optional<std::vector<std::string>> Process::wait_for_line(const std::string& regex,
                                                               std::chrono::milliseconds patience) {
  return impl_->wait_for_line(regex, patience);
}

std::optional<Ending> Process::wait(std::chrono::milliseconds patience) {
  return impl_->wait(patience);
}

std::string Process::output() const {
  return impl_->output();
}
std::string Process::errors() const {
  return impl_->errors();
}

Finished run_program(std::vector<std::string> command, const Process::Environment& environment,
                     const std::string& input, std::chrono::milliseconds patience) {
  Process process(std::move(command), environment, input);
  const auto ending = process.wait(patience);
  return {ending.value_or(Ending()), process.output(), process.errors()};
}

}  // namespace carillon::test
