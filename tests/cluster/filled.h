// An archive that fills values with what a seed says, in the place of bytes: so every member that a
// `transfer` names is tried, also one that is added later.
#pragma once

#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "cluster/wire.h"

namespace carillon {

class Filler {
 public:
  static constexpr bool kReads = true;
  explicit Filler(std::uint64_t seed)
      : random_(seed), owner_(std::make_shared<const std::string>(kText, sizeof kText - 1)) {}
  template <typename... Values>
  void operator()(Values&... values) {
    (transfer(*this, values), ...);
  }
  std::uint64_t up_to(std::uint64_t below) { return random_() % below; }
  std::uint64_t any() { return random_() >> up_to(64); }
  std::string_view text() { return std::string_view(*owner_).substr(up_to(40), up_to(40)); }
  [[nodiscard]] static bool ok() { return true; }
  static void fail(const char* /*what*/) {}
  [[nodiscard]] const std::shared_ptr<const std::string>& owner() const { return owner_; }

  struct Bytes {
    Filler& its;
    template <std::size_t kWidth>
    std::uint64_t fixed() const {
      return its.any() >> (64 - 8 * kWidth);
    }
  };
  Bytes bytes{*this};

 private:
  static constexpr char kText[] =
      "order 17 of the shop, \xc3\xa4 and \x00 in it, as long as it is needed for all of them";
  std::mt19937_64 random_;
  std::shared_ptr<const std::string> owner_;
};

template <std::integral Number>
void transfer(Filler& archive, Number& number) {
  number = static_cast<Number>(archive.any());
}
inline void transfer(Filler& archive, bool& flag) {
  flag = archive.up_to(2) == 1;
}
template <typename Enum>
  requires std::is_enum_v<Enum>
void transfer(Filler& archive, Enum& value) {
  value = static_cast<Enum>(archive.up_to(static_cast<std::uint64_t>(kLastOf<Enum>) + 1));
}
inline void transfer(Filler& archive, std::string_view& text) {
  text = archive.text();
}
template <typename Value>
void transfer(Filler& archive, std::vector<Value>& values) {
  values.resize(archive.up_to(4));
  for (Value& value : values) archive(value);
}
inline void transfer(Filler& archive, Page& page) {
  page.tasks.resize(archive.up_to(4));
  page.keys.resize(page.tasks.size());
  for (TaskView& task : page.tasks) archive(task);
  for (ListKey& key : page.keys) archive(key);
  archive(page.next_cursor, page.silent);
}
inline void transfer(Filler& archive, Histogram& histogram) {
  for (std::uint64_t i = archive.up_to(20); i > 0; --i)
    histogram.record(Histogram::Micros(static_cast<std::int64_t>(archive.any() >> 20)));
}

}  // namespace carillon
