// Reads tests/vectors/wire/NAME.hex: comment lines that begin with '#' and say where the bytes come
// from, then hexadecimal lines.
#pragma once

#include <gtest/gtest.h>

#include <fstream>
#include <string>

#include "wire/bytes.h"

namespace kua::wire {

// Hexadecimal digits with spaces anywhere: "16 0301".
inline Bytes from_hex(std::string_view text) {
  Bytes out;
  int high = -1;
  for (const char c : text) {
    if (c == ' ' || c == '\n') continue;
    const int digit = c >= 'a' ? c - 'a' + 10 : c - '0';
    if (high < 0) {
      high = digit;
      continue;
    }
    out.push_back(static_cast<std::uint8_t>(high << 4 | digit));
    high = -1;
  }
  return out;
}

inline Bytes vector_bytes(const std::string& name) {
  std::ifstream file(std::string(KUA_SOURCE_DIR) + "/tests/vectors/wire/" + name + ".hex");
  EXPECT_TRUE(file.is_open()) << name;
  std::string digits;
  for (std::string line; std::getline(file, line);) {
    if (!line.starts_with('#')) digits += line;
  }
  EXPECT_FALSE(digits.empty()) << name;
  return from_hex(digits);
}

inline Bytes bytes_of(std::string_view text) {
  const BytesView view = as_bytes(text);
  return Bytes(view.begin(), view.end());
}

}  // namespace kua::wire
