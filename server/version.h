// The version of this build, from the project's CMakeLists.txt.
#pragma once

#include <string_view>

namespace carillon {

inline constexpr std::string_view kVersion = CARILLON_VERSION;

}  // namespace carillon
