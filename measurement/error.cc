#include "measurement/error.h"

namespace kua {

const char* to_string(ErrorKind kind) noexcept {
  switch (kind) {
    case ErrorKind::invalid_input: return "invalid_input";
    case ErrorKind::configuration: return "configuration";
    case ErrorKind::io: return "io";
    case ErrorKind::no_space: return "no_space";
    case ErrorKind::not_found: return "not_found";
    case ErrorKind::permission: return "permission";
    case ErrorKind::unavailable: return "unavailable";
    case ErrorKind::limit: return "limit";
    case ErrorKind::internal: return "internal";
  }
  return "internal";
}

}  // namespace kua
