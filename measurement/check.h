// KUA_CHECK: for conditions that only a wrong program can break. It stays on in release builds: an
// instrument that goes on after a broken invariant reports things nobody saw.
#pragma once

namespace kua::internal {
[[noreturn]] void check_failed(const char* file, int line, const char* condition) noexcept;
}  // namespace kua::internal

#define KUA_CHECK(condition)                                                     \
  do {                                                                           \
    if (!(condition)) [[unlikely]] {                                             \
      ::kua::internal::check_failed(__FILE__, __LINE__, #condition);             \
    }                                                                            \
  } while (false)
