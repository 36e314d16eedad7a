#include "http/media_type.h"

#include <gtest/gtest.h>

namespace carillon {
namespace {

TEST(MediaType, IsReadWithItsCharset) {
  for (const char* text :
       {"application/json", "APPLICATION/Json", " application/json ", "application/json;",
        "application/json ; charset=utf-8", "application/json;charset=\"UTF-8\"",
        "application/json; charset=utf8", "application/json; a=b; charset=utf-8; c=\"d;\\\"e\"",
        "application/json;;charset=utf-8"}) {
    const auto media = parse_media_type(text);
    ASSERT_TRUE(media) << text;
    EXPECT_TRUE(media->is("application/json")) << text;
    EXPECT_FALSE(media->is("application/jso")) << text;
    EXPECT_TRUE(media->is_utf8()) << text;
  }
  for (const char* text : {"application/json; charset=iso-8859-1", "text/plain;CHARSET=utf-16",
                           "application/json; charset=\"us-ascii\""}) {
    const auto media = parse_media_type(text);
    ASSERT_TRUE(media) << text;
    EXPECT_FALSE(media->is_utf8()) << text;
  }
}

TEST(MediaType, ThatIsNoneIsNotRead) {
  for (const char* text :
       {"", "json", "application/", "/json", "application/json charset=utf-8",
        "application/json; a", "application/json; a=", "application/json; a=\"b",
        "application/json; a=\"b\\", "application/json; a=\"", "application/json, text/plain",
        "a b/c", "application/json; charset=utf-8; charset=utf-16"}) {
    EXPECT_FALSE(parse_media_type(text)) << text;
  }
}

}  // namespace
}  // namespace carillon
