#include "base/json.h"

#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace carillon {
namespace {

namespace ondemand = simdjson::ondemand;

constexpr std::string_view kKnown[] = {"id", "delay", "payload", "target"};

/// Reads an object of kKnown: "id" as a string, "delay" as a duration, the rest raw.
struct Seen {
  std::string id, payload;
  Millis delay{-1};
};

Result<Seen> read(std::string_view text, std::size_t depth_max = 64) {
  JsonReader reader(depth_max);
  Seen seen;
  const auto done = reader.parse(text, [&](ondemand::value value) {
    return for_each_field(value, kKnown,
                          [&](std::string_view key, ondemand::value inner) -> Result<bool> {
                            if (key == "id") {
                              const auto id = json_string(inner, key);
                              if (!id) return id.error();
                              seen.id = *id;
                            } else if (key == "delay") {
                              const auto delay = json_duration(inner, key);
                              if (!delay) return delay.error();
                              seen.delay = *delay;
                            } else {
                              const auto raw = reader.raw(inner);
                              if (!raw) return raw.error();
                              seen.payload = *raw;
                            }
                            return true;
                          });
  });
  if (!done) return done.error();
  return seen;
}

std::string slug_of(std::string_view text, std::size_t depth_max = 64) {
  const auto seen = read(text, depth_max);
  return seen ? "" : seen.error().slug;
}

TEST(JsonReader, ReadsFieldsAndKeepsRawBytes) {
  const auto seen =
      read(R"( {"id":"a\u00e9\n", "payload" : {"a": [1,  2.50e0, "\u0041"] }  , "delay":"90s"} )");
  ASSERT_TRUE(seen) << seen.error().detail;
  EXPECT_EQ(seen->id, "a\xc3\xa9\n");
  EXPECT_EQ(seen->payload, R"({"a": [1,  2.50e0, "\u0041"] })");
  EXPECT_EQ(seen->delay, std::chrono::seconds(90));
}

TEST(JsonReader, KeepsRawScalarsAndNumbersOfAnySize) {
  for (const std::string raw : {"1", "-0.0", "true", "\"x \\\" y\"", "[]", "{}", "[ 1 ]",
                                "123456789012345678901234567890", "1e999", "1E-999"}) {
    const auto seen = read("{\"payload\":" + raw + " }");
    ASSERT_TRUE(seen) << raw << ": " << seen.error().detail;
    EXPECT_EQ(seen->payload, raw);
  }
}

TEST(JsonReader, RefusesWhatIsNotJson) {
  for (const char* text : {"",
                           "   ",
                           "{",
                           "}",
                           "{\"id\"}",
                           "{\"id\":}",
                           "{\"id\":\"a\",}",
                           "{\"id\":\"a\"}x",
                           "{\"id\":\"a\"}{}",
                           "{\"id\":\"a\" \"delay\":1}",
                           "{id:\"a\"}",
                           "{'id':'a'}",
                           "{\"payload\":{\"a\":01}}",
                           "{\"payload\":{\"a\":nul}}",
                           "{\"payload\":[1,]}",
                           "{\"payload\":[1 2]}",
                           "{\"payload\":+1}",
                           "{\"payload\":.5}",
                           "{\"payload\":1.}",
                           "{\"payload\":NaN}",
                           "{\"payload\":\"\\x41\"}",
                           "{\"payload\":\"\\ud800\"}",
                           "{\"payload\":\"a\nb\"}",
                           "{\"payload\":\"\xff\"}",
                           "{\"payload\":\"\xc0\xaf\"}",
                           "{\"payload\":\"\xed\xa0\x80\"}",
                           "{\"id\":\"a\" /* no */}",
                           "\xef\xbb\xbf",
                           "\xef\xbb\xbf\xef\xbb\xbf{}",
                           "{}\xef\xbb\xbf",
                           "{\"id\":\"a",
                           "[[}]"}) {
    EXPECT_EQ(slug_of(text), "bad_json") << text;
  }
  EXPECT_EQ(slug_of(std::string_view("{}\0", 3)), "bad_json");
}

TEST(JsonReader, IgnoresAByteOrderMark) {
  const auto seen = read("\xef\xbb\xbf{\"id\":\"a\"}");
  ASSERT_TRUE(seen) << seen.error().detail;
  EXPECT_EQ(seen->id, "a");
}

TEST(JsonReader, NullIsAsIfAbsentAndStillSeenOnce) {
  const auto seen = read(R"({"id":null,"delay":"1s","payload":null})");
  ASSERT_TRUE(seen) << seen.error().detail;
  EXPECT_EQ(seen->id, "");
  EXPECT_EQ(seen->payload, "");
  EXPECT_EQ(slug_of(R"({"id":null,"id":"a"})"), "duplicate_field");
  EXPECT_EQ(slug_of(R"({"ids":null})"), "unknown_field");
}

TEST(JsonReader, NullIsHandedOnWhereItMayMeanRemove) {
  JsonReader reader;
  int nulls = 0;
  ASSERT_TRUE(reader.parse(R"({"id":null})", [&](ondemand::value value) {
    return for_each_field(
        value, kKnown,
        [&](std::string_view, ondemand::value inner) -> Result<bool> {
          nulls += inner.is_null() ? 1 : 0;
          return true;
        },
        Nulls::given);
  }));
  EXPECT_EQ(nulls, 1);
}

TEST(JsonReader, AnswersALongUnknownKeyWithItsBeginning) {
  const auto seen = read("{\"" + std::string(100'000, 'k') + "\":1}");
  ASSERT_FALSE(seen);
  EXPECT_EQ(seen.error().field, std::string(64, 'k') + "...");
  EXPECT_LT(seen.error().detail.size(), 200U);
}

TEST(JsonReader, SaysAtWhichByteItIsWrong) {
  EXPECT_NE(read("{\"payload\":{\"a\":01}}").error().detail.find("Byte 17"), std::string::npos)
      << read("{\"payload\":{\"a\":01}}").error().detail;
  EXPECT_NE(read("").error().detail.find("Byte 0"), std::string::npos);
}

TEST(JsonReader, RefusesScalarsOnTop) {
  for (const char* text : {"1", "\"a\"", "null", "true"}) EXPECT_EQ(slug_of(text), "bad_type");
}

TEST(JsonReader, RefusesUnknownFieldNamingTheNearest) {
  const auto seen = read(R"({"dely":1})");
  ASSERT_FALSE(seen);
  EXPECT_EQ(seen.error().slug, "unknown_field");
  EXPECT_EQ(seen.error().field, "dely");
  EXPECT_NE(seen.error().detail.find("`delay`"), std::string::npos);
}

TEST(JsonReader, RefusesDuplicatesEvenWhenEscaped) {
  EXPECT_EQ(slug_of(R"({"id":"a","id":"a"})"), "duplicate_field");
  EXPECT_EQ(slug_of(R"({"id":"a","\u0069d":"b"})"), "duplicate_field");
}

TEST(JsonReader, DepthIsLimited) {
  const auto nested = [](std::size_t depth) {
    return "{\"payload\":" + std::string(depth, '[') + std::string(depth, ']') + "}";
  };
  EXPECT_EQ(slug_of(nested(63)), "");
  EXPECT_EQ(slug_of(nested(64)), "json_too_deep");
  EXPECT_EQ(slug_of(nested(1'000'000)), "json_too_deep");
  EXPECT_EQ(slug_of(std::string(1'000'000, '[')), "json_too_deep");
  EXPECT_EQ(slug_of(nested(3), 3), "json_too_deep");
}

TEST(JsonReader, IsReusableAfterErrorsAndGrowth) {
  JsonReader reader;
  const auto accept = [](ondemand::value) -> Result<> { return {}; };
  EXPECT_TRUE(reader.parse("{}", accept));
  EXPECT_FALSE(reader.parse("{", accept));
  EXPECT_TRUE(reader.parse("[\"" + std::string(100'000, 'x') + "\"]", accept));
  EXPECT_TRUE(reader.parse("[]", accept));
  EXPECT_GE(reader.capacity(), 100'000U);
}

TEST(JsonReader, WrongTypesNameTheField) {
  JsonReader reader;
  const auto first = [&](std::string_view text, auto get) {
    Error error;
    EXPECT_TRUE(reader.parse(text, [&](ondemand::value value) {
      return for_each_element(value, "f", [&](std::size_t, ondemand::value inner) -> Result<> {
        if (auto r = get(inner); !r) error = r.error();
        return {};
      });
    }));
    EXPECT_EQ(error.field, "f");
    return error.slug;
  };
  const auto integer = [](ondemand::value v) { return json_integer(v, "f", 1, 10); };
  EXPECT_EQ(first("[1]", [](ondemand::value v) { return json_string(v, "f"); }), "bad_type");
  EXPECT_EQ(first("[1]", [](ondemand::value v) { return json_bool(v, "f"); }), "bad_type");
  EXPECT_EQ(first("[\"1\"]", integer), "bad_type");
  EXPECT_EQ(first("[11]", integer), "bad_value");
  EXPECT_EQ(first("[1.5]", integer), "bad_value");
  EXPECT_EQ(first("[99999999999999999999]", integer), "bad_value");
  EXPECT_EQ(first("[true]", [](ondemand::value v) { return json_moment(v, "f"); }), "bad_type");
  EXPECT_EQ(first("[-1]", [](ondemand::value v) { return json_moment(v, "f"); }), "bad_time");
  EXPECT_EQ(first("[1.5]", [](ondemand::value v) { return json_moment(v, "f"); }), "bad_time");
  EXPECT_EQ(first("[\"soon\"]", [](ondemand::value v) { return json_moment(v, "f"); }), "bad_time");
  EXPECT_EQ(first("[-1]", [](ondemand::value v) { return json_duration(v, "f"); }), "bad_duration");
  EXPECT_EQ(first("[1.5]", [](ondemand::value v) { return json_duration(v, "f"); }),
            "bad_duration");
  EXPECT_EQ(first("[1795244400]", [](ondemand::value v) { return json_moment(v, "f"); }),
            "bad_time");
  EXPECT_EQ(first("[4133980800000000]", [](ondemand::value v) { return json_duration(v, "f"); }),
            "bad_duration");
}

TEST(JsonInteger, TakesFloatsThatAreWhole) {
  JsonReader reader;
  std::vector<std::int64_t> numbers;
  ASSERT_TRUE(reader.parse("[90000, 90000.0 , 9e4\n,0.9E+5]", [&](ondemand::value value) {
    return for_each_element(value, "", [&](std::size_t, ondemand::value v) -> Result<> {
      numbers.push_back(json_integer(v, "f", 1, 100'000).value());
      EXPECT_EQ(json_duration(v, "f").value(), std::chrono::seconds(90));
      return {};
    });
  }));
  EXPECT_EQ(numbers, std::vector<std::int64_t>(4, 90'000));
}

TEST(JsonMoment, ReadsTextAndUnixMillis) {
  JsonReader reader;
  std::vector<WallTime> moments;
  ASSERT_TRUE(reader.parse(
      R"(["2026-11-21T07:00:00.2500001Z", 1795244400251])", [&](ondemand::value value) {
        return for_each_element(value, "", [&](std::size_t, ondemand::value v) -> Result<> {
          moments.push_back(json_moment(v, "f").value());
          return {};
        });
      }));
  ASSERT_EQ(moments.size(), 2U);
  EXPECT_EQ(moments[0], moments[1]);
}

TEST(NearestName, FindsTyposAndNotStrangers) {
  EXPECT_EQ(nearest_name("delai", kKnown), "delay");
  EXPECT_EQ(nearest_name("traget", kKnown), "target");
  EXPECT_EQ(nearest_name("payloads", kKnown), "payload");
  EXPECT_EQ(nearest_name("zzzzzz", kKnown), "");
  EXPECT_EQ(nearest_name("", kKnown), "");
  EXPECT_EQ(nearest_name(std::string(1000, 'x'), kKnown), "");
}

}  // namespace
}  // namespace carillon
