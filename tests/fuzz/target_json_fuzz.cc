// The settings of a target: what is taken is written and read again as the same, as the log does.

#include "delivery/http/settings.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using carillon::Secrets;
  const auto settings = carillon::parse_target(carillon::fuzz::text_of(data, size));
  if (!settings) return 0;
  CARILLON_CHECK(carillon::check_target(*settings));
  const auto again = carillon::parse_target(carillon::format_target(*settings, Secrets::stored));
  CARILLON_CHECK(again && *again == *settings);
  const std::string hidden = carillon::format_target(*settings, Secrets::shown);
  for (const std::string& secret : carillon::http_settings(*settings).secrets) {
    CARILLON_CHECK(hidden.find(secret) == std::string::npos);
  }
  return 0;
}
