// Histories: a ledger's calls as text.
#include <algorithm>
#include <istream>
#include <ranges>
#include <sstream>
#include <unordered_map>

#include "tests/support/ledger.h"

namespace carillon::test {
namespace {

void read_field(std::istream& line, WallTime& time) {
  std::int64_t count = 0;
  line >> count;
  time = WallTime(Millis(count));
}
void read_field(std::istream& line, Millis& duration) {
  std::int64_t count = 0;
  line >> count;
  duration = Millis(count);
}
void read_field(std::istream& line, Ledger::Micros& time) {
  std::int64_t count = 0;
  line >> count;
  time = Ledger::Micros(std::chrono::microseconds(count));
}
void read_field(std::istream& line, State& state) {
  std::string name;
  line >> name;
  const auto* const found = std::ranges::find(kStateNames, name);
  if (found == std::ranges::end(kStateNames)) line.setstate(std::ios::failbit);
  state = static_cast<State>(found - std::ranges::begin(kStateNames));
}
template <typename Plain>
void read_field(std::istream& line, Plain& value) {
  line >> value;
}

/// The rest of the line, which must be these fields and nothing more.
template <typename... Fields>
bool read(std::istream& line, Fields&... fields) {
  (read_field(line, fields), ...);
  std::string more;
  return !line.fail() && !(line >> more);
}

}  // namespace

/// Reads the rest of one line and makes its call; false where the line does not hold one.
class Ledger::Reader {
 public:
  using Call = bool (*)(Ledger&, std::istream&);

  static Call find(const std::string& name) {
    static const std::unordered_map<std::string_view, Call> calls = {
        {"add_asked", add_asked},
        {"add_asked_again", about_task<&Ledger::add_asked_again>},
        {"add_answered", yes_or_no<&Ledger::add_answered>},
        {"may_be_early", may_be_early},
        {"cancel_asked", about_task<&Ledger::cancel_asked>},
        {"cancel_answered", cancel_answered},
        {"move_asked", move_asked},
        {"move_answered", move_answered},
        {"retries_cancelled", retries_cancelled},
        {"redrive_asked", about_task<&Ledger::redrive_asked>},
        {"redrive_answered", yes_or_no<&Ledger::redrive_answered>},
        {"group_cancel_asked", group_cancel_asked},
        {"group_cancel_answered", group_cancel_answered},
        {"group_shift_asked", group_shift_asked},
        {"group_shift_answered", group_shift_answered},
        {"pushed", pushed},
        {"found", found}};
    const auto call = calls.find(name);
    return call == calls.end() ? nullptr : call->second;
  }

 private:
  static bool add_asked(Ledger& ledger, std::istream& line) {
    std::string id;
    Asked asked;
    std::size_t due_of = 0;
    if (!read(line, id, asked.body, asked.due, asked.group, asked.may_expire, due_of)) return false;
    if (ledger.by_key_.contains({id, asked.body}) || due_of > ledger.tasks()) return false;
    if (due_of > 0) asked.due_of = due_of - 1;
    asked.id = id;
    ledger.add_asked(asked);
    return true;
  }
  template <void (Ledger::*kCall)(Task)>
  static bool about_task(Ledger& ledger, std::istream& line) {
    Task task = 0;
    if (!read(line, task) || task >= ledger.tasks()) return false;
    (ledger.*kCall)(task);
    return true;
  }
  template <void (Ledger::*kCall)(Task, bool)>
  static bool yes_or_no(Ledger& ledger, std::istream& line) {
    Task task = 0;
    bool yes = false;
    if (!read(line, task, yes) || task >= ledger.tasks()) return false;
    (ledger.*kCall)(task, yes);
    return true;
  }
  static bool may_be_early(Ledger& ledger, std::istream& line) {
    Task task = 0;
    Millis by{};
    if (!read(line, task, by) || task >= ledger.tasks()) return false;
    ledger.may_be_early(task, by);
    return true;
  }
  static bool cancel_answered(Ledger& ledger, std::istream& line) {
    Task task = 0;
    bool cancelled = false;
    std::uint32_t attempts = 0;
    Moment at = 0;
    if (!read(line, task, cancelled, attempts, at) || task >= ledger.tasks()) return false;
    ledger.cancel_answered(task, cancelled, attempts, at);
    return true;
  }
  static bool move_asked(Ledger& ledger, std::istream& line) {
    Task task = 0;
    WallTime due{};
    if (!read(line, task, due) || task >= ledger.tasks()) return false;
    ledger.move_asked(task, due);
    return true;
  }
  static bool retries_cancelled(Ledger& ledger, std::istream& line) {
    Task task = 0;
    std::uint32_t attempts = 0;
    if (!read(line, task, attempts) || task >= ledger.tasks()) return false;
    ledger.retries_cancelled(task, attempts);
    return true;
  }

  static bool move_answered(Ledger& ledger, std::istream& line) {
    Task task = 0;
    bool moved = false;
    Moment at = 0;
    if (!read(line, task, moved, at) || task >= ledger.tasks()) return false;
    if (ledger.entries_[task].dues.size() < 2) return false;
    ledger.move_answered(task, moved, at);
    return true;
  }
  static bool group_cancel_asked(Ledger& ledger, std::istream& line) {
    std::uint64_t group = 0;
    if (!read(line, group)) return false;
    ledger.group_cancel_asked(group);
    return true;
  }
  static bool group_cancel_answered(Ledger& ledger, std::istream& line) {
    Operation operation = 0;
    std::uint64_t cancelled = 0, firing = 0;
    Moment at = 0;
    if (!read(line, operation, cancelled, firing, at)) return false;
    if (operation >= ledger.group_cancels_.size()) return false;
    ledger.group_cancel_answered(operation, cancelled, firing, at);
    return true;
  }
  static bool group_shift_asked(Ledger& ledger, std::istream& line) {
    std::uint64_t group = 0;
    Millis by{};
    if (!read(line, group, by)) return false;
    ledger.group_shift_asked(group, by);
    return true;
  }
  static bool group_shift_answered(Ledger& ledger, std::istream& line) {
    std::uint64_t group = 0;
    Millis by{};
    WallTime wall{};
    Moment at = 0;
    if (!read(line, group, by, wall, at)) return false;
    ledger.group_shift_answered(group, by, wall, at);
    return true;
  }
  static bool pushed(Ledger& ledger, std::istream& line) {
    std::string id;
    Push push;
    if (!read(line, id, push.body, push.webhook, push.due, push.at, push.attempt, push.accepted,
              push.seen)) {
      return false;
    }
    push.id = id;
    ledger.pushed(push);
    return true;
  }
  static bool found(Ledger& ledger, std::istream& line) {
    std::string id;
    std::uint64_t body = 0;
    State state{};
    if (!read(line, id, body, state)) return false;
    ledger.found(id, body, state);
    return true;
  }
};

bool Ledger::read_history(std::istream& in, std::string& bad_line) {
  for (std::string text; std::getline(in, text);) {
    std::istringstream line(text);
    std::string name;
    line >> name;
    const auto call = Reader::find(name);
    if (call != nullptr && call(*this, line)) continue;
    bad_line = text;
    return false;
  }
  return true;
}

}  // namespace carillon::test
