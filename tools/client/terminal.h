// What the tools print: fit for a terminal, and checked to have arrived.
//
// Ids, errors and headers that a server answers with come from strangers. On a terminal, control
// characters move the cursor or change the title, and characters that turn the direction of writing
// make a line read as another one. Both are shown as escapes.
#pragma once

#include <string>
#include <string_view>

namespace carillon::client {

/// `text` in one line: control characters, line breaks included, characters that turn or break
/// lines (U+202E, U+2066, ...) and bytes that are no UTF-8 become "\x1b" or "\u202e".
[[nodiscard]] std::string printable(std::string_view text);

/// The same for a text of several lines, whose line breaks stay.
[[nodiscard]] std::string printable_lines(std::string_view text);

/// Prints what a server sent: into a file or a pipe as it is, on a terminal as printable_lines.
void print_raw(std::string_view text);

/// The exit code of a program that would end with `exit_code`: `failed`, after a word on stderr,
/// where something that it printed could not be written.
[[nodiscard]] int finish_output(std::string_view program, int exit_code, int failed);

}  // namespace carillon::client
