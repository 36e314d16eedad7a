#include "http/fields.h"

#include <boost/beast/core/string.hpp>

namespace carillon {
namespace {

constexpr std::string_view kLineBreak = "\r\n";

std::string_view trimmed(std::string_view text) {
  const std::size_t begin = text.find_first_not_of(" \t");
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(" \t") - begin + 1);
}

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
    if (field.name.size() == name.size() && boost::beast::iequals(field.name, name))
      return field.value;
  }
  return std::nullopt;
}

}  // namespace carillon
