// The minute diary: what the line was like, minute by minute. It belongs to the owner, who can read and
// export it; what travels are its bitmaps, one record a day. Kept apart from the spool, so that damage
// to one leaves the other.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "measurement/error.h"
#include "measurement/record.h"
#include "measurement/vantage.h"
#include "platform/sqlite/sqlite.h"

namespace kua::probe {

// One minute as the last look at it saw it.
struct Minute {
  WallTime begin;  // whole minute
  LinkState state = LinkState::unknown;
  bool link_up = false;  // an interface with a route was there
  bool gateway = false;
  bool resolver = false;
  bool national = false;
  bool international = false;
  friend bool operator==(const Minute&, const Minute&) = default;
};

// What one `link_state` measurement says of its minute; `state` is what was concluded from it.
[[nodiscard]] Minute minute_of(const Measurement& look, WallTime when, LinkState state);

class Diary {
 public:
  // A damaged file is moved aside and a new one begun: notice() says so.
  [[nodiscard]] static Expected<Diary> open(const std::string& path);

  // A second look at a minute replaces the first. `boot` names the present boot.
  [[nodiscard]] Expected<void> note(const Minute& minute, std::string_view boot);
  // The wall clock of this boot turned out to be off by `error` (what it should have shown, less what
  // it showed): its minutes move to where they belong.
  [[nodiscard]] Expected<void> shift(std::string_view boot, std::chrono::minutes error);

  // Minutes in [from, until), oldest first.
  [[nodiscard]] Expected<std::vector<Minute>> read(WallTime from, WallTime until);

  // A summary of the UTC day that `day` lies in, with the next revision, and nullopt when nothing was
  // noted since the last one that was told. `header` is taken as it is but for its time.
  [[nodiscard]] Expected<std::optional<MinuteSummary>> summarize(WallTime day, const RecordHeader& header);
  // That summary is on disk, on its way. Nothing may have been noted since it was made.
  [[nodiscard]] Expected<void> mark_told(WallTime day, std::uint32_t revision);
  // Days with something noted that no summary has told yet, oldest first.
  [[nodiscard]] Expected<std::vector<WallTime>> untold_days();

  [[nodiscard]] Expected<void> expire(WallTime before);
  [[nodiscard]] const std::optional<std::string>& notice() const noexcept { return notice_; }

 private:
  Diary(platform::Database database, platform::Statement note) noexcept
      : database_(std::move(database)), note_(std::move(note)) {}
  [[nodiscard]] static Expected<Diary> open_file(const std::string& path);
  platform::Database database_;
  platform::Statement note_;
  std::optional<std::string> notice_;
};

// One row a minute: "time,state,link_up,gateway,resolver,national,international", RFC 4180.
[[nodiscard]] std::string write_diary_csv(const std::vector<Minute>& minutes);

// Runs of equal state, for people: "2024-01-05T10:00Z–10:42Z offline". A gap of minutes that nobody
// looked at is a run of its own.
struct DiaryRun {
  WallTime begin;
  WallTime end;                    // exclusive
  std::optional<LinkState> state;  // nullopt: nobody looked
  friend bool operator==(const DiaryRun&, const DiaryRun&) = default;
};
// `step`: how far apart looks are when all is well (two minutes on thrifty profiles).
[[nodiscard]] std::vector<DiaryRun> runs_of(const std::vector<Minute>& minutes, std::chrono::minutes step);

}  // namespace kua::probe
