// Egress rules: which entries are taken, and whom they keep out, held against inet_pton and masks
// laid over bytes.
//
// The input is lines: an address; entries, each begun by "+" (allow) or "-" (deny). What no entry
// decides is denied.

#include <algorithm>
#include <array>
#include <optional>
#include <vector>

#include <arpa/inet.h>

#include "net/egress.h"
#include "tests/fuzz/fuzz.h"

namespace carillon {
namespace {

namespace ip = boost::asio::ip;

struct Bytes {
  std::vector<std::uint8_t> bytes;  // 4 or 16
  std::size_t bits = 0;             // of them that count
};

std::optional<Bytes> address_of(const std::string& text) {
  std::array<std::uint8_t, 16> bytes;
  for (const auto& [family, size] : {std::pair(AF_INET, 4), std::pair(AF_INET6, 16)}) {
    if (inet_pton(family, text.c_str(), bytes.data()) != 1) continue;
    return Bytes{{bytes.begin(), bytes.begin() + size}, static_cast<std::size_t>(size) * 8};
  }
  return std::nullopt;
}

std::optional<Bytes> block_of(const std::string& text) {
  const std::size_t slash = text.find('/');
  auto block = address_of(text.substr(0, slash));
  if (!block || slash == std::string::npos) return block;
  const std::string digits = text.substr(slash + 1);
  if (digits.empty() || digits.size() > 3 ||
      digits.find_first_not_of("0123456789") != std::string::npos) {
    return std::nullopt;
  }
  const std::size_t bits = std::stoul(digits);
  if (bits > block->bits) return std::nullopt;
  block->bits = bits;
  return block;
}

bool contains(const Bytes& block, const Bytes& one) {
  if (block.bytes.size() != one.bytes.size()) return false;
  for (std::size_t bit = 0; bit < block.bits; ++bit) {
    if (((block.bytes[bit / 8] ^ one.bytes[bit / 8]) >> (7 - bit % 8) & 1) != 0) return false;
  }
  return true;
}

bool in_any(const std::vector<Bytes>& blocks, const Bytes& one) {
  return std::ranges::any_of(blocks, [&](const Bytes& block) { return contains(block, one); });
}

bool denied(const Egress& egress, const std::string& address) {
  const ip::tcp::endpoint endpoint(ip::make_address(address), 80);
  const bool refused = !egress.check_endpoint(address, endpoint);
  // A host that is an address is judged before it is connected to as it is then.
  CARILLON_CHECK(!egress.check_host(address) == refused);
  return refused;
}

struct Rules {
  Egress::Settings settings;
  std::vector<Bytes> allow, deny;
  bool names = false;
};

/// Nothing where an entry has a zone ("%eth0") or a NUL, which the two sides read differently.
std::optional<Rules> read_rules(fuzz::Input& input) {
  Rules rules;
  rules.settings.otherwise = "deny";
  while (!input.empty()) {
    const std::string line(input.line());
    if (line.find_first_of(std::string_view("%\0", 2)) != std::string::npos) return std::nullopt;
    if (line.empty() || (line[0] != '+' && line[0] != '-')) continue;
    const bool allow = line[0] == '+';
    const std::string entry = line.substr(1);
    (allow ? rules.settings.allow : rules.settings.deny).push_back(entry);
    if (const auto block = block_of(entry)) {
      (allow ? rules.allow : rules.deny).push_back(*block);
    } else {
      CARILLON_CHECK(entry.find('/') == std::string::npos ||
                     !Egress::make({.allow_private = true, .allow = {entry}, .deny = {}}));
      rules.names = true;
    }
  }
  return rules;
}

void check_rules(const std::string& address, const Rules& rules) {
  const auto egress = Egress::make(rules.settings);
  CARILLON_CHECK(egress || rules.names);
  const auto one = address_of(address);
  if (!egress || !one) return;
  const bool refused = denied(*egress, address);
  if (in_any(rules.deny, *one)) {
    CARILLON_CHECK(refused);
    // The same host by its other names.
    if (one->bytes.size() == 4) CARILLON_CHECK(denied(*egress, "::ffff:" + address));
    if (one->bytes.size() == 4) CARILLON_CHECK(denied(*egress, "64:ff9b::" + address));
  }
  if (rules.names || one->bytes.size() != 4) return;
  if (!in_any(rules.allow, *one)) CARILLON_CHECK(refused);
}

}  // namespace
}  // namespace carillon

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  carillon::fuzz::Input input(data, size);
  const std::string address(input.line());
  if (address.find_first_of(std::string_view("%\0", 2)) != std::string::npos) return 0;
  const auto rules = carillon::read_rules(input);
  if (rules) carillon::check_rules(address, *rules);
  return 0;
}
