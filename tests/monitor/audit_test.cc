#include "monitor/audit.h"

#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/temp_dir.h"

namespace carillon {
namespace {

using testing::ElementsAre;
using testing::SizeIs;

class AuditTest : public testing::Test {
 protected:
  static void note(Audit& audit, std::uint32_t status) {
    audit.note({.at = WallTime(Millis(1'800'000'000'000)),
                .who = "ann \"the boss\"",
                .action = "POST /v1/groups/{group}:cancel",
                .of = "c7",
                .status = status,
                .result = R"({"cancelled":2})"});
  }
  test::TempDir dir;
};

TEST_F(AuditTest, EntriesAreReadBackTheNewestFirst) {
  {
    Audit audit(dir.path().string());
    note(audit, 200);
    audit.note({.at = WallTime(Millis(1'800'000'000'001)),
                .who = {},
                .action = "PUT /v1/lanes/{name}",
                .of = "bulk",
                .status = 422,
                .result = {}});
  }
  const Audit again(dir.path().string());
  EXPECT_THAT(
      again.last(10),
      ElementsAre(
          R"({"at":"2027-01-15T08:00:00.001Z","action":"PUT /v1/lanes/{name}","of":"bulk","status":422})",
          R"({"at":"2027-01-15T08:00:00.000Z","who":"ann \"the boss\"","action":"POST /v1/groups/{group}:cancel","of":"c7","status":200,"result":{"cancelled":2}})"));
  EXPECT_THAT(again.last(1), SizeIs(1));
}

TEST_F(AuditTest, TheLastThousandAreKept) {
  {
    Audit audit(dir.path().string());
    for (std::uint32_t i = 0; i < 1100; ++i) note(audit, i);
    EXPECT_THAT(audit.last(5000), SizeIs(1000));
  }
  const Audit again(dir.path().string());
  ASSERT_THAT(again.last(5000), SizeIs(1000));
  EXPECT_THAT(again.last(5000).back(), testing::HasSubstr(R"("status":100,)"));
}

TEST_F(AuditTest, WhatIsDamagedIsPassedOver) {
  {
    Audit audit(dir.path().string());
    note(audit, 200);
  }
  std::ofstream(dir / "audit", std::ios::app) << "{\"at\":\n\nnonsense";
  Audit again(dir.path().string());
  EXPECT_THAT(again.last(10), SizeIs(1));
  note(again, 201);
  EXPECT_THAT(again.last(10), SizeIs(2));
}

}  // namespace
}  // namespace carillon
