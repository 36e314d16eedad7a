// carillon export, import: every pending task as NDJSON, out of one server and into another; and
// what waits elsewhere (tools/client/import_source.h).

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <iostream>
#include <memory>
#include <utility>

#include <CLI/CLI.hpp>
#include <simdjson.h>

#include "tools/client/command.h"
#include "tools/client/import_source.h"
#include "tools/client/table.h"
#include "tools/client/terminal.h"

namespace carillon::client {
namespace {

constexpr int kComplaintsMax = 20;

struct TransferOptions {
  std::string file;
  std::size_t batch = 1000;
  std::string redis;  // the key of a sorted set
  std::string amqp;   // the name of a queue
  ImportOptions source;
};

/// Where an export goes: standard output, or a file that has its name only once it is whole.
class ExportFile {
 public:
  explicit ExportFile(std::string path) : path_(std::move(path)) {
    if (!path_.empty()) file_.open(path_ + ".part", std::ios::binary | std::ios::trunc);
  }
  [[nodiscard]] Result<> write(std::string_view piece) {
    errno = 0;
    if (path_.empty()) {
      print_raw(piece);
      return checked(std::cout.good());
    }
    file_.write(piece.data(), static_cast<std::streamsize>(piece.size()));
    return checked(file_.good());
  }
  [[nodiscard]] Result<> finish() {
    errno = 0;
    if (path_.empty()) return checked(std::cout.flush().good());
    file_.close();
    return checked(file_ && std::rename((path_ + ".part").c_str(), path_.c_str()) == 0);
  }

 private:
  [[nodiscard]] Result<> checked(bool written) const {
    if (written) return {};
    const std::string why = errno == 0 ? "" : std::string(": ") + std::strerror(errno);
    return Error{"bad_file", "cannot write " + (path_.empty() ? "standard output" : path_) + why,
                 ""};
  }

  std::string path_;
  std::ofstream file_;
};

void export_tasks(Context& context, const TransferOptions& o) {
  const auto api = context.api();
  if (!api) return context.fail(api.error());
  ExportFile file(o.file);
  std::uint64_t tasks = 0;
  Result<> written;
  {
    Progress progress;
    const auto answer = (*api)->stream("/v1/export", [&](std::string_view piece) {
      tasks += static_cast<std::uint64_t>(std::count(piece.begin(), piece.end(), '\n'));
      progress.show("exported " + std::to_string(tasks) + " tasks");
      written = file.write(piece);
      return written.has_value();
    });
    if (!answer) return context.fail(answer.error());
    if (!answer->ok()) return context.refuse(*answer);
  }
  if (!written) return context.fail(written.error());
  if (auto finished = file.finish(); !finished) return context.fail(finished.error());
  if (!o.file.empty()) std::cerr << "exported " << tasks << " tasks to " << o.file << '\n';
}

/// Takes tasks from a source and adds them, some at a time.
class Importer {
 public:
  Importer(Context& context, ApiClient& api, ImportSource& source, std::size_t batch)
      : context_(context), api_(api), source_(source), batch_(batch) {}

  /// Until there are no more, or the source or the server fails, which it says. False: the server.
  [[nodiscard]] bool run() {
    for (;;) {
      const Result<std::vector<ImportedTask>> tasks = source_.next(batch_);
      if (!tasks) context_.fail(tasks.error());
      if (!tasks || tasks->empty()) return true;
      const std::optional<std::vector<unsigned>> statuses = send(*tasks);
      if (!statuses) return false;
      count(*statuses);
      if (Result<> ok = source_.settled(*statuses); !ok) {
        context_.fail(ok.error());
        return true;
      }
      progress_.show("imported " + std::to_string(done_) + " tasks, " + std::to_string(failed_) +
                     " refused");
    }
  }

  [[nodiscard]] std::uint64_t done() const { return done_; }
  [[nodiscard]] std::uint64_t failed() const { return failed_; }

 private:
  /// Nothing: it was not answered, and the error has been said.
  std::optional<std::vector<unsigned>> send(const std::vector<ImportedTask>& tasks) {
    std::string body;
    for (const ImportedTask& task : tasks) body.append(task.json).append("\n");
    const auto answer = api_.call("POST", "/v1/tasks:batchCreate", body, "application/x-ndjson");
    if (!answer) {
      context_.fail(Error(answer.error()).in("after " + std::to_string(done_) + " tasks"));
      return std::nullopt;
    }
    if (!answer->ok()) {
      std::cerr << "carillon: " << tasks.front().place << " to " << tasks.back().place << ":\n";
      context_.refuse(*answer);
      return std::nullopt;
    }
    auto statuses = read_statuses(tasks, answer->body);
    if (!statuses) {
      context_.fail(context_.not_carillon("the answer does not say what became of each task"));
    }
    return statuses;
  }

