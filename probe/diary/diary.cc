#include "probe/diary/diary.h"

#include <filesystem>
#include <utility>

#include "measurement/check.h"

namespace kua::probe {
namespace {

using platform::Database;
using platform::Statement;
using platform::Transaction;
using std::chrono::days;
using std::chrono::minutes;

constexpr std::int64_t kDiaryVersion = 1;
constexpr std::string_view kTables = R"(
CREATE TABLE IF NOT EXISTS minutes(
  minute INTEGER PRIMARY KEY,        -- since 1970-01-01T00:00Z, by the wall clock
  boot   TEXT NOT NULL,              -- during which it was noted
  state  TEXT NOT NULL,
  bits   INTEGER NOT NULL            -- 1 link up, 2 gateway, 4 resolver, 8 national, 16 international
);
CREATE TABLE IF NOT EXISTS days(
  day      INTEGER PRIMARY KEY,      -- since 1970-01-01
  revision INTEGER NOT NULL,         -- of the last summary made of it
  told     INTEGER NOT NULL          -- 0: something was noted since
);
PRAGMA user_version = 1;
)";

constexpr std::int64_t kLinkUp = 1;
constexpr std::int64_t kGateway = 2;
constexpr std::int64_t kResolver = 4;
constexpr std::int64_t kNational = 8;
constexpr std::int64_t kInternational = 16;

std::int64_t minute_number(WallTime time) {
  return std::chrono::floor<minutes>(time).time_since_epoch().count();
}
std::int64_t day_number(WallTime time) {
  return std::chrono::floor<days>(time).time_since_epoch().count();
}

std::int64_t bits_of(const Minute& minute) {
  return (minute.link_up ? kLinkUp : 0) | (minute.gateway ? kGateway : 0) |
         (minute.resolver ? kResolver : 0) | (minute.national ? kNational : 0) |
         (minute.international ? kInternational : 0);
}

Minute make_minute(std::int64_t number, std::string_view state, std::int64_t bits) {
  return Minute{.begin = WallTime(minutes(number)),
                .state = parse_link_state(state).value_or(LinkState::unknown),
                .link_up = (bits & kLinkUp) != 0,
                .gateway = (bits & kGateway) != 0,
                .resolver = (bits & kResolver) != 0,
                .national = (bits & kNational) != 0,
                .international = (bits & kInternational) != 0};
}

Expected<void> mark_untold(Database& database, std::int64_t day) {
  auto mark = database.prepare(
      "INSERT INTO days VALUES(?, 0, 0) ON CONFLICT(day) DO UPDATE SET told = 0 WHERE told <> 0");
  if (!mark) return std::unexpected(mark.error());
  mark->bind(1, day);
  return mark->run();
}

}  // namespace

Minute minute_of(const Measurement& look, WallTime when, LinkState state) {
  Minute minute{.begin = std::chrono::floor<minutes>(when), .state = state};
  for (const Observation& observation : look.observations) {
    const auto* check = std::get_if<LinkCheck>(&observation);
    if (check == nullptr) continue;
    // Anything that left and came back, or was refused by the far end, shows a link; the kernel's own
    // "network is unreachable" does not.
    const bool no_route = check->failure && (check->failure->code == FailureCode::network_unreachable ||
                                             check->failure->code == FailureCode::network_down);
    minute.link_up |= check->reached || !no_route;
    switch (check->subject) {
      case LinkSubject::gateway: minute.gateway |= check->reached; break;
      case LinkSubject::resolver: minute.resolver |= check->reached; break;
      case LinkSubject::national: minute.national |= check->reached; break;
      case LinkSubject::international: minute.international |= check->reached; break;
      case LinkSubject::captive_portal: break;
    }
  }
  return minute;
}

