#include "server/settings.h"

#include <set>

#include <gmock/gmock.h>

#include "tests/support/temp_dir.h"

namespace carillon {
namespace {

using testing::HasSubstr;

template <typename T>
bool holds(const Setting& setting) {
  return std::holds_alternative<Setting::Place<T>>(setting.place);
}
bool is_number(const Setting& setting) {
  return holds<std::uint64_t>(setting) || holds<std::uint32_t>(setting) || holds<Millis>(setting);
}

TEST(Settings, EveryKeyAndVariableAndFlagIsThereOnce) {
  std::set<std::string> names;
  for (const Setting& setting : settings()) {
    EXPECT_TRUE(names.insert(std::string(setting.key)).second) << setting.key;
    EXPECT_TRUE(names.insert(environment_name(setting.key)).second) << setting.key;
    if (!setting.flag.empty()) {
      EXPECT_TRUE(names.insert(std::string(setting.flag)).second) << setting.flag;
    }
    EXPECT_EQ(find_setting(setting.key), &setting);
    EXPECT_FALSE(setting.help.empty()) << setting.key;
    EXPECT_FALSE(setting.help.ends_with('.')) << setting.key;
  }
  EXPECT_EQ(find_setting("no.such"), nullptr);
}

TEST(Settings, EveryDefaultIsWithinItsOwnBoundsAndReadsBack) {
  for (const Setting& setting : settings()) {
    Options options;
    const std::string shown = show(setting, options);
    if (shown.empty()) continue;
    const Result<> set = set_text(setting, options, shown);
    ASSERT_TRUE(set) << setting.key << ": " << set.error().detail;
    EXPECT_EQ(show(setting, options), shown) << setting.key;
  }
}

TEST(Settings, NumbersAreTakenAtTheirBoundsAndRefusedBeyond) {
  for (const Setting& setting : settings()) {
    if (!is_number(setting)) continue;
    Options options;
    EXPECT_LT(setting.min, setting.max) << setting.key;
    EXPECT_TRUE(set_number(setting, options, setting.min)) << setting.key;
    EXPECT_TRUE(set_number(setting, options, setting.max)) << setting.key;
    const std::string before = show(setting, options);
    const Result<> low = set_number(setting, options, setting.min - 1);
    const Result<> high = set_number(setting, options, setting.max + 1);
    ASSERT_FALSE(low) << setting.key;
    ASSERT_FALSE(high) << setting.key;
    EXPECT_EQ(low.error().slug, "config");
    EXPECT_EQ(high.error().field, setting.key);
    EXPECT_THAT(high.error().detail, HasSubstr(allowed_text(setting)));
    EXPECT_EQ(show(setting, options), before) << "refused, and yet changed";
  }
}

TEST(Settings, ChoicesAndNumbersAndSwitchesRefuseNonsense) {
  for (const Setting& setting : settings()) {
    const bool is_free_text = holds<std::string>(setting) && setting.choices.empty();
    if (is_free_text || is_list(setting)) continue;
    for (const char* nonsense : {"nonsense", "", "1x", "0x10", " 5", "5 ", "-", "1.5"}) {
      Options options;
      EXPECT_FALSE(set_text(setting, options, nonsense)) << setting.key << "=" << nonsense;
    }
    // A duration is written as the API takes it; all else is as plain as it looks.
    Options options;
    if (!holds<Millis>(setting)) {
      EXPECT_FALSE(set_text(setting, options, "1e3")) << setting.key;
    }
  }
}

TEST(Settings, DurationsTakeTheFormsOfTheApi) {
  for (const char* text : {"90s", "1m30s", "1.5m", "PT90S", "90000", "90000.0", "9e4"}) {
    Options options;
    ASSERT_TRUE(set_text(*find_setting("shutdown_timeout"), options, text)) << text;
    EXPECT_EQ(options.shutdown_timeout, std::chrono::seconds(90)) << text;
  }
}

TEST(Settings, ListsTakeCommasAndBlanksBetweenItems) {
  Options options;
  ASSERT_TRUE(set_text(*find_setting("egress.deny"), options, "10.0.0.0/8, .example.com,,"));
  EXPECT_THAT(options.egress.deny, testing::ElementsAre("10.0.0.0/8", ".example.com"));
}

TEST(Settings, AVariableIsNamedAfterItsKey) {
  EXPECT_EQ(environment_name("limits.body_bytes_max"), "CARILLON_LIMITS_BODY_BYTES_MAX");
}

TEST(Settings, AreDocumentedAsTheyAre) {
  const std::string document = test::read_whole_file(CARILLON_SOURCE_DIR "/docs/configuration.md");
  EXPECT_THAT(document, HasSubstr(settings_table()))
      << "docs/configuration.md must hold this table:\n"
      << settings_table();
}

}  // namespace
}  // namespace carillon
