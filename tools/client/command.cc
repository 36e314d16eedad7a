#include "tools/client/command.h"

#include <cstdlib>
#include <fstream>
#include <iostream>

#include <unistd.h>

#include "base/json.h"
#include "base/json_syntax.h"
#include "base/number.h"
#include "tools/client/table.h"
#include "tools/client/terminal.h"

namespace carillon::client {
namespace {

constexpr std::size_t kDepthMax = 256;  // a payload may be 64 deep

Result<> read_token(const std::string& file, std::string& token) {
  if (file.empty()) {
    const char* value = std::getenv("CARILLON_TOKEN");
    token = value == nullptr ? "" : value;
    return {};
  }
  std::ifstream stream(file);
  if (!std::getline(stream, token) || token.empty()) {
    return Error{"bad_token_file", "--token-file: " + file + " has no token in its first line", ""};
  }
  return {};
}

}  // namespace

Result<ApiClient*> Context::api() {
  if (client_) return client_.get();
  auto endpoint = parse_endpoint(server);
  if (!endpoint) return Error(endpoint.error()).in("--server");
  ApiClient::Options options;
  options.ca_file = ca_file;
  if (!timeout.empty()) {
    const auto patience = parse_duration_or_millis(timeout);
    if (!patience) return Error(patience.error()).in("--timeout");
    if (*patience < Millis(1)) return Error{"usage", "--timeout: send at least 1ms", ""};
    options.timeout = *patience;
    options.limit_streams = true;
  }
  if (auto read = read_token(token_file, options.token); !read) return read.error();
  client_ = std::make_unique<ApiClient>(std::move(*endpoint), std::move(options));
  return client_.get();
}

void Context::fail(const Error& error) {
  std::cerr << "carillon: " << printable(error.detail) << '\n';
  exit_code = error.slug == "unreachable" ? kUnreachable : kUsage;
}

Error Context::not_carillon(std::string_view why) const {
  return {"unreachable", std::string(why) + "; is " + server + " a Carillon server?", ""};
}

void Context::refuse(const ApiAnswer& answer) {
  if (!check_json(answer.body, kDepthMax)) {
    return fail(not_carillon("the answer has status " + std::to_string(answer.status) +
                             " and is not JSON"));
  }
  exit_code = kRefused;
  if (json) return print_raw(answer.body + '\n');
  std::cerr << "carillon: " << describe_problem(answer.status, answer.body) << '\n';
}

void Context::run(std::string_view method, std::string_view path, std::string_view body,
                  const Show& how) {
  if (const auto answer = call(method, path, body)) show(*answer, how);
}

std::optional<ApiAnswer> Context::call(std::string_view method, std::string_view path,
                                       std::string_view body) {
  const auto connection = api();
  if (!connection) {
    fail(connection.error());
    return std::nullopt;
  }
  auto answer = (*connection)->call(method, path, body);
  if (answer) return *std::move(answer);
  fail(answer.error());
  return std::nullopt;
}

void Context::show(const ApiAnswer& answer, const Show& how) {
  if (!answer.ok()) return refuse(answer);
  if (answer.body.empty()) return;
  if (!check_json(answer.body, kDepthMax)) return fail(not_carillon("the answer is not JSON"));
  if (!json) return how(answer.body);
  print_raw(answer.body + '\n');
}

Query& Query::add(std::string_view name, std::string_view value) {
  if (value.empty()) return *this;
  text_ += text_.empty() ? '?' : '&';
  text_.append(name).append("=").append(percent_encoded(value));
  return *this;
}

Body& Body::text(std::string_view name, std::string_view value) {
  if (value.empty()) return *this;
  std::string quoted;
  append_json_string(quoted, value);
  return raw(name, quoted);
}

Body& Body::raw(std::string_view name, std::string_view json) {
  if (json.empty()) return *this;
  if (!members_.empty()) members_ += ',';
  append_json_string(members_, name);
  members_.append(":").append(json);
  return *this;
}

Body& Body::time(std::string_view name, std::string_view value) {
  return whole_number(value) ? raw(name, value) : text(name, value);
}

Progress::Progress() : terminal_(::isatty(STDERR_FILENO) == 1) {}

Progress::~Progress() {
  if (shown_) std::cerr << '\n';
}

void Progress::show(std::string_view line) {
  if (!terminal_) return;
  std::cerr << "\r\x1b[K" << line << std::flush;
  shown_ = true;
}

}  // namespace carillon::client
