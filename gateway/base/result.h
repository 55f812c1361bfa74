// Result<T>: a value or an Error that a person can act on.
//
// Expected failures travel as values; bugs abort. An Error says what kind it is (so that code can choose) and in words what was wrong and where (so that a
// person can). It never holds message content or secrets.
#pragma once

#include <expected>
#include <string>
#include <utility>

namespace fedgate {

enum class ErrorKind {
  kInvalid,      // the input is wrong; trying again does not help
  kNotFound,
  kConflict,     // somebody else was first (compare-and-set)
  kUnavailable,  // not now; trying again may help
  kForbidden,
  kLimit,        // a named limit was reached
  kInternal,
};

struct Error {
  ErrorKind kind = ErrorKind::kInternal;
  std::string message;
};

template <class T>
using Result = std::expected<T, Error>;

inline std::unexpected<Error> make_error(ErrorKind kind, std::string message) {
  return std::unexpected<Error>(Error{kind, std::move(message)});
}

}  // namespace fedgate
