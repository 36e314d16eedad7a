// carillon add, get, explain, timeline, cancel, push, move, list.

#include <iostream>
#include <memory>

#include <CLI/CLI.hpp>

#include "base/json.h"
#include "tools/client/command.h"
#include "tools/client/files.h"
#include "tools/client/table.h"

namespace carillon::client {
namespace {

struct TaskOptions {
  std::string id, delay, due_at, target, group, lane, key, expire_after, on_expire, merge_within,
      if_exists, retries;
  std::string payload, payload_file, body, body_file, content_type;
  std::vector<std::string> headers;
  std::vector<std::string> ids;
};

struct ListOptions {
  std::string group, target, state, due_from, due_to, cursor;
  std::size_t limit = 100;
  bool all = false;
};

void show_task(std::string_view body) {
  std::cout << format_fields(body);
}

/// ["Name: value", ...] as a JSON object.
Result<> append_headers(const std::vector<std::string>& headers, std::string& json) {
  if (headers.empty()) return {};
  JsonWriter writer(json);
  writer.begin_object();
  for (const std::string& header : headers) {
    const std::size_t colon = header.find(':');
    if (colon == std::string::npos) {
      return Error{"usage", "--header \"" + header + "\": write \"Name: value\"", ""};
    }
    const std::size_t value = header.find_first_not_of(' ', colon + 1);
    writer.key(header.substr(0, colon));
    writer.string(value == std::string::npos ? std::string() : header.substr(value));
  }
  writer.end_object();
  return {};
}

void add(Context& context, TaskOptions& o) {
  if (!o.payload_file.empty()) {
    if (auto read = read_file(o.payload_file, o.payload); !read) return context.fail(read.error());
  }
  if (!o.body_file.empty()) {
    if (auto read = read_file(o.body_file, o.body); !read) return context.fail(read.error());
  }
  std::string headers;
  if (auto read = append_headers(o.headers, headers); !read) return context.fail(read.error());
  Body body;
  body.text("id", o.id).time("delay", o.delay).time("due_at", o.due_at).text("target", o.target);
  body.text("group", o.group).text("lane", o.lane).text("key", o.key);
  body.time("expire_after", o.expire_after).text("on_expire", o.on_expire);
  body.time("merge_within", o.merge_within);
  body.text("if_exists", o.if_exists).raw("payload", o.payload).text("body", o.body);
  body.text("content_type", o.content_type).raw("headers", headers);
  context.run("POST", "/v1/tasks", body.json(), show_task);
}

void cancel(Context& context, const TaskOptions& o) {
  if (o.ids.size() == 1) {
    Query query;
    query.add("retries", o.retries);
    return context.run("DELETE", "/v1/tasks/" + percent_encoded(o.ids[0]) + query.text(), {},
                       show_task);
  }
  std::string body;
  JsonWriter json(body);
  json.begin_object().key("ids").begin_array();
  for (const std::string& id : o.ids) json.string(id);
  json.end_array();
  if (!o.retries.empty()) json.key("retries").string(o.retries);
  json.end_object();
  context.run("POST", "/v1/tasks:batchCancel", body, [&context](std::string_view answer) {
    std::cout << format_table(answer, {});
    const std::string failed = member(answer, "failed");
    if (!failed.empty() && failed != "0") context.exit_code = kRefused;
  });
}

void move(Context& context, const TaskOptions& o) {
  Body body;
  body.time("delay", o.delay).time("due_at", o.due_at);
  context.run("PATCH", "/v1/tasks/" + percent_encoded(o.id), body.json(), show_task);
}

void list(Context& context, ListOptions& o) {
  do {
    Query query;
    query.add("group", o.group).add("target", o.target).add("state", o.state);
    query.add("due_from", o.due_from).add("due_to", o.due_to);
    query.add("limit", std::to_string(o.limit)).add("cursor", o.cursor);
    o.cursor.clear();
    context.run("GET", "/v1/tasks" + query.text(), {}, [&o](std::string_view body) {
      std::cout << format_table(body, {"id", "state", "due_at", "target", "group", "attempt"});
      const std::string next = member(body, "next_cursor");
      if (next.empty() || next == "-") return;
      if (o.all) o.cursor = next;
      if (!o.all) std::cout << "more: --cursor " << next << '\n';
    });
  } while (!o.cursor.empty() && context.exit_code == kDone);
}

void declare_due(CLI::App& command, TaskOptions& o) {
  auto* due = command.add_option_group("due", "When it is due: exactly one of");
  due->add_option("--delay", o.delay, "From now: 90s, 1m30s, 24h, PT90S, or milliseconds");
  due->add_option("--due-at", o.due_at,
                  "RFC 3339, such as 2027-01-01T09:00:00+01:00, or Unix milliseconds");
  due->require_option(1);
}

void declare_add(CLI::App& app, Context& context) {
  auto o = std::make_shared<TaskOptions>();
  auto* command = app.add_subcommand("add", "Schedule a task");
  declare_due(*command, *o);
  command->add_option("--target", o->target, "Target name or http(s) URL")->required();
  command->add_option("--id", o->id, "Its id; without: one is made");
  auto* content = command->add_option_group("content", "What is pushed: at most one of");
  content->add_option("--payload", o->payload, "Any JSON");
  content->add_option("--payload-file", o->payload_file, "File with JSON; - for standard input");
  content->add_option("--body", o->body, "Text, pushed as it is");
  content->add_option("--body-file", o->body_file, "File with text");
  content->require_option(0, 1);
  command->add_option("--content-type", o->content_type, "Of the body");
  command->add_option("--header", o->headers, "\"Name: value\" for the push; may be repeated")
      ->allow_extra_args(false);
  command->add_option("--group", o->group, "Group, to cancel or shift together");
  command->add_option("--lane", o->lane, "Lane");
  command->add_option("--key", o->key, "In the place of the target's routing key or subject");
  command->add_option("--expire-after", o->expire_after, "Drop if not pushed this long after due");
  command->add_option("--on-expire", o->on_expire, "What becomes of it then: drop or dead");
  command->add_option("--merge-within", o->merge_within,
                      "Push up to so long before due with a task of the same {...} in its id");
  command->add_option("--if-exists", o->if_exists, "What to do with a task of the same id")
      ->check(CLI::IsMember({"reject", "keep", "replace", "earliest", "latest", "once"}));
  command->callback([o, &context] { add(context, *o); });
}

void declare_list(CLI::App& app, Context& context) {
  auto o = std::make_shared<ListOptions>();
  auto* command = app.add_subcommand("list", "List tasks in due order");
  command->add_option("--group", o->group, "Only of this group");
  command->add_option("--target", o->target, "Only of this target");
  command->add_option("--state", o->state, "Only in this state");
  command->add_option("--due-from", o->due_from, "Due at this moment or later");
  command->add_option("--due-to", o->due_to, "Due before this moment");
  command->add_option("--limit", o->limit, "Tasks per page, at most 1000")->capture_default_str();
  command->add_option("--cursor", o->cursor, "What the page before printed after \"more:\"");
  command->add_flag("--all", o->all, "Print all pages");
  command->callback([o, &context] { list(context, *o); });
}

}  // namespace

void declare_task_commands(CLI::App& app, Context& context) {
  declare_add(app, context);
  auto o = std::make_shared<TaskOptions>();

  auto* get = app.add_subcommand("get", "Show a task");
  get->add_option("id", o->id, "Id")->required();
  get->callback(
      [o, &context] { context.run("GET", "/v1/tasks/" + percent_encoded(o->id), {}, show_task); });

  auto* explained = app.add_subcommand("explain", "Say what a task waits for");
  explained->add_option("id", o->id, "Id")->required();
  explained->callback([o, &context] {
    context.run("GET", "/v1/tasks/" + percent_encoded(o->id) + "/explain", {}, show_task);
  });

  auto* told = app.add_subcommand("timeline", "Say what happened to a task");
  told->add_option("id", o->id, "Id")->required();
  told->callback([o, &context] {
    context.run("GET", "/v1/tasks/" + percent_encoded(o->id) + "/timeline", {},
                [](std::string_view body) { std::cout << format_table(body, {}); });
  });

  auto* cancelled = app.add_subcommand("cancel", "Cancel tasks");
  cancelled->add_option("id", o->ids, "Ids")->required();
  cancelled->add_option("--retries", o->retries, "Of tasks that are being pushed: no more attempts")
      ->check(CLI::IsMember({"cancel"}));
  cancelled->callback([o, &context] { cancel(context, *o); });

  auto* pushed = app.add_subcommand("push", "Make a waiting task due now");
  pushed->add_option("id", o->id, "Id")->required();
  pushed->callback([o, &context] {
    context.run("POST", "/v1/tasks/" + percent_encoded(o->id) + ":push", {}, show_task);
  });

  auto* moved = app.add_subcommand("move", "Give a task another due");
  moved->add_option("id", o->id, "Id")->required();
  declare_due(*moved, *o);
  moved->callback([o, &context] { move(context, *o); });

  declare_list(app, context);
}

}  // namespace carillon::client
