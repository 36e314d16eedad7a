#include "tools/client/files.h"

#include <fstream>
#include <vector>

#include <gtest/gtest.h>

#include "tests/support/temp_dir.h"

namespace carillon::client {
namespace {

class FilesTest : public ::testing::Test {
 protected:
  std::string file_of(std::string_view content) {
    const std::string path = dir / "file";
    std::ofstream(path, std::ios::binary) << content;
    return path;
  }
  test::TempDir dir;
};

TEST_F(FilesTest, LinesComeWithoutTheirBreaksAndTheLastNeedsNone) {
  auto reader = LineReader::open(file_of("a\n\nlong line\nlast"));
  ASSERT_TRUE(reader);
  std::vector<std::string> lines;
  for (std::string_view line; reader->next(line).value();) lines.emplace_back(line);
  EXPECT_EQ(lines, (std::vector<std::string>{"a", "", "long line", "last"}));
}

TEST_F(FilesTest, ADirectoryIsAnErrorAndNotAnEmptyFile) {
  auto reader = LineReader::open(dir.path());
  ASSERT_TRUE(reader);
  std::string_view line;
  const auto read = reader->next(line);
  ASSERT_FALSE(read);
  EXPECT_EQ(read.error().slug, "bad_file");
  std::string content;
  EXPECT_FALSE(read_file(dir.path(), content));
}

TEST_F(FilesTest, WhatIsNotThereIsAnError) {
  EXPECT_FALSE(LineReader::open(dir / "missing"));
}

TEST_F(FilesTest, AWholeFileIsReadAsItIs) {
  const std::string bytes = std::string("\0\n\xff", 3) + std::string(100'000, 'x');
  std::string content = "before";
  ASSERT_TRUE(read_file(file_of(bytes), content));
  EXPECT_EQ(content, bytes);
}

}  // namespace
}  // namespace carillon::client
