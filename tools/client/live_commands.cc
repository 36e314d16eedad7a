// carillon top, watch: what goes on, until it is over or somebody leaves.

#include <chrono>
#include <iostream>
#include <memory>
#include <thread>

#include <CLI/CLI.hpp>

#include "tools/client/command.h"
#include "tools/client/live_screen.h"
#include "tools/client/overview.h"
#include "tools/client/table.h"

namespace carillon::client {
namespace {

constexpr Millis kEach{1000};

/// The four answers, or why there is not every one of them.
Result<Seen> look(ApiClient& api) {
  Seen seen;
  const std::pair<const char*, std::string*> calls[] = {{"/v1/stats", &seen.stats},
                                                        {"/v1/history?step=10s", &seen.history},
                                                        {"/v1/targets?limit=1000", &seen.targets},
                                                        {"/v1/alarms", &seen.alarms}};
  for (const auto& [path, body] : calls) {
    auto answer = api.call("GET", path);
    if (!answer) return answer.error();
    if (!answer->ok()) return Error{"refused", describe_problem(answer->status, answer->body), ""};
    *body = std::move(answer->body);
  }
  return seen;
}

/// A server that is gone for a while is said, and looked for again.
void show_live(ApiClient& api, Seen seen) {
  const LiveScreen screen;
  std::string trouble;
  while (true) {
    std::vector<ScreenLine> lines = overview(seen, LiveScreen::size());
    if (!trouble.empty()) lines[0] = {"carillon: " + trouble, ScreenLine::Look::warning};
    LiveScreen::draw(lines);
    const LiveScreen::Event event = LiveScreen::wait(kEach);
    if (event == LiveScreen::Event::leave) return;
    if (event == LiveScreen::Event::resized) continue;
    Result<Seen> next = look(api);
    trouble = next ? std::string() : next.error().detail;
    if (next) seen = *std::move(next);
  }
}

void top(Context& context) {
  if (context.json) return context.run("GET", "/v1/stats", {}, nullptr);
  const auto api = context.api();
  if (!api) return context.fail(api.error());
  Result<Seen> seen = look(**api);
  if (!seen) {
    context.fail(seen.error());
    if (seen.error().slug == "refused") context.exit_code = kRefused;
    return;
  }
  if (LiveScreen::possible()) return show_live(**api, *std::move(seen));
  for (const ScreenLine& line : overview(*seen, {})) std::cout << line.text << '\n';
}

bool is_over(const std::string& state) {
  return state != "scheduled" && state != "firing" && state != "retrying";
}

/// A line for each time that something about the task has changed, until it is over.
void watch(Context& context, const std::string& id) {
  const std::string path = "/v1/tasks/" + percent_encoded(id);
  std::string before, state;
  do {
    if (!before.empty()) std::this_thread::sleep_for(kEach / 4);
    const auto answer = context.call("GET", path, {});
    if (!answer) return;
    if (answer->ok() && answer->body == before) continue;
    before = answer->body;
    context.show(*answer, [](std::string_view body) {
      std::string line;
      for (const char* name : {"state", "due_at", "attempt", "next_attempt_at", "last_status",
                               "last_error", "finished_at"}) {
        const std::string value = member(body, name);
        if (value.empty()) continue;
        if (!line.empty()) line.append("   ").append(name).append(" ");
        line += value;
      }
      std::cout << line << std::endl;
    });
    if (context.exit_code != kDone || !std::cout) return;
    state = member(before, "state");
  } while (!is_over(state));
}

}  // namespace

void declare_live_commands(CLI::App& app, Context& context) {
  auto* live = app.add_subcommand("top", "Rates, lateness, lanes, targets and alarms, live");
  live->footer(
      "  q leaves. Where standard input or output is no terminal, it is printed once; with --json\n"
      "  the server's counts are.");
  live->callback([&context] { top(context); });

  auto id = std::make_shared<std::string>();
  auto* watched = app.add_subcommand("watch", "Follow a task until it is over");
  watched->add_option("id", *id, "Id")->required();
  watched->callback([id, &context] { watch(context, *id); });
}

}  // namespace carillon::client
