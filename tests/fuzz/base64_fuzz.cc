// Base64 and the secrets that are written in it: one text for each value.

#include "delivery/http/signature.h"
#include "net/base64.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text = carillon::fuzz::text_of(data, size);
  if (const auto bytes = carillon::base64_decode(text)) {
    CARILLON_CHECK(carillon::base64_encode(*bytes) == text);
  }
  CARILLON_CHECK(carillon::base64_decode(carillon::base64_encode(text)) == text);

  for (const std::string& secret : {std::string(text), "whsec_" + std::string(text),
                                    "whsec_" + carillon::base64_encode(text)}) {
    const auto key = carillon::parse_secret(secret);
    if (!key) continue;
    CARILLON_CHECK(key->size() >= 24 && key->size() <= 64);
    const std::string_view bytes(reinterpret_cast<const char*>(key->data()), key->size());
    CARILLON_CHECK("whsec_" + carillon::base64_encode(bytes) == secret);
  }
  return 0;
}
