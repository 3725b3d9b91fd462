#include "measurement/record.h"

namespace kua {

const char* to_string(Validity validity) noexcept {
  switch (validity) {
    case Validity::ok: return "ok";
    case Validity::instrument: return "instrument";
    case Validity::vantage: return "vantage";
  }
  return "instrument";
}

std::optional<Validity> parse_validity(std::string_view text) noexcept {
  for (const Validity value : {Validity::ok, Validity::instrument, Validity::vantage}) {
    if (text == to_string(value)) return value;
  }
  return std::nullopt;
}

const RecordHeader& header_of(const Record& record) noexcept {
  return std::visit([](const auto& r) -> const RecordHeader& { return r.header; }, record);
}

std::string lane_of(const RecordHeader& header) {
  return header.origin ? header.origin->source + ", " + header.origin->licence : std::string();
}

}  // namespace kua
