// How this folder reads JSON: a table of members a struct, a value at a time, and one Fault that
// says where the document breaks its grammar. Private to the .cc files of protocol/: simdjson's
// types show.
#pragma once

#include <simdjson.h>

#include <algorithm>
#include <array>
#include <bitset>
#include <concepts>
#include <cstdint>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "measurement/error.h"
#include "measurement/time.h"

namespace kua::protocol::json {

using Value = simdjson::dom::element;

// The document being read: the limits of single values, and the first fault that was found. Every
// function returns false after a fault; the caller returns false at once.
class In {
 public:
  [[nodiscard]] bool ok() const noexcept { return !faulty_; }
  // Notes the fault; always false. Later ones are consequences and are dropped.
  bool refuse(std::string_view what, ErrorKind kind = ErrorKind::invalid_input);
  // Called while unwinding: puts a member's name or an index before the path of the fault.
  void within(std::string_view name);
  void within(std::size_t index);
  [[nodiscard]] std::unexpected<Error> error(std::string_view doing) const;

  // The text as it lies in the parser's buffer, valid until the next document.
  bool view(Value value, std::string_view& out, std::size_t bytes_max);
  bool text(Value value, std::string& out, std::size_t bytes_max);
  bool base64(Value value, std::string& out, std::size_t bytes_max);  // bound of the decoded bytes
  bool hex(Value value, std::string& out, std::size_t digits);        // lower case, exactly so many
  bool flag(Value value, bool& out);
  bool time(Value value, WallTime& out);
  bool microseconds(Value value, Microseconds& out);  // 0 to kMicrosecondsMax

  template <std::unsigned_integral T>
  bool number(Value value, T& out, std::uint64_t max = std::numeric_limits<T>::max()) {
    std::uint64_t wide = 0;
    if (value.get(wide) != simdjson::SUCCESS || wide > max) return refuse_number(max);
    out = static_cast<T>(wide);
    return true;
  }

  // A value with a parse() of its own: T::parse(std::string_view) -> optional<T>.
  template <typename T>
  bool parsed(Value value, T& out) {
    std::string_view words;
    if (!view(value, words, kParsedBytesMax)) return false;
    auto result = T::parse(words);
    if (!result) return refuse("not of its form");
    out = std::move(*result);
    return true;
  }

  // One of a closed set. nullopt where the word is not in it: the caller decides what that means.
  template <typename T>
  bool word(Value value, std::optional<T>& out,
            std::optional<T> (*parse)(std::string_view) noexcept) {
    std::string_view words;
    if (!view(value, words, kWordBytesMax)) return false;
    out = parse(words);
    return true;
  }
  // The same inside an observation: a word outside the set makes the whole of it strange, not
  // faulty.
  template <typename T>
  bool open_word(Value value, T& out, std::optional<T> (*parse)(std::string_view) noexcept) {
    std::optional<T> found;
    if (!word(value, found, parse)) return false;
    if (found) {
      out = *found;
    } else {
      strange_ = true;
    }
    return true;
  }
  // Whether a word outside its set was met since the last call.
  [[nodiscard]] bool take_strange() noexcept { return std::exchange(strange_, false); }

  // The same where only the set will do.
  template <typename T>
  bool word(Value value, T& out, std::optional<T> (*parse)(std::string_view) noexcept) {
    std::optional<T> found;
    if (!word(value, found, parse)) return false;
    if (!found) return refuse("not a word of its set");
    out = *found;
    return true;
  }

  // An array; `read(in, value, item)` fills one item.
  template <typename T, typename Read>
  bool list(Value value, std::vector<T>& out, std::size_t items_max, const T& blank, Read read) {
    simdjson::dom::array array;
    if (value.get(array) != simdjson::SUCCESS) return refuse("not a list");
    const auto size = array.size();  // saturates at 0xffffff
    if (size > items_max) {
      return refuse("more than " + std::to_string(items_max) + " items", ErrorKind::limit);
    }
    out.clear();
    out.reserve(size);
    for (const auto item : array) {
      out.emplace_back(blank);
      if (!read(*this, item, out.back())) return within(out.size() - 1), false;
    }
    return true;
  }

