#include "collector/ooni/ooni_commands.h"

#include <cerrno>
#include <cstring>
#include <memory>
#include <utility>

#include "collector/lines/line_file.h"
#include "collector/lines/progress.h"
#include "collector/ooni/exporter.h"
#include "collector/rejudge/rejudge.h"
#include "protocol/record_codec.h"

namespace kua::collector {
namespace {

struct Closer {
  void operator()(std::FILE* file) const noexcept { std::fclose(file); }
};
using File = std::unique_ptr<std::FILE, Closer>;

std::unexpected<Error> cannot_write(const std::string& name) {
  return fail(errno == ENOSPC ? ErrorKind::no_space : ErrorKind::io, std::strerror(errno),
              "writing " + name);
}

Expected<File> open_new(const std::string& path) {
  File file(path.empty() ? std::tmpfile() : std::fopen(path.c_str(), "w+be"));
  if (file == nullptr) return cannot_write(path.empty() ? "a temporary file" : path);
  return file;
}

void print_counts(std::FILE* err, const char* what, const ooni::Counts& counts) {
  for (const auto& [reason, count] : counts) {
    std::fprintf(err, "  %llu %s: %s\n", static_cast<unsigned long long>(count), what,
                 reason.c_str());
  }
}

// Whether a line was a measurement that nobody asked for, and not one that is broken.
bool is_passed_over(const std::string& reason) {
  return reason == "other_test" || reason == "other_version" || reason == "through_proxy";
}

class Import {
 public:
  Import(ooni::InsideResolver inside, std::FILE* records, std::FILE* err)
      : importer_(inside), records_(records), err_(err) {}

  Expected<void> read(LineFile& file) {
    const platform::SystemClock clock;
    Progress progress(clock);
    while (true) {
      const auto line = file.next();
      if (!line && line.error().kind == ErrorKind::invalid_input) {
        std::fprintf(err_, "%s; what stands before it was taken\n", line.error().text().c_str());
        ++refused_["the rest of a file that is cut off or damaged"];
        ++broken_;
        return {};
      }
      if (!line) return std::unexpected(line.error());
      if (!*line) return {};
      progress.tell("importing", file, (*line)->number);
      if ((*line)->text.empty() && !(*line)->too_long) continue;
      ++lines_;
      take(file, **line);
      if (std::ferror(records_) != 0) return cannot_write("records");
    }
  }

  void print() const {
    std::fprintf(err_, "%llu lines, %llu measurements and %llu test helper's views taken\n",
                 static_cast<unsigned long long>(lines_),
                 static_cast<unsigned long long>(measurements_),
                 static_cast<unsigned long long>(controls_));
    print_counts(err_, "lines not taken", refused_);
    print_counts(err_, "parts left out", importer_.left_out());
  }
  [[nodiscard]] ReadThrough read_through() const noexcept {
    return broken_ == 0 ? ReadThrough::whole : ReadThrough::in_part;
  }

 private:
  void take(const LineFile& file, const FileLine& line) {
    const auto taken = line.too_long ? Expected<ooni::Imported>(fail(ErrorKind::limit, "too_long"))
                                     : importer_.read(line.text);
    if (!taken) return refuse(file, line, taken.error().message);
    ++measurements_;
    controls_ += taken->size() - 1;
    text_.clear();
    for (const Measurement& record : *taken) protocol::append_record(record, text_);
    std::fwrite(text_.data(), 1, text_.size(), records_);
  }

  void refuse(const LineFile& file, const FileLine& line, const std::string& reason) {
    ++refused_[reason];
    if (is_passed_over(reason)) return;
    if (broken_++ < limits::kNamedBadLinesMax) {
      std::fprintf(err_, "%s:%llu: %s\n", file.name().c_str(),
                   static_cast<unsigned long long>(line.number), reason.c_str());
    }
  }

