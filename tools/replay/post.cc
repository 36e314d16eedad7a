// carillon-replay post.

#include <fstream>
#include <iostream>

#include <fmt/format.h>
#include <simdjson.h>

#include "base/text.h"
#include "tools/client/api_client.h"
#include "tools/client/terminal.h"
#include "tools/replay/export.h"
#include "tools/replay/task_line.h"

namespace carillon::replay {

namespace {

constexpr std::size_t kTasksAtOnce = 1000;
constexpr std::size_t kBytesAtOnce = std::size_t{8} << 20;
constexpr std::uint64_t kComplaintsMax = 20;

Result<std::string> read_token(const std::string& path) {
  std::string token;
  if (!path.empty() && !(std::ifstream(path) >> token)) {
    return Error{"bad_token_file", path + ": no token in it", ""};
  }
  return Result<std::string>(boost::system::in_place_value, token);
}

/// Gathers tasks into calls of tasks:batchCreate.
class Poster {
 public:
  Poster(client::ApiClient& api, ProgressLine& progress) : api_(api), progress_(progress) {}

  /// False: give up, for the reason in `error`.
  bool add(std::string line) {
    if (tasks_ == kTasksAtOnce || body_.size() + line.size() > kBytesAtOnce) {
      if (!send()) return false;
    }
    line.back() = ',';  // in place of the closing brace
    body_ += line + "\"if_exists\":\"keep\"}\n";
    ++tasks_;
    return true;
  }

  bool send() {
    if (tasks_ == 0) return true;
    const auto answer = api_.call("POST", "/v1/tasks:batchCreate", body_, "application/x-ndjson");
    if (!answer) return give_up(answer.error().detail);
    if (!answer->ok()) return give_up(fmt::format("answer {}: {}", answer->status, answer->body));
    if (!count(answer->body)) return give_up("an answer of another form: is it a Carillon server?");
    body_.clear();
    tasks_ = 0;
    progress_.show(fmt::format("posted {}", counted(created_ + existing_, "task", "tasks")));
    return true;
  }

  [[nodiscard]] std::uint64_t created() const { return created_; }
  [[nodiscard]] std::uint64_t existing() const { return existing_; }
  [[nodiscard]] std::uint64_t refused() const { return refused_; }
  [[nodiscard]] const std::string& error() const { return error_; }

 private:
  bool give_up(const std::string& why) {
    error_ = fmt::format("gave up after {}: {}. Doing it again adds nothing twice.",
                         counted(created_ + existing_ + refused_, "task", "tasks"), why);
    return false;
  }

  [[nodiscard]] bool count(const std::string& body) {
    simdjson::dom::array results;
    if (parser_.parse(body)["results"].get(results) != simdjson::SUCCESS) return false;
    for (const auto result : results) {
      std::uint64_t status = 0;
      if (result["status"].get(status) != simdjson::SUCCESS) status = 0;
      if (status == 201) ++created_;
      if (status == 200) ++existing_;
      if (status == 200 || status == 201) continue;
      if (refused_++ < kComplaintsMax) {
        std::cerr << "carillon-replay: refused: " << client::printable(simdjson::minify(result))
                  << '\n';
      }
    }
    return true;
  }

  client::ApiClient& api_;
  ProgressLine& progress_;
  simdjson::dom::parser parser_;
  std::string body_;
  std::size_t tasks_ = 0;
  std::uint64_t created_ = 0;
  std::uint64_t existing_ = 0;
  std::uint64_t refused_ = 0;
  std::string error_;
};

}  // namespace

int post_tasks(Inspection& inspection, const PostOptions& options, ProgressLine& progress) {
  auto endpoint = client::parse_endpoint(options.url);
  if (!endpoint) return fail(endpoint.error());
  auto token = read_token(options.token_file);
  if (!token) return fail(token.error());
  client::ApiClient::Options api_options;
  api_options.token = *token;
  api_options.ca_file = options.ca_file;
  client::ApiClient api(*endpoint, api_options);
  Poster poster(api, progress);
  const SavedTasks tasks =
      for_each_task(*inspection.history, *inspection.salvage, pending,
                    [&](const Statement& task, const TaskContent& content, std::string_view) {
                      return poster.add(task_line(task, content));
                    },
                    {});
  if (!poster.error().empty() || !poster.send()) return fail({"network", poster.error(), ""});
  std::cout << fmt::format("posted {}: {} added, {} there already, {} refused\n",
                           counted(tasks.saved, "task", "tasks"), grouped(poster.created()),
                           grouped(poster.existing()), grouped(poster.refused()));
  report_losses(inspection, tasks);
  if (poster.refused() > 0) return kFailed;
  return inspection.log_is_whole() && tasks.lost.empty() ? kDone : kLost;
}

}  // namespace carillon::replay
