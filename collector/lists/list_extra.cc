// What a list holds besides its targets: the YAML of config/list.yaml and the tables it names.
#include "collector/lists/list_commands.h"
#include "collector/setup/text_file.h"
#include "platform/config/config_reader.h"

namespace kua::collector {
namespace {

using platform::ConfigReader;
using platform::ConfigSection;

std::string beside(const std::string& file, const std::string& path) {
  if (path.starts_with('/')) return path;
  const auto slash = file.rfind('/');
  return slash == std::string::npos ? path : file.substr(0, slash + 1) + path;
}

// A list of texts through `parse`; the first that it refuses marks the key.
template <typename T, typename Parse>
std::vector<T> parsed_texts(ConfigSection& section, std::string_view key, std::string_view allowed, Parse parse) {
  std::vector<T> out;
  for (const std::string& text : section.texts(key)) {
    auto value = parse(text);
    if (!value) {
      section.reject(key, allowed);
      return {};
    }
    out.push_back(std::move(*value));
  }
  return out;
}

std::vector<IpAddress> addresses(ConfigSection& section, std::string_view key) {
  return parsed_texts<IpAddress>(section, key, "a list of IP addresses",
                                 [](const std::string& text) { return IpAddress::parse(text); });
}

std::vector<protocol::TargetList::TrustedResolver> resolvers(ConfigSection& root) {
  std::vector<protocol::TargetList::TrustedResolver> out;
  for (ConfigSection& section : root.sections("trusted_resolvers")) {
    protocol::TargetList::TrustedResolver resolver;
    resolver.name = section.text("name", "");
    resolver.doh_url = section.text("doh_url", "");
    resolver.addresses = addresses(section, "addresses");
    resolver.udp = section.flag("udp", false);
    if (resolver.name.empty()) section.reject("name", "a name that is not empty");
    if (resolver.doh_url.empty() && !resolver.udp) section.reject("udp", "a doh_url, or udp: true, or both");
    out.push_back(std::move(resolver));
  }
  return out;
}

}  // namespace

Expected<void> read_list_extra(const std::string& path, SignedList& out) {
  protocol::TargetList& list = out.list;
  auto reader = ConfigReader::open(path);
  if (!reader) return std::unexpected(reader.error());
  ConfigSection& root = reader->root();
  list.harmless_name = root.text("harmless_name", "");
  if (!list.harmless_name.empty() && !DomainName::parse(list.harmless_name)) root.reject("harmless_name", "a host name");
  list.witnesses = parsed_texts<Endpoint>(root, "witnesses", "a list of ADDRESS:PORT", [](const std::string& text) {
    return Endpoint::parse(text, Transport::tcp);
  });
  list.no_resolvers = addresses(root, "no_resolvers");
  list.trusted_resolvers = resolvers(root);
  list.routable = parsed_texts<Prefix>(root, "routable", "a list of prefixes: 198.18.0.0/15",
                                       [](const std::string& text) { return Prefix::parse(text); });
  const std::vector<std::string> fingerprint_files = root.texts("fingerprints");
  const std::vector<std::string> root_files = root.texts("interception_roots");
  if (const auto finished = reader->finish(); !finished) return finished;

  for (const std::string& file : fingerprint_files) {
    const std::string full = beside(path, file);
    const auto text = read_text_file(full);
    if (!text) return std::unexpected(text.error());
    auto read = protocol::read_fingerprints_csv(*text, full, out.skipped);
    if (!read) return std::unexpected(read.error());
    list.fingerprints.insert(list.fingerprints.end(), read->begin(), read->end());
  }
  for (const std::string& file : root_files) {
    const std::string full = beside(path, file);
    const auto text = read_text_file(full);
    if (!text) return std::unexpected(text.error());
    auto read = protocol::read_interception_roots_csv(*text, full);
    if (!read) return std::unexpected(read.error());
    list.interception_roots.insert(list.interception_roots.end(), read->begin(), read->end());
  }
  return {};
}

}  // namespace kua::collector
