// URLs of targets: what is taken is the same URL again when it is put together.

#include <algorithm>

#include "net/url.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using carillon::Result;
  using carillon::Url;
  const Result<Url> url = carillon::parse_url(carillon::fuzz::text_of(data, size));
  if (!url) return 0;
  // Both go into a request's head as they are.
  const auto visible = [](char c) { return c > 0x20 && c < 0x7f; };
  CARILLON_CHECK(url->path.starts_with('/') && std::ranges::all_of(url->path, visible));
  CARILLON_CHECK(std::ranges::all_of(url->host_header(), visible));

  const std::string whole = url->origin() + url->path;
  constexpr std::size_t kUrlBytesMax = 2048;
  if (whole.size() > kUrlBytesMax) return 0;  // the port that was left out made it too long
  const Result<Url> again = carillon::parse_url(whole);
  CARILLON_CHECK(again && again->tls == url->tls && again->host == url->host &&
                 again->port == url->port && again->path == url->path);
  return 0;
}
