// The member `tls` of a target: who vouches for its receiver, and for us.
#pragma once

#include <simdjson.h>

#include "base/json.h"
#include "base/result.h"
#include "net/tls.h"

namespace carillon {

[[nodiscard]] Result<> read_tls(simdjson::ondemand::value from, ClientTls& tls);
void write_tls(JsonWriter& json, const ClientTls& tls);

/// Error slug: bad_value.
[[nodiscard]] Result<> check_tls(const ClientTls& tls);
/// Whether its files can be used. Error slug: unusable_file, with file and reason.
[[nodiscard]] Result<> check_tls_files(const ClientTls& tls);

}  // namespace carillon
