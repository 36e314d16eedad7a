// The server's JSON, for a person.
//
// Text from the server goes to a terminal here, so all of it is made printable (terminal.h).
#pragma once

#include <initializer_list>
#include <string>
#include <string_view>

namespace carillon::client {

/// One line for each member of an object, names aligned; members of inner objects as "outer.inner".
/// What is no object comes back as lines.
[[nodiscard]] std::string format_fields(std::string_view json);

/// The first array in an object as a table: a line for each element, a column for each of `columns`
/// (none: for every member that any element has). Below it, where there are no elements, "none".
[[nodiscard]] std::string format_table(std::string_view json,
                                       std::initializer_list<std::string_view> columns);

/// "409 Task exists: user:1 is scheduled for ... (id)".
[[nodiscard]] std::string describe_problem(unsigned status, std::string_view json);

/// One member of an object as text; empty where there is none.
[[nodiscard]] std::string member(std::string_view json, std::string_view name);

}  // namespace carillon::client
