// Keeps records: batches go in from the state thread, one commit thread writes them to the record log in
// groups, and what is reported as stored is on disk, synced. The index follows within half a second; the
// log is the truth, and an index that lags or is lost is made again from it.
#pragma once

#include <atomic>
#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "collector/limits.h"
#include "collector/store/append_batch.h"
#include "collector/store/archive.h"
#include "collector/store/day_log.h"
#include "collector/store/first_looks.h"
#include "collector/store/index_reader.h"
#include "collector/store/place_reader.h"
#include "collector/store/record_index.h"
#include "measurement/error.h"
#include "platform/clock/clock.h"

namespace kua::collector {

struct StoreOptions {
  std::string directory;                     // log/ and index.db are made in it
  std::chrono::days age_max{400};            // whole days older than this are removed
  std::uint64_t bytes_max = 50ull << 30;     // of the record log; the oldest days go first
  std::uint64_t free_bytes_min = limits::kFreeBytesMin;
};

// One for each item, or why none of them was stored: no_space, unavailable, io.
using AppendResult = Expected<std::vector<Stored>>;

// Read by any thread.
struct StoreCounters {
  std::atomic<std::uint64_t> commits{0};
  std::atomic<std::uint64_t> commit_failures{0};
  std::atomic<std::uint64_t> records{0};
  std::atomic<std::uint64_t> duplicates{0};
  std::atomic<std::int64_t> last_commit_us{0};  // Unix time; 0: none yet
  std::atomic<std::uint64_t> log_bytes{0};
  std::atomic<std::int64_t> oldest_day{0};  // days since 1970; 0: the log is empty
  std::atomic<std::uint64_t> days_removed_by_age{0};
  std::atomic<std::uint64_t> days_removed_by_size{0};
  std::atomic<std::uint64_t> torn_bytes{0};
  std::atomic<std::uint64_t> torn_bytes_lost{0};
  std::atomic<std::uint64_t> damaged_bytes{0};
  std::atomic<std::uint64_t> index_failures{0};
  std::atomic<std::uint64_t> index_rebuilds{0};
};

class RecordStore final : public RecordArchive {
 public:
  // Recovers a torn end, brings the index up to the log (from nothing, if need be) and starts the
  // commit thread. Borrows `files` and `clock`.
  [[nodiscard]] static Expected<std::unique_ptr<RecordStore>> open(StoreFiles& files, const platform::Clock& clock,
                                                                   StoreOptions options);
  // Commits what is queued, then ends the thread.
  ~RecordStore() override;

  // Queues a batch; false when the queue is full. `done` is called once, on the commit thread, after
  // fdatasync or failure, in order of commit. The batch's views and pointers are borrowed until then.
  [[nodiscard]] bool append(AppendBatch batch, std::function<void(AppendResult)> done);

  // Blocks until everything answered so far can be found and queried.
  void settle();

  // Every stored record committed at or after `since`, in order of commit. Only before the first
  // append. Batches and lines that cannot be read are passed over and counted as damaged.
  [[nodiscard]] Expected<void> replay(WallTime since, const std::function<void(StoredRecord)>& to);

  [[nodiscard]] Expected<std::optional<StoredRecord>> find(const RecordId& id) override;
  [[nodiscard]] Expected<std::vector<StoredRecord>> query(const RecordQuery& query) override;

  [[nodiscard]] const StoreCounters& counters() const noexcept { return counters_; }
  [[nodiscard]] Expected<std::uint64_t> free_bytes() const;
  // Durations of commits, write to end of fdatasync, since the last call.
  [[nodiscard]] std::vector<Microseconds> take_commit_durations();

 private:
  struct Pending {
    AppendBatch batch;
    std::function<void(AppendResult)> done;
  };
  struct Group;

  RecordStore(StoreFiles& files, const platform::Clock& clock, StoreOptions options);
  [[nodiscard]] Expected<void> start();
  [[nodiscard]] Expected<void> catch_up();
  [[nodiscard]] Expected<void> catch_up_if_behind();
  [[nodiscard]] Expected<void> ready_index();
  [[nodiscard]] Expected<void> mend_index(const Error& problem);
  void mend_reported();
  void report_damage(const Error& problem);
  [[nodiscard]] bool is_closing();
  template <typename LookUp>
  auto look_up(LookUp in);
  // The bytes of its lines that cannot be read.
  [[nodiscard]] Expected<std::uint64_t> index_batch(const StoredBatch& batch);
  // What could not be read from `begin` to `end` of a day; counts where nobody looked before.
  void count_damage(std::chrono::sys_days day, std::uint64_t begin, std::uint64_t end,
                    std::optional<std::uint64_t> lines_bytes = std::nullopt);
  void run();
  [[nodiscard]] std::vector<Pending> take_group();
  void commit(std::vector<Pending> group);
  [[nodiscard]] Expected<std::vector<std::vector<Stored>>> write_group(const std::vector<Pending>& group);
  [[nodiscard]] Expected<Group> gather(const std::vector<Pending>& group);
  [[nodiscard]] Expected<void> gather_once(const std::vector<Pending>& group, Group& out);
  [[nodiscard]] Expected<void> gather_batch(const AppendBatch& batch, Group& out);
  void flush_index();
  [[nodiscard]] bool flush_is_due();
  struct DueDay;
  [[nodiscard]] std::optional<DueDay> due_for_removal() const;
  [[nodiscard]] bool retain();
  [[nodiscard]] Expected<void> remove_step(const DueDay& due);
  void publish_sizes();
  StoreFiles& files_;
  const platform::Clock& clock_;
  StoreOptions options_;
  std::string index_path_;
  std::optional<DayLog> log_;
  std::optional<RecordIndex> index_;
  bool index_behind_ = false;  // the log holds batches that the index does not, nor waiting
  bool index_mended_ = false;  // once a run: damaged again, it is the disk
  std::chrono::steady_clock::time_point flush_due_{};  // of the oldest row that waits
  bool retention_due_ = false;  // more than one turn of it
  StoreCounters counters_;

  std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<Pending> queue_;
  std::size_t queued_bytes_ = 0;
  bool closing_ = false;
  std::uint64_t settles_asked_ = 0;
  std::uint64_t settles_done_ = 0;
  std::condition_variable settled_;
  std::vector<Microseconds> durations_;

  std::optional<Error> damage_;  // of the index, met by a look-up
  FirstLooks first_looks_;

  std::mutex reader_mutex_;
  std::optional<IndexReader> reader_;  // none: opened by the next look-up
  PlaceReader places_;  // of the look-ups' thread
  std::thread thread_;  // last: ends before anything it uses
};

}  // namespace kua::collector
