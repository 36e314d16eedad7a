// carillon export, import: every pending task as NDJSON, out of one server and into another.

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
#include "tools/client/files.h"
#include "tools/client/table.h"
#include "tools/client/terminal.h"

namespace carillon::client {
namespace {

constexpr std::size_t kBatchBytesMax = std::size_t{8} << 20;
constexpr int kComplaintsMax = 20;

struct TransferOptions {
  std::string file;
  std::size_t batch = 1000;
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

/// Gathers lines into batches and sends them.
class Importer {
 public:
  Importer(Context& context, ApiClient& api, std::size_t batch)
      : context_(context), api_(api), batch_(batch) {}

  /// False: give up.
  bool take(std::string_view line, std::uint64_t number) {
    if (line.find_first_not_of(" \t\r") == std::string_view::npos) return true;
    const bool full = lines_.size() >= batch_ || body_.size() + line.size() > kBatchBytesMax;
    if (full && !send()) return false;
    body_.append(line).append("\n");
    lines_.push_back(number);
    return true;
  }

  bool send() {
    if (lines_.empty()) return true;
    const auto answer = api_.call("POST", "/v1/tasks:batchCreate", body_, "application/x-ndjson");
    if (!answer) {
      context_.fail(Error(answer.error()).in("after " + std::to_string(done_) + " tasks"));
      return false;
    }
    if (!answer->ok()) {
      std::cerr << "carillon: lines " << lines_.front() << " to " << lines_.back() << ":\n";
      context_.refuse(*answer);
      return false;
    }
    if (!count(answer->body)) {
      context_.fail(context_.not_carillon("the answer does not say what became of each task"));
      return false;
    }
    body_.clear();
    lines_.clear();
    progress_.show("imported " + std::to_string(done_) + " tasks, " + std::to_string(failed_) +
                   " refused");
    return true;
  }

  [[nodiscard]] std::uint64_t done() const { return done_; }
  [[nodiscard]] std::uint64_t failed() const { return failed_; }

 private:
  /// False where the answer does not have a result for each line.
  bool count(std::string_view body) {
    simdjson::dom::array results;
    if (parser_.parse(body.data(), body.size())["results"].get(results) != simdjson::SUCCESS ||
        results.size() != lines_.size()) {
      return false;
    }
    std::size_t index = 0;
    for (const auto result : results) {
      const std::uint64_t line = lines_[index++];
      std::uint64_t status = 0;
      if (result["status"].get(status) == simdjson::SUCCESS && status >= 200 && status < 300) {
        ++done_;
        continue;
      }
      if (failed_++ >= kComplaintsMax) continue;
      std::cerr << "carillon: line " << line << ": "
                << describe_problem(static_cast<unsigned>(status), simdjson::minify(result))
                << '\n';
    }
    return true;
  }

  Context& context_;
  ApiClient& api_;
  std::size_t batch_;
  std::string body_;
  std::vector<std::uint64_t> lines_;  // where each task of the batch stands in the file
  std::uint64_t done_ = 0, failed_ = 0;
  simdjson::dom::parser parser_;
  Progress progress_;
};

void import_tasks(Context& context, const TransferOptions& o) {
  const auto api = context.api();
  if (!api) return context.fail(api.error());
  auto lines = LineReader::open(o.file);
  if (!lines) return context.fail(lines.error());
  std::uint64_t done = 0, failed = 0;
  {
    Importer importer(context, **api, o.batch);
    std::string_view line;
    std::uint64_t number = 0;
    bool going = true;
    Result<bool> more = true;
    while (going && (more = lines->next(line)) && *more) going = importer.take(line, ++number);
    // What was read before an error is sent, so that a second try finds it there.
    if (going) going = importer.send();
    if (!going) return;
    if (!more) context.fail(more.error());
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

}  // namespace

void declare_transfer_commands(CLI::App& app, Context& context) {
  auto o = std::make_shared<TransferOptions>();
  auto* exported = app.add_subcommand("export", "Write every pending task as NDJSON");
  exported->add_option("--output", o->file, "File; without: standard output");
  exported->callback([o, &context] { export_tasks(context, *o); });

  auto* imported = app.add_subcommand(
      "import", "Add the tasks of an NDJSON file; those that are there already stay as they are");
  imported->add_option("file", o->file, "File; - for standard input")->required();
  imported->add_option("--batch", o->batch, "Tasks per request")
      ->check(CLI::Range(1, 10'000))
      ->capture_default_str();
  imported->callback([o, &context] { import_tasks(context, *o); });
}

}  // namespace carillon::client
