// The dashboard's files as constants, so that the program needs no file beside it.
//
// Operation: ui/embed.cmake compresses each file of this folder when the program is built and
// writes the table. The files are what a browser loads: ES modules, a style sheet and one page,
// with no build step between. A browser asks with the ETag that it has, so a new version of the
// program shows its own dashboard at once.
//
// Limitations: only the compressed form is kept. A client that does not take gzip costs an
// unpacking, which browsers never do.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>

namespace carillon {

struct UiAsset {
  std::string_view path;  // below /ui/, as "pages/find.js"
  std::string_view content_type;
  std::string_view etag;  // of the content, with its quotes
  std::string_view gzip;  // the content, compressed
  std::size_t size = 0;   // of the content, bytes
};

/// All of them; what ui/embed.cmake writes.
[[nodiscard]] std::span<const UiAsset> ui_assets();

/// Null: there is no such file. The empty path is the page itself.
[[nodiscard]] const UiAsset* find_ui_asset(std::string_view path);

/// The content as it was before it was compressed.
[[nodiscard]] std::string unpack(const UiAsset& asset);

}  // namespace carillon
