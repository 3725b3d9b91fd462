// The small JSON messages of the API, each reader over any bytes: what one reads, its writer writes
// and it reads again to the same text.
#include "protocol/api.h"

#include "measurement/check.h"

using namespace kua;
using namespace kua::protocol;

namespace {

template <typename Read, typename Write>
void round_trips(std::string_view json, Read read, Write write) {
  const auto message = read(json);
  if (!message) return;
  const std::string written = write(*message);
  const auto again = read(written);
  KUA_CHECK(again.has_value() && write(*again) == written);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view json(reinterpret_cast<const char*>(data), size);
  round_trips(json, read_enrolment, write_enrolment);
  round_trips(json, read_enrolment_answer, write_enrolment_answer);
  round_trips(json, read_batch_answer, write_batch_answer);
  round_trips(json, read_heartbeat, write_heartbeat);
  round_trips(json, read_api_error, write_api_error);
  return 0;
}
