#include "collector/setup/operator_files.h"

#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <charconv>
#include <cstdio>
#include <filesystem>
#include <system_error>

#include "collector/http/desk_access.h"
#include "collector/ingest/cluster_keys.h"
#include "collector/setup/text_file.h"
#include "measurement/address.h"
#include "platform/crypto/crypto.h"
#include "protocol/target_list.h"

namespace kua::collector {
namespace {

constexpr int kCertificateDays = 3650;  // the pin decides, not the date; a renewed certificate keeps its key
constexpr std::uint16_t kProbesPort = 9779;

std::unexpected<Error> refused(std::string message, std::string doing) {
  return fail(ErrorKind::configuration, std::move(message), std::move(doing));
}

Expected<protocol::CollectorEndpoint> read_endpoint(const std::string& text) {
  const std::string doing = "reading endpoint '" + text + "'";
  const auto colon = text.rfind(':');
  protocol::CollectorEndpoint endpoint;
  if (colon == std::string::npos) return refused("it must be HOST:PORT", doing);
  const std::string port = text.substr(colon + 1);
  const auto [end, problem] = std::from_chars(port.data(), port.data() + port.size(), endpoint.port);
  if (problem != std::errc() || end != port.data() + port.size() || endpoint.port == 0) {
    return refused("the port must be a number from 1 to 65535", doing);
  }
  endpoint.host = text.substr(0, colon);
  if (endpoint.host.starts_with('[') && endpoint.host.ends_with(']')) {
    endpoint.host = endpoint.host.substr(1, endpoint.host.size() - 2);
  }
  const bool is_name = DomainName::parse(endpoint.host) && !IpAddress::parse(endpoint.host);
  if (is_name) endpoint.server_name = endpoint.host;
  if (!is_name && !IpAddress::parse(endpoint.host)) return refused("the host must be a name or an address", doing);
  return endpoint;
}

Expected<void> make_directories(const std::string& directory) {
  for (const std::string& path : {directory, directory + "/state", directory + "/lists"}) {
    std::error_code error;
    std::filesystem::create_directories(path, error);
    if (error) return fail(ErrorKind::io, error.message(), "making directory " + path);
    ::chmod(path.c_str(), 0700);
  }
  return {};
}

Expected<void> make_identity(const InitOptions& options, const std::string& host) {
  const auto identity = platform::make_tls_identity(host, kCertificateDays);
  if (!identity) return std::unexpected(identity.error());
  if (const auto key = write_new_file(options.directory + "/probes.key", identity->key_pem, FileMode::secret); !key) {
    return key;
  }
  return write_new_file(options.directory + "/probes.crt", identity->certificate_pem, FileMode::open);
}

Expected<void> make_tokens(const std::string& directory) {
  std::string clear =
      "# Tokens of the desk. Hand each to whom it is for (Authorization: Bearer TOKEN), then delete this file:\n"
      "# the collector itself keeps only their hashes, in desk-tokens.\n";
  std::string hashed = "# role sha256-of-token\n";
  for (const DeskRole role : {DeskRole::reader, DeskRole::analyst, DeskRole::reviewer}) {
    std::array<std::uint8_t, 24> random{};
    platform::random_bytes(random);
    const std::string token =
        platform::to_base64url({reinterpret_cast<const char*>(random.data()), random.size()});
    clear += std::string(to_string(role)) + " " + token + "\n";
    hashed += std::string(to_string(role)) + " " + platform::to_hex(platform::sha256(token)) + "\n";
  }
  if (const auto kept = write_new_file(directory + "/desk-tokens", hashed, FileMode::secret); !kept) return kept;
  return write_new_file(directory + "/desk-tokens.clear", clear, FileMode::secret);
}

std::string quoted(const std::string& text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    out += static_cast<unsigned char>(c) < 0x20 ? ' ' : c;
  }
  return out + "\"";
}

// A collector that probes reach by a loopback address has no business on other interfaces.
std::string probes_address(const protocol::CollectorEndpoint& endpoint) {
  const auto address = IpAddress::parse(endpoint.host);
  const bool local = address && (Prefix::parse("127.0.0.0/8")->contains(*address) || endpoint.host == "::1");
  const bool ipv6 = address && address->family() == Family::ip6;
  const std::string host = local ? endpoint.host : ipv6 ? "::" : "0.0.0.0";
  return (ipv6 ? "[" + host + "]" : host) + ":" + std::to_string(endpoint.port);
}

std::string config_text(const InitOptions& options, const protocol::CollectorEndpoint& endpoint) {
  std::string text =
      "# Made by kua-collector init. Only what differs from the defaults stands here; config/collector.yaml\n"
      "# of the source explains every key.\n"
      "operator_name: " + quoted(options.name) + "\n"
      "state_dir: state\n"
      "lists_dir: lists\n"
      "listeners:\n"
      "  probes: {address: \"" + probes_address(endpoint) + "\"}\n"
      "  public: {address: \"127.0.0.1:" + std::to_string(options.public_port) + "\"}\n"
      "  desk: {address: \"127.0.0.1:" + std::to_string(options.desk_port) + "\"}\n"
      "publish: {min_clusters: " + std::to_string(options.min_clusters) + "}\n";
  if (options.network_databases.empty()) {
    text += "# What the collector knows about networks. Without it no network agrees with what its probes say.\n"
            "network_databases: []\n";
  } else {
    text += "network_databases:\n";
    for (const std::string& path : options.network_databases) {
      text += "  - " + quoted(std::filesystem::absolute(path).string()) + "\n";
    }
  }
  return text;
}

constexpr std::string_view kNote = R"(This directory is a Kua collector.

collector.yaml       what it listens on and keeps; start it with: kua-collector serve --config collector.yaml
probes.key, .crt     its identity towards probes. The join link pins this key: keep a copy elsewhere. Whoever has
                     it can pose as this collector.
state/               record log, index, enrolled probes, cluster keys. Back up log/ and probes.db; never back
                     up cluster-keys: they are meant to be forgotten.
lists/               signed target lists it hands on: targets-KZ.json for a country, targets.json for the others.
                     Put a new file there (write beside it, then rename) at least every 14 days. The keys that
                     sign lists have no place on this machine.
desk-tokens          hashes of the desk's tokens, by role. desk-tokens.clear holds the tokens themselves: hand
                     them out, then delete it.
invitations          one code a line; a new probe needs one where ingest.invitations is `required`.
join.link            what volunteers give to: kua-probe join LINK
)";

