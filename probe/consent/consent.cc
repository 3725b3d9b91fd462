#include "probe/consent/consent.h"

#include <algorithm>
#include <boost/json.hpp>
#include <istream>
#include <ostream>
#include <string>

namespace kua::probe {
namespace {

namespace json = boost::json;

Expected<std::optional<Consent>> parse_consent(std::string_view bytes, const std::string& doing) {
  boost::system::error_code problem;
  const json::value document = json::parse(bytes, problem);
  const json::object* object = problem ? nullptr : document.if_object();
  if (object == nullptr) return fail(ErrorKind::invalid_input, "not a consent file", doing);
  const json::value* version = object->if_contains("version");
  const json::value* level = object->if_contains("level");
  const json::value* manner = object->if_contains("manner");
  const json::value* given = object->if_contains("given");
  const bool shaped = version != nullptr && version->is_int64() && level != nullptr &&
                      level->is_string() && manner != nullptr && manner->is_string() &&
                      given != nullptr && given->is_string();
  if (!shaped) return fail(ErrorKind::invalid_input, "a member is missing or of a wrong type", doing);
  const auto parsed_level = parse_consent_level(level->get_string());
  const auto parsed_time = parse_rfc3339(given->get_string());
  if (!parsed_level || !parsed_time) {
    return fail(ErrorKind::invalid_input, "unknown level or malformed time", doing);
  }
  return Consent{static_cast<int>(version->get_int64()), *parsed_level,
                 manner->get_string() == "quiz" ? ConsentManner::quiz : ConsentManner::declared,
                 *parsed_time};
}

std::string_view trimmed(std::string_view text) {
  const auto begin = text.find_first_not_of(" \t\r\n");
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(" \t\r\n") - begin + 1);
}

// nullopt when the input ended.
std::optional<std::string> ask_line(std::istream& in, std::ostream& out, std::string_view prompt) {
  out << prompt << std::flush;
  std::string line;
  if (!std::getline(in, line)) return std::nullopt;
  return std::string(trimmed(line));
}

bool ask_question(std::istream& in, std::ostream& out, const ConsentText& text,
                  const QuizQuestion& question) {
  for (int attempt = 0; attempt < kQuizTries; ++attempt) {
    out << '\n' << question.question << '\n';
    for (std::size_t i = 0; i < question.answers.size(); ++i) {
      out << "  " << i + 1 << ") " << question.answers[i] << '\n';
    }
    const auto line = ask_line(in, out, text.answer_prompt);
    if (!line) return false;
    if (*line == std::to_string(question.right + 1)) return true;
    out << text.wrong << ' ' << question.because << '\n';
  }
  return false;
}

}  // namespace

const char* to_string(ConsentLevel level) noexcept {
  return level == ConsentLevel::expert ? "expert" : "basic";
}

std::optional<ConsentLevel> parse_consent_level(std::string_view text) noexcept {
  if (text == "basic") return ConsentLevel::basic;
  if (text == "expert") return ConsentLevel::expert;
  return std::nullopt;
}

Expected<std::optional<Consent>> read_consent(const StateDirectory& state) {
  const auto bytes = state.read(kConsentFile);
  if (!bytes) {
    if (bytes.error().kind == ErrorKind::not_found) return std::optional<Consent>();
    return std::unexpected(bytes.error());
  }
  return parse_consent(*bytes, "reading " + state.path_of(kConsentFile));
}

Expected<void> write_consent(const StateDirectory& state, const Consent& consent) {
  const json::object object{
      {"version", consent.version},
      {"level", to_string(consent.level)},
      {"manner", consent.manner == ConsentManner::quiz ? "quiz" : "declared"},
      {"given", to_rfc3339(consent.given)}};
  return state.write(kConsentFile, json::serialize(object) + "\n");
}

Expected<void> withdraw_consent(const StateDirectory& state) { return state.remove(kConsentFile); }

Expected<void> require_consent(const StateDirectory& state, ConsentLevel wanted) {
  const auto consent = read_consent(state);
  if (!consent) return std::unexpected(consent.error());
  if (!*consent) {
    return fail(ErrorKind::permission,
                "nobody has agreed to measuring yet; read and answer: kua-probe consent accept");
  }
  if ((*consent)->version != kConsentVersion) {
    return fail(ErrorKind::permission,
                "the consent text has changed; read and answer again: kua-probe consent accept");
  }
  if (wanted == ConsentLevel::expert && (*consent)->level != ConsentLevel::expert) {
    return fail(ErrorKind::permission,
                "this needs expert consent: kua-probe consent accept --level expert");
  }
  return {};
}

bool ask_for_consent(std::istream& in, std::ostream& out, const ConsentText& text, ConsentLevel level) {
  out << text.title << "\n\n" << text.basic;
  if (level == ConsentLevel::expert) out << '\n' << text.expert;
  out << '\n' << text.before_quiz << '\n';
  const bool passed = std::ranges::all_of(text.quiz, [&](const QuizQuestion& question) {
    return ask_question(in, out, text, question);
  });
  if (!passed) {
    out << '\n' << text.declined << '\n';
    return false;
  }
  const auto line = ask_line(in, out, std::string("\n") + std::string(text.final_question));
  const bool yes = line && std::ranges::find(text.yes_words, *line) != text.yes_words.end();
  out << (yes ? text.accepted : text.declined) << '\n';
  return yes;
}

}  // namespace kua::probe
