#include "storage/note.h"

#include "storage/bytes.h"

namespace carillon {

namespace {

constexpr std::uint8_t kNoteVersion = 4;

void append_attempt(const FailedAttempt& one, ByteWriter& out) {
  out.zigzag(one.at.time_since_epoch().count());
  out.varint(one.attempt);
  out.varint(one.http_status);
  out.text(one.error);
  out.zigzag(one.late.count());
  out.zigzag(one.took.count());
}

FailedAttempt take_attempt(ByteReader& in) {
  FailedAttempt one;
  one.at = WallTime(Millis(in.zigzag()));
  one.attempt = in.varint32();
  one.http_status = in.varint32();
  one.error = in.text();
  one.late = Millis(in.zigzag());
  one.took = Millis(in.zigzag());
  return one;
}

void take_history(ByteReader& in, Note& note) {
  note.late = Millis(in.zigzag());
  note.took = Millis(in.zigzag());
  note.retry_at = WallTime(Millis(in.zigzag()));
  const std::uint64_t count = in.varint();
  if (count > Note::kAttemptsBefore) in.fail("more attempts than are kept");
  for (std::uint64_t i = 0; i < count && in.ok(); ++i) note.before.push_back(take_attempt(in));
}

}  // namespace

std::string encode_note(const Note& note) {
  std::string row;
  ByteWriter out(row);
  out.u8(kNoteVersion);
  out.zigzag(note.at.time_since_epoch().count());
  out.varint(note.attempt);
  out.varint(note.http_status);
  out.text(note.error);
  out.zigzag(note.first_attempt_at.time_since_epoch().count());
  out.varint(note.uncounted);
  out.zigzag(note.paused_for.count());
  out.zigzag(note.late.count());
  out.zigzag(note.took.count());
  out.zigzag(note.retry_at.time_since_epoch().count());
  out.varint(note.before.size());
  for (const FailedAttempt& one : note.before) append_attempt(one, out);
  seal_row(row);
  return row;
}

Result<Note> decode_note(std::string_view row) {
  constexpr std::string_view what = "a task's note";
  const auto body = open_row(row, kNoteVersion, what);
  if (!body) return body.error();
  ByteReader in(*body);
  const std::uint8_t version = in.u8();
  Note note;
  note.at = WallTime(Millis(in.zigzag()));
  note.attempt = in.varint32();
  note.http_status = in.varint32();
  note.error = in.text();
  note.first_attempt_at = note.at;
  if (version > 1) {
    note.first_attempt_at = WallTime(Millis(in.zigzag()));
    note.uncounted = in.varint32();
  }
  if (version > 2) note.paused_for = Millis(in.zigzag());
  if (version > 3) take_history(in, note);
  in.expect_end();
  if (!in.ok()) return in.error(what);
  return note;
}

}  // namespace carillon
