// Comma-separated text by RFC 4180, a row at a time, with the place of every field. Private to
// protocol/.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "measurement/error.h"

namespace kua::protocol {

struct CsvField {
  std::string text;
  std::size_t line = 0;    // from 1
  std::size_t column = 0;  // from 1, in bytes
};

// Reads a table whose first row names the columns. Also takes LF line ends, a byte order mark and
// empty lines. Borrows the text.
class CsvTable {
 public:
  // `known` are the columns that may stand in the header, in any order; `required` of them, the
  // first ones, must. Errors (all of this class): invalid_input and limit, "name:line:column: …".
  [[nodiscard]] static Expected<CsvTable> open(std::string_view text, std::string name,
                                               std::span<const std::string_view> known,
                                               std::size_t required);

  // The next row, nullopt at the end. Fields stand in the order of `known`; those of a column that
  // the file does not have are empty.
  [[nodiscard]] Expected<std::optional<std::vector<CsvField>>> next();

  [[nodiscard]] std::unexpected<Error> error(const CsvField& at, const std::string& message,
                                             ErrorKind kind = ErrorKind::invalid_input) const;

 private:
  CsvTable(std::string_view text, std::string name) : rest_(text), name_(std::move(name)) {}

  Expected<std::vector<CsvField>> read_row();  // empty at the end
  Expected<CsvField> read_field();
  Expected<void> read_quoted(CsvField& field);
  void advance(std::size_t bytes);
  bool take_line_end();

  std::string_view rest_;
  std::string name_;
  std::size_t line_ = 1;
  std::size_t column_ = 1;
  std::size_t rows_ = 0;
  std::size_t columns_ = 0;             // of `known`
  std::vector<std::size_t> positions_;  // of the file's columns in `known`
};

// One field as RFC 4180 writes it: quoted only where it must be.
[[nodiscard]] std::string csv_field(std::string_view text);

}  // namespace kua::protocol
