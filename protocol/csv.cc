#include "protocol/csv.h"

#include <simdjson.h>

#include <algorithm>

namespace kua::protocol {
namespace {

constexpr std::size_t kTextBytesMax = 64 * 1024 * 1024;  // a hundred times the longest list in use
constexpr std::size_t kFieldBytesMax = 64 * 1024;
constexpr std::size_t kRowsMax = 200'000;
constexpr std::size_t kColumnsMax = 64;

}  // namespace

std::unexpected<Error> CsvTable::error(const CsvField& at, const std::string& message,
                                       ErrorKind kind) const {
  return fail(
      kind,
      name_ + ":" + std::to_string(at.line) + ":" + std::to_string(at.column) + ": " + message,
      "reading CSV");
}

void CsvTable::advance(std::size_t bytes) {
  column_ += bytes;
  rest_.remove_prefix(bytes);
}

bool CsvTable::take_line_end() {
  const std::size_t size = rest_.starts_with("\r\n")                  ? 2
                           : rest_.starts_with('\n') || rest_ == "\r" ? 1
                                                                      : 0;
  if (size == 0) return false;
  rest_.remove_prefix(size);
  ++line_;
  column_ = 1;
  return true;
}

// Behind the opening quote.
Expected<void> CsvTable::read_quoted(CsvField& field) {
  while (!rest_.empty()) {
    const auto run = std::min(rest_.find_first_of("\"\n"), rest_.size());
    field.text += rest_.substr(0, run);
    if (field.text.size() > kFieldBytesMax)
      return error(field, "the field is too long", ErrorKind::limit);
    advance(run);
    if (rest_.starts_with("\"\"")) {
      field.text.push_back('"');
      advance(2);
    } else if (rest_.starts_with('"')) {
      advance(1);
      return {};
    } else if (rest_.starts_with('\n')) {
      field.text.push_back('\n');
      take_line_end();
    }
  }
  return error(field, "the quote that begins here is never closed");
}

Expected<CsvField> CsvTable::read_field() {
  CsvField field{{}, line_, column_};
  if (rest_.starts_with('"')) {
    advance(1);
    if (const auto read = read_quoted(field); !read) return std::unexpected(read.error());
    const bool ends = rest_.empty() || rest_.starts_with(',') || rest_.starts_with('\n') ||
                      rest_.starts_with("\r\n") || rest_ == "\r";
    if (!ends) {
      return error(CsvField{{}, line_, column_},
                   "text after a closing quote; a quote inside is written twice");
    }
  } else {
    const auto end = std::min(rest_.find_first_of(",\n"), rest_.size());
    auto text = rest_.substr(0, end);
    if (text.ends_with('\r') && (end == rest_.size() || rest_[end] == '\n')) text.remove_suffix(1);
    if (const auto quote = text.find('"'); quote != std::string_view::npos) {
      return error(CsvField{{}, line_, column_ + quote},
                   "a quote inside a field that does not begin with one");
    }
    field.text = text;
    advance(text.size());
  }
  if (field.text.size() > kFieldBytesMax)
    return error(field, "the field is too long", ErrorKind::limit);
  if (!simdjson::validate_utf8(field.text.data(), field.text.size()))
    return error(field, "the field is not UTF-8");
  return field;
}

Expected<std::vector<CsvField>> CsvTable::read_row() {
  std::vector<CsvField> row;
  while (take_line_end()) {
  }
  if (rest_.empty()) return row;
  while (true) {
    auto field = read_field();
    if (!field) return std::unexpected(field.error());
    row.push_back(std::move(*field));
    if (row.size() > kColumnsMax) return error(row.back(), "too many columns", ErrorKind::limit);
    if (rest_.starts_with(',')) {
      advance(1);
      continue;
    }
    take_line_end();
    return row;
  }
}

Expected<CsvTable> CsvTable::open(std::string_view text, std::string name,
                                  std::span<const std::string_view> known, std::size_t required) {
  CsvTable table(text.starts_with("\xef\xbb\xbf") ? text.substr(3) : text, std::move(name));
  const CsvField begin{{}, 1, 1};
  if (text.size() > kTextBytesMax)
    return table.error(begin, "the file is too long", ErrorKind::limit);
  const auto header = table.read_row();
  if (!header) return std::unexpected(header.error());
  table.columns_ = known.size();
  for (const auto& field : *header) {
    const auto at = std::ranges::find(known, field.text);
    const auto position = static_cast<std::size_t>(at - known.begin());
    if (at == known.end()) return table.error(field, "unknown column '" + field.text + "'");
    if (std::ranges::find(table.positions_, position) != table.positions_.end()) {
      return table.error(field, "column '" + field.text + "' is given twice");
    }
    table.positions_.push_back(position);
  }
  for (std::size_t i = 0; i < required; ++i) {
    if (std::ranges::find(table.positions_, i) == table.positions_.end()) {
      return table.error(begin, "column '" + std::string(known[i]) + "' is missing");
    }
  }
  return table;
}

Expected<std::optional<std::vector<CsvField>>> CsvTable::next() {
  auto row = read_row();
  if (!row) return std::unexpected(row.error());
  if (row->empty()) return std::nullopt;
  if (++rows_ > kRowsMax) return error(row->front(), "too many rows", ErrorKind::limit);
  if (row->size() != positions_.size()) {
    return error(row->front(), "the row has " + std::to_string(row->size()) +
                                   " fields, the header " + std::to_string(positions_.size()));
  }
  std::vector<CsvField> out(columns_, CsvField{{}, row->front().line, row->front().column});
  for (std::size_t i = 0; i < row->size(); ++i) out[positions_[i]] = std::move((*row)[i]);
  return out;
}

std::string csv_field(std::string_view text) {
  if (text.find_first_of(",\"\r\n") == std::string_view::npos) return std::string(text);
  std::string out = "\"";
  for (const char c : text) out.append(c == '"' ? 2 : 1, c);
  return out + "\"";
}

}  // namespace kua::protocol
