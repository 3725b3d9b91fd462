// docs/rules.md is what the tables say, row by row. When it differs, the test writes what it should be.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>

#include "verdict/dns_rules.h"
#include "verdict/gate.h"
#include "verdict/http_rules.h"
#include "verdict/quic_rules.h"
#include "verdict/tcp_rules.h"
#include "verdict/tls_rules.h"

namespace kua::verdict::test {
namespace {

void write_gate(std::ostream& out, const char* title, std::span<const GateRule> rules) {
  out << "\n## " << title << "\n\n| id | leaves | when |\n|---|---|---|\n";
  for (const GateRule& rule : rules) {
    const char* leaves = rule.gate == Gate::open            ? "everything"
                         : rule.gate == Gate::no_accusation ? "no accusation"
                                                            : "no verdict";
    out << "| `" << rule.id << "` | " << leaves << " | " << rule.says << " |\n";
  }
}

template <typename Evidence>
void write_table(std::ostream& out, const char* title, std::span<const Rule<Evidence>> rules) {
  out << "\n## " << title << "\n\n| id | state | mechanism | when |\n|---|---|---|---|\n";
  for (const auto& rule : rules) {
    out << "| `" << rule.id << "` | " << to_string(rule.state) << " | ";
    if (*rule.mechanism != 0) out << "`" << rule.mechanism << "`";
    out << " | " << rule.says << " |\n";
  }
}

std::string rules_document() {
  std::ostringstream out;
  out << "# Rules\n\n"
         "Printed from the tables in `verdict/`; a test holds this page to them. First match wins, top to\n"
         "bottom. A row's id is stored with every verdict it gives: rows are added, never re-pointed. `*` in\n"
         "a mechanism is how the step ended: `reset`, `timeout`, `eof`, `refused`, `alert`, `garbage`,\n"
         "`freeze`, `unreachable`; of a lookup `refused`, `servfail`, `timeout`, `empty`. What each mechanism\n"
         "proves and cannot prove is in [methods.md](methods.md).\n";
  write_gate(out, "The vantage gate", gate_rules());
  out << "\n`gate.nothing_seen` stands where a measurement holds no step that could be judged.\n"
         "`link.online`, `link.captive`, `link.dns_broken`, `link.international_cut`, `link.offline`,\n"
         "`link.offline_but_clear_text` and `link.unknown` are the verdicts of a `link_state` measurement, under no\n"
         "host.\n";
  write_gate(out, "Whose resolver it is", resolver_rules());
  write_table(out, "DNS", dns_rules());
  write_table(out, "TCP", tcp_rules());
  write_table(out, "TLS", tls_rules());
  write_table(out, "HTTP", http_rules());
  write_table(out, "QUIC", quic_rules());
  return out.str();
}

TEST(Rules, TheDocumentIsTheTables) {
  const std::filesystem::path path = std::filesystem::path(KUA_SOURCE_DIR) / "docs/rules.md";
  std::ifstream file(path);
  std::stringstream text;
  text << file.rdbuf();
  const std::string wanted = rules_document();
  if (text.str() != wanted) {
    const auto written = std::filesystem::temp_directory_path() / "kua-rules.md";
    std::ofstream(written) << wanted;
    FAIL() << path << " is not what the tables say; see " << written;
  }
}

TEST(Rules, IdsAreDistinctAndBelongToTheirLayer) {
  std::set<std::string> ids;
  const auto take = [&](const char* layer, const auto& rules) {
    for (const auto& rule : rules) {
      EXPECT_TRUE(std::string_view(rule.id).starts_with(layer)) << rule.id;
      EXPECT_TRUE(ids.insert(rule.id).second) << rule.id << " twice";
    }
  };
  take("gate.", gate_rules());
  take("dns.resolver_", resolver_rules());
  take("dns.", dns_rules());
  take("tcp.", tcp_rules());
  take("tls.", tls_rules());
  take("http.", http_rules());
  take("quic.", quic_rules());
}

TEST(Rules, OnlyAccusationsAndInterferenceNameAMechanism) {
  const auto look = [](const auto& rules) {
    for (const auto& rule : rules) {
      const bool named = *rule.mechanism != 0;
      if (accuses(rule.state)) {
        EXPECT_TRUE(named) << rule.id;
      } else if (rule.state == State::down || rule.state == State::insufficient) {
        EXPECT_FALSE(named) << rule.id;
      }
    }
  };
  look(dns_rules());
  look(tcp_rules());
  look(tls_rules());
  look(http_rules());
  look(quic_rules());
}

}  // namespace
}  // namespace kua::verdict::test
