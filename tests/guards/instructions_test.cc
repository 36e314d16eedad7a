// How many instructions an operation of the wheel, the index and the shard takes, compared with
// what is recorded in instructions.txt.
//
//   build/release/bin/guards_instructions              compares
//   build/release/bin/guards_instructions --record     writes what it counts into the file
//
// callgrind counts the same every time, however busy the machine is. The figures hold for Debian
// 12's compiler and libraries and a Release build; others have no guards. Fewer than recorded
// fails, too: else what one change won, the next could lose unseen.
#include <cmath>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <map>
#include <sstream>
#include <string_view>

#include <gtest/gtest.h>

#include "tests/end_to_end/carillond.h"
#include "tests/support/process.h"
#include "tests/support/temp_dir.h"

namespace carillon::test {
namespace {

/// As a share of the recorded figure: what the processor's choice of memcpy makes, and luck of
/// the compiler's layout, but no allocation and no lookup more.
constexpr double kTolerance = 0.05;
constexpr const char* kRecorded = CARILLON_SOURCE_DIR "/tests/guards/instructions.txt";

bool record_only = false;

using Figures = std::map<std::string, double>;  // instructions an operation, by step

Figures read_figures(std::istream&& lines) {
  Figures figures;
  double value = 0;
  for (std::string step; lines >> step >> value;) figures[step] = value;
  return figures;
}

/// callgrind's dumps: one file a step, which names the step and has a sum.
Figures read_dumps(const std::filesystem::path& dir) {
  constexpr std::string_view kTrigger = "desc: Trigger: Client Request: ";
  constexpr std::string_view kSum = "totals: ";
  Figures sums;
  for (const auto& file : std::filesystem::directory_iterator(dir)) {
    std::ifstream lines(file.path());
    std::string step;
    for (std::string line; std::getline(lines, line);) {
      if (line.starts_with(kTrigger)) step = line.substr(kTrigger.size());
      if (line.starts_with(kSum) && !step.empty()) sums[step] = std::stod(line.substr(kSum.size()));
    }
  }
  return sums;
}

Figures count_instructions() {
  const TempDir dir;
  const Finished run =
      run_program({"/usr/bin/valgrind", "--tool=callgrind", "--instr-atstart=no",
                   "--callgrind-out-file=" + (dir / "dump"), program("guards_driver")});
  EXPECT_EQ(run.ending, (Ending{0, 0})) << run.errors;
  Figures figures = read_dumps(dir.path());
  for (const auto& [step, operations] : read_figures(std::istringstream(run.output)))
    figures[step] /= operations;
  return figures;
}

void write_figures(const Figures& figures) {
  std::ofstream file(kRecorded);
  for (const auto& [step, instructions] : figures) {
    char line[100];
    std::snprintf(line, sizeof line, "%-16s %10.1f\n", step.c_str(), instructions);
    file << line;
  }
}

TEST(AnOperation, TakesTheInstructionsThatAreRecorded) {
  const Figures seen = count_instructions();
  if (record_only) write_figures(seen);
  const Figures recorded = read_figures(std::ifstream(kRecorded));
  EXPECT_EQ(seen.size(), recorded.size()) << "guards_instructions --record";
  for (const auto& [step, instructions] : seen) {
    const auto found = recorded.find(step);
    const double before = found == recorded.end() ? 0 : found->second;
    std::printf("[ figures  ] %-16s %10.1f instructions, recorded %10.1f\n", step.c_str(),
                instructions, before);
    EXPECT_GT(instructions, 0) << step;
    EXPECT_LE(instructions, before * (1 + kTolerance)) << step << ": more work than before";
    EXPECT_GE(instructions, before * (1 - kTolerance))
        << step << ": less work than before; keep it so with guards_instructions --record";
  }
}

}  // namespace
}  // namespace carillon::test

int main(int argc, char** argv) {
  ::testing::InitGoogleTest(&argc, argv);
  carillon::test::record_only = argc == 2 && std::string_view(argv[1]) == "--record";
  if (argc > 1 && !carillon::test::record_only) {
    std::fputs("usage: guards_instructions [--record]\n", stderr);
    return 2;
  }
  return RUN_ALL_TESTS();
}
