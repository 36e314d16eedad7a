#include "tools/client/endpoint.h"

#include <algorithm>

#include "base/text.h"

namespace carillon::client {
namespace {

Error bad(std::string_view text, std::string_view why) {
  return {"bad_server",
          "\"" + std::string(text) + "\": " + std::string(why) +
              "; write http://HOST:PORT, https://HOST[:PORT] or unix:PATH",
          ""};
}

bool is_port(std::string_view text) {
  return !text.empty() && text.size() <= 5 && std::all_of(text.begin(), text.end(), is_digit);
}

}  // namespace

Result<Endpoint> parse_endpoint(std::string_view text) {
  Endpoint endpoint;
  std::string_view rest = text;
  if (rest.starts_with("unix:")) {
    rest.remove_prefix(5);
    if (rest.empty()) return bad(text, "the path is missing");
    endpoint.unix_path = rest;
    endpoint.host = "localhost";
    return endpoint;
  }
  endpoint.tls = rest.starts_with("https://");
  if (!endpoint.tls && !rest.starts_with("http://")) return bad(text, "no http, https or unix");
  rest.remove_prefix(endpoint.tls ? 8 : 7);
  if (rest.ends_with('/')) rest.remove_suffix(1);
  if (rest.find_first_of("/?#@ ") != std::string_view::npos) return bad(text, "only host and port");

  // An IPv6 address is in brackets, so that its colons are not taken for the port's.
  const std::size_t bracket = rest.starts_with('[') ? rest.find(']') : 0;
  if (bracket == std::string_view::npos) return bad(text, "the bracket is not closed");
  const std::size_t colon = rest.find(':', bracket);
  endpoint.host = rest.substr(0, colon);
  endpoint.port = endpoint.tls ? "443" : "80";
  if (colon != std::string_view::npos) endpoint.port = rest.substr(colon + 1);
  if (bracket > 0) endpoint.host = endpoint.host.substr(1, bracket - 1);
  if (endpoint.host.empty()) return bad(text, "the host is missing");
  if (!is_port(endpoint.port)) return bad(text, "the port is no number");
  return endpoint;
}

std::string percent_encoded(std::string_view text) {
  std::string out;
  append_percent_encoded(out, text, [](char c) {
    return is_alphanumeric(c) || std::string_view("-._~").find(c) != std::string_view::npos;
  });
  return out;
}

}  // namespace carillon::client