// The envelope for its country, and for everybody while there is no other.
Expected<void> install_list(const std::string& directory, const std::string& envelope,
                            const protocol::TargetList& list) {
  if (list.country) {
    const std::string own = directory + "/lists/targets-" + list.country->text() + ".json";
    if (const auto put = write_new_file(own, envelope, FileMode::open); !put) return put;
  }
  return write_new_file(directory + "/lists/targets.json", envelope, FileMode::open);
}

struct SignedList {
  std::string envelope;
  protocol::TargetList list;
  std::vector<platform::PublicKey> keys;
};

Expected<SignedList> open_list(const std::vector<std::string>& key_files, const std::string& list_file, WallTime now) {
  SignedList out;
  for (const std::string& path : key_files) {
    const auto text = read_text_file(path);
    if (!text) return std::unexpected(text.error());
    const auto key = platform::parse_public_key(text->substr(0, text->find_last_not_of(" \r\n") + 1));
    if (!key) return refused("it is not a public list key (as `lists keygen` writes to FILE.pub)", "reading " + path);
    out.keys.push_back(*key);
  }
  auto envelope = read_text_file(list_file);
  if (!envelope) return std::unexpected(envelope.error());
  out.envelope = std::move(*envelope);
  auto list = protocol::open_target_list(out.envelope, out.keys, now, 0);
  if (!list) return refused(list.error().message, "opening list " + list_file);
  out.list = std::move(*list);
  return out;
}

}  // namespace

