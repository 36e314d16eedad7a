// Rows as they lie in the files, before anything is believed of them.
#pragma once

#include <cstdint>
#include <string_view>

namespace carillon::replay {

/// The column families, in the order of their RocksDB ids.
enum class Family { meta, log, contents, notes };
inline constexpr int kFamilies = 4;

struct Row {
  std::uint64_t number = 0;  // the key: a first sequence or a task number
  std::string_view bytes;
  std::uint64_t file = 0;  // number of the file it lies in; later files have higher ones
};

}  // namespace carillon::replay
