// The head of a push, read with as little work as will do.
//
// The receiver of a benchmark must never be what is measured, so this looks only for the fields
// that Carillon's pushes carry and that the receiver needs. It is no general HTTP parser: a push
// without Content-Length, or with Transfer-Encoding, is refused.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace carillon::load {

/// Views point into the bytes that were parsed.
struct PushHead {
  std::string_view task_id;  // as sent: percent-encoded where it is not visible ASCII
  std::string_view webhook_id;
  std::string_view due_at;     // RFC 3339
  std::uint32_t attempt = 0;   // 0: none given
  std::uint32_t tasks = 0;     // so many are in the body (docs/batches.md); 0: it is one task's
  std::size_t head_bytes = 0;  // up to and with the empty line
  std::size_t body_bytes = 0;
  bool close = false;  // the sender ends the connection after the answer
};

enum class Parsed { complete, incomplete, bad };

/// Reads the head at the front of `bytes`. `complete` says nothing of the body, which may still be
/// on its way. Heads over 64 KiB are bad.
[[nodiscard]] Parsed parse_push_head(std::string_view bytes, PushHead& head);

}  // namespace carillon::load
