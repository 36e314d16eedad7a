#include "tools/load/batch_parser.h"

namespace carillon::load {

const std::vector<BatchedPush>& BatchParser::parse(std::string_view body) {
  tasks_.clear();
  if (!read(body)) tasks_.clear();
  return tasks_;
}

bool BatchParser::read(std::string_view body) {
  copy_.reserve(body.size() + simdjson::SIMDJSON_PADDING);
  copy_.assign(body);
  const simdjson::padded_string_view padded(copy_.data(), copy_.size(), copy_.capacity());
  simdjson::ondemand::document document;
  simdjson::ondemand::array tasks;
  if (parser_.iterate(padded).get(document) != simdjson::SUCCESS) return false;
  if (document["tasks"].get_array().get(tasks) != simdjson::SUCCESS) return false;
  for (auto element : tasks) {
    simdjson::ondemand::object task;
    if (element.get_object().get(task) != simdjson::SUCCESS) return false;
    BatchedPush& push = tasks_.emplace_back();
    std::uint64_t attempt = 0;
    if (task["id"].get_string().get(push.task_id) != simdjson::SUCCESS ||
        task["webhook_id"].get_string().get(push.webhook_id) != simdjson::SUCCESS ||
        task["due_at"].get_string().get(push.due_at) != simdjson::SUCCESS ||
        task["attempt"].get_uint64().get(attempt) != simdjson::SUCCESS) {
      return false;
    }
    push.attempt = static_cast<std::uint32_t>(attempt);
    // Where it has none, it has none.
    simdjson::ondemand::value payload;
    if (task["payload"].get(payload) != simdjson::SUCCESS ||
        simdjson::to_json_string(payload).get(push.payload) != simdjson::SUCCESS) {
      push.payload = {};
    }
  }
  return true;
}

}  // namespace carillon::load
