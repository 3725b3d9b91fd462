// One line that may be a record: what is read is written and read again as the same record, writing
// is deterministic, and a look at the line alone agrees with reading it whole.
#include <string>
#include <string_view>

#include "measurement/check.h"
#include "protocol/record_codec.h"
#include "protocol/record_peek.h"

using namespace kua;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static protocol::RecordReader
      reader;  // kept, as programs keep it: its buffers are part of the test
  const std::string_view line(reinterpret_cast<const char*>(data), size);
  const protocol::RecordPeek peek = protocol::peek_record(line);
  const Expected<Record> record = reader.read(line);
  if (!record) {
    KUA_CHECK(record.error().kind == ErrorKind::invalid_input ||
              record.error().kind == ErrorKind::limit);
    KUA_CHECK(!record.error().message.empty());
    return 0;
  }
  const RecordHeader& header = header_of(*record);
  if (peek.id) KUA_CHECK(*peek.id == header.id);
  if (peek.probe) KUA_CHECK(*peek.probe == header.probe);
  const std::string written = protocol::write_record(*record);
  KUA_CHECK(written.find('\n') == std::string::npos);
  const Expected<Record> again = reader.read(written);
  if (!again) {
    // Writing may escape more than the sender did and so pass the bound of a line.
    KUA_CHECK(again.error().kind == ErrorKind::limit && written.size() > line.size());
    return 0;
  }
  KUA_CHECK(*again == *record);
  KUA_CHECK(protocol::write_record(*again) == written);
  return 0;
}
