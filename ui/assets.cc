#include "ui/assets.h"

#include <algorithm>
#include <memory>

#include <libdeflate.h>

#include "base/check.h"

namespace carillon {

const UiAsset* find_ui_asset(std::string_view path) {
  if (path.empty()) path = "index.html";
  const auto all = ui_assets();
  const auto found = std::ranges::find(all, path, &UiAsset::path);
  return found == all.end() ? nullptr : &*found;
}

std::string unpack(const UiAsset& asset) {
  const std::unique_ptr<libdeflate_decompressor, decltype(&libdeflate_free_decompressor)> inflater(
      libdeflate_alloc_decompressor(), libdeflate_free_decompressor);
  CARILLON_CHECK(inflater != nullptr);
  std::string content(asset.size, '\0');
  // With no place for the size that came of it, it must be exactly the one that is expected.
  const auto result =
      libdeflate_gzip_decompress(inflater.get(), asset.gzip.data(), asset.gzip.size(),
                                 content.data(), content.size(), nullptr);
  CARILLON_CHECK(result == LIBDEFLATE_SUCCESS);
  return content;
}

}  // namespace carillon
