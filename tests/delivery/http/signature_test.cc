#include "delivery/http/signature.h"

#include <gtest/gtest.h>

namespace carillon {
namespace {

constexpr const char* kSecret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

std::string sign(std::vector<std::string> secrets, std::string_view id, std::string_view timestamp,
                 std::string_view body) {
  const Result<WebhookSigner> signer = WebhookSigner::make(secrets);
  EXPECT_TRUE(signer);
  std::string out;
  signer->append_signature(out, id, timestamp, body);
  return out;
}

TEST(Signature, IsThatOfThePublishedExample) {
  // From the test of the reference libraries (github.com/standard-webhooks/standard-webhooks).
  EXPECT_EQ(sign({kSecret}, "msg_p5jXN8AQM9LWM0D4loKWxJek", "1614265330", "{\"test\": 2432232314}"),
            "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
}

TEST(Signature, HasOnePartForEachSecret) {
  const std::string other = "whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
  const std::string one = sign({kSecret}, "a", "1", "x");
  const std::string two = sign({other}, "a", "1", "x");
  EXPECT_NE(one, two);
  EXPECT_EQ(sign({kSecret, other}, "a", "1", "x"), one + " " + two);
}

TEST(Signature, ASignerIsGoodForMany) {
  const std::vector<std::string> secrets = {kSecret};
  const Result<WebhookSigner> signer = WebhookSigner::make(secrets);
  std::string first, second, first_again;
  signer->append_signature(first, "a", "1", "x");
  signer->append_signature(second, "a", "1", "y");
  signer->append_signature(first_again, "a", "1", "x");
  EXPECT_NE(first, second);
  EXPECT_EQ(first, first_again);
}

TEST(Signature, BadSecretsAreRefusedAndNotShown) {
  for (const char* secret :
       {"", "whsec_", "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "whsec_MfKQ9r8G", "whsec_***",
        "WHSEC_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaS",
        "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw\n"}) {
    const auto key = parse_secret(secret);
    ASSERT_FALSE(key) << secret;
    EXPECT_EQ(key.error().slug, "bad_secret");
    EXPECT_EQ(key.error().detail.find("MfKQ"), std::string::npos);
  }
  EXPECT_FALSE(parse_secret("whsec_" + std::string(88, 'A')));
}

}  // namespace
}  // namespace carillon