Expected<Diary> Diary::open_file(const std::string& path) {
  // NORMAL: a power cut may cost the last minutes, and no minute costs a sync of the memory card.
  auto database = Database::open(path, platform::Durability::process_crash);
  if (!database) return std::unexpected(database.error());
  auto version = database->prepare("PRAGMA user_version");
  if (!version) return std::unexpected(version.error());
  if (const auto row = version->step(); !row) return std::unexpected(row.error());
  if (version->integer(0) > kDiaryVersion) {
    return fail(ErrorKind::configuration, "a newer version of kua-probe wrote it", "opening diary " + path);
  }
  version->reset();
  if (auto made = database->execute(kTables); !made) return std::unexpected(made.error());
  if (auto sound = database->check_integrity(); !sound) return std::unexpected(sound.error());
  auto note = database->prepare("INSERT OR REPLACE INTO minutes VALUES(?, ?, ?, ?)");
  if (!note) return std::unexpected(note.error());
  return Diary(std::move(*database), std::move(*note));
}

Expected<Diary> Diary::open(const std::string& path) {
  auto diary = open_file(path);
  if (diary || diary.error().kind != ErrorKind::invalid_input) return diary;
  const std::string reason = diary.error().text();
  const std::string aside = path + ".damaged";
  for (const char* suffix : {"", "-wal", "-shm"}) {
    std::error_code absent;  // the journal may not be there
    std::filesystem::rename(path + suffix, aside + suffix, absent);
  }
  auto fresh = open_file(path);
  if (fresh) fresh->notice_ = "the diary was damaged (" + reason + "); it is kept as " + aside;
  return fresh;
}

Expected<void> Diary::note(const Minute& minute, std::string_view boot) {
  note_.bind(1, minute_number(minute.begin));
  note_.bind_text(2, boot);
  note_.bind_text(3, to_string(minute.state));
  note_.bind(4, bits_of(minute));
  if (auto noted = note_.run(); !noted) return noted;
  return mark_untold(database_, day_number(minute.begin));
}

Expected<void> Diary::shift(std::string_view boot, std::chrono::minutes error) {
  if (error == minutes(0)) return {};
  auto transaction = Transaction::begin(database_);
  if (!transaction) return std::unexpected(transaction.error());
  auto select = database_.prepare("SELECT minute, state, bits FROM minutes WHERE boot = ?");
  if (!select) return std::unexpected(select.error());
  select->bind_text(1, boot);
  std::vector<Minute> noted;
  for (;;) {
    const auto row = select->step();
    if (!row) return std::unexpected(row.error());
    if (!*row) break;
    noted.push_back(make_minute(select->integer(0), select->text(1), select->integer(2)));
  }
  select->reset();
  auto remove = database_.prepare("DELETE FROM minutes WHERE boot = ?");
  if (!remove) return std::unexpected(remove.error());
  remove->bind_text(1, boot);
  if (auto removed = remove->run(); !removed) return removed;
  for (Minute& minute : noted) {
    if (auto marked = mark_untold(database_, day_number(minute.begin)); !marked) return marked;
    minute.begin += error;
    if (auto moved = note(minute, boot); !moved) return moved;
  }
  return transaction->commit();
}

Expected<std::vector<Minute>> Diary::read(WallTime from, WallTime until) {
  auto select =
      database_.prepare("SELECT minute, state, bits FROM minutes WHERE minute >= ? AND minute < ? ORDER BY minute");
  if (!select) return std::unexpected(select.error());
  select->bind(1, minute_number(from));
  select->bind(2, minute_number(until));
  std::vector<Minute> out;
  for (;;) {
    const auto row = select->step();
    if (!row) return std::unexpected(row.error());
    if (!*row) return out;
    out.push_back(make_minute(select->integer(0), select->text(1), select->integer(2)));
  }
}

