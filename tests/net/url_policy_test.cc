#include "net/url_policy.h"

#include <gtest/gtest.h>

namespace carillon {
namespace {

Egress denying(const std::string& entry) {
  return *Egress::make({.allow_private = true, .allow = {}, .deny = {entry}});
}

std::string slug_of(UrlPolicy& urls, std::string_view url) {
  const auto allowed = urls.check(url);
  return allowed ? "" : allowed.error().slug;
}

TEST(UrlPolicy, answers_the_origin_of_a_url_that_the_rules_allow) {
  UrlPolicy urls(denying("denied.example"));
  EXPECT_EQ((*urls.check("https://Fine.example/a?b"))->origin, "https://fine.example:443");
  EXPECT_EQ(slug_of(urls, "http://denied.example/"), "target_denied");
  EXPECT_EQ(slug_of(urls, "http://[fd00:ec2::254]/"), "target_denied");
  EXPECT_EQ(slug_of(urls, "nonsense"), "bad_url");
}

TEST(UrlPolicy, takes_a_url_apart_whatever_the_rules_say) {
  UrlPolicy urls(denying("denied.example"));
  EXPECT_EQ((*urls.parse("http://denied.example:81/x"))->url.port, "81");
  EXPECT_EQ(urls.parse("nonsense").error().slug, "bad_url");
  EXPECT_EQ(slug_of(urls, "http://denied.example:81/x"), "target_denied");
}

TEST(UrlPolicy, new_rules_hold_for_urls_that_were_asked_about_before) {
  UrlPolicy urls;
  EXPECT_EQ(slug_of(urls, "http://127.0.0.1/"), "");
  const std::uint64_t edition = urls.edition();
  urls.set_egress(denying("127.0.0.1"));
  EXPECT_NE(urls.edition(), edition);
  EXPECT_EQ(slug_of(urls, "http://127.0.0.1/"), "target_denied");
  urls.set_egress(Egress());
  EXPECT_EQ(slug_of(urls, "http://127.0.0.1/"), "");
}

TEST(UrlPolicy, by_a_proxy_a_literal_address_is_judged_and_this_machine_is_reached_without_it) {
  UrlPolicy urls(
      *Egress::make({.allow_private = false, .allow = {"127.0.0.1"}, .deny = {"denied.example"}}));
  urls.set_proxy(*make_proxy("http://proxy.example:3128", ""));
  EXPECT_EQ(slug_of(urls, "http://127.0.0.1:8080/"), "");
  EXPECT_EQ(slug_of(urls, "http://fine.example/"), "");
  for (const char* url :
       {"http://denied.example/", "http://10.0.0.1/", "http://169.254.169.254/"}) {
    EXPECT_EQ(slug_of(urls, url), "target_denied") << url;
  }
}

TEST(UrlPolicy, the_same_proxy_set_again_stays_the_same_object) {
  UrlPolicy urls;
  EXPECT_EQ(urls.proxy(), nullptr);
  urls.set_proxy(*make_proxy("http://proxy.example:3128", ""));
  const auto proxy = urls.proxy();
  urls.set_proxy(*make_proxy("http://proxy.example:3128", ""));
  EXPECT_EQ(urls.proxy(), proxy);
  urls.set_proxy(*make_proxy("http://proxy.example:3129", ""));
  EXPECT_NE(urls.proxy(), proxy);
  urls.set_proxy(std::nullopt);
  EXPECT_EQ(urls.proxy(), nullptr);
}

TEST(UrlPolicy, more_urls_than_it_keeps_are_answered_as_well) {
  UrlPolicy urls;
  for (int i = 0; i < 10'000; ++i) {
    const std::string host = "h" + std::to_string(i) + ".example";
    ASSERT_EQ((*urls.check("http://" + host + "/"))->origin, "http://" + host + ":80");
  }
}

}  // namespace
}  // namespace carillon
