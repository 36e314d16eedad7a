#include "api/json_scratch.h"

#include <utility>
#include <vector>

namespace carillon {
namespace {

constexpr std::size_t kKeptMax = 32;
constexpr std::size_t kBytesMax = std::size_t{64} << 10;

std::vector<std::unique_ptr<JsonScratch>>& kept() {
  thread_local std::vector<std::unique_ptr<JsonScratch>> scratches;
  return scratches;
}

}  // namespace

std::unique_ptr<JsonScratch> JsonScratch::take(std::size_t depth_max) {
  while (!kept().empty()) {
    auto scratch = std::move(kept().back());
    kept().pop_back();
    // The limit may have changed since.
    if (scratch->reader.depth_max() == depth_max) return scratch;
  }
  return std::make_unique<JsonScratch>(depth_max);
}

void JsonScratch::give_back(std::unique_ptr<JsonScratch> scratch) {
  if (!scratch || kept().size() >= kKeptMax || scratch->reader.capacity() > kBytesMax) return;
  scratch->decoded.clear();
  kept().push_back(std::move(scratch));
}

}  // namespace carillon
