#include "collector/lists/list_commands.h"

#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <set>
#include <system_error>

#include "collector/lists/envelope.h"
#include "collector/setup/text_file.h"
#include "platform/crypto/crypto.h"

namespace kua::collector {
namespace {

std::unexpected<Error> refused(std::string message, std::string doing) {
  return fail(ErrorKind::configuration, std::move(message), std::move(doing));
}

std::string text_of(const platform::PublicKey& key) {
  return platform::to_base64url({reinterpret_cast<const char*>(key.data()), key.size()});
}

// A list that names a target twice would measure it twice, and one that is empty blinds its probes.
Expected<void> check_targets(const std::vector<Target>& targets) {
  if (targets.empty()) return refused("there is no target in it", "signing a list");
  std::set<std::string> seen;
  for (const Target& target : targets) {
    if (!seen.insert(target.id.text()).second) return refused("target " + target.id.text() + " is there twice", "signing a list");
  }
  return {};
}

// Readers see the old file or the new one, never a part.
Expected<void> replace_file(const std::string& path, const std::string& text) {
  const std::string fresh = path + ".new";
  ::unlink(fresh.c_str());
  if (const auto written = write_new_file(fresh, text, FileMode::open); !written) return written;
  if (std::rename(fresh.c_str(), path.c_str()) != 0) {
    return fail(ErrorKind::io, std::generic_category().message(errno), "renaming " + fresh);
  }
  return {};
}

}  // namespace

Expected<std::string> make_list_key(const std::string& path) {
  const platform::SigningKey key = platform::SigningKey::generate();
  if (const auto saved = key.save_new(path); !saved) return std::unexpected(saved.error());
  const std::string text = text_of(key.public_key());
  if (const auto saved = write_new_file(path + ".pub", text + "\n", FileMode::open); !saved) {
    return std::unexpected(saved.error());
  }
  return text;
}

Expected<SignedList> sign_list(const SignOptions& options, WallTime now) {
  const auto key = platform::SigningKey::load(options.key_file);
  if (!key) return std::unexpected(key.error());
  SignedList out;
  protocol::TargetList& list = out.list;
  // Whole seconds: the text of a list does not depend on when within a second it was signed.
  list.issued = std::chrono::floor<std::chrono::seconds>(now);
  list.expires = list.issued + options.valid;
  list.serial = options.serial.value_or(
      static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::seconds>(now.time_since_epoch()).count()));
  list.country = options.country;
  for (const std::string& file : options.target_files) {
    const auto text = read_text_file(file);
    if (!text) return std::unexpected(text.error());
    auto targets = protocol::read_targets_csv(*text, file);
    if (!targets) return std::unexpected(targets.error());
    list.targets.insert(list.targets.end(), targets->begin(), targets->end());
  }
  if (const auto good = check_targets(list.targets); !good) return std::unexpected(good.error());
  if (!options.extra_file.empty()) {
    if (const auto read = read_list_extra(options.extra_file, out); !read) return std::unexpected(read.error());
  }
  const auto envelope = protocol::sign_target_list(list, *key);
  if (!envelope) return std::unexpected(envelope.error());
  // What a probe would refuse must not leave this machine.
  const auto opened = protocol::open_target_list(*envelope, {key->public_key()}, now, 0);
  if (!opened) return refused(opened.error().text(), "checking the signed list");
  if (const auto written = replace_file(options.out_file, *envelope); !written) return std::unexpected(written.error());
  return out;
}

std::string summary_of(const protocol::SkippedSigns& skipped) {
  if (skipped.sum() == 0) return {};
  std::string reasons;
  const auto add = [&](std::size_t count, const char* reason) {
    if (count == 0) return;
    reasons += (reasons.empty() ? ": " : ", ") + std::to_string(count) + " " + reason;
  };
  add(skipped.confidence, "with a confidence below 5");
  add(skipped.scope, "of a scope that says nothing of a network");
  add(skipped.regular_expression, "with a regular expression");
  return "left out    " + std::to_string(skipped.sum()) + " rows of known signs" + reasons + "\n";
}

std::string summary_of(const protocol::TargetList& list) {
  std::string out;
  out += "serial      " + std::to_string(list.serial) + "\n";
  out += "issued      " + to_rfc3339(list.issued) + "\n";
  out += "expires     " + to_rfc3339(list.expires) + "\n";
  out += "country     " + (list.country ? list.country->text() : std::string("any")) + "\n";
  out += "targets     " + std::to_string(list.targets.size());
  for (const Tier tier : {Tier::key, Tier::core, Tier::full, Tier::control}) {
    std::size_t count = 0;
    for (const Target& target : list.targets) count += target.tier == tier ? 1 : 0;
    out += std::string(", ") + to_string(tier) + " " + std::to_string(count);
  }
  out += "\nwitnesses   " + std::to_string(list.witnesses.size()) + "\n";
  out += "resolvers   " + std::to_string(list.trusted_resolvers.size()) + "\n";
  out += "known signs " + std::to_string(list.fingerprints.size()) + " block pages, " +
         std::to_string(list.interception_roots.size()) + " interception roots\n";
  if (!list.routable.empty()) out += "routable    " + std::to_string(list.routable.size()) + " blocks of a lab\n";
  return out;
}

Expected<std::string> show_list(const ShowOptions& options, WallTime now) {
  const auto envelope = read_text_file(options.list_file);
  if (!envelope) return std::unexpected(envelope.error());
  std::vector<platform::PublicKey> keys;
  for (const std::string& file : options.key_files) {
    const auto text = read_text_file(file);
    if (!text) return std::unexpected(text.error());
    const auto key = platform::parse_public_key(text->substr(0, text->find_last_not_of(" \r\n") + 1));
    if (!key) return refused("it is not a public list key", "reading " + file);
    keys.push_back(*key);
  }
  const auto claimed = claimed_list_key(*envelope);
  if (!claimed) return refused("it is no signed list", "reading " + options.list_file);
  const bool checked = !keys.empty();
  if (!checked) keys.push_back(*claimed);
  auto list = protocol::open_target_list(*envelope, keys, now, 0);
  const bool expired = !list && list.error().kind == ErrorKind::unavailable;
  if (expired) list = protocol::open_target_list(*envelope, keys, WallTime(), 0);
  if (!list) return std::unexpected(list.error());
  std::string out = "signed by   " + text_of(*claimed) + (checked ? ", one of the keys given" : ", checked against no other key") + "\n";
  out += summary_of(*list);
  if (expired) out += "EXPIRED: probes refuse it\n";
  for (const Target& target : list->targets) out += "  " + target.id.text() + "\n";
  return out;
}

}  // namespace kua::collector
