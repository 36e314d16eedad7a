// Runs a fuzz target over the inputs kept for it: replay FOLDER. Fails where there are none.

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <vector>

#include "tests/fuzz/fuzz.h"

int main(int argc, char** argv) {
  namespace fs = std::filesystem;
  if (argc != 2 || !fs::is_directory(argv[1])) {
    std::fprintf(stderr, "usage: %s FOLDER\n", argv[0]);
    return 2;
  }
  std::vector<fs::path> paths;
  for (const auto& entry : fs::directory_iterator(argv[1])) paths.push_back(entry.path());
  std::sort(paths.begin(), paths.end());
  std::size_t bytes = 0;
  for (const fs::path& path : paths) {
    std::ifstream file(path, std::ios::binary);
    // Exactly as large as the input, so that a sanitizer sees a read beyond it.
    const std::vector<char> input(std::istreambuf_iterator<char>(file), {});
    if (file.bad() || input.size() != fs::file_size(path)) {
      std::fprintf(stderr, "cannot read %s\n", path.c_str());
      return 1;
    }
    bytes += input.size();
    // Where the target ends the process, the last line says which input it was.
    std::printf("%s\n", path.filename().c_str());
    std::fflush(stdout);
    LLVMFuzzerTestOneInput(reinterpret_cast<const std::uint8_t*>(input.data()), input.size());
  }
  std::printf("[ figures  ] %zu inputs, %zu bytes\n", paths.size(), bytes);
  return paths.empty() ? 1 : 0;
}
