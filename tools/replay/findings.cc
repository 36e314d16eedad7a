#include "tools/replay/findings.h"

#include <iostream>

#include <fmt/format.h>

#include "base/json.h"
#include "base/text.h"
#include "storage/note.h"
#include "tools/client/terminal.h"

namespace carillon::replay {

namespace {

constexpr std::size_t kLostTasksShown = 100;

/// What verify finds beyond the inspection.
struct Check {
  SavedTasks tasks;  // those that wait, and the dead letters
  std::uint64_t bad_notes = 0;
  bool sound = false;
};

Check check(Inspection& inspection, ProgressLine& progress) {
  Check check;
  check.tasks = for_each_task(
      *inspection.history, *inspection.salvage,
      [](const Statement& task) { return pending(task) || task.state == State::dead; },
      [](const Statement&, const TaskContent&, std::string_view) { return true; },
      progress.of("reading contents"));
  inspection.salvage->for_each(
      Family::notes,
      [&](std::span<const Row> rows) {
        if (!decode_note(rows.front().bytes)) ++check.bad_notes;
        return true;
      },
      progress.of("reading notes"));
  check.sound = inspection.refusal.empty() && inspection.log_is_whole() &&
                inspection.salvage->damage().empty() && check.tasks.lost.empty() &&
                check.tasks.bad_rows == 0 && check.bad_notes == 0;
  return check;
}

void line(std::string_view name, const std::string& text) {
  std::cout << fmt::format("{:<10} {}\n", name, client::printable(text));
}

void print_log(const Inspection& inspection) {
  const History& history = *inspection.history;
  if (history.batches() == 0) {
    line("log", "empty");
    return;
  }
  line("log", fmt::format("sequences {} to {} in {}, {} KiB", history.first(), history.last(),
                          counted(history.batches(), "batch", "batches"), history.bytes() >> 10));
  line("from", format_moment(history.first_at()));
  line("to", format_moment(history.last_at()));
  line("synced", inspection.synced ? fmt::format("up to sequence {}", *inspection.synced)
                                   : std::string("unknown: no mark"));
}

void print_findings(const Inspection& inspection, const Check& check) {
  for (const Damage& damage : inspection.salvage->damage()) {
    line("damaged", damage.file + ": " + damage.what);
  }
  for (const Damage& end : inspection.salvage->torn_ends()) {
    line("torn end", end.file + ": " + end.what);
  }
  for (const LostRange& range : inspection.history->lost()) {
    line("lost", fmt::format("sequences {} to {}", range.first, range.last));
  }
  for (const std::string& row : inspection.history->bad_rows()) line("damaged", row);
  line("contents", fmt::format("{} of tasks that wait and of dead letters are there, {} lost",
                               grouped(check.tasks.saved), grouped(check.tasks.lost.size())));
  std::size_t shown = 0;
  for (const ContentLost& lost : check.tasks.lost) {
    if (shown++ == kLostTasksShown) {
      line("lost", grouped(check.tasks.lost.size() - kLostTasksShown) + " more; --json has all");
      break;
    }
    line("lost", fmt::format("the content of task number {} ({}, due {}): {}", lost.task.number,
                             name_of(lost.task.state), format_moment(lost.task.due), lost.why));
  }
  if (check.bad_notes > 0) line("damaged", counted(check.bad_notes, "note", "notes"));
  line("carillond",
       inspection.refusal.empty() ? "would start on it" : "would not start: " + inspection.refusal);
  line("result", check.sound ? "sound" : "damaged");
}

void write_ranges(JsonWriter& json, const std::vector<LostRange>& ranges) {
  json.begin_array();
  for (const LostRange& range : ranges) {
    json.begin_array().unsigned_integer(range.first).unsigned_integer(range.last).end_array();
  }
  json.end_array();
}

void write_damage(JsonWriter& json, const std::vector<Damage>& list) {
  json.begin_array();
  for (const Damage& damage : list) {
    json.begin_object().key("file").string(damage.file).key("what").string(damage.what);
    json.end_object();
  }
  json.end_array();
}

void write_log(JsonWriter& json, const Inspection& inspection) {
  const History& history = *inspection.history;
  json.key("directory").string(inspection.dir.path);
  json.key("first_sequence").unsigned_integer(history.first());
  json.key("last_sequence").unsigned_integer(history.last());
  json.key("synced_sequence");
  inspection.synced ? json.unsigned_integer(*inspection.synced) : json.null();
  json.key("from").moment(history.first_at());
  json.key("to").moment(history.last_at());
  json.key("batches").unsigned_integer(history.batches());
  write_ranges(json.key("lost_sequences"), history.lost());
}

void write_findings(JsonWriter& json, const Inspection& inspection, const Check& check) {
  json.key("sound").boolean(check.sound);
  json.key("server_would_start").boolean(inspection.refusal.empty());
  if (!inspection.refusal.empty()) json.key("refusal").string(inspection.refusal);
  write_damage(json.key("damage"), inspection.salvage->damage());
  write_damage(json.key("torn_ends"), inspection.salvage->torn_ends());
  json.key("damaged_rows").begin_array();
  for (const std::string& row : inspection.history->bad_rows()) json.string(row);
  json.end_array();
  json.key("damaged_notes").unsigned_integer(check.bad_notes);
  json.key("contents").unsigned_integer(check.tasks.saved);
  json.key("lost_contents").begin_array();
  for (const ContentLost& lost : check.tasks.lost) {
    json.begin_object().key("number").unsigned_integer(lost.task.number);
    json.key("state").string(name_of(lost.task.state)).key("due_at").moment(lost.task.due);
    json.key("why").string(lost.why).end_object();
  }
  json.end_array();
}

struct DueRange {
  std::optional<WallTime> earliest;
  std::optional<WallTime> latest;
};

DueRange due_range(Shard& shard) {
  DueRange range;
  for (std::uint32_t position = 0; position < shard.positions(); ++position) {
    const auto task = shard.at(position);
    if (!task || !waits(task->state)) continue;
    range.earliest = std::min(range.earliest.value_or(task->due), task->due);
    range.latest = std::max(range.latest.value_or(task->due), task->due);
  }
  return range;
}

void write_summary(JsonWriter& json, Inspection& inspection) {
  Shard& shard = inspection.history->shard();
  json.key("tasks").begin_object();
  for (int state = 0; state < kStates; ++state) {
    json.key(kStateNames[state]).unsigned_integer(shard.counts()[static_cast<std::size_t>(state)]);
  }
  json.end_object();
  const DueRange due = due_range(shard);
  if (due.earliest) json.key("earliest_due").moment(*due.earliest);
  if (due.latest) json.key("latest_due").moment(*due.latest);
  json.key("targets").begin_array();
  for (const auto* target : shard.named_targets()) {
    json.begin_object().key("name").string(target->settings.name);
    json.key("paused").boolean(target->settings.paused);
    json.key("tasks").unsigned_integer(target->unfinished).end_object();
  }
  json.end_array();
  json.key("records").begin_object();
  for (std::size_t kind = 0; kind < kRecordKinds; ++kind) {
    json.key(kRecordNames[kind]).unsigned_integer(inspection.history->records()[kind]);
  }
  json.end_object();
}

void print_summary(Inspection& inspection) {
  Shard& shard = inspection.history->shard();
  for (int state = 0; state < kStates; ++state) {
    const std::uint64_t count = shard.counts()[static_cast<std::size_t>(state)];
    if (count > 0) line(kStateNames[state], counted(count, "task", "tasks"));
  }
  const DueRange due = due_range(shard);
  if (due.earliest) {
    line("due", format_moment(*due.earliest) + " to " + format_moment(*due.latest));
  }
  for (const auto* target : shard.named_targets()) {
    line("target", fmt::format("{}: {} not finished{}", target->settings.name,
                               counted(target->unfinished, "task", "tasks"),
                               target->settings.paused ? ", paused" : ""));
  }
  for (std::size_t kind = 0; kind < kRecordKinds; ++kind) {
    const std::uint64_t count = inspection.history->records()[kind];
    if (count > 0) line("records", fmt::format("{} {}", grouped(count), kRecordNames[kind]));
  }
}

}  // namespace

int verify(Inspection& inspection, OutputForm form, ProgressLine& progress) {
  const Check found = check(inspection, progress);
  if (form == OutputForm::text) {
    line("directory", inspection.dir.path);
    print_log(inspection);
    print_findings(inspection, found);
  } else {
    std::string text;
    JsonWriter json(text);
    json.begin_object();
    write_log(json, inspection);
    write_findings(json, inspection, found);
    json.end_object();
    client::print_raw(text + '\n');
  }
  return found.sound ? kDone : kLost;
}

int summarize(Inspection& inspection, OutputForm form) {
  if (form == OutputForm::text) {
    line("directory", inspection.dir.path);
    print_log(inspection);
    print_summary(inspection);
    for (const LostRange& range : inspection.history->lost()) {
      line("lost", fmt::format("sequences {} to {}", range.first, range.last));
    }
  } else {
    std::string text;
    JsonWriter json(text);
    json.begin_object();
    write_log(json, inspection);
    write_summary(json, inspection);
    json.end_object();
    client::print_raw(text + '\n');
  }
  return inspection.log_is_whole() ? kDone : kLost;
}

}  // namespace carillon::replay
