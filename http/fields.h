// The headers of a request, as they came.
//
// Operation: a view of a head that check_head (http/framing.h) has accepted, where each line is a
// name, a colon and a value. Nothing is copied or prepared: who looks for a header reads the head
// up to it, and who looks for none pays nothing.
#pragma once

#include <cstddef>
#include <iterator>
#include <optional>
#include <string_view>

namespace carillon {

struct HttpField {
  std::string_view name;   // in whatever letter case it was sent
  std::string_view value;  // without the blanks around it
};

class HttpFields {
 public:
  class Iterator {
   public:
    using value_type = HttpField;
    using difference_type = std::ptrdiff_t;

    Iterator() = default;
    explicit Iterator(std::string_view lines) : lines_(lines) {}
    [[nodiscard]] HttpField operator*() const;
    Iterator& operator++();
    Iterator operator++(int) {
      const Iterator before = *this;
      ++*this;
      return before;
    }
    friend bool operator==(const Iterator& a, std::default_sentinel_t) { return a.lines_.empty(); }
    friend bool operator==(const Iterator& a, const Iterator& b) {
      return a.lines_.data() == b.lines_.data();
    }

   private:
    std::string_view lines_;  // from this one on, each with its line break
  };

  HttpFields() = default;
  /// `head` from the request line to the empty line, both included; it must outlive this.
  explicit HttpFields(std::string_view head);

  [[nodiscard]] Iterator begin() const { return Iterator(lines_); }
  [[nodiscard]] static std::default_sentinel_t end() { return {}; }
  /// The value of the first of that name, in whatever letter case; nothing where there is none.
  [[nodiscard]] std::optional<std::string_view> find(std::string_view name) const;

 private:
  std::string_view lines_;
};

}  // namespace carillon
