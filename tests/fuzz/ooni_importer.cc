// One line that may be an OONI measurement: what is taken is a record that reads back the same, the same
// line gives the same records, and what was imported can be written as a measurement that is taken again.
#include <string>
#include <string_view>

#include "collector/ooni/exporter.h"
#include "collector/ooni/importer.h"
#include "measurement/check.h"
#include "protocol/record_codec.h"

using namespace kua;
using namespace kua::collector;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static protocol::RecordReader reader;
  const std::string_view line(reinterpret_cast<const char*>(data), size);
  ooni::Importer importer(ooni::InsideResolver::network);
  const auto taken = importer.read(line);
  if (!taken) {
    KUA_CHECK(taken.error().kind == ErrorKind::invalid_input && !taken.error().message.empty());
    return 0;
  }
  KUA_CHECK(taken->size() == 1 || taken->size() == 2);
  for (const Measurement& record : *taken) {
    const std::string written = protocol::write_record(record);
    KUA_CHECK(written.size() <= protocol::kRecordBytesMax);
    const auto again = reader.read(written);
    KUA_CHECK(again.has_value() && std::get<Measurement>(*again) == record);
    KUA_CHECK(record.header.origin.has_value());
  }
  ooni::Importer second(ooni::InsideResolver::network);
  KUA_CHECK(*second.read(line) == *taken);
  ooni::Counts left_out;
  const auto exported = ooni::export_measurement(taken->front(), {}, left_out);
  KUA_CHECK(exported.has_value() || exported.error().message == "instrument_failed" || exported.error().message == "no_web_page");
  if (exported) KUA_CHECK(importer.read(*exported).has_value());
  return 0;
}
