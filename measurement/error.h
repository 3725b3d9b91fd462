// An Error is our own failure: disk, configuration, descriptors, bad input from outside. What the
// network did to a measurement is never an Error but a Failure inside an observation (failure.h).
#pragma once

#include <expected>
#include <string>
#include <utility>

namespace kua {

enum class ErrorKind {
  invalid_input,  // bytes or text from outside do not follow their format
  configuration,  // what a person wrote in a file or on the command line
  io,             // a system call on files or sockets of ours failed
  no_space,       // the disk or a bound of ours is full; trying later may work
  not_found,
  permission,  // refused by the system, by consent or by a signature
  unavailable,  // a peer we need (collector, database) does not answer; trying later may work
  limit,        // a limit of limits.h would be passed
  internal,     // a library returned what its documentation excludes
};

[[nodiscard]] const char* to_string(ErrorKind kind) noexcept;

struct [[nodiscard]] Error {
  ErrorKind kind = ErrorKind::internal;
  std::string message;  // one sentence, no trailing full stop: what went wrong
  std::string doing;    // what was being done: "opening spool /var/lib/kua/spool.db"

  // "opening spool x: database is locked"; the form for logs and terminals.
  [[nodiscard]] std::string text() const { return doing.empty() ? message : doing + ": " + message; }
};

template <typename T>
using Expected = std::expected<T, Error>;

[[nodiscard]] inline std::unexpected<Error> fail(ErrorKind kind, std::string message,
                                                 std::string doing = {}) {
  return std::unexpected(Error{kind, std::move(message), std::move(doing)});
}

}  // namespace kua
