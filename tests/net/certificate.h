// Certificates made on the spot, for tests of TLS.
#pragma once

#include <filesystem>
#include <string>

namespace carillon {

/// A directory of its own under the system's temporary one; gone with this object.
class TempDir {
 public:
  TempDir();
  ~TempDir();
  TempDir(const TempDir&) = delete;
  TempDir& operator=(const TempDir&) = delete;
  [[nodiscard]] std::string file(const std::string& name) const { return (path_ / name).string(); }
  /// Writes a file and answers its path.
  [[nodiscard]] std::string write(const std::string& name, const std::string& bytes) const;

 private:
  std::filesystem::path path_;
};

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
[[nodiscard]] CertificateFiles make_certificate(const TempDir& dir, const std::string& name,
                                                const CertificateRequest& request = {});

}  // namespace carillon
