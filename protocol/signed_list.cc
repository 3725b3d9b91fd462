#include <array>

#include "protocol/json_fields.h"
#include "protocol/json_writer.h"
#include "protocol/target_list.h"

namespace kua::protocol {
namespace {

using json::Field;
using json::In;
using json::Value;

constexpr auto kRequired = json::Presence::required;
constexpr std::string_view kDoing = "opening a signed target list";
constexpr std::string_view kFormat = "kua/1 list";

struct Envelope {
  platform::PublicKey key{};
  platform::Signature signature{};
  std::string list;
};

constexpr std::array<Field<Envelope>, 4> kEnvelopeFields{{
    {"format", kRequired,
     [](In& in, Value value, Envelope&) {
       std::string_view format;
       if (!in.view(value, format, 64)) return false;
       return format == kFormat ? true : in.refuse("not kua/1 list");
     }},
    {"key", kRequired,
     [](In& in, Value value, Envelope& out) {
       std::string_view text;
       if (!in.view(value, text, 64)) return false;
       const auto key = platform::parse_public_key(text);
       if (key) out.key = *key;
       return key ? true : in.refuse("not base64url of 32 bytes");
     }},
    {"signature", kRequired,
     [](In& in, Value value, Envelope& out) {
       std::string_view text;
       if (!in.view(value, text, 128)) return false;
       const auto signature = platform::parse_signature(text);
       if (signature) out.signature = *signature;
       return signature ? true : in.refuse("not base64 of 64 bytes");
     }},
    {"list", kRequired,
     [](In& in, Value value, Envelope& out) {
       return in.base64(value, out.list, kTargetListBytesMax);
     }},
}};

// The domain keeps a list's signature from meaning anything elsewhere, and others from meaning a
// list.
std::string signing_input(std::string_view list) { return "kua/1 list\n" + std::string(list); }

}  // namespace

Expected<std::string> sign_target_list(const TargetList& list, const platform::SigningKey& key) {
  const auto bytes = write_target_list(list);
  const auto read = read_target_list(bytes);
  if (!read) return std::unexpected(read.error());
  if (*read != list) {
    // Bytes that are not UTF-8 were replaced, for instance: what is signed must be what was meant.
    return fail(ErrorKind::invalid_input, "the list does not survive being written",
                "signing a target list");
  }
  std::string out;
  JsonWriter json(out);
  json.begin_object();
  json.text("format", kFormat);
  json.text("key", platform::to_text(key.public_key()));
  json.text("signature", platform::to_text(key.sign(signing_input(bytes))));
  json.base64("list", bytes);
  json.end_object();
  return out;
}

Expected<TargetList> open_target_list(std::string_view text,
                                      const std::vector<platform::PublicKey>& keys, WallTime now,
                                      std::uint64_t serial_min) {
  const auto envelope =
      json::read_document(text, kTargetListEnvelopeBytesMax, kEnvelopeFields, Envelope{}, kDoing);
  if (!envelope) return std::unexpected(envelope.error());
  if (std::ranges::find(keys, envelope->key) == keys.end()) {
    return fail(ErrorKind::permission, "it is signed with a key that is not trusted",
                std::string(kDoing));
  }
  if (!platform::verify_signature(envelope->key, signing_input(envelope->list),
                                  envelope->signature)) {
    return fail(ErrorKind::permission, "its signature is wrong", std::string(kDoing));
  }
  auto list = read_target_list(envelope->list);
  if (!list) return list;
  if (list->serial < serial_min) {
    return fail(ErrorKind::permission,
                "its serial " + std::to_string(list->serial) + " is older than " +
                    std::to_string(serial_min),
                std::string(kDoing));
  }
  if (now >= list->expires) {
    return fail(ErrorKind::unavailable, "it expired at " + to_rfc3339(list->expires),
                std::string(kDoing));
  }
  return list;
}

}  // namespace kua::protocol
