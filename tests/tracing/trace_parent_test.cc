#include "tracing/trace_parent.h"

#include <gtest/gtest.h>

namespace carillon {
namespace {

constexpr std::string_view kParent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

TEST(TraceParent, HasAKnownVersionsFieldsOrBeginsWithThem) {
  EXPECT_TRUE(parse_traceparent(kParent));
  EXPECT_TRUE(parse_traceparent("cc-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"));
  EXPECT_TRUE(parse_traceparent("cc-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-new"));
}

TEST(TraceParent, AnythingElseIsNone) {
  for (const std::string_view text :
       {"", "00", "ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
        "00-0AF7651916CD43DD8448EB211C80319C-b7ad6b7169203331-01",
        "00-00000000000000000000000000000000-b7ad6b7169203331-01",
        "00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01",
        "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-0x",
        "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-new",
        "cc-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01new",
        "00_0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"}) {
    EXPECT_FALSE(parse_traceparent(text)) << text;
  }
}

TEST(TraceParent, SaysWhoseItIsAndWhetherItIsSampled) {
  const auto parent = parse_traceparent(kParent);
  ASSERT_TRUE(parent);
  EXPECT_EQ(parent->trace_id, "0af7651916cd43dd8448eb211c80319c");
  EXPECT_EQ(parent->span_id, "b7ad6b7169203331");
  EXPECT_TRUE(parent->sampled);
  EXPECT_EQ(format_traceparent(parent->trace_id, parent->span_id), kParent);
  std::string other(kParent);
  for (const auto& [flags, sampled] :
       {std::pair("00", false), {"02", false}, {"03", true}, {"ff", true}}) {
    other.replace(53, 2, flags);
    EXPECT_EQ(parse_traceparent(other)->sampled, sampled) << flags;
  }
}

}  // namespace
}  // namespace carillon
