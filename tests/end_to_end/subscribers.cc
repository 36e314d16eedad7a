#include "tests/end_to_end/subscribers.h"

#include <gtest/gtest.h>

#include "base/json.h"

namespace carillon::test {

Subscribers::Index Subscribers::plan(std::string id, WallTime due, std::string group,
                                     Millis merge_within) {
  const auto index = static_cast<Index>(tasks_.size());
  std::string payload = "{\"task\":" + std::to_string(index) + "}";
  tasks_.push_back({std::move(id), std::move(group), std::move(payload), due, merge_within});
  return index;
}

bool Subscribers::add(client::ApiClient& api, std::span<const Index> tasks) {
  std::string body;
  for (const Index index : tasks) {
    Task& task = tasks_[index];
    if (!task.asked) {
      task.entry =
          ledger_.add_asked({.id = task.id, .body = load::hash_of(task.payload), .due = task.due});
      if (task.merge_within > Millis(0)) ledger_.may_be_early(task.entry, task.merge_within);
      task.asked = true;
    }
    JsonWriter json(body);
    json.begin_object().key("id").string(task.id).key("due_at").moment(task.due);
    json.key("target").string(target_);
    if (!task.group.empty()) json.key("group").string(task.group);
    if (task.merge_within > Millis(0)) json.key("merge_within").duration(task.merge_within);
    json.key("payload").raw(task.payload).end_object();
    body += '\n';
  }
  const auto answer = api.call("POST", "/v1/tasks:batchCreate", body, "application/x-ndjson");
  if (!answer) return false;
  simdjson::dom::array results;
  const auto failed = parser_.parse(answer->body)["results"].get(results);
  if (failed || results.size() != tasks.size()) {
    ADD_FAILURE() << "batchCreate: " << answer->status << " " << answer->body.substr(0, 500);
    return false;
  }
  std::size_t at = 0;
  for (const auto result : results) {
    std::uint64_t status = 0;
    EXPECT_EQ(result["status"].get(status), simdjson::SUCCESS);
    settle_add(tasks_[tasks[at++]], status);
  }
  ++batches_answered_;
  return true;
}

void Subscribers::settle_add(Task& task, std::uint64_t status) {
  const bool accepted = status == 200 || status == 201;
  EXPECT_TRUE(accepted) << task.id << ": " << status;
  ledger_.add_answered(task.entry, accepted);
  if (!accepted || task.added) return;
  task.added = true;
  ++to_come_;
}

bool Subscribers::cancel(client::ApiClient& api, std::span<const Index> tasks) {
  std::string body;
  JsonWriter json(body);
  json.begin_object().key("ids").begin_array();
  for (const Index index : tasks) {
    ledger_.cancel_asked(tasks_[index].entry);
    json.string(tasks_[index].id);
  }
  json.end_array().end_object();
  const auto answer = api.call("POST", "/v1/tasks:batchCancel", body);
  if (!answer) return false;
  simdjson::dom::array results;
  const auto failed = parser_.parse(answer->body)["results"].get(results);
  if (failed || results.size() != tasks.size()) {
    ADD_FAILURE() << "batchCancel: " << answer->status << " " << answer->body.substr(0, 500);
    return false;
  }
  std::size_t at = 0;
  for (const auto result : results) settle_cancel(tasks_[tasks[at++]], result);
  ++batches_answered_;
  return true;
}

bool Subscribers::cancel_one(client::ApiClient& api, Index index) {
  Task& task = tasks_[index];
  ledger_.cancel_asked(task.entry);
  const auto answer = api.call("DELETE", "/v1/tasks/" + client::percent_encoded(task.id));
  if (!answer) return false;
  simdjson::dom::element result;
  EXPECT_EQ(parser_.parse(answer->body).get(result), simdjson::SUCCESS);
  settle_cancel(task, result);
  return true;
}

// A cancel is answered 200 with the attempts, or 409 with how the task stands; one that is found
// cancelled already was cancelled by the call that had no answer.
void Subscribers::settle_cancel(Task& task, const simdjson::dom::element& result) {
  std::string_view state;
  std::uint64_t attempts = 0;
  if (result["state"].get(state)) state = {};
  if (result["attempts"].get(attempts) && result["attempt"].get(attempts)) attempts = 0;
  EXPECT_FALSE(state.empty()) << task.id << ": " << simdjson::minify(result);
  settle_cancel(task, state == "cancelled", static_cast<std::uint32_t>(attempts));
}

void Subscribers::settle_cancel(Task& task, bool cancelled, std::uint32_t attempts) {
  ledger_.cancel_answered(task.entry, cancelled, attempts);
  if (!cancelled || task.cancelled) return;
  task.cancelled = true;
  --to_come_;
}

std::size_t Subscribers::add_all(client::ApiClient& api, std::span<const Index> tasks,
                                 std::size_t size) {
  std::size_t done = 0;
  while (done < tasks.size()) {
    const auto batch = tasks.subspan(done, std::min(size, tasks.size() - done));
    if (!add(api, batch)) break;
    done += batch.size();
  }
  return done;
}

std::size_t Subscribers::cancel_all(client::ApiClient& api, std::span<const Index> tasks,
                                    std::size_t size) {
  std::size_t done = 0;
  while (done < tasks.size()) {
    const auto batch = tasks.subspan(done, std::min(size, tasks.size() - done));
    if (!cancel(api, batch)) break;
    done += batch.size();
  }
  return done;
}

void Subscribers::take_arrivals(load::Receiver& receiver, const WallTime* clock) {
  for (const load::Arrival& arrival : receiver.take_arrivals()) {
    ledger_.pushed({.id = arrival.task_id,
                    .body = arrival.body_hash,
                    .webhook = arrival.webhook_hash,
                    .due = arrival.due,
                    .at = clock == nullptr ? arrival.at : Ledger::Micros(*clock),
                    .attempt = arrival.attempt,
                    .accepted = arrival.answered < 300});
  }
}

bool Subscribers::take_pending(client::ApiClient& api) {
  std::string lines;
  const auto answer = api.stream("/v1/export", [&lines](std::string_view piece) {
    lines += piece;
    return true;
  });
  if (!answer || !answer->ok()) {
    ADD_FAILURE() << "export: " << (answer ? answer->body : answer.error().detail);
    return false;
  }
  take_pending(lines);
  return true;
}

void Subscribers::take_pending(std::string_view lines) {
  while (!lines.empty()) {
    const std::string_view line = lines.substr(0, lines.find('\n'));
    lines.remove_prefix(std::min(line.size() + 1, lines.size()));
    std::string_view id;
    simdjson::dom::element task, payload;
    if (parser_.parse(line.data(), line.size()).get(task) || task["id"].get(id) ||
        task["payload"].get(payload)) {
      ADD_FAILURE() << "a line of the export is no task: " << line;
      continue;
    }
    ledger_.found(id, load::hash_of(simdjson::minify(payload)), State::scheduled);
  }
}

}  // namespace carillon::test
