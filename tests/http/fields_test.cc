#include "http/fields.h"

#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace carillon {
namespace {

std::vector<std::string> lines(std::string_view head) {
  std::vector<std::string> all;
  for (const HttpField field : HttpFields(head))
    all.push_back(std::string(field.name) + "=" + std::string(field.value));
  return all;
}

TEST(HttpFields, AreAllThereInTheirOrder) {
  EXPECT_EQ(lines("GET / HTTP/1.1\r\nHost: a\r\nX-One:1\r\nx-one: \t 2 3 \t\r\nEmpty:\r\n\r\n"),
            (std::vector<std::string>{"Host=a", "X-One=1", "x-one=2 3", "Empty="}));
  EXPECT_EQ(lines("GET / HTTP/1.0\r\n\r\n"), std::vector<std::string>{});
}

TEST(HttpFields, AreFoundByNameInAnyLetterCase) {
  const HttpFields fields("GET / HTTP/1.1\r\nHost: a:1\r\nX-One: 1\r\nX-ONE: 2\r\nEmpty: \r\n\r\n");
  EXPECT_EQ(fields.find("host"), "a:1");
  EXPECT_EQ(fields.find("x-one"), "1") << "the first";
  EXPECT_EQ(fields.find("EMPTY"), "");
  EXPECT_EQ(fields.find("x"), std::nullopt);
  EXPECT_EQ(fields.find(""), std::nullopt);
  EXPECT_EQ(HttpFields().find("host"), std::nullopt);
}

}  // namespace
}  // namespace carillon
