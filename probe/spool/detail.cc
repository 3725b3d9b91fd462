#include "probe/spool/detail.h"

#include <algorithm>
#include <variant>

#include "measurement/record.h"
#include "protocol/record_codec.h"

namespace kua::probe {
namespace {

// The hash of the body and its length stay, so that the page can still be compared with the control's.
void cut_step(HttpRoundTrip& step, Cut cut) {
  step.body_sample.clear();
  if (cut == Cut::bodies) return;
  std::erase_if(step.headers, [](const auto& header) {
    std::string name = header.first;
    std::ranges::transform(name, name.begin(), [](char c) {
      return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    });
    return name != "location" && name != "server";
  });
}

void cut_step(Lookup& step, Cut cut) {
  if (cut == Cut::bodies) return;
  if (step.reply) step.reply->raw.clear();
  for (DnsReply& reply : step.late) reply.raw.clear();
}

template <typename Step>
void cut_step(Step&, Cut) {}

}  // namespace

Expected<std::string> cut_from_line(std::string_view line, Cut cut) {
  static thread_local protocol::RecordReader reader;
  auto record = reader.read(line);
  if (!record) return std::unexpected(record.error());
  auto* measurement = std::get_if<Measurement>(&*record);
  if (measurement == nullptr) return fail(ErrorKind::invalid_input, "not a measurement", "cutting a record");
  for (Observation& observation : measurement->observations) {
    std::visit([cut](auto& step) { cut_step(step, cut); }, observation);
  }
  measurement->limits[cut == Cut::bodies ? "spool_bodies_cut" : "spool_detail_cut"] = 1;
  return protocol::write_record(*record);
}

}  // namespace kua::probe
