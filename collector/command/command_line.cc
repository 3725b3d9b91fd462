#include "collector/command/command_line.h"

#include <CLI/CLI.hpp>
#include <sstream>

namespace kua::collector {
namespace {

constexpr const char* kFooter =
    "Exit codes: 0 done, 2 wrong usage or configuration, 3 done but for lines that could not be read (each reason is counted), 4 failed (disk, network, damaged files).";

CLI::App* add_serve(CLI::App& app, ServeCommand& out) {
  CLI::App* serve = app.add_subcommand("serve", "Take records, judge them, serve metrics and pages; SIGTERM stops it cleanly");
  serve->add_option("--config", out.config_file, "collector.yaml")->required()->type_name("FILE");
  return serve;
}

CLI::App* add_init(CLI::App& app, InitOptions& out) {
  CLI::App* init = app.add_subcommand("init", "Make a new collector's keys, tokens and configuration; prints the join link");
  init->add_option("--dir", out.directory, "Directory to make; must hold no collector yet")->required()->type_name("DIR");
  init->add_option("--name", out.name, "Who runs it, in words a volunteer knows")->type_name("TEXT");
  init->add_option("--endpoint", out.endpoints, "Where probes reach it; may be repeated; default 127.0.0.1:9779")->type_name("HOST:PORT")->delimiter(',');
  init->add_option("--list-key", out.list_key_files, "Public key that signs its lists (FILE.pub of lists keygen)")->type_name("FILE")->delimiter(',');
  init->add_option("--list", out.list_file, "Signed list to begin with; also the minimum list of the join link")->type_name("FILE");
  init->add_option("--public-port", out.public_port, "Port of the pages on 127.0.0.1")->capture_default_str();
  init->add_option("--desk-port", out.desk_port, "Port of metrics and the full view on 127.0.0.1")->capture_default_str();
  init->add_option("--min-clusters", out.min_clusters, "Witnesses a network needs to be public; below 5: a local instance")
      ->capture_default_str()->check(CLI::Range(1, 1000));
  init->add_option("--network-database", out.network_databases, "MaxMind file or CSV prefix,asn,country,network_type")->type_name("FILE")->delimiter(',');
  return init;
}

CLI::App* add_link(CLI::App& app, LinkOptions& out) {
  CLI::App* link = app.add_subcommand("link", "Print a join link, for instance with an invitation or after a change of lists");
  link->add_option("--dir", out.directory, "The collector's directory")->required()->type_name("DIR");
  link->add_option("--name", out.name, "Who runs it")->required()->type_name("TEXT");
  link->add_option("--endpoint", out.endpoints, "Where probes reach it; may be repeated")->required()->type_name("HOST:PORT")->delimiter(',');
  link->add_option("--list-key", out.list_key_files, "Public list keys")->required()->type_name("FILE")->delimiter(',');
  link->add_option("--list", out.list_file, "The minimum list")->required()->type_name("FILE");
  link->add_option("--invitation", out.invitation, "A code of `kua-collector invite`")->type_name("CODE");
  return link;
}

CLI::App* add_invite(CLI::App& app, InviteCommand& out) {
  CLI::App* invite = app.add_subcommand("invite", "Make invitation codes and print them");
  invite->add_option("--dir", out.directory, "The collector's directory")->required()->type_name("DIR");
  invite->add_option("--count", out.count, "How many")->capture_default_str()->check(CLI::Range(1, 10'000));
  return invite;
}

struct ListCommands {
  CLI::App* keygen = nullptr;
  CLI::App* sign = nullptr;
  CLI::App* show = nullptr;
};

CLI::App* add_sign(CLI::App& lists, SignOptions& out, std::string& country, std::uint64_t& serial, int& days) {
  CLI::App* sign = lists.add_subcommand("sign", "Sign a target list");
  sign->add_option("--key", out.key_file, "List key, as `lists keygen` made it")->required()->type_name("FILE");
  sign->add_option("--targets,--in", out.target_files, "Tables in Citizen Lab's columns; may be repeated")->required()->type_name("CSV")->delimiter(',');
  sign->add_option("--extra", out.extra_file, "Witnesses, resolvers, known signs: see config/list.yaml")->type_name("YAML");
  sign->add_option("--country", country, "Whose probes it is for (ISO 3166-1); default: anyone's")->type_name("CC");
  sign->add_option("--serial", serial, "Must grow from list to list; default: seconds since 1970")->type_name("N");
  sign->add_option("--days", days, "How long it is valid")->capture_default_str()->check(CLI::Range(1, 14));
  sign->add_option("--out", out.out_file, "Signed list to write")->required()->type_name("FILE");
  return sign;
}

ListCommands add_lists(CLI::App& app, KeygenCommand& keygen, SignOptions& sign, ShowOptions& show, std::string& country,
                       std::uint64_t& serial, int& days) {
  CLI::App* lists = app.add_subcommand("lists", "Sign target lists, offline and with keys that never touch a collector");
  lists->require_subcommand(1);
  ListCommands out;
  out.keygen = lists->add_subcommand("keygen", "Make a list key: FILE (keep it secret) and FILE.pub");
  out.keygen->add_option("--out", keygen.out_file, "File to write; must not exist")->required()->type_name("FILE");
  out.sign = add_sign(*lists, sign, country, serial, days);
  out.show = lists->add_subcommand("show", "Say who signed a list and what it holds");
  out.show->add_option("list", show.list_file, "Signed list")->required()->type_name("FILE");
  out.show->add_option("--key", show.key_files, "Public keys it must be signed with one of")->type_name("FILE")->delimiter(',');
  return out;
}

CLI::App* add_verify(CLI::App& app, VerifyCommand& out) {
  CLI::App* verify = app.add_subcommand(
      "verify", "Check day files of the record log against the signatures of the probes; needs nothing but the files");
  verify->add_option("files", out.files, "Files of log/, by any name")->required()->type_name("FILE");
  verify->footer("Exit codes: 0 nothing contradicts a signature, 3 a part cannot be read, 4 a signature does not fit, or no such file.");
  return verify;
}

CLI::App* add_judge(CLI::App& app, JudgeCommand& out) {
  CLI::App* judge = app.add_subcommand(
      "judge", "Judge the measurements of any files again, with the rules of today and the controls in the same files");
  judge->add_option("files", out.files, "Records, or lines of the record log; .zst and .gz too; - is standard input")
      ->required()->type_name("FILE");
  judge->add_option("--list", out.lists, "Signed list whose fingerprints and roots count; may be repeated")
      ->type_name("FILE")->allow_extra_args(false);
  judge->add_option("--control", out.controls, "Probe that may be a control; may be repeated; default: any that calls itself one")
      ->type_name("PROBE_ID")->allow_extra_args(false);
  judge->add_option("--against", out.against, "Earlier output of judge --json to compare with; else the verdicts beside a record")
      ->type_name("FILE");
  judge->add_flag("--changed", out.changed, "Print only what changed, verdict by verdict");
  CLI::Option* json = judge->add_flag("--json", out.json, "One JSON object a measurement");
  judge->add_flag("--summary", out.summary, "Print counts by state and rule only")->excludes(json);
  return judge;
}

CLI::App* add_import(CLI::App& app, ImportOoniCommand& out) {
  CLI::App* import = app.add_subcommand("import", "Turn measurements of others into records, in a lane of their own");
  import->require_subcommand(1);
  CLI::App* ooni = import->add_subcommand("ooni", "OONI web_connectivity 0.4 and 0.5, one JSON object a line (docs/ooni.md)");
  ooni->add_option("files", out.files, "JSONL; .gz and .zst too; - is standard input")->required()->type_name("FILE");
  ooni->add_option("--out", out.out, "Write the records there; default: standard output")->type_name("FILE");
  CLI::Option* judge = ooni->add_flag("--judge", out.judge, "Judge them with our rules and print the verdicts");
  CLI::Option* json = ooni->add_flag("--json", out.json, "Verdicts as one JSON object a measurement")->needs(judge);
  ooni->add_flag("--summary", out.summary, "Print counts by state and rule only")->needs(judge)->excludes(json);
  ooni->add_option("--list", out.lists, "Signed list whose fingerprints and roots count; may be repeated")
      ->type_name("FILE")->allow_extra_args(false);
  ooni->add_flag("--inside-resolver-is-network", out.inside_resolver,
                 "Let answers accuse where the resolver is inside the probe's network; a filter at home that forwards there looks the same");
  return ooni;
}

CLI::App* add_export(CLI::App& app, ExportOoniCommand& out) {
  CLI::App* exporting = app.add_subcommand("export", "Turn records into measurements that others read");
  exporting->require_subcommand(1);
  CLI::App* ooni = exporting->add_subcommand("ooni", "OONI web_connectivity, one JSON object a line (docs/ooni.md)");
  ooni->add_option("files", out.files, "As of judge; controls are taken from the same files")->required()->type_name("FILE");
  ooni->add_option("--out", out.out, "Write there; default: standard output")->type_name("FILE");
  ooni->add_option("--list", out.lists, "Signed list whose fingerprints and roots count; may be repeated")
      ->type_name("FILE")->allow_extra_args(false);
  ooni->add_option("--control", out.controls, "Probe that may be a control; may be repeated; default: any that calls itself one")
      ->type_name("PROBE_ID")->allow_extra_args(false);
  return ooni;
}

}  // namespace

std::expected<Command, CommandLineEnd> parse_command_line(int argc, const char* const* argv) {
  CLI::App app("Kua's collector: takes records from probes, judges them, shows what they mean.", "kua-collector");
  app.require_subcommand(1);
  app.footer(kFooter);
  app.set_version_flag("--version", std::string("kua-collector ") + KUA_VERSION);
  ServeCommand serve;
  InitOptions init;
  LinkOptions link;
  InviteCommand invite;
  KeygenCommand keygen;
  SignOptions sign;
  ShowOptions show;
  VerifyCommand verify;
  JudgeCommand judge;
  ImportOoniCommand import_ooni;
  ExportOoniCommand export_ooni;
  std::string country;
  std::uint64_t serial = 0;
  int days = 14;
  const CLI::App* serve_app = add_serve(app, serve);
  const CLI::App* init_app = add_init(app, init);
  const CLI::App* link_app = add_link(app, link);
  const CLI::App* invite_app = add_invite(app, invite);
  const CLI::App* verify_app = add_verify(app, verify);
  const CLI::App* judge_app = add_judge(app, judge);
  const CLI::App* import_app = add_import(app, import_ooni);
  const CLI::App* export_app = add_export(app, export_ooni);
  const ListCommands lists = add_lists(app, keygen, sign, show, country, serial, days);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& end) {
    std::ostringstream text;
    const int code = app.exit(end, text, text);
    return std::unexpected(CommandLineEnd{code == 0 ? ExitCode::ok : ExitCode::usage, text.str()});
  }
  if (serve_app->parsed()) return serve;
  if (init_app->parsed()) return init;
  if (link_app->parsed()) return link;
  if (invite_app->parsed()) return invite;
  if (verify_app->parsed()) return verify;
  if (judge_app->parsed()) return judge;
  if (import_app->parsed()) return import_ooni;
  if (export_app->parsed()) return export_ooni;
  if (lists.keygen->parsed()) return keygen;
  if (lists.show->parsed()) return show;
  if (!country.empty()) {
    sign.country = CountryCode::parse(country);
    if (!sign.country) {
      return std::unexpected(CommandLineEnd{ExitCode::usage, "--country: two capital letters (ISO 3166-1)\n"});
    }
  }
  if (lists.sign->count("--serial") > 0) sign.serial = serial;
  sign.valid = std::chrono::days(days);
  return sign;
}

}  // namespace kua::collector
