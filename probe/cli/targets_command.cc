#include <fmt/format.h>

#include <fstream>
#include <map>
#include <sstream>

#include "platform/clock/clock.h"
#include "probe/cli/report.h"
#include "probe/cli/setup.h"
#include "probe/cli/small_commands.h"
#include "probe/cli/terminal.h"

namespace kua::probe {
namespace {

Expected<std::string> read_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return fail(ErrorKind::not_found, "no such file, or not readable", "reading " + path);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

Expected<std::vector<Target>> read_targets(const std::string& path) {
  const auto text = read_file(path);
  if (!text) return std::unexpected(text.error());
  return protocol::read_targets_csv(*text, path);
}

}  // namespace

ExitCode list_targets(const ProbeConfig& config) {
  const auto setup = Setup::make(config);
  if (!setup) return give_up(setup.error());
  for (const std::string& notice : setup->notices) complain(notice);
  const WallTime now = platform::SystemClock().wall_now();
  const ListStanding standing = setup->lists.standing(now);
  const std::vector<Target> targets = setup->lists.targets(now);
  switch (standing) {
    case ListStanding::current:
      fmt::print("# list {} of {}, valid until {}\n", setup->lists.list()->serial,
                 setup->membership ? printable(setup->membership->link.operator_name, 80) : "",
                 to_rfc3339(setup->lists.list()->expires));
      break;
    case ListStanding::minimum: fmt::print("# the minimum list of the join link: no list that still holds\n"); break;
    case ListStanding::link_only:
      fmt::print("# no list: join an operator first (kua-probe join kua://…); nothing is measured on a schedule\n");
      break;
  }
  for (const Target& target : targets) {
    fmt::print("{:<8} {:<6} {}\n", to_string(target.tier), target.category,
               target.url.empty() ? target.id.text() : target.url);
  }
  return ExitCode::ok;
}

ExitCode validate_targets(const std::vector<std::string>& files) {
  ExitCode code = ExitCode::ok;
  for (const std::string& file : files) {
    const auto targets = read_targets(file);
    if (!targets) {
      complain(targets.error());
      code = ExitCode::usage;
      continue;
    }
    std::map<std::string, std::size_t> tiers;
    for (const Target& target : *targets) ++tiers[to_string(target.tier)];
    std::string counts;
    for (const auto& [tier, count] : tiers) counts += fmt::format("{}{} {}", counts.empty() ? "" : ", ", count, tier);
    fmt::print("{}: {} targets ({})\n", file, targets->size(), counts);
  }
  return code;
}

ExitCode import_targets(const ImportOptions& options) {
  auto targets = read_targets(options.file);
  if (!targets) return give_up(targets.error());
  const auto tier = parse_tier(options.tier);
  const auto country = CountryCode::parse(options.country);
  if (!tier || (!options.country.empty() && !country)) {
    complain("--tier is key, core, full or control; --country two capitals: KZ");
    return ExitCode::usage;
  }
  for (Target& target : *targets) {
    // Citizen Lab's lists know no tiers: the reader gave `full` to every row.
    if (target.tier == Tier::full) target.tier = *tier;
    if (!target.country && country) target.country = country;
  }
  const std::string csv = protocol::write_targets_csv(*targets);
  if (options.out == "-") {
    fmt::print("{}", csv);
    return ExitCode::ok;
  }
  std::ofstream file(options.out, std::ios::binary);
  file << csv;
  file.close();
  if (!file) return give_up(Error{ErrorKind::io, "cannot be written", "writing " + options.out});
  fmt::print("{} targets written to {}. A list counts for probes only once it is signed: kua-collector "
             "lists sign\n",
             targets->size(), options.out);
  return ExitCode::ok;
}

}  // namespace kua::probe
