// The first line of each batch in the record log (docs/store.md), before the records' own lines:
//   {"batch":{…what the collector established…,"key":"…","signature":"…"}}
// With key and signature the lines that follow stand in the log in the very bytes that the probe
// compressed and signed, so that anybody can check years later that they are its words.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "collector/ingest/reception.h"
#include "measurement/error.h"
#include "platform/crypto/crypto.h"

namespace kua::collector {

// What the probe signed the batch with: protocol::request_signing_input() of POST /v1/records.
struct Seal {
  platform::PublicKey key{};
  platform::Signature signature{};
  friend bool operator==(const Seal&, const Seal&) = default;
};

// How the line begins.
inline constexpr std::string_view kBatchLineBegin = R"({"batch":)";

struct BatchLine {
  Reception reception;
  std::optional<Seal> seal;  // none: the collector took a part of the batch and compressed it itself
  friend bool operator==(const BatchLine&, const BatchLine&) = default;
};

// With a newline.
void append_batch_line(const BatchLine& line, std::string& out);

// `line` without its newline. Errors: invalid_input. Members that this version does not know are passed over.
[[nodiscard]] Expected<BatchLine> read_batch_line(std::string_view line);

}  // namespace kua::collector
