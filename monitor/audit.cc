#include "monitor/audit.h"

#include <algorithm>
#include <fstream>
#include <utility>

#include <rocksdb/env.h>

#include "base/json.h"
#include "base/json_syntax.h"
#include "base/log.h"
#include "storage/data_dir.h"

namespace carillon {
namespace {

constexpr std::size_t kDepthMax = 64;

std::string path_of(const std::string& data_dir) {
  return data_dir + "/audit";
}

}  // namespace

Audit::Audit(std::string data_dir) : data_dir_(std::move(data_dir)) {
  std::ifstream file(path_of(data_dir_));
  for (std::string line; std::getline(file, line);) {
    if (check_json(line, kDepthMax)) lines_.push_back(std::move(line));
  }
  while (lines_.size() > kEntriesMax) lines_.pop_front();
}

Audit::~Audit() {
  worker_.close();
}

void Audit::note(const Entry& entry) {
  std::string line;
  JsonWriter json(line);
  json.begin_object().key("at").moment(entry.at);
  if (!entry.who.empty()) json.key("who").string(entry.who);
  json.key("action").string(entry.action);
  if (!entry.of.empty()) json.key("of").string(entry.of);
  json.key("status").unsigned_integer(entry.status);
  if (!entry.result.empty()) json.key("result").raw(entry.result);
  json.end_object();
  const std::lock_guard lock(mutex_);
  lines_.push_back(std::move(line));
  if (lines_.size() > kEntriesMax) lines_.pop_front();
  if (!std::exchange(saving_, true)) worker_.post([this] { save(); });
}

void Audit::save() {
  std::string whole;
  {
    const std::lock_guard lock(mutex_);
    saving_ = false;
    for (const std::string& line : lines_) whole.append(line).append("\n");
  }
  const auto written = write_file(rocksdb::Env::Default(), data_dir_, path_of(data_dir_), whole);
  if (!written) log_warning("the audit could not be written", {{"why", written.error().detail}});
}

std::vector<std::string> Audit::last(std::size_t limit) const {
  const std::lock_guard lock(mutex_);
  const auto count = static_cast<std::ptrdiff_t>(std::min(limit, lines_.size()));
  return {lines_.rbegin(), lines_.rbegin() + count};
}

}  // namespace carillon