  /// Nothing where the answer does not have a result for each task.
  std::optional<std::vector<unsigned>> read_statuses(const std::vector<ImportedTask>& tasks,
                                                     std::string_view body) {
    simdjson::dom::array results;
    if (parser_.parse(body.data(), body.size())["results"].get(results) != simdjson::SUCCESS ||
        results.size() != tasks.size()) {
      return std::nullopt;
    }
    std::vector<unsigned> statuses;
    for (const auto result : results) {
      std::uint64_t status = 0;
      if (result["status"].get(status) != simdjson::SUCCESS) status = 0;
      const ImportedTask& task = tasks[statuses.size()];
      statuses.push_back(static_cast<unsigned>(status));
      if (is_done(statuses.back()) || complaints_++ >= kComplaintsMax) continue;
      std::cerr << "carillon: " << task.place << ": "
                << describe_problem(statuses.back(), simdjson::minify(result)) << '\n';
    }
    return statuses;
  }

  [[nodiscard]] static bool is_done(unsigned status) { return status >= 200 && status < 300; }
  void count(const std::vector<unsigned>& statuses) {
    for (const unsigned status : statuses) ++(is_done(status) ? done_ : failed_);
  }

  Context& context_;
  ApiClient& api_;
  ImportSource& source_;
  std::size_t batch_;
  std::uint64_t done_ = 0, failed_ = 0;
  int complaints_ = 0;
  simdjson::dom::parser parser_;
  Progress progress_;
};

[[nodiscard]] Result<std::unique_ptr<ImportSource>> open_source(const TransferOptions& o) {
  const bool is_server = !o.redis.empty() || !o.amqp.empty();
  if (is_server == !o.file.empty() || (!o.redis.empty() && !o.amqp.empty())) {
    return Error{"usage", "name one of a file, --redis and --amqp", ""};
  }
  if (!is_server) return open_import_file(o.file);
  if (o.source.target.empty())
    return Error{"usage", "--target is required: where it is pushed", ""};
  return o.redis.empty() ? open_import_amqp(o.amqp, o.source)
                         : open_import_redis(o.redis, o.source);
}

void import_tasks(Context& context, const TransferOptions& o) {
  const auto api = context.api();
  if (!api) return context.fail(api.error());
  const auto source = open_source(o);
  if (!source) return context.fail(source.error());
  std::uint64_t done = 0, failed = 0;
  {
    Importer importer(context, **api, **source, o.batch);
    if (!importer.run()) return;
    done = importer.done();
    failed = importer.failed();
  }
  if (failed > 0 && context.exit_code == kDone) context.exit_code = kRefused;
  if (context.json) {
    std::cout << "{\"imported\":" << done << ",\"failed\":" << failed << "}\n";
  } else {
    std::cout << "imported " << done << " tasks, " << failed << " refused\n";
  }
}

void declare_sources(CLI::App& imported, TransferOptions& o) {
  ImportOptions& its = o.source;
  imported.add_option("--redis", o.redis,
                      "A sorted set of Redis: the scores say when its members are due");
  imported.add_option("--amqp", o.amqp,
                      "A queue of RabbitMQ: messages with x-delay, or an expiration");
  imported.add_option("--from", its.url,
                      "Its server, such as redis://10.0.0.7:6379/0 or amqp://10.0.0.7/vhost");
  imported.add_option("--username", its.username, "Who logs in there");
  imported.add_option("--password-file", its.password_file, "A file that holds the password");
  imported.add_option("--target", its.target, "Where its tasks are pushed: a target's name");
  imported.add_option("--group", its.group, "The group of its tasks");
  imported.add_option("--lane", its.lane, "The lane of its tasks");
  imported.add_option("--delay", its.delay,
                      "amqp: of messages that do not say how long they wait; else they stay");
  imported.add_flag("--remove", its.removes,
                    "redis: take out of the set what Carillon has; messages are always");
  imported.add_flag("--with-key", its.takes_key,
                    "amqp: the routing key of each message is its task's key");
}

}  // namespace

void declare_transfer_commands(CLI::App& app, Context& context) {
  auto o = std::make_shared<TransferOptions>();
  auto* exported = app.add_subcommand("export", "Write every pending task as NDJSON");
  exported->add_option("--output", o->file, "File; without: standard output");
  exported->callback([o, &context] { export_tasks(context, *o); });

  auto* imported = app.add_subcommand(
      "import",
      "Add the tasks of an NDJSON file, or what waits in Redis or RabbitMQ; those that are there "
      "already stay as they are");
  imported->add_option("file", o->file, "File; - for standard input");
  declare_sources(*imported, *o);
  imported->add_option("--batch", o->batch, "Tasks per request")
      ->check(CLI::Range(1, 10'000))
      ->capture_default_str();
  imported->callback([o, &context] { import_tasks(context, *o); });
}

}  // namespace carillon::client
