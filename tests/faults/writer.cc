#include "tests/faults/writer.h"

#include <array>

#include <gtest/gtest.h>

#include "tests/end_to_end/json_find.h"

namespace carillon::test {
namespace {

constexpr std::size_t kLiveMax = 1500;  // over it, rather cancel than add
constexpr std::size_t kGroupMax = 150;
constexpr Millis kSoon{1500};
constexpr Millis kFar = std::chrono::hours(1);
/// A task that is due later than this from now cannot have been fired when an answer comes.
constexpr Millis kSafelyAhead = std::chrono::seconds(10);

std::string millis_text(WallTime due) {
  return std::to_string(due.time_since_epoch().count());
}

}  // namespace

Writer::Writer(ServerAddress& address, SharedLedger& ledger, Options options)
    : caller_(address, options.served),
      ledger_(ledger),
      options_(std::move(options)),
      random_(options_.seed) {}

std::uint64_t Writer::up_to(std::uint64_t most) {
  return std::uniform_int_distribution<std::uint64_t>(1, most)(random_);
}

void Writer::step() {
  // In the order of the cases: how often each kind of call is made.
  static constexpr std::array<double, 10> kOften = {20, 20, 5, 12, 8, 12, 8, 8, 2, 3};
  std::discrete_distribution<int> kinds(kOften.begin(), kOften.end());
  const int kind = live_.size() > kLiveMax ? 4 : kinds(random_);
  if (kind > 2 && live_.empty()) return add(1);
  switch (kind) {
    case 0:
      return add(1);
    case 1:
      return add(1 + up_to(8));
    case 2:
      return add_again();
    case 3:
      return cancel(1);
    case 4:
      return cancel(1 + up_to(8));
    case 5:
      return move();
    case 6:
      return up_to(2) == 1 ? change() : look();
    case 7:
      return replace();
    case 8:
      return cancel_group();
    default:
      if (groups_.empty()) return look();
      return shift_group(groups_[up_to(groups_.size()) - 1],
                         up_to(2) == 1 ? Millis(up_to(5000)) : -Millis(up_to(1800'000)));
  }
}

Millis Writer::random_delay(bool far) {
  const auto most = static_cast<std::uint64_t>((far && up_to(3) == 1 ? kFar : kSoon).count());
  return Millis(up_to(most));
}

Writer::Task Writer::plan(const Group* group) {
  Task task;
  const std::string name = "w" + std::to_string(options_.number) + "-" + std::to_string(++made_);
  task.id = name;
  task.payload = "\"" + name + "\"";
  if (group != nullptr) {
    task.group = group->name;
    task.group_number = group->number;
  }
  task.asked_at = wall_now_up();
  task.due = task.asked_at + random_delay(group != nullptr);
  task.by_url = group == nullptr && up_to(8) == 1;
  return task;
}

void Writer::enter(Task& task) {
  task.entry = ledger_([&](Ledger& ledger) {
    return ledger.add_asked({.id = task.id,
                             .body = hash_of_payload(task.payload),
                             .due = task.due,
                             .group = task.group_number});
  });
}

std::string Writer::add_body(const Task& task, std::string_view more) const {
  std::string body = R"({"id":")" + task.id + R"(","due_at":)" + millis_text(task.due) +
                     R"(,"target":")" + (task.by_url ? options_.url : options_.target) +
                     R"(","payload":)" + task.payload;
  if (!task.group.empty()) body += R"(,"group":")" + task.group + '"';
  if (task.by_url) body += R"(,"retry":{"max_attempts":1000,"backoff_min":10,"backoff_max":200})";
  return body.append(more) + "}";
}

void Writer::add(std::size_t count) {
  if (groups_.empty() || groups_.back().members >= kGroupMax) {
    const std::uint64_t number = (std::uint64_t{options_.number} << 32) + ++made_;
    groups_.push_back({"g" + std::to_string(number), number, 0});
  }
  std::vector<Task> tasks;
  std::string body = "[";
  for (std::size_t i = 0; i < count; ++i) {
    const bool grouped = up_to(2) == 1;
    if (grouped) ++groups_.back().members;
    tasks.push_back(plan(grouped ? &groups_.back() : nullptr));
    enter(tasks.back());
    body += (i > 0 ? "," : "") + add_body(tasks.back());
  }
  body += "]";
  const Answer answer = count == 1 ? caller_.call("POST", "/v1/tasks", add_body(tasks.front()))
                                   : caller_.call("POST", "/v1/tasks:batchCreate", body);
  for (std::size_t i = 0; i < count; ++i) {
    Task& task = tasks[i];
    std::int64_t status = 0;
    if (answer) {
      const std::string pointer = "/results/" + std::to_string(i) + "/status";
      status =
          count == 1 ? static_cast<std::int64_t>(answer->status) : number_at(answer->body, pointer);
    }
    if (!answer || caller_.is_unanswered(status)) {
      find_out_add(task);
    } else {
      EXPECT_EQ(status, 201) << answer->body;
      settle_add(task, static_cast<unsigned>(status), answer->body);
    }
    live_.push_back(std::move(task));
  }
}

/// Cancelled, its id is free again.
void Writer::add_again() {
  if (free_ids_.empty()) return add(1);
  Task task = plan(nullptr);
  task.id = std::move(free_ids_.back());
  free_ids_.pop_back();
  enter(task);
  const Answer answer = caller_.call("POST", "/v1/tasks", add_body(task));
  if (answer) {
    EXPECT_EQ(answer->status, 201U) << answer->body;
    settle_add(task, answer->status, answer->body);
  } else {
    find_out_add(task);
  }
  live_.push_back(std::move(task));
}

Writer::Index Writer::pick() {
  Index index = up_to(live_.size()) - 1;
  // What was due long ago is finished, mostly: of these only one in eight is asked about.
  while (live_.size() > 1 && live_[index].due + Millis(200) < wall_now_up() && up_to(8) > 1) {
    drop(index);
    index = up_to(live_.size()) - 1;
  }
  return index;
}

void Writer::drop(Index index) {
  std::swap(live_[index], live_.back());
  live_.pop_back();
}

void Writer::cancel(std::size_t count) {
  std::vector<Task> tasks;
  std::string body;
  for (std::size_t i = 0; i < count && !live_.empty(); ++i) {
    const Index index = pick();
    tasks.push_back(live_[index]);
    drop(index);
    ledger_([&](Ledger& ledger) { ledger.cancel_asked(tasks.back().entry); });
    body += (i > 0 ? ",\"" : "\"") + tasks.back().id + '"';
  }
  const bool one = count == 1;
  const Answer answer =
      one ? caller_.call("DELETE", "/v1/tasks/" + tasks.front().id)
          : caller_.call("POST", "/v1/tasks:batchCancel", R"({"ids":[)" + body + "]}");
  for (std::size_t i = 0; i < tasks.size(); ++i) {
    const std::string pointer = one ? "" : "/results/" + std::to_string(i);
    std::int64_t status = 0;
    if (answer) {
      status = one ? static_cast<std::int64_t>(answer->status)
                   : number_at(answer->body, pointer + "/status");
    }
    if (!answer || caller_.is_unanswered(status)) {
      find_out_cancel(tasks[i]);
    } else {
      settle_cancel(tasks[i], static_cast<unsigned>(status), answer->body, pointer);
    }
  }
}

void Writer::move() {
  const Index index = pick();
  Task& task = live_[index];
  const WallTime due = wall_now_up() + random_delay(!task.group.empty());
  ledger_([&](Ledger& ledger) { ledger.move_asked(task.entry, due); });
  const Answer answer =
      caller_.call("PATCH", "/v1/tasks/" + task.id, R"({"due_at":)" + millis_text(due) + "}");
  if (answer) {
    settle_move(task, due, *answer);
  } else {
    find_out_move(task, due);
  }
}

/// The same task with another payload and due, which the ledger takes for another task.
Writer::Task Writer::successor(const Task& old) {
  Task fresh = old;
  fresh.payload = "\"" + old.id + "-" + std::to_string(++made_) + "\"";
  fresh.asked_at = wall_now_up();
  fresh.due = fresh.asked_at + random_delay(!old.group.empty());
  fresh.due_known = true;
  enter(fresh);
  ledger_([&](Ledger& ledger) { ledger.cancel_asked(old.entry); });
  return fresh;
}

Writer::Answer Writer::ask_for_successor(const Task& old, const Task& fresh, bool by_replacing) {
  if (by_replacing)
    return caller_.call("POST", "/v1/tasks", add_body(fresh, R"(,"if_exists":"replace")"));
  return caller_.call(
      "PATCH", "/v1/tasks/" + old.id,
      R"({"due_at":)" + millis_text(fresh.due) + R"(,"payload":)" + fresh.payload + "}");
}

void Writer::change() {
  const Index index = pick();
  Task fresh = successor(live_[index]);
  if (const Answer answer = ask_for_successor(live_[index], fresh, false)) {
    settle_successor(live_[index], fresh, *answer);
  } else {
    find_out_successor(live_[index], fresh, false);
  }
}

void Writer::replace() {
  const Index index = pick();
  Task fresh = successor(live_[index]);
  if (const Answer answer = ask_for_successor(live_[index], fresh, true)) {
    settle_successor(live_[index], fresh, *answer);
  } else {
    find_out_successor(live_[index], fresh, true);
  }
}

/// What is due far ahead must be there, just as it was asked for.
void Writer::look() {
  const Task& task = live_[pick()];
  const WallTime before = wall_now_up();
  const auto is_as_asked = [&](const client::ApiAnswer& seen) {
    return text_at(seen.body, "/state") == "scheduled" &&
           text_at(seen.body, "/due_at") == format_moment(task.due) &&
           '"' + text_at(seen.body, "/payload") + '"' == task.payload;
  };
  const bool waits = task.due >= before + kSafelyAhead;
  const Answer answer = caller_.look("/v1/tasks/" + task.id, [&](const client::ApiAnswer& seen) {
    return !task.due_known || (waits ? is_as_asked(seen) : seen.status == 200);
  });
  if (!answer || !task.due_known) return;
  must_be_there(task, answer->status);
  if (answer->status == 200 && waits) {
    EXPECT_TRUE(is_as_asked(*answer)) << format_moment(task.due) << answer->body;
  }
}

}  // namespace carillon::test
