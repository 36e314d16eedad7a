#include "storage/content.h"

#include <algorithm>
#include <ranges>

#include "storage/bytes.h"

namespace carillon {

namespace {

constexpr std::uint8_t kContentVersion = 4;

enum Flag : std::uint16_t {
  kBodyIsJson = 1 << 0,
  kExpireAfter = 1 << 1,
  kRetry = 1 << 2,
  kDelay = 1 << 3,
  kDueAt = 1 << 4,
  kFlagsOfVersion1 = (1 << 5) - 1,
  kRedrivenAt = 1 << 5,
  kFlagsOfVersion2 = (1 << 6) - 1,
  kDiesLate = 1 << 6,
  kFlagsOfVersion3 = (1 << 7) - 1,
  kChangedAt = 1 << 7,
  kMergeWithin = 1 << 8,
  kKey = 1 << 9,
  kAllFlags = (1 << 10) - 1,
};

std::uint64_t known_flags(std::uint8_t version) {
  if (version == 1) return kFlagsOfVersion1;
  if (version == 2) return kFlagsOfVersion2;
  return version == 3 ? kFlagsOfVersion3 : kAllFlags;
}

/// Which parts of a retry policy a task has. Rows of version 1 have the first three, always.
enum RetryFlag : std::uint8_t {
  kMaxAttempts = 1 << 0,
  kBackoffMin = 1 << 1,
  kBackoffMax = 1 << 2,
  kRetryOfVersion1 = (1 << 3) - 1,
  kMaxAge = 1 << 3,
  kAllRetryFlags = (1 << 4) - 1,
};

void encode_retry(const RetryChoice& retry, ByteWriter& out) {
  int flags = 0;
  if (retry.max_attempts) flags |= kMaxAttempts;
  if (retry.backoff_min) flags |= kBackoffMin;
  if (retry.backoff_max) flags |= kBackoffMax;
  if (retry.max_age) flags |= kMaxAge;
  out.u8(static_cast<std::uint8_t>(flags));
  if (retry.max_attempts) out.zigzag(*retry.max_attempts);
  if (retry.backoff_min) out.zigzag(retry.backoff_min->count());
  if (retry.backoff_max) out.zigzag(retry.backoff_max->count());
  if (retry.max_age) out.zigzag(retry.max_age->count());
}

RetryChoice decode_retry(ByteReader& in, std::uint8_t version) {
  RetryChoice retry;
  const std::uint8_t flags = version == 1 ? std::uint8_t{kRetryOfVersion1} : in.u8();
  if ((flags & ~kAllRetryFlags) != 0) in.fail("an unknown flag");
  if ((flags & kMaxAttempts) != 0) {
    const std::int64_t attempts = in.zigzag();
    if (attempts < INT32_MIN || attempts > INT32_MAX) in.fail("a number of more than 32 bits");
    retry.max_attempts = static_cast<int>(attempts);
  }
  if ((flags & kBackoffMin) != 0) retry.backoff_min = Millis(in.zigzag());
  if ((flags & kBackoffMax) != 0) retry.backoff_max = Millis(in.zigzag());
  if ((flags & kMaxAge) != 0) retry.max_age = Millis(in.zigzag());
  return retry;
}

/// What the client chose.
void encode_choices(const TaskContent& content, std::string& row) {
  ByteWriter out(row);
  int flags = 0;
  if (content.body_is_json) flags |= kBodyIsJson;
  if (content.expire_after) flags |= kExpireAfter;
  if (content.retry) flags |= kRetry;
  if (content.delay) flags |= kDelay;
  if (content.due_at) flags |= kDueAt;
  if (content.redriven_at) flags |= kRedrivenAt;
  if (content.dies_late) flags |= kDiesLate;
  if (content.changed_at) flags |= kChangedAt;
  if (content.merge_within) flags |= kMergeWithin;
  if (!content.key.empty()) flags |= kKey;
  out.varint(static_cast<unsigned>(flags));
  out.text(content.id);
  out.text(content.target);
  out.text(content.group);
  out.text(content.lane);
  out.text(content.content_type);
  out.varint(content.headers.size());
  for (const Header& header : content.headers) {
    out.text(header.name);
    out.text(header.value);
  }
  if (content.expire_after) out.zigzag(content.expire_after->count());
  if (content.retry) encode_retry(*content.retry, out);
  if (content.delay) out.zigzag(content.delay->count());
  if (content.due_at) out.zigzag(content.due_at->time_since_epoch().count());
  if (content.redriven_at) out.zigzag(content.redriven_at->time_since_epoch().count());
  if (content.changed_at) out.zigzag(content.changed_at->time_since_epoch().count());
  if (content.merge_within) out.zigzag(content.merge_within->count());
  if (!content.key.empty()) out.text(content.key);
  out.text(content.body);
}

void decode_headers(ByteReader& in, TaskContent& content) {
  const std::uint64_t count = in.varint();
  if (count > in.remaining() / 2) in.fail("more headers than the row has room for");
  for (std::uint64_t i = 0; i < count && in.ok(); ++i) {
    const std::string_view name = in.text();
    content.headers.push_back({name, in.text()});
  }
}

void decode_choices(ByteReader& in, std::uint8_t version, TaskContent& content) {
  const std::uint64_t flags = in.varint();
  if ((flags & ~known_flags(version)) != 0) in.fail("an unknown flag");
  content.body_is_json = (flags & kBodyIsJson) != 0;
  content.dies_late = (flags & kDiesLate) != 0;
  content.id = in.text();
  content.target = in.text();
  content.group = in.text();
  content.lane = in.text();
  content.content_type = in.text();
  decode_headers(in, content);
  if ((flags & kExpireAfter) != 0) content.expire_after = Millis(in.zigzag());
  if ((flags & kRetry) != 0) content.retry = decode_retry(in, version);
  if ((flags & kDelay) != 0) content.delay = Millis(in.zigzag());
  if ((flags & kDueAt) != 0) content.due_at = WallTime(Millis(in.zigzag()));
  if ((flags & kRedrivenAt) != 0) content.redriven_at = WallTime(Millis(in.zigzag()));
  if ((flags & kChangedAt) != 0) content.changed_at = WallTime(Millis(in.zigzag()));
  if ((flags & kMergeWithin) != 0) content.merge_within = Millis(in.zigzag());
  if ((flags & kKey) != 0) {
    content.key = in.text();
    if (content.key.empty()) in.fail("a key of no bytes");
  }
  content.body = in.text();
}

}  // namespace

std::string encode_content(const TaskContent& content) {
  std::string row;
  row.reserve(96 + content.id.size() + content.target.size() + content.body.size());
  ByteWriter out(row);
  out.u8(kContentVersion);
  out.zigzag(content.created_at.time_since_epoch().count());
  out.text(content.webhook_id);
  out.varint(content.attempts_before);
  encode_choices(content, row);
  seal_row(row);
  return row;
}

Result<TaskContent> decode_content(std::string_view row) {
  constexpr std::string_view what = "a task's content";
  const auto body = open_row(row, kContentVersion, what);
  if (!body) return body.error();
  ByteReader in(*body);
  const std::uint8_t version = in.u8();
  TaskContent content;
  content.created_at = WallTime(Millis(in.zigzag()));
  content.webhook_id = in.text();
  content.attempts_before = in.varint32();
  decode_choices(in, version, content);
  in.expect_end();
  if (!in.ok()) return in.error(what);
  return content;
}

std::string head_of_content(std::string_view row) {
  Result<TaskContent> content = decode_content(row);
  if (!content) return {};
  content->body = {};
  content->headers.clear();
  return encode_content(*content);
}

namespace {

/// The trace of the request that brought it; another request has another.
bool is_trace(const Header& header) {
  return header.name == "traceparent" || header.name == "tracestate";
}

bool same_headers(const std::vector<Header>& a, const std::vector<Header>& b) {
  if (a == b) return true;
  const auto chosen = std::views::filter([](const Header& header) { return !is_trace(header); });
  return std::ranges::equal(a | chosen, b | chosen);
}

}  // namespace

bool same_choices(const TaskContent& a, const TaskContent& b) {
  return a.id == b.id && a.target == b.target && a.group == b.group && a.lane == b.lane &&
         a.key == b.key && a.body == b.body && a.content_type == b.content_type &&
         a.body_is_json == b.body_is_json && same_headers(a.headers, b.headers) &&
         a.expire_after == b.expire_after && a.dies_late == b.dies_late &&
         a.merge_within == b.merge_within && a.retry == b.retry;
}

bool same_due_asked(const TaskContent& a, const TaskContent& b) {
  return (a.delay || a.due_at) && a.delay == b.delay && a.due_at == b.due_at;
}

}  // namespace carillon
