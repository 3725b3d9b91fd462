// What a person sees: colours where a terminal shows them, plain text everywhere else. Escape sequences
// in text that came from the network never reach the terminal.
#pragma once

#include <string>
#include <string_view>

namespace kua::probe {

enum class Paint { good, bad, doubtful, faint, strong };

class Terminal {
 public:
  // Colours only if `descriptor` is a terminal, NO_COLOR is unset or empty, and TERM is not "dumb".
  [[nodiscard]] static Terminal of(int descriptor);
  [[nodiscard]] static Terminal plain() { return Terminal(Colours::off); }

  [[nodiscard]] std::string paint(Paint paint, std::string_view text) const;
  [[nodiscard]] bool interactive() const noexcept { return interactive_; }

 private:
  enum class Colours { on, off };
  explicit Terminal(Colours colours) : colours_(colours) {}
  Colours colours_;
  bool interactive_ = false;
};

// Control characters become '?', and at most `bytes_max` bytes are kept, whole UTF-8 characters.
[[nodiscard]] std::string printable(std::string_view text, std::size_t bytes_max);

}  // namespace kua::probe
