#include "tools/replay/wal_file.h"

#include <array>
#include <optional>
#include <utility>

#include "storage/bytes.h"

namespace carillon::replay {

namespace {

constexpr std::size_t kBlockBytes = 32768;
constexpr std::size_t kHeaderBytes = 7;
constexpr std::uint32_t kMaskDelta = 0xa282ead8;

enum Type : std::uint8_t { kZero = 0, kFull = 1, kFirst = 2, kMiddle = 3, kLast = 4 };

constexpr std::array<std::uint32_t, 256> make_crc32c_table() {
  std::array<std::uint32_t, 256> table{};
  for (std::uint32_t i = 0; i < 256; ++i) {
    std::uint32_t crc = i;
    for (int bit = 0; bit < 8; ++bit) crc = (crc & 1) != 0 ? crc >> 1 ^ 0x82f63b78 : crc >> 1;
    table[i] = crc;
  }
  return table;
}
constexpr auto kCrc32cTable = make_crc32c_table();

std::uint32_t masked(std::uint32_t crc) {
  return (crc >> 15 | crc << 17) + kMaskDelta;
}

struct Fragment {
  std::uint8_t type = kZero;
  std::string_view bytes;
};

class WalReader {
 public:
  WalReader(std::string_view file, const std::function<void(std::string_view)>& visit)
      : file_(file), visit_(visit) {}

  std::vector<WalDamage> read() {
    while (at_ < file_.size()) step();
    if (pending_) damage(pending_at_, "the last record is cut short");
    for (std::size_t i = whole_after_; i < damage_.size(); ++i) damage_[i].at_end = true;
    return std::move(damage_);
  }

 private:
  [[nodiscard]] static std::size_t room_at(std::size_t at) {
    return kBlockBytes - at % kBlockBytes;
  }

  /// The fragment at `at`, if its checksum is right.
  [[nodiscard]] std::optional<Fragment> fragment_at(std::size_t at) const {
    if (room_at(at) < kHeaderBytes || file_.size() - at < kHeaderBytes) return std::nullopt;
    ByteReader header(file_.substr(at, kHeaderBytes));
    const auto stated = static_cast<std::uint32_t>(header.fixed<4>());
    const std::size_t length = header.fixed<2>();
    if (kHeaderBytes + length > room_at(at)) return std::nullopt;
    if (kHeaderBytes + length > file_.size() - at) return std::nullopt;
    const std::string_view summed = file_.substr(at + kHeaderBytes - 1, 1 + length);
    if (masked(crc32c_of(summed)) != stated) return std::nullopt;
    return Fragment{header.u8(), file_.substr(at + kHeaderBytes, length)};
  }

  void step() {
    if (room_at(at_) < kHeaderBytes) {
      at_ += room_at(at_);
      return;
    }
    if (const auto fragment = fragment_at(at_)) {
      // Room that was never written is at the end; before a record there was something else.
      if (zeros_at_) damage(*std::exchange(zeros_at_, std::nullopt), "zeros between records");
      at_ += kHeaderBytes + fragment->bytes.size();
      take(*fragment, at_ - kHeaderBytes - fragment->bytes.size());
      return;
    }
    skip();
  }

  void take(const Fragment& fragment, std::size_t at) {
    const bool begins = fragment.type == kFull || fragment.type == kFirst;
    if (begins && pending_) damage(pending_at_, "a record without its end");
    if (!begins && !pending_) return;  // the rest of a record whose beginning is reported already
    switch (fragment.type) {
      case kFull:
        whole(fragment.bytes);
        break;
      case kFirst:
        pending_ = std::string(fragment.bytes);
        pending_at_ = at;
        break;
      case kMiddle:
        pending_->append(fragment.bytes);
        break;
      case kLast:
        pending_->append(fragment.bytes);
        whole(*pending_);
        break;
      default:
        damage(at, "a record of an unknown type");
        break;
    }
  }

  void whole(std::string_view record) {
    visit_(record);
    pending_.reset();
    whole_after_ = damage_.size();
  }

  /// Leaves the unreadable place at `at_`: to the record behind it if its length can be believed,
  /// otherwise to the next block. Zeros up to the end are room that was reserved and never written.
  void skip() {
    const std::size_t from = at_;
    const std::size_t end = std::min(file_.size(), at_ + room_at(at_));
    const std::string_view rest = file_.substr(from, end - from);
    if (rest.find_first_not_of('\0') == std::string_view::npos) {
      if (!zeros_at_) zeros_at_ = from;
      at_ = end;
      return;
    }
    at_ = end;
    if (rest.size() >= kHeaderBytes) {
      const std::size_t length = ByteReader(rest.substr(4)).fixed<2>();
      const std::size_t next = from + kHeaderBytes + length;
      if (next < end && fragment_at(next)) at_ = next;
    }
    pending_.reset();
    damage(from, "a record that does not match its checksum, or is cut short");
  }

  void damage(std::size_t at, const char* what) {
    damage_.push_back({at, what});
    pending_.reset();
  }

  std::string_view file_;
  const std::function<void(std::string_view)>& visit_;
  std::size_t at_ = 0;
  std::optional<std::string> pending_;
  std::size_t pending_at_ = 0;
  std::optional<std::size_t> zeros_at_;  // of zeros behind which no record was found yet
  std::size_t whole_after_ = 0;          // damages before the last whole record
  std::vector<WalDamage> damage_;
};

}  // namespace

std::uint32_t crc32c_of(std::string_view bytes) {
  std::uint32_t crc = ~std::uint32_t{0};
  for (const char byte : bytes) {
    crc = crc >> 8 ^ kCrc32cTable[(crc ^ static_cast<std::uint8_t>(byte)) & 0xff];
  }
  return ~crc;
}

std::vector<WalDamage> read_wal(std::string_view file,
                                const std::function<void(std::string_view record)>& visit) {
  return WalReader(file, visit).read();
}

}  // namespace carillon::replay
