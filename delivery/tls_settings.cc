#include "delivery/tls_settings.h"

#include <array>

#include "delivery/json_fields.h"

namespace carillon {

using simdjson::ondemand::value;

Result<> read_tls(value from, ClientTls& tls) {
  static constexpr std::array<std::string_view, 4> kKnown = {
      "verify", "ca_file", "certificate_file", "private_key_file"};
  const Result<> ok = read_fields(from, kKnown, [&](std::string_view key, value inner) -> Result<> {
    if (key == "verify") return read_bool(inner, key, tls.verify);
    if (key == "ca_file") return read_string(inner, key, tls.ca_file);
    if (key == "certificate_file") return read_string(inner, key, tls.certificate_file);
    return read_string(inner, key, tls.private_key_file);
  });
  return ok ? ok : within("tls", ok.error());
}

void write_tls(JsonWriter& json, const ClientTls& tls) {
  json.key("tls").begin_object().key("verify").boolean(tls.verify);
  if (!tls.ca_file.empty()) json.key("ca_file").string(tls.ca_file);
  if (!tls.certificate_file.empty()) json.key("certificate_file").string(tls.certificate_file);
  if (!tls.private_key_file.empty()) json.key("private_key_file").string(tls.private_key_file);
  json.end_object();
}

Result<> check_tls(const ClientTls& tls) {
  if (tls.certificate_file.empty() == tls.private_key_file.empty()) return {};
  return Error{.slug = "bad_value",
               .detail = "certificate_file and private_key_file go together",
               .field = "tls"};
}

Result<> check_tls_files(const ClientTls& tls) {
  if (tls.ca_file.empty() && tls.certificate_file.empty()) return {};
  const Result<TlsContext> made = make_client_tls(tls);
  if (made) return {};
  return Error{
      .slug = "unusable_file", .detail = made.error().detail, .field = "tls." + made.error().field};
}

}  // namespace carillon