Expected<std::string> make_join_link(const LinkOptions& options, WallTime now) {
  const auto signed_list = open_list(options.list_key_files, options.list_file, now);
  if (!signed_list) return std::unexpected(signed_list.error());
  const auto certificate = read_text_file(options.directory + "/probes.crt");
  if (!certificate) return std::unexpected(certificate.error());
  const auto pin = platform::spki_pin_of(*certificate);
  if (!pin) return std::unexpected(pin.error());
  protocol::JoinLink link;
  link.operator_name = options.name;
  for (const std::string& text : options.endpoints) {
    auto endpoint = read_endpoint(text);
    if (!endpoint) return std::unexpected(endpoint.error());
    link.endpoints.push_back(std::move(*endpoint));
  }
  if (link.endpoints.empty()) return refused("at least one endpoint is needed", "making the join link");
  link.pins = {*pin};
  link.list_keys = signed_list->keys;
  link.minimum_list_sha256 = platform::to_hex(platform::sha256(signed_list->envelope));
  link.invitation = options.invitation;
  std::string text = protocol::write_join_link(link);
  // Whoever reads it must be able to: names and counts have their bounds there.
  if (const auto read = protocol::read_join_link(text); !read) return std::unexpected(read.error());
  return text;
}

Expected<std::optional<std::string>> make_operator_files(const InitOptions& options, WallTime now) {
  const std::string& directory = options.directory;
  if (::access((directory + "/collector.yaml").c_str(), F_OK) == 0) {
    return refused("there is a collector already", "making " + directory);
  }
  std::vector<std::string> endpoints = options.endpoints;
  if (endpoints.empty()) endpoints.push_back("127.0.0.1:" + std::to_string(kProbesPort));
  const auto first = read_endpoint(endpoints.front());
  if (!first) return std::unexpected(first.error());
  const bool with_list = !options.list_file.empty();
  if (with_list == options.list_key_files.empty()) {
    return refused("--list and --list-key go together", "making " + directory);
  }
  std::optional<SignedList> signed_list;
  if (with_list) {
    auto opened = open_list(options.list_key_files, options.list_file, now);
    if (!opened) return std::unexpected(opened.error());
    signed_list = std::move(*opened);
  }

  if (const auto made = make_directories(directory); !made) return std::unexpected(made.error());
  if (const auto made = make_identity(options, first->host); !made) return std::unexpected(made.error());
  auto keys = ClusterKeys::open(directory + "/state/cluster-keys");
  if (!keys) return std::unexpected(keys.error());
  if (const auto made = keys->tend(now); !made) return std::unexpected(made.error());
  if (const auto made = make_tokens(directory); !made) return std::unexpected(made.error());
  for (const auto& [name, text] : {std::pair<std::string, std::string>{"/README", std::string(kNote)},
                                   {"/invitations", ""}}) {
    const auto mode = name == "/README" ? FileMode::open : FileMode::secret;
    if (const auto made = write_new_file(directory + name, text, mode); !made) return std::unexpected(made.error());
  }
  std::optional<std::string> link;
  if (signed_list) {
    if (const auto put = install_list(directory, signed_list->envelope, signed_list->list); !put) {
      return std::unexpected(put.error());
    }
    auto made = make_join_link({directory, options.name, endpoints, options.list_key_files, options.list_file, ""}, now);
    if (!made) return std::unexpected(made.error());
    if (const auto kept = write_new_file(directory + "/join.link", *made + "\n", FileMode::open); !kept) {
      return std::unexpected(kept.error());
    }
    link = std::move(*made);
  }
  // Last: its presence says that the rest is whole.
  const auto written = write_new_file(directory + "/collector.yaml", config_text(options, *first), FileMode::open);
  if (!written) return std::unexpected(written.error());
  return link;
}

Expected<std::vector<std::string>> make_invitations(const std::string& directory, int count) {
  const std::string path = directory + "/invitations";
  std::vector<std::string> codes;
  std::FILE* file = std::fopen(path.c_str(), "ae");
  if (file == nullptr) return fail(ErrorKind::io, std::generic_category().message(errno), "opening " + path);
  ::fchmod(::fileno(file), 0600);
  for (int i = 0; i < count; ++i) {
    std::array<std::uint8_t, 12> random{};
    platform::random_bytes(random);
    codes.push_back(platform::to_base64url({reinterpret_cast<const char*>(random.data()), random.size()}));
    std::fprintf(file, "%s\n", codes.back().c_str());
  }
  const bool good = std::fflush(file) == 0 && ::fsync(::fileno(file)) == 0;
  std::fclose(file);
  if (!good) return fail(ErrorKind::io, std::generic_category().message(errno), "writing " + path);
  return codes;
}

}  // namespace kua::collector
