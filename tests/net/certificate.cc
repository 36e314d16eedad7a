#include "tests/net/certificate.h"

#include <cstdio>
#include <memory>

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include "base/check.h"

namespace carillon {
namespace {

template <typename T>
using Owned = std::unique_ptr<T, void (*)(T*)>;

void add_extension(X509* certificate, int nid, const std::string& value) {
  const Owned<X509_EXTENSION> extension(X509V3_EXT_conf_nid(nullptr, nullptr, nid, value.c_str()),
                                        X509_EXTENSION_free);
  CARILLON_CHECK(extension != nullptr);
  CARILLON_CHECK(X509_add_ext(certificate, extension.get(), -1) == 1);
}

template <typename Write>
void write_pem(const std::string& path, const Write& write) {
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(std::fopen(path.c_str(), "w"),
                                                             std::fclose);
  CARILLON_CHECK(file != nullptr && write(file.get()) == 1);
}

}  // namespace

CertificateFiles make_certificate(const test::TempDir& dir, const std::string& name,
                                  const CertificateRequest& request) {
  const Owned<EVP_PKEY> key(EVP_EC_gen("P-256"), EVP_PKEY_free);
  const Owned<X509> certificate(X509_new(), X509_free);
  X509_set_version(certificate.get(), 2);
  ASN1_INTEGER_set(X509_get_serialNumber(certificate.get()), 1);
  X509_gmtime_adj(X509_getm_notBefore(certificate.get()), request.valid_from_seconds);
  X509_gmtime_adj(X509_getm_notAfter(certificate.get()), request.valid_until_seconds);
  X509_set_pubkey(certificate.get(), key.get());
  X509_NAME* subject = X509_get_subject_name(certificate.get());
  X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC,
                             reinterpret_cast<const unsigned char*>("carillon test"), -1, -1, 0);
  X509_set_issuer_name(certificate.get(), subject);
  add_extension(certificate.get(), NID_basic_constraints, "critical,CA:TRUE");
  add_extension(certificate.get(), NID_subject_alt_name, request.subject_alt_name);
  CARILLON_CHECK(X509_sign(certificate.get(), key.get(), EVP_sha256()) > 0);

  CertificateFiles files{.certificate = dir / (name + ".pem"),
                         .private_key = dir / (name + ".key")};
  write_pem(files.certificate, [&](std::FILE* f) { return PEM_write_X509(f, certificate.get()); });
  write_pem(files.private_key, [&](std::FILE* f) {
    return PEM_write_PrivateKey(f, key.get(), nullptr, nullptr, 0, nullptr, nullptr);
  });
  return files;
}

}  // namespace carillon
