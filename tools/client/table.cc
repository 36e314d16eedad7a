#include "tools/client/table.h"

#include <algorithm>
#include <vector>

#include <fmt/format.h>
#include <simdjson.h>

#include "base/text.h"
#include "tools/client/terminal.h"

namespace carillon::client {
namespace {

namespace dom = simdjson::dom;
using Rows = std::vector<std::vector<std::string>>;

std::string text_of(dom::element value) {
  std::string_view text;
  if (value.get(text) == simdjson::SUCCESS) return printable(text);
  if (value.is_null()) return "-";
  return printable(simdjson::minify(value));
}

void collect_fields(dom::object object, const std::string& prefix, Rows& rows) {
  for (const auto field : object) {
    const std::string name = prefix + std::string(field.key);
    dom::object inner;
    if (field.value.get(inner) == simdjson::SUCCESS && inner.size() > 0) {
      collect_fields(inner, name + ".", rows);
    } else {
      rows.push_back({printable(name), text_of(field.value)});
    }
  }
}

/// Lines of cells, each column as wide as its widest cell.
std::string align(const Rows& rows) {
  std::vector<std::size_t> widths;
  for (const auto& row : rows) {
    widths.resize(std::max(widths.size(), row.size()));
    for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], row[i].size());
  }
  std::string out;
  for (const auto& row : rows) {
    for (std::size_t i = 0; i + 1 < row.size(); ++i) {
      out += fmt::format("{:<{}}  ", row[i], widths[i]);
    }
    if (!row.empty()) out += row.back();
    out += '\n';
  }
  return out;
}

bool first_array(dom::element root, dom::array& array) {
  if (root.get(array) == simdjson::SUCCESS) return true;
  dom::object object;
  if (root.get(object) != simdjson::SUCCESS) return false;
  for (const auto field : object) {
    if (field.value.get(array) == simdjson::SUCCESS) return true;
  }
  return false;
}

std::vector<std::string> members_of(dom::array array) {
  std::vector<std::string> names;
  for (const auto element : array) {
    dom::object object;
    if (element.get(object) != simdjson::SUCCESS) continue;
    for (const auto field : object) {
      const std::string name(field.key);
      if (std::find(names.begin(), names.end(), name) == names.end()) names.push_back(name);
    }
  }
  return names;
}

}  // namespace

std::string format_fields(std::string_view json) {
  dom::parser parser;
  dom::object object;
  if (parser.parse(json.data(), json.size()).get(object) != simdjson::SUCCESS) {
    return json.empty() ? std::string() : printable_lines(json) + '\n';
  }
  Rows rows;
  collect_fields(object, "", rows);
  return align(rows);
}

std::string format_table(std::string_view json, std::initializer_list<std::string_view> columns) {
  dom::parser parser;
  dom::element root;
  dom::array array;
  if (parser.parse(json.data(), json.size()).get(root) != simdjson::SUCCESS ||
      !first_array(root, array)) {
    return printable_lines(json) + '\n';
  }
  if (array.size() == 0) return "none\n";
  std::vector<std::string> names(columns.begin(), columns.end());
  if (names.empty()) names = members_of(array);
  Rows rows(1);
  for (const auto& name : names) rows[0].push_back(upper_case(printable(name)));
  for (const auto element : array) {
    auto& row = rows.emplace_back();
    for (const auto& name : names) {
      dom::element cell;
      const bool has = element[name].get(cell) == simdjson::SUCCESS;
      row.push_back(has ? text_of(cell) : "-");
    }
  }
  return align(rows);
}

std::string describe_problem(unsigned status, std::string_view json) {
  const std::string title = member(json, "title");
  const std::string detail = member(json, "detail");
  const std::string field = member(json, "field");
  std::string out = std::to_string(status);
  if (!title.empty()) out += " " + title;
  if (!detail.empty()) out += ": " + detail;
  if (!field.empty() && detail.find(field) == std::string::npos) out += " (" + field + ")";
  return out;
}

std::string member(std::string_view json, std::string_view name) {
  dom::parser parser;
  dom::element value;
  if (parser.parse(json.data(), json.size()).at_key(name).get(value) != simdjson::SUCCESS) {
    return {};
  }
  return text_of(value);
}

}  // namespace carillon::client
