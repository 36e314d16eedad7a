#include "storage/note.h"

#include "storage/bytes.h"

namespace carillon {

namespace {

constexpr std::uint8_t kNoteVersion = 3;

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
  in.expect_end();
  if (!in.ok()) return in.error(what);
  return note;
}

}  // namespace carillon
