#include "tools/replay/saved_tasks.h"

#include <algorithm>

#include "engine/lane_changes.h"
#include "storage/content.h"
#include "storage/note.h"

namespace carillon::replay {

namespace {

struct Wanted {
  TaskNumber number = 0;
  std::uint32_t position = 0;
  friend bool operator<(const Wanted& a, const Wanted& b) { return a.number < b.number; }
};

std::vector<Wanted> choose(Shard& shard, const std::function<bool(const Statement&)>& wanted) {
  std::vector<Wanted> chosen;
  for (std::uint32_t position = 0; position < shard.positions(); ++position) {
    const auto task = shard.at(position);
    if (task && wanted(*task)) chosen.push_back({task->number, position});
  }
  std::sort(chosen.begin(), chosen.end());
  return chosen;
}

}  // namespace

SavedTasks for_each_task(
    History& history, Salvage& salvage, const std::function<bool(const Statement&)>& wanted,
    const std::function<bool(const Statement&, const TaskContent&, std::string_view row)>& visit,
    const Progress& progress) {
  SavedTasks result;
  Shard& shard = history.shard();
  const std::vector<Wanted> chosen = choose(shard, wanted);
  auto next = chosen.begin();
  const auto lose_before = [&](TaskNumber number) {
    for (; next != chosen.end() && next->number < number; ++next) {
      result.lost.push_back({*shard.at(next->position), "missing"});
    }
  };
  bool going = true;
  salvage.for_each(
      Family::contents,
      [&](std::span<const Row> rows) {
        const TaskNumber number = rows.front().number;
        lose_before(number);
        const bool is_wanted = next != chosen.end() && next->number == number;
        std::string why;
        for (const Row& row : rows) {
          auto content = decode_content(row.bytes);
          if (!content) {
            why = content.error().detail;
            continue;
          }
          if (!is_wanted) return true;
          const Statement task = *shard.at((next++)->position);
          ++result.saved;
          name_true_lane(shard.lanes(), task, *content);
          going = visit(task, *content, row.bytes);
          return going;
        }
        ++result.bad_rows;
        if (is_wanted) result.lost.push_back({*shard.at((next++)->position), why});
        return true;
      },
      progress);
  if (going) lose_before(UINT64_MAX);
  return result;
}

SavedTasks for_each_task_kept(
    History& history, Salvage& salvage,
    const std::function<bool(const Statement&, const TaskContent&, std::string_view row)>& visit,
    const Progress& progress) {
  SavedTasks tasks =
      for_each_task(history, salvage, [](const Statement&) { return true; }, visit, progress);
  std::erase_if(tasks.lost, [](const ContentLost& lost) {
    return lost.task.state != State::dead && !pending(lost.task);
  });
  return tasks;
}

void for_each_note(
    Salvage& salvage,
    const std::function<bool(TaskNumber number, std::string_view row, Note note)>& visit,
    const Progress& progress) {
  salvage.for_each(
      Family::notes,
      [&](std::span<const Row> rows) {
        for (const Row& row : rows) {
          Result<Note> note = decode_note(row.bytes);
          if (note) return visit(row.number, row.bytes, *std::move(note));
        }
        return true;
      },
      progress);
}

}  // namespace carillon::replay