  ooni::Importer importer_;
  std::FILE* records_;
  std::FILE* err_;
  std::uint64_t lines_ = 0;
  std::uint64_t measurements_ = 0;
  std::uint64_t controls_ = 0;
  std::uint64_t broken_ = 0;
  ooni::Counts refused_;
  std::string text_;
};

Expected<void> judge_imported(const ImportOoniCommand& command, File records, std::FILE* out,
                              std::FILE* err) {
  RejudgeOptions options;
  options.output = command.json ? JudgeOutput::json : JudgeOutput::lines;
  if (command.summary) options.output = JudgeOutput::summary;
  auto knowledge = read_knowledge(command.lists);
  if (!knowledge) return std::unexpected(knowledge.error());
  options.knowledge = std::move(*knowledge);
  const EarlierVerdicts none;
  Rejudge rejudge(std::move(options), none, out, err);
  std::vector<LineFile> files;
  files.push_back(
      LineFile::over(records.release(), "the imported records", limits::kRecordLineBytesMax));
  if (const auto done = rejudge.run(files); !done) return done;
  rejudge.print_counts(command.summary ? out : err);
  return {};
}

Expected<std::vector<LineFile>> open_all(const std::vector<std::string>& paths,
                                         std::size_t line_bytes_max, Reading reading) {
  std::vector<LineFile> files;
  for (const std::string& path : paths) {
    auto file = LineFile::open(path, line_bytes_max, reading);
    if (!file) return std::unexpected(file.error());
    files.push_back(std::move(*file));
  }
  return files;
}

}  // namespace

Expected<ReadThrough> import_ooni(const ImportOoniCommand& command, std::FILE* out,
                                  std::FILE* err) {
  auto files = open_all(command.files, limits::kOoniLineBytesMax, Reading::once);
  if (!files) return std::unexpected(files.error());
  File records;
  if (command.judge || !command.out.empty()) {
    auto opened = open_new(command.out);
    if (!opened) return std::unexpected(opened.error());
    records = std::move(*opened);
  }
  std::FILE* to = records == nullptr ? out : records.get();
  Import import(
      command.inside_resolver ? ooni::InsideResolver::network : ooni::InsideResolver::unknown, to,
      err);
  for (LineFile& file : *files) {
    if (const auto done = import.read(file); !done) return std::unexpected(done.error());
  }
  if (std::fflush(to) != 0) return cannot_write("records");
  import.print();
  if (command.judge) {
    const auto judged = judge_imported(command, std::move(records), out, err);
    if (!judged) return std::unexpected(judged.error());
  }
  return import.read_through();
}

Expected<ReadThrough> export_ooni(const ExportOoniCommand& command, std::FILE* out,
                                  std::FILE* err) {
  auto knowledge = read_knowledge(command.lists);
  if (!knowledge) return std::unexpected(knowledge.error());
  auto controls = read_controls(command.controls);
  if (!controls) return std::unexpected(controls.error());
  auto files = open_all(command.files, limits::kRecordLineBytesMax, Reading::twice);
  if (!files) return std::unexpected(files.error());
  File file;
  if (!command.out.empty()) {
    auto opened = open_new(command.out);
    if (!opened) return std::unexpected(opened.error());
    file = std::move(*opened);
  }
  std::FILE* to = file == nullptr ? out : file.get();
  std::uint64_t written = 0;
  ooni::Counts refused;
  ooni::Counts left_out;
  RejudgeOptions options;
  options.knowledge = std::move(*knowledge);
  options.controls = std::move(*controls);
  options.sink = [&](const Measurement& measurement, const std::vector<Verdict>& verdicts) {
    auto line = ooni::export_measurement(measurement, verdicts, left_out);
    if (!line) {
      ++refused[line.error().message];
      return;
    }
    *line += '\n';
    std::fwrite(line->data(), 1, line->size(), to);
    ++written;
  };
  const EarlierVerdicts none;
  Rejudge rejudge(std::move(options), none, to, err);
  const auto done = rejudge.run(*files);
  if (!done) return std::unexpected(done.error());
  std::fprintf(err, "%llu lines, %llu measurements written\n",
               static_cast<unsigned long long>(rejudge.counts().lines),
               static_cast<unsigned long long>(written));
  print_counts(err, "measurements not written", refused);
  print_counts(err, "observations left out", left_out);
  print_counts(err, "lines not read", rejudge.counts().bad_lines);
  return rejudge.counts().bad() == 0 ? ReadThrough::whole : ReadThrough::in_part;
}

}  // namespace kua::collector
