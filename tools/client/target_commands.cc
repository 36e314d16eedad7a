// carillon target list, show, put, delete, pause, resume, test.

#include <iostream>
#include <limits>
#include <memory>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>

#include "base/json.h"
#include "tools/client/command.h"
#include "tools/client/files.h"
#include "tools/client/table.h"

namespace carillon::client {
namespace {

struct TargetOptions {
  std::string name, file, kind, url, method, timeout, backoff_min, backoff_max;
  // Of brokers.
  std::string stream, exchange, routing_key, subject, username, password_file, password_env,
      creds_file;
  std::string topic, acks, sasl_mechanism;
  std::vector<std::string> brokers, keys;
  std::string persistent, mandatory;  // true or false
  std::string concurrency, rate, batch_tasks, max_attempts, maxlen,
      replicas;  // digits, checked by CLI11
  bool force = false;

  [[nodiscard]] std::string path() const { return "/v1/targets/" + percent_encoded(name); }
};

/// Empty where there are none.
std::string array_of(const std::vector<std::string>& texts) {
  std::string out;
  if (texts.empty()) return out;
  JsonWriter json(out);
  json.begin_array();
  for (const std::string& text : texts) json.string(text);
  json.end_array();
  return out;
}

void show(std::string_view body) {
  std::cout << format_fields(body);
}

/// The settings that were named on the command line.
std::string named(const TargetOptions& o) {
  Body retry;
  retry.raw("max_attempts", o.max_attempts);
  retry.time("backoff_min", o.backoff_min).time("backoff_max", o.backoff_max);
  Body rate;
  rate.raw("limit", o.rate);
  Body batch;
  batch.raw("tasks_max", o.batch_tasks);
  Body body;
  body.text("kind", o.kind).text("url", o.url).text("method", o.method);
  body.text("stream", o.stream).raw("maxlen", o.maxlen).raw("replicas", o.replicas);
  body.text("exchange", o.exchange).text("routing_key", o.routing_key);
  body.text("subject", o.subject).text("creds_file", o.creds_file).raw("keys", array_of(o.keys));
  body.raw("brokers", array_of(o.brokers)).text("topic", o.topic).text("acks", o.acks);
  body.text("sasl_mechanism", o.sasl_mechanism);
  body.raw("persistent", o.persistent).raw("mandatory", o.mandatory);
  body.text("username", o.username).text("password_file", o.password_file);
  body.text("password_env", o.password_env).time("timeout", o.timeout);
  body.raw("concurrency", o.concurrency);
  if (!rate.empty()) body.raw("rate", rate.text("per", "1s").json());
  if (!batch.empty()) body.raw("batch", batch.json());
  if (!retry.empty()) body.raw("retry", retry.json());
  return body.json();
}

/// With --file the whole of it, else what is named: of the target that is there, or of a new one.
void put(Context& context, const TargetOptions& o) {
  constexpr unsigned kNotFound = 404;
  if (!o.file.empty()) {
    if (named(o) != "{}") return context.fail({"usage", "--file goes with no other setting", ""});
    std::string settings;
    if (auto read = read_file(o.file, settings); !read) return context.fail(read.error());
    return context.run("PUT", o.path(), settings, show);
  }
  const std::string settings = named(o);
  if (settings == "{}") return context.fail({"usage", "name a setting, or give --file", ""});
  const auto answer = context.call("PATCH", o.path(), settings);
  if (!answer) return;
  if (answer->status != kNotFound) return context.show(*answer, show);
  if (o.url.empty() && o.brokers.empty()) {
    return context.fail({"usage", "there is no target " + o.name + "; --url makes one", ""});
  }
  context.run("PUT", o.path(), settings, show);
}

void declare_broker_options(CLI::App& made, TargetOptions& o) {
  made.add_option("--stream", o.stream, "redis: the stream that gets an entry for each task");
  made.add_option("--maxlen", o.maxlen, "redis: keep about this many entries; 0 keeps all")
      ->check(CLI::Range(0, std::numeric_limits<int>::max()));
  made.add_option("--replicas", o.replicas, "redis: how many replicas must have an entry")
      ->check(CLI::Range(0, 100));
  made.add_option("--exchange", o.exchange, "amqp: the exchange that messages go to");
  made.add_option("--routing-key", o.routing_key,
                  "amqp: their routing key; without an exchange the name of the queue");
  made.add_option("--persistent", o.persistent, "amqp: messages outlive a restart of the broker")
      ->check(CLI::IsMember({"true", "false"}));
  made.add_option("--mandatory", o.mandatory, "amqp: a message that no queue takes has failed")
      ->check(CLI::IsMember({"true", "false"}));
  made.add_option("--subject", o.subject, "nats: the subject that messages go to");
  made.add_option("--keys", o.keys,
                  "amqp, nats: a pattern of keys that tasks may name, such as 'order.*'")
      ->allow_extra_args(false);
  made.add_option("--creds-file", o.creds_file,
                  "nats: a credentials file, in place of user name and password");
  made.add_option("--brokers", o.brokers, "kafka: a broker, HOST:PORT; again for more")
      ->allow_extra_args(false);
  made.add_option("--topic", o.topic, "kafka: the topic that messages go to");
  made.add_option("--acks", o.acks, "kafka: whose answer counts")
      ->check(CLI::IsMember({"all", "1"}));
  made.add_option("--sasl-mechanism", o.sasl_mechanism, "kafka: how the user name logs in")
      ->check(CLI::IsMember({"PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"}));
  made.add_option("--username", o.username, "of a queue: the user name to log in with");
  made.add_option("--password-file", o.password_file, "of a queue: a file that holds the password");
  made.add_option("--password-env", o.password_env,
                  "of a queue: an environment variable that holds the password");
}

}  // namespace

void declare_target_commands(CLI::App& app, Context& context) {
  auto o = std::make_shared<TargetOptions>();
  auto* target = app.add_subcommand("target", "Where due tasks are pushed");
  target->require_subcommand(1);

  auto* listed = target->add_subcommand("list", "List targets");
  listed->callback([&context] {
    std::string cursor;
    do {
      const Query query = Query().add("limit", "1000").add("cursor", cursor);
      cursor.clear();
      context.run("GET", "/v1/targets" + query.text(), {}, [&cursor](std::string_view body) {
        std::cout << format_table(body, {"name", "url", "concurrency", "paused", "waiting"});
        cursor = member(body, "next_cursor");
        if (cursor == "-") cursor.clear();
      });
    } while (!cursor.empty() && context.exit_code == kDone);
  });
  auto* shown = target->add_subcommand("show", "Show one");
  shown->callback([o, &context] { context.run("GET", o->path(), {}, show); });
  auto* made = target->add_subcommand("put", "Make one, or change what is named of one");
  made->add_option("--url", o->url, "Where it is pushed to");
  made->add_option("--kind", o->kind, "http (the default), redis, amqp, nats or kafka");
  made->add_option("--file", o->file,
                   "Its whole settings as JSON, which replace all others; - for standard input");
  made->add_option("--method", o->method, "HTTP method of the push");
  made->add_option("--timeout", o->timeout, "Of a whole push, such as 15s");
  made->add_option("--concurrency", o->concurrency, "Pushes under way at once")
      ->check(CLI::Range(1, 10'000));
  made->add_option("--rate", o->rate, "Tasks that begin to be pushed, each second")
      ->check(CLI::Range(1, 1'000'000));
  made->add_option("--batch-tasks", o->batch_tasks, "Tasks that go together in one push")
      ->check(CLI::Range(1, 10'000));
  made->add_option("--max-attempts", o->max_attempts, "Pushes in all before it is a dead letter")
      ->check(CLI::Range(1, 1000));
  made->add_option("--backoff-min", o->backoff_min, "Pause before the second attempt");
  made->add_option("--backoff-max", o->backoff_max, "Longest pause");
  declare_broker_options(*made, *o);
  made->callback([o, &context] { put(context, *o); });
  auto* deleted = target->add_subcommand("delete", "Delete one");
  deleted->add_flag("--force", o->force, "Even if tasks name it; they become dead letters");
  deleted->callback(
      [o, &context] { context.run("DELETE", o->path() + (o->force ? "?force" : ""), {}, show); });
  auto* paused = target->add_subcommand("pause", "Push nothing to it until it is resumed");
  paused->callback([o, &context] { context.run("POST", o->path() + ":pause", {}, show); });
  auto* resumed = target->add_subcommand("resume", "Push to it again");
  resumed->callback([o, &context] { context.run("POST", o->path() + ":resume", {}, show); });

  auto* tested = target->add_subcommand("test", "Push a test task to it and show what it answered");
  tested->callback([o, &context] { context.run("POST", o->path() + ":test", {}, show); });

  for (CLI::App* command : {shown, made, deleted, paused, resumed, tested}) {
    command->add_option("name", o->name, "Name")->required();
  }
}

}  // namespace carillon::client
