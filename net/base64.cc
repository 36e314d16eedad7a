#include "net/base64.h"

#include <algorithm>
#include <limits>

#include <openssl/evp.h>

#include "base/check.h"
#include "base/text.h"

namespace carillon {
namespace {

bool is_base64_char(char c) {
  return is_alphanumeric(c) || c == '+' || c == '/' || c == '=';
}

const unsigned char* as_bytes(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

}  // namespace

void append_base64(std::string& out, std::string_view bytes) {
  CARILLON_CHECK(bytes.size() < std::numeric_limits<int>::max() / 2);
  const std::size_t before = out.size();
  // EVP_EncodeBlock ends its text with a NUL, hence one more byte for a moment.
  out.resize(before + (bytes.size() + 2) / 3 * 4 + 1);
  const int size = EVP_EncodeBlock(reinterpret_cast<unsigned char*>(out.data() + before),
                                   as_bytes(bytes), static_cast<int>(bytes.size()));
  out.resize(before + static_cast<std::size_t>(size));
}

std::string base64_encode(std::string_view bytes) {
  std::string out;
  append_base64(out, bytes);
  return out;
}

std::optional<std::string> base64_decode(std::string_view text) {
  if (text.empty()) return std::string();
  if (text.size() % 4 != 0 || text.size() >= std::numeric_limits<int>::max() / 2 ||
      !std::ranges::all_of(text, is_base64_char)) {
    return std::nullopt;
  }
  std::string bytes(text.size() / 4 * 3, '\0');
  if (EVP_DecodeBlock(reinterpret_cast<unsigned char*>(bytes.data()), as_bytes(text),
                      static_cast<int>(text.size())) < 0) {
    return std::nullopt;
  }
  // EVP_DecodeBlock counts padding as bytes, and takes "=" and stray bits where they may not be:
  // what does not encode back to the same text was not base64.
  if (text.ends_with("==")) {
    bytes.resize(bytes.size() - 2);
  } else if (text.ends_with('=')) {
    bytes.resize(bytes.size() - 1);
  }
  if (base64_encode(bytes) != text) return std::nullopt;
  return bytes;
}

}  // namespace carillon
