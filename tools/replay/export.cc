#include "tools/replay/export.h"

#include <cstdio>
#include <fstream>
#include <iostream>

#include "api/task_json.h"
#include "storage/bytes.h"
#include "tools/replay/task_line.h"

namespace carillon::replay {

std::string task_line(const Statement& task, const TaskContent& content) {
  TaskView view;
  view.state = task.state;
  view.due_at = task.asked_due;
  view.content = content;
  std::string line;
  JsonWriter json(line);
  append_task(json, view, TaskDetail::import, Secrets::shown);
  return line;
}

int export_tasks(Inspection& inspection, const std::string& output, ProgressLine& progress) {
  const std::string draft = output + ".part";
  std::ofstream file;
  if (!output.empty()) file.open(draft, std::ios::binary | std::ios::trunc);
  std::ostream& out = output.empty() ? std::cout : file;
  const SavedTasks tasks = for_each_task(
      *inspection.history, *inspection.salvage, pending,
      [&](const Statement& task, const TaskContent& content, std::string_view) {
        out << task_line(task, content) << '\n';
        return out.good();
      },
      progress.of("reading contents"));
  out.flush();
  if (!output.empty()) file.close();
  if (!out.good() || (!output.empty() && std::rename(draft.c_str(), output.c_str()) != 0)) {
    return fail(storage_error("cannot write " + (output.empty() ? "standard output" : output)));
  }
  std::cerr << "exported " << counted(tasks.saved, "task", "tasks") << '\n';
  report_losses(inspection, tasks);
  return inspection.log_is_whole() && tasks.lost.empty() ? kDone : kLost;
}

}  // namespace carillon::replay
