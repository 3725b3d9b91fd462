// A DNS message from anybody: what decodes encodes again to the same message, no client subnet
// survives scrubbing, and no name reaches outside its bytes.
#include "wire/dns_message.h"

#include <algorithm>

#include "measurement/check.h"

using namespace kua;
using namespace kua::wire;

namespace {

void names_stay_inside(BytesView message) {
  for (std::size_t at = 0; at < std::min<std::size_t>(message.size(), 32); ++at) {
    const auto name = decode_dns_name(message, at);
    if (!name) continue;
    KUA_CHECK(name->end > at && name->end <= message.size());
    Bytes again(12);
    KUA_CHECK(DnsNameWriter().append(name->name, again).has_value());
    KUA_CHECK(decode_dns_name(again, 12)->name == name->name);
  }
}

bool has_client_subnet(const DnsMessage& message) {
  return message.edns && std::ranges::any_of(message.edns->options, [](const DnsOption& option) {
           return option.code == kDnsOptionClientSubnet;
         });
}

void scrubbing_holds(BytesView message) {
  const ScrubbedDns once = scrub_client_subnet(message);
  KUA_CHECK(once.bytes.size() + once.cut_bytes == message.size());
  const ScrubbedDns twice = scrub_client_subnet(once.bytes);
  KUA_CHECK(twice.bytes == once.bytes && twice.cut_bytes == 0);
  const auto decoded = decode_dns(once.bytes);
  KUA_CHECK(!decoded || !has_client_subnet(*decoded));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const BytesView message(data, size);
  names_stay_inside(message);
  scrubbing_holds(message);
  const auto decoded = decode_dns(message);
  if (!decoded) return 0;
  const DnsAnswers answers = answers_of(*decoded);
  KUA_CHECK(answers.addresses.size() + answers.cnames.size() <= decoded->answers.size());
  static_cast<void>(answers_query(*decoded, DnsQuery{}));
  if (decoded->fault) return 0;
  const auto encoded = encode_dns(*decoded);
  KUA_CHECK(encoded.has_value());
  KUA_CHECK(decode_dns(*encoded) == decoded);
  KUA_CHECK(encode_dns(*decode_dns(*encoded)) == encoded);
  return 0;
}