Expected<std::optional<MinuteSummary>> Diary::summarize(WallTime day, const RecordHeader& header) {
  const std::int64_t number = day_number(day);
  auto state = database_.prepare("SELECT revision, told FROM days WHERE day = ?");
  if (!state) return std::unexpected(state.error());
  state->bind(1, number);
  const auto found = state->step();
  if (!found) return std::unexpected(found.error());
  if (!*found || state->integer(1) != 0) return std::optional<MinuteSummary>();
  MinuteSummary summary;
  summary.header = header;
  summary.header.time = WallTime(days(number));
  summary.revision = static_cast<std::uint32_t>(state->integer(0)) + 1;
  state->reset();
  const auto noted = read(summary.header.time, summary.header.time + days(1));
  if (!noted) return std::unexpected(noted.error());
  for (const Minute& minute : *noted) {
    const auto bit = static_cast<std::size_t>((minute.begin - summary.header.time) / minutes(1));
    KUA_CHECK(bit < kMinutesPerDay);
    summary.watched.set(bit);
    summary.link_up.set(bit, minute.link_up);
    summary.gateway.set(bit, minute.gateway);
    summary.resolver.set(bit, minute.resolver);
    summary.national.set(bit, minute.national);
    summary.international.set(bit, minute.international);
  }
  // The revision alone: a number that may have left is never used again.
  auto made = database_.prepare("UPDATE days SET revision = ? WHERE day = ?");
  if (!made) return std::unexpected(made.error());
  made->bind(1, static_cast<std::int64_t>(summary.revision));
  made->bind(2, number);
  if (auto updated = made->run(); !updated) return std::unexpected(updated.error());
  return summary;
}

Expected<void> Diary::mark_told(WallTime day, std::uint32_t revision) {
  auto told = database_.prepare("UPDATE days SET told = 1 WHERE day = ? AND revision = ?");
  if (!told) return std::unexpected(told.error());
  told->bind(1, day_number(day));
  told->bind(2, static_cast<std::int64_t>(revision));
  return told->run();
}

Expected<std::vector<WallTime>> Diary::untold_days() {
  auto select = database_.prepare("SELECT day FROM days WHERE told = 0 ORDER BY day");
  if (!select) return std::unexpected(select.error());
  std::vector<WallTime> out;
  for (;;) {
    const auto row = select->step();
    if (!row) return std::unexpected(row.error());
    if (!*row) return out;
    out.emplace_back(days(select->integer(0)));
  }
}

Expected<void> Diary::expire(WallTime before) {
  for (const auto& [sql, bound] : {std::pair{"DELETE FROM minutes WHERE minute < ?", minute_number(before)},
                                   std::pair{"DELETE FROM days WHERE day < ?", day_number(before)}}) {
    auto remove = database_.prepare(sql);
    if (!remove) return std::unexpected(remove.error());
    remove->bind(1, bound);
    if (auto removed = remove->run(); !removed) return removed;
  }
  return {};
}

std::string write_diary_csv(const std::vector<Minute>& noted) {
  std::string out = "time,state,link_up,gateway,resolver,national,international\r\n";
  for (const Minute& minute : noted) {
    out += to_rfc3339(minute.begin) + "," + to_string(minute.state);
    for (const bool bit : {minute.link_up, minute.gateway, minute.resolver, minute.national,
                           minute.international}) {
      out += bit ? ",1" : ",0";
    }
    out += "\r\n";
  }
  return out;
}

std::vector<DiaryRun> runs_of(const std::vector<Minute>& noted, std::chrono::minutes step) {
  std::vector<DiaryRun> runs;
  for (const Minute& minute : noted) {
    const WallTime end = minute.begin + minutes(1);
    if (!runs.empty()) {
      const auto gap = minute.begin - runs.back().end;
      // One missed look may be chance; two are a time nobody watched.
      if (gap >= 2 * step) {
        runs.push_back({runs.back().end, minute.begin, std::nullopt});
      } else if (gap > minutes(0)) {
        runs.back().end = minute.begin;
      }
      if (runs.back().state == minute.state) {
        runs.back().end = end;
        continue;
      }
    }
    runs.push_back({minute.begin, end, minute.state});
  }
  return runs;
}

}  // namespace kua::probe
