#include "http/media_type.h"

#include <algorithm>

#include "base/text.h"

namespace carillon {
namespace {

/// Takes what a header's value is made of from its front.
class Cursor {
 public:
  explicit Cursor(std::string_view text) : rest_(text) {}

  [[nodiscard]] bool at_end() const { return rest_.empty(); }
  void skip_blanks() {
    rest_.remove_prefix(std::min(rest_.find_first_not_of(" \t"), rest_.size()));
  }
  bool take(char mark) {
    if (!rest_.starts_with(mark)) return false;
    rest_.remove_prefix(1);
    return true;
  }
  /// Empty where there is none.
  std::string_view take_token() {
    const std::size_t size = std::min(rest_.find_first_of(" \t()<>@,;:\\\"/[]?={}"), rest_.size());
    const std::string_view token = rest_.substr(0, size);
    rest_.remove_prefix(size);
    return token;
  }
  /// Nothing where there is none.
  std::optional<std::string> take_quoted() {
    if (!take('"')) return std::nullopt;
    std::string text;
    while (!rest_.empty() && !take('"')) {
      if (take('\\') && rest_.empty()) return std::nullopt;
      text += rest_.front();
      rest_.remove_prefix(1);
      if (rest_.empty()) return std::nullopt;
    }
    return text;
  }

 private:
  std::string_view rest_;
};

}  // namespace

bool MediaType::is(std::string_view wanted) const {
  return same_in_any_case(essence, wanted);
}

bool MediaType::is_utf8() const {
  return charset.empty() || same_in_any_case(charset, "utf-8") || same_in_any_case(charset, "utf8");
}

std::optional<MediaType> parse_media_type(std::string_view text) {
  Cursor cursor(text);
  cursor.skip_blanks();
  const std::string_view type = cursor.take_token();
  if (type.empty() || !cursor.take('/')) return std::nullopt;
  const std::string_view subtype = cursor.take_token();
  if (subtype.empty()) return std::nullopt;
  MediaType media{{type.data(), type.size() + 1 + subtype.size()}, {}};
  for (cursor.skip_blanks(); !cursor.at_end(); cursor.skip_blanks()) {
    if (!cursor.take(';')) return std::nullopt;
    cursor.skip_blanks();
    const std::string_view name = cursor.take_token();
    if (name.empty()) continue;  // ";" with nothing behind it
    if (!cursor.take('=')) return std::nullopt;
    std::optional<std::string> value = cursor.take_quoted();
    if (!value) value = cursor.take_token();
    if (value->empty()) return std::nullopt;
    if (!same_in_any_case(name, "charset")) continue;
    if (!media.charset.empty()) return std::nullopt;
    media.charset = std::move(*value);
  }
  return media;
}

}  // namespace carillon
