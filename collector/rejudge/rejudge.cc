#include "collector/rejudge/rejudge.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include "collector/lines/progress.h"
#include "collector/rejudge/record_line.h"
#include "protocol/json_writer.h"
#include "protocol/record_codec.h"
#include "protocol/verdict_json.h"

namespace kua::collector {
namespace {

// The verdict that carries the summary: the first of its state.
const Verdict* leading(const std::vector<Verdict>& verdicts, State state) {
  const auto found = std::ranges::find(verdicts, state, &Verdict::state);
  return found == verdicts.end() ? nullptr : &*found;
}

void append_people(const Measurement& measurement, const std::vector<Verdict>& verdicts,
                   std::string& out) {
  const RecordHeader& header = measurement.header;
  const State state = summarize(verdicts);
  out += to_rfc3339(header.time) + ' ' + header.vantage.country.text() + " AS" +
         std::to_string(header.vantage.asn.number) + ' ' + measurement.target.text() + ' ' +
         to_string(state);
  if (const Verdict* verdict = leading(verdicts, state)) {
    if (!verdict->mechanism.empty()) out += ' ' + verdict->mechanism;
    out += " (" + verdict->rule + ')';
  }
  out += ' ' + header.id.text() + '\n';
}

void append_json(const Measurement& measurement, const std::vector<Verdict>& verdicts,
                 const Change* change, std::string& out) {
  const RecordHeader& header = measurement.header;
  protocol::JsonWriter json(out);
  json.begin_object();
  json.text("id", header.id.text());
  json.text("time", to_rfc3339(header.time));
  json.text("country", header.vantage.country.text());
  json.number("asn", header.vantage.asn.number);
  json.text("target", measurement.target.text());
  if (header.origin) json.text("lane", lane_of(header));
  json.text("state", to_string(summarize(verdicts)));
  if (change != nullptr) {
    json.text("state_before", to_string(change->before));
    for (const auto& [name, list] : {std::pair("gone", &change->gone), {"come", &change->come}}) {
      json.array(name);
      for (const std::string& finding : *list) json.text(finding);
      json.end_array();
    }
  }
  json.raw("verdicts", protocol::write_verdicts(verdicts));
  json.end_object();
  out += '\n';
}

void append_change(const Change& change, std::string& out) {
  for (const std::string& finding : change.gone) out += "  - " + finding + '\n';
  for (const std::string& finding : change.come) out += "  + " + finding + '\n';
}

// Words that only a control's line holds, escaped or not: most lines need not be read in the first
// pass.
bool may_hold_control(std::string_view line) {
  return line.find("\"control\"") != std::string_view::npos ||
         line.find("\\u") != std::string_view::npos;
}

}  // namespace

std::uint64_t RejudgeCounts::bad() const noexcept {
  std::uint64_t sum = 0;
  for (const auto& [reason, count] : bad_lines) sum += count;
  return sum;
}

Rejudge::Rejudge(RejudgeOptions options, const EarlierVerdicts& against, std::FILE* out,
                 std::FILE* err)
    : options_(std::move(options)),
      against_(against),
      out_(out),
      err_(err),
      shelf_(options_.shelf) {}

bool Rejudge::may_control(const RecordHeader& header) const {
  // What came with an imported measurement speaks for that lane only: nobody's vouching is needed.
  return header.origin || !options_.controls || options_.controls->contains(header.probe);
}

Expected<void> Rejudge::run(std::vector<LineFile>& files) {
  for (LineFile& file : files) {
    if (const auto done = collect_controls(file); !done) return done;
    if (const auto done = file.rewind(); !done) return done;
  }
  shelf_.close();
  for (LineFile& file : files) {
    if (const auto done = judge_file(file); !done) return done;
  }
  if (std::fflush(out_) != 0 || std::ferror(out_) != 0) {
    return fail(ErrorKind::io, std::strerror(errno), "writing verdicts");
  }
  return {};
}

Expected<void> Rejudge::add_control(const Measurement& control) {
  if (!may_control(control.header)) {
    ++counts_.controls_not_vouched;
    return {};
  }
  switch (shelf_.add(control)) {
    case ControlShelf::Added::taken:
      ++counts_.controls;
      return {};
    case ControlShelf::Added::unusable:
    case ControlShelf::Added::beyond:
      ++counts_.controls_ignored;
      return {};
    case ControlShelf::Added::full:
      break;
  }
  return fail(
      ErrorKind::limit,
      "more than " + std::to_string(shelf_.size()) +
          " controls: judge fewer days at once, since verdicts with half of them would differ",
      "collecting controls");
}

Expected<void> Rejudge::collect_controls(LineFile& file) {
  const platform::SystemClock clock;
  Progress progress(clock);
  protocol::RecordReader reader;
  while (true) {
    const auto line = file.next();
    if (!line && line.error().kind == ErrorKind::invalid_input)
      return {};  // named in the second pass
    if (!line) return std::unexpected(line.error());
    if (!*line) return {};
    progress.tell("controls of", file, (*line)->number);
    if (!may_hold_control((*line)->text)) continue;
    const auto found = read_record_line((*line)->text);
    if (!found || found->record.empty()) continue;  // named in the second pass
    const auto record = reader.read(found->record);
    if (!record) continue;
    const auto* measurement = std::get_if<Measurement>(&*record);
    if (measurement == nullptr || measurement->header.role != ProbeRole::control) continue;
    if (const auto added = add_control(*measurement); !added) return added;
  }
}

Expected<void> Rejudge::judge_file(LineFile& file) {
  const platform::SystemClock clock;
  Progress progress(clock);
  while (true) {
    const auto line = file.next();
    if (!line && line.error().kind == ErrorKind::invalid_input) {
      // The day that is being written ends in the middle of a frame, and so does a broken copy:
      // what stands before it is whole.
      std::fprintf(err_, "%s; what stands before it was judged\n", line.error().text().c_str());
      ++counts_.bad_lines["the rest of a file that is cut off or damaged"];
      return {};
    }
    if (!line) return std::unexpected(line.error());
    if (!*line) return {};
    ++counts_.lines;
    progress.tell("judging", file, (*line)->number);
    judge_line(file, **line);
    if (std::ferror(out_) != 0)
      return fail(ErrorKind::io, std::strerror(errno), "writing verdicts");
  }
}

void Rejudge::judge_line(const LineFile& file, const FileLine& line) {
  thread_local protocol::RecordReader reader;
  if (line.too_long) {
    return refuse(file, line, {ErrorKind::limit, "longer than a line of records may be", ""});
  }
  const auto found = read_record_line(line.text);
  if (!found) return refuse(file, line, found.error());
  if (found->record.empty()) return;
  const auto record = reader.read(found->record);
  if (!record) return refuse(file, line, record.error());
  judge_record(*record, found->verdicts);
}

void Rejudge::judge_record(const Record& record, std::string_view verdicts_beside) {
  const auto* measurement = std::get_if<Measurement>(&record);
  if (measurement == nullptr) {
    ++counts_.minute_summaries;
    return;
  }
  if (measurement->header.role == ProbeRole::control) return;  // counted in the first pass
  const auto views = shelf_.views(*measurement);
  const std::vector<Verdict> verdicts =
      verdict::judge(*measurement, views, options_.knowledge.view());
  ++counts_.judged;
  ++counts_.states[summarize(verdicts)];
  for (const Verdict& verdict : verdicts) ++counts_.rules[verdict.rule];
  if (!options_.compare) return write(*measurement, verdicts, nullptr);
  std::vector<Verdict> before;
  bool known = against_.find(measurement->header.id, before);
  if (!known && !verdicts_beside.empty()) {
    auto beside = protocol::read_verdicts(verdicts_beside);
    known = beside.has_value();
    if (known) before = std::move(*beside);
  }
  if (!known) {
    ++counts_.without_earlier;
    if (!options_.only_changed) write(*measurement, verdicts, nullptr);
    return;
  }
  const Change change = compare(before, verdicts);
  ++counts_.compared;
  if (change.any()) ++counts_.changed;
  if (change.before != change.after) ++counts_.state_changed;
  if (change.any() || !options_.only_changed) write(*measurement, verdicts, &change);
}

void Rejudge::write(const Measurement& measurement, const std::vector<Verdict>& verdicts,
                    const Change* change) {
  if (options_.sink) return options_.sink(measurement, verdicts);
  text_.clear();
  switch (options_.output) {
    case JudgeOutput::summary:
      return;
    case JudgeOutput::json:
      append_json(measurement, verdicts, change, text_);
      break;
    case JudgeOutput::lines:
      append_people(measurement, verdicts, text_);
      if (change != nullptr) append_change(*change, text_);
      break;
  }
  std::fwrite(text_.data(), 1, text_.size(), out_);
}

void Rejudge::refuse(const LineFile& file, const FileLine& line, const Error& error) {
  if (counts_.bad() < limits::kNamedBadLinesMax) {
    std::fprintf(err_, "%s:%llu: %s\n", file.name().c_str(),
                 static_cast<unsigned long long>(line.number), error.text().c_str());
  }
  ++counts_.bad_lines[to_string(error.kind)];
}

void Rejudge::print_counts(std::FILE* to) const {
  const auto say = [to](const char* what, std::uint64_t count) {
    if (count > 0) std::fprintf(to, "%llu %s\n", static_cast<unsigned long long>(count), what);
  };
  std::fprintf(to, "%llu lines, %llu measurements judged\n",
               static_cast<unsigned long long>(counts_.lines),
               static_cast<unsigned long long>(counts_.judged));
  for (const auto& [state, count] : counts_.states) {
    std::fprintf(to, "  %-14s %llu\n", to_string(state), static_cast<unsigned long long>(count));
  }
  if (options_.output == JudgeOutput::summary) {
    for (const auto& [rule, count] : counts_.rules) {
      std::fprintf(to, "  %-32s %llu\n", rule.c_str(), static_cast<unsigned long long>(count));
    }
  }
  say("controls", counts_.controls);
  say("controls left out: not comparable, or more vantages of a target than are kept",
      counts_.controls_ignored);
  say("records of controls that nobody vouched for", counts_.controls_not_vouched);
  say("minute summaries passed over", counts_.minute_summaries);
  if (options_.compare) {
    std::fprintf(to, "%llu compared, %llu changed, %llu of them in their state\n",
                 static_cast<unsigned long long>(counts_.compared),
                 static_cast<unsigned long long>(counts_.changed),
                 static_cast<unsigned long long>(counts_.state_changed));
    say("without earlier verdicts", counts_.without_earlier);
  }
  for (const auto& [reason, count] : counts_.bad_lines) {
    std::fprintf(to, "%llu lines not read: %s\n", static_cast<unsigned long long>(count),
                 reason.c_str());
  }
}

}  // namespace kua::collector
