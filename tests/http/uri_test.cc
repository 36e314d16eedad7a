#include "http/uri.h"

#include <gtest/gtest.h>

#include "base/text.h"

namespace carillon {
namespace {

TEST(AppendPathSegment, IsOneSegmentThatDecodesToTheSame) {
  std::string all;
  for (int byte = 0; byte < 256; ++byte) all += static_cast<char>(byte);
  std::string encoded;
  append_path_segment(encoded, all);
  EXPECT_EQ(encoded.find_first_of("/?# \r\n"), std::string::npos);
  EXPECT_EQ(percent_decode(encoded), all);
}

TEST(Query, ReadsWhatIsKnown) {
  const auto query = Query::parse("group=a%2Bb+c&&limit=5&cursor=", "group limit cursor");
  ASSERT_TRUE(query);
  EXPECT_EQ(query->get("group"), "a+b c");
  EXPECT_EQ(query->integer("limit", 100, 1, 10).value(), 5U);
  EXPECT_EQ(query->get("cursor"), "");
  EXPECT_EQ(query->get("state"), std::nullopt);
}

TEST(Query, RefusesUnknownDoubleAndBadlyEncoded) {
  EXPECT_EQ(Query::parse("limt=5", "limit").error().slug, "unknown_parameter");
  EXPECT_NE(Query::parse("limt=5", "limit").error().detail.find("limit"), std::string::npos);
  EXPECT_EQ(Query::parse("limit=5", "").error().slug, "unknown_parameter");
  EXPECT_EQ(Query::parse("limit=5&limit=6", "limit").error().slug, "bad_parameter");
  EXPECT_EQ(Query::parse("limit=%", "limit").error().slug, "bad_parameter");
}

TEST(Query, ReadsMomentsWithAPlainPlus) {
  const auto query = Query::parse("from=2026-11-21T08:00:00+01:00&to=1795244400000", "from to");
  ASSERT_TRUE(query);
  EXPECT_EQ(query->moment("from").value(), query->moment("to").value());
  EXPECT_EQ(Query::parse("from=soon", "from")->moment("from").error().slug, "bad_time");
  const auto seconds = Query::parse("from=1795244400", "from")->moment("from");
  EXPECT_EQ(seconds.error().slug + " " + seconds.error().field, "bad_time from");
}

TEST(Query, TakesTheFormsOfABody) {
  const auto query =
      Query::parse("from=2026-11-21T07:00Z&a=1m30s&b=PT90S&c=9e4&limit=10.0", "from a b c limit");
  ASSERT_TRUE(query);
  EXPECT_EQ(query->moment("from").value(), WallTime(Millis(1795244400000)));
  for (const char* name : {"a", "b", "c"})
    EXPECT_EQ(query->duration(name).value(), std::chrono::seconds(90)) << name;
  EXPECT_EQ(query->integer("limit", 1, 1, 10).value(), 10U);
  const auto bad = Query::parse("bucket=wide", "bucket")->duration("bucket");
  EXPECT_EQ(bad.error().slug + " " + bad.error().field, "bad_duration bucket");
}

TEST(Query, ReadsDurationsFlagsAndIntegers) {
  const auto query = Query::parse("bucket=500&force&limit=11", "bucket force limit other");
  ASSERT_TRUE(query);
  EXPECT_EQ(query->duration("bucket").value(), Millis(500));
  EXPECT_TRUE(query->flag("force").value());
  EXPECT_FALSE(query->flag("other").value());
  EXPECT_EQ(query->integer("limit", 1, 1, 10).error().slug, "bad_parameter");
  EXPECT_FALSE(Query::parse("force=maybe", "force")->flag("force"));
  EXPECT_FALSE(Query::parse("limit=-1", "limit")->integer("limit", 1, 1, 10));
  EXPECT_FALSE(Query::parse("limit=1x", "limit")->integer("limit", 1, 1, 10));
}

}  // namespace
}  // namespace carillon
