#include "http/fields.h"

#include "base/text.h"

namespace carillon {
namespace {

constexpr std::string_view kLineBreak = "\r\n";

}  // namespace

HttpFields::HttpFields(std::string_view head) : lines_(head) {
  lines_.remove_prefix(lines_.find(kLineBreak) + kLineBreak.size());
  lines_.remove_suffix(kLineBreak.size());
}

HttpField HttpFields::Iterator::operator*() const {
  const std::string_view line = lines_.substr(0, lines_.find(kLineBreak));
  const std::size_t colon = line.find(':');
  return {line.substr(0, colon), trimmed(line.substr(colon + 1))};
}

HttpFields::Iterator& HttpFields::Iterator::operator++() {
  lines_.remove_prefix(lines_.find(kLineBreak) + kLineBreak.size());
  return *this;
}

std::optional<std::string_view> HttpFields::find(std::string_view name) const {
  for (const HttpField field : *this) {
    if (same_in_any_case(field.name, name)) return field.value;
  }
  return std::nullopt;
}

}  // namespace carillon