  static constexpr std::int64_t kMicrosecondsMax = 100LL * 365 * 86'400 * 1'000'000;  // a century

 private:
  static constexpr std::size_t kParsedBytesMax =
      512;  // names.h, address.h and time.h stay far below
  static constexpr std::size_t kWordBytesMax = 64;
  bool refuse_number(std::uint64_t max);

  bool faulty_ = false;
  bool strange_ = false;
  ErrorKind kind_ = ErrorKind::invalid_input;
  std::string path_;
  std::string what_;
};

enum class Presence : std::uint8_t { required, optional };

// One member of T.
template <typename T>
struct Field {
  std::string_view name;
  Presence presence;
  bool (*read)(In& in, Value value, T& out);
};

// Reads the members of an object by a table. Members come in any order, but finding one costs
// nothing when they come in the table's. A repeated or missing member is a fault.
template <typename T, std::size_t N>
class Members {
 public:
  Members(const std::array<Field<T>, N>& fields, T& out) : fields_(fields), out_(out) {}

  // Whether `name` is in the table; then the value was read, and a fault noted in `in` if it is
  // wrong.
  bool take(In& in, std::string_view name, Value value) {
    const auto index = find(name);
    if (index == N) return false;
    if (seen_[index]) {
      in.refuse("given twice");
    } else {
      seen_.set(index);
      next_ = index + 1;
      fields_[index].read(in, value, out_);
    }
    if (!in.ok()) in.within(name);
    return true;
  }

  bool complete(In& in) const {
    for (std::size_t i = 0; i < N; ++i) {
      if (fields_[i].presence == Presence::required && !seen_[i]) {
        in.refuse("missing");
        in.within(fields_[i].name);
        return false;
      }
    }
    return true;
  }

 private:
  std::size_t find(std::string_view name) const {
    for (std::size_t i = next_; i < N; ++i) {
      if (fields_[i].name == name) return i;
    }
    for (std::size_t i = 0; i < std::min(next_, N); ++i) {
      if (fields_[i].name == name) return i;
    }
    return N;
  }

  const std::array<Field<T>, N>& fields_;
  T& out_;
  std::bitset<N> seen_;
  std::size_t next_ = 0;
};

template <typename T, std::size_t M, std::size_t N>
constexpr std::array<Field<T>, M + N> joined(const std::array<Field<T>, M>& first,
                                             const std::array<Field<T>, N>& second) {
  std::array<Field<T>, M + N> all{};
  std::copy(first.begin(), first.end(), all.begin());
  std::copy(second.begin(), second.end(), all.begin() + M);
  return all;
}

// An object of one table; members outside it are ignored.
template <typename T, std::size_t N>
bool read_object(In& in, Value value, const std::array<Field<T>, N>& fields, T& out) {
  simdjson::dom::object object;
  if (value.get(object) != simdjson::SUCCESS) return in.refuse("not an object");
  Members<T, N> members(fields, out);
  for (const auto field : object) {
    if (members.take(in, field.key, field.value) && !in.ok()) return false;
  }
  return members.complete(in);
}

// A small document of one table.
template <typename T, std::size_t N>
Expected<T> read_document(std::string_view text, std::size_t bytes_max,
                          const std::array<Field<T>, N>& fields, T out, std::string_view doing) {
  In in;
  if (text.size() > bytes_max) {
    in.refuse("longer than " + std::to_string(bytes_max) + " bytes", ErrorKind::limit);
    return in.error(doing);
  }
  simdjson::dom::parser parser(bytes_max);
  Value root;
  if (const auto code = parser.parse(text.data(), text.size()).get(root);
      code != simdjson::SUCCESS) {
    in.refuse(simdjson::error_message(code));
    return in.error(doing);
  }
  if (!read_object(in, root, fields, out)) return in.error(doing);
  return out;
}

}  // namespace kua::protocol::json
