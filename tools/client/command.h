// What every command of the client shares: where the server is, how to call it, how to say what it
// answered, and which exit code that is.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "tools/client/api_client.h"

namespace CLI {
class App;
}

namespace carillon::client {

inline constexpr int kDone = 0;
inline constexpr int kRefused = 1;      // the server said no
inline constexpr int kUsage = 2;        // the command line, a file or standard output is at fault
inline constexpr int kUnreachable = 3;  // no server, or no whole answer

/// Options of the program itself, the connection, and the outcome of the command.
class Context {
 public:
  // As typed.
  std::string server = "http://127.0.0.1:8080";
  std::string token_file;
  std::string ca_file;
  std::string timeout;  // empty: of each call, not of an export
  bool json = false;

  int exit_code = kDone;

  /// The connection, made on first use. Error slugs: bad_server, bad_token_file, bad_duration.
  [[nodiscard]] Result<ApiClient*> api();

  /// Says an error of our own on stderr and sets the exit code that fits its slug.
  void fail(const Error& error);
  /// The error of an answer that is none of Carillon's.
  [[nodiscard]] Error not_carillon(std::string_view why) const;
  /// Says a server's refusal: its problem's title and detail on stderr, or with --json the problem
  /// itself on stdout.
  void refuse(const ApiAnswer& answer);

  /// One call whose good answer is shown by `show` (with --json: printed as it is).
  using Show = std::function<void(std::string_view body)>;
  void run(std::string_view method, std::string_view path, std::string_view body, const Show& show);
  /// The two halves of `run`. Nothing: there is no answer, and the error has been said.
  [[nodiscard]] std::optional<ApiAnswer> call(std::string_view method, std::string_view path,
                                              std::string_view body);
  void show(const ApiAnswer& answer, const Show& show);

 private:
  std::unique_ptr<ApiClient> client_;
};

/// Collects a query: "?group=a%20b&limit=10". Empty values are left out.
class Query {
 public:
  Query& add(std::string_view name, std::string_view value);
  [[nodiscard]] const std::string& text() const { return text_; }

 private:
  std::string text_;
};

/// Collects a JSON object's members whose values were given.
class Body {
 public:
  Body& text(std::string_view name, std::string_view value);
  Body& raw(std::string_view name, std::string_view json);
  /// A moment or a duration; a bare number is milliseconds.
  Body& time(std::string_view name, std::string_view value);
  [[nodiscard]] std::string json() const { return "{" + members_ + "}"; }
  [[nodiscard]] bool empty() const { return members_.empty(); }

 private:
  std::string members_;
};

inline constexpr const char* kOperationHelp =
    "A name for this call: the same again within a day is not done again";

/// A line that is rewritten in place while long work goes on; silent where stderr is no terminal.
class Progress {
 public:
  Progress();
  ~Progress();
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;
  void show(std::string_view line);

 private:
  bool terminal_ = false;
  bool shown_ = false;
};

// Each declares its commands on `app`; they run while the command line is parsed.
void declare_task_commands(CLI::App& app, Context& context);
void declare_group_commands(CLI::App& app, Context& context);
void declare_dead_commands(CLI::App& app, Context& context);
void declare_target_commands(CLI::App& app, Context& context);
void declare_lane_commands(CLI::App& app, Context& context);
void declare_cluster_commands(CLI::App& app, Context& context);
void declare_admin_commands(CLI::App& app, Context& context);
void declare_live_commands(CLI::App& app, Context& context);
void declare_transfer_commands(CLI::App& app, Context& context);
/// Last of all: it completes what the others declared.
void declare_completion(CLI::App& app, Context& context);

}  // namespace carillon::client
