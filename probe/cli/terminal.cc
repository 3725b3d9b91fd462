#include "probe/cli/terminal.h"

#include <unistd.h>

#include <cstdlib>

namespace kua::probe {
namespace {

bool is_set(const char* variable) {
  const char* value = std::getenv(variable);
  return value != nullptr && *value != '\0';
}

const char* sequence_of(Paint paint) {
  switch (paint) {
    case Paint::good: return "\033[32m";
    case Paint::bad: return "\033[31m";
    case Paint::doubtful: return "\033[33m";
    case Paint::faint: return "\033[2m";
    case Paint::strong: return "\033[1m";
  }
  return "";
}

}  // namespace

Terminal Terminal::of(int descriptor) {
  const bool is_terminal = ::isatty(descriptor) == 1;
  const char* term = std::getenv("TERM");
  const bool dumb = term == nullptr || std::string_view(term) == "dumb";
  Terminal terminal(is_terminal && !dumb && !is_set("NO_COLOR") ? Colours::on : Colours::off);
  terminal.interactive_ = is_terminal;
  return terminal;
}

std::string Terminal::paint(Paint paint, std::string_view text) const {
  if (colours_ == Colours::off) return std::string(text);
  return sequence_of(paint) + std::string(text) + "\033[0m";
}

std::string printable(std::string_view text, std::size_t bytes_max) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto byte = static_cast<unsigned char>(text[i]);
    const bool begins_character = (byte & 0xC0) != 0x80;
    if (begins_character && out.size() >= bytes_max) return out + "…";
    // C1 controls (U+0080 to U+009F) are two bytes in UTF-8, and some terminals obey them.
    const bool c1 = byte == 0xC2 && i + 1 < text.size() && static_cast<unsigned char>(text[i + 1]) < 0xA0;
    if (c1) ++i;
    out.push_back(byte < 0x20 || byte == 0x7F || c1 ? '?' : static_cast<char>(byte));
  }
  return out;
}

}  // namespace kua::probe
