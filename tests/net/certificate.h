// Certificates made on the spot, for tests of TLS.
#pragma once

#include <string>

#include "tests/support/temp_dir.h"

namespace carillon {

struct CertificateRequest {
  std::string subject_alt_name = "IP:127.0.0.1";  // as OpenSSL's configuration has it
  long valid_from_seconds = -3600;                // relative to now
  long valid_until_seconds = 3600;
};

/// Paths of a self-signed certificate, which is also its own CA, and of its private key.
struct CertificateFiles {
  std::string certificate;
  std::string private_key;
};
[[nodiscard]] CertificateFiles make_certificate(const test::TempDir& dir, const std::string& name,
                                                const CertificateRequest& request = {});

}  // namespace carillon
