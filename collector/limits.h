// Every limit of the collector, with its unit and the reason for it. What a limit cuts off is counted
// under the name that docs/metrics.md gives; where the operator may choose, the value here is the default
// of collector.yaml or the bound of what it takes.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>

#include "measurement/time.h"

namespace kua::collector::limits {

using std::chrono::days;
using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;

// --- one request ------------------------------------------------------------------------------
// Compressed bytes of a batch. Records compress about 6 : 1, so this carries some 12 MB of them.
inline constexpr std::size_t kBatchBytesMax = 2 * 1024 * 1024;
// A batch after decompression: a bomb of 2 MiB could claim gigabytes.
inline constexpr std::size_t kBatchDecompressedBytesMax = 16 * 1024 * 1024;
// Records of a batch; beyond it the answer alone would be large. The rest of a longer batch is in
// neither list of the answer and comes again.
inline constexpr std::size_t kBatchRecordsMax = 5'000;
// A heartbeat must stay below one packet on any line (docs/protocol.md).
inline constexpr std::size_t kHeartbeatBytesMax = 200;
inline constexpr std::size_t kEnrolmentBytesMax = 4 * 1024;

// --- times ------------------------------------------------------------------------------------
// Late data: a device may have been cut off, or switched off, for a year.
inline constexpr days kRecordAgeMax{400};
// A clock set to local time as if it were UTC is at most 14 hours ahead; more is no clock at all.
inline constexpr hours kRecordFutureMax{24};
// Later than this after its measurement a record no longer tells what holds now: three intervals of
// the key tier.
inline constexpr minutes kLateAfter{15};
// Half a rounding step of a record's times: skews below it are not told from zero.
inline constexpr seconds kSkewResolution{10};

// --- probes -----------------------------------------------------------------------------------
// Enrolled keys kept in memory, about 300 bytes each.
inline constexpr std::size_t kProbesMax = 1'000'000;
// Address blocks with a token bucket of their own; the oldest full ones go first.
inline constexpr std::size_t kRateBucketsMax = 100'000;
// Failed signatures in the name of one probe, and requests in that of none from one /24 or /48, a minute: a
// verification costs 100 microseconds.
inline constexpr double kFailuresPerMinute = 60;
inline constexpr double kFailuresBurst = 120;

// --- clusters ---------------------------------------------------------------------------------
inline constexpr days kClusterEpoch{30};
// How long after its end the key of an epoch still serves records that come late.
inline constexpr days kClusterOverlap{14};

// --- store ------------------------------------------------------------------------------------
// Uncompressed bytes of the batches of one commit: whoever waits for the sync of a group waits for all of it.
inline constexpr std::size_t kGroupBytesMax = 4 * 1024 * 1024;
// The line about a batch is some 400 bytes, and 30 more an epoch.
inline constexpr std::size_t kBatchLineBytesMax = 64 * 1024;
// A batch as it stands in the log, decompressed: its records and one line about it.
inline constexpr std::size_t kStoredBatchBytesMax = kBatchDecompressedBytesMax + kBatchLineBytesMax;
// A day file is read so much at a time; where a frame seems cut, up to so much, beyond any batch.
inline constexpr std::size_t kScanBytes = 1024 * 1024;
inline constexpr std::size_t kScanBytesMax = 64 * 1024 * 1024;
// Batches waiting for the commit thread; beyond it the answer is 503, since memory is not a spool.
inline constexpr std::size_t kCommitQueueBytesMax = 256 * 1024 * 1024;
// Free space that is left alone on the record log's file system, so that the index, the probes'
// database and the operator can still work: below it batches are refused with 507.
inline constexpr std::uint64_t kFreeBytesMin = 64ull * 1024 * 1024;
// Index rows wait in memory, about 100 bytes each, until so many are there or the oldest is so old; beyond
// the last figure nothing is stored until they can be written.
inline constexpr std::size_t kIndexFlushRows = 20'000;
inline constexpr std::chrono::milliseconds kIndexFlushAfter{500};
inline constexpr std::size_t kIndexWaitingMax = 200'000;
// Retention works so long between two commits: about as long as a commit, and many times what the rows of a
// batch take, so that it keeps up with what comes in.
inline constexpr std::chrono::milliseconds kRetentionTurn{20};
// Ids whose absence is known without looking into the index, about 16 bytes each.
inline constexpr std::size_t kIndexRecentMax = 1'000'000;
// Target and probe names whose short keys are kept in memory by the index.
inline constexpr std::size_t kIndexNamesMax = 200'000;
// Records one query may return, and index rows it may look at: a filter that matches nothing must not
// hold the state thread.
inline constexpr std::size_t kQueryRecordsMax = 1'000;
inline constexpr std::size_t kQueryRowsMax = 200'000;
// Decompressed batches kept for the next query.
inline constexpr std::size_t kBatchCacheMax = 4;

// --- lists ------------------------------------------------------------------------------------
inline constexpr std::size_t kListBytesMax = 8 * 1024 * 1024;
// Network database as CSV: every announced prefix of the world is about 1.2 million rows.
inline constexpr std::size_t kNetworkRowsMax = 4'000'000;

// --- judge ------------------------------------------------------------------------------------
// Targets whose controls are remembered, about 2 kB each; a list has some thousand.
inline constexpr std::size_t kControlTargetsMax = 20'000;
// Control vantages of one target; a quorum needs no more.
inline constexpr std::size_t kControlVantagesMax = 8;
// Probes remembered as controls, whose heartbeats are no presence of a network.
inline constexpr std::size_t kKnownControlsMax = 10'000;
// Measurements that wait for another control, and their bytes.
inline constexpr std::size_t kOpenQuestionsMax = 4'096;
inline constexpr std::size_t kOpenQuestionBytesMax = 32 * 1024 * 1024;
// Records whose verdicts are kept at hand, about 1 kB each.
inline constexpr std::size_t kCachedVerdictsMax = 8'192;
// Control records read to judge the old records of one target and one answer again.
inline constexpr std::size_t kSecondLookControlsMax = 200;

// --- commands that read whole files -------------------------------------------------------------
// What a file may unpack to: so much, and so many times its packed size. Records pack 6 : 1 and no honest
// text 100 : 1, a bomb of zstd 30,000 : 1. Beyond it the command ends with an error.
inline constexpr std::uint64_t kUnpackedBytesMax = 1024ull * 1024 * 1024;
inline constexpr std::uint64_t kUnpackedRatioMax = 200;
// A line of the record log: a record and what the collector adds to it, verdicts included. A longer one is
// passed over and counted.
inline constexpr std::size_t kRecordLineBytesMax = 1024 * 1024;
// Controls that one run of `judge` keeps in memory, about 2 kB each: five controls of 200 targets for two
// weeks. Beyond it the run ends and asks for fewer days: half the controls would give other verdicts.
inline constexpr std::size_t kJudgeControlsMax = 300'000;
// Earlier verdicts of `judge --against`, as text in memory: some two million measurements. Beyond it the
// run ends and asks for fewer.
inline constexpr std::size_t kAgainstBytesMax = 512 * 1024 * 1024;
// A line of OONI's archive. Bodies, certificates and network events of one measurement are some 200 kB, at
// most a few MB; parsed it may take ten times its bytes. A longer one is passed over and counted.
inline constexpr std::size_t kOoniLineBytesMax = 16 * 1024 * 1024;
// Of one body: as much as a known block page is recognised by, twice what our own probes keep.
inline constexpr std::size_t kOoniBodySampleBytes = 8 * 1024;
// What our own probes keep of titles, names in certificates, header values and certificates of a chain.
inline constexpr std::size_t kOoniTitleBytesMax = 1024;
inline constexpr std::size_t kOoniNameBytesMax = 2048;
inline constexpr std::size_t kOoniHeaderValueBytesMax = 2048;
inline constexpr std::size_t kOoniChainBytesMax = 32 * 1024;
// Lines that could not be read and are named one by one; the rest is counted only.
inline constexpr std::size_t kNamedBadLinesMax = 10;

// --- cells ------------------------------------------------------------------------------------
// Targets × networks open at a time, about 1 kB each with a handful of witnesses.
inline constexpr std::size_t kOpenCellsMax = 100'000;
// Witnesses remembered one by one in a target × network, 40 bytes each; beyond it only counts grow.
inline constexpr std::size_t kWitnessesMax = 4'096;
// How long a failure that cannot tell why leaves the witness's own accusation of a key target standing.
// A probe proves a failing target anew every 30 minutes and one round (kFollowUpAgain of its schedule), so
// that one missed proof is bridged and two are not.
inline constexpr hours kHeldWordMax{1};
// Networks told apart; the world announces some 80,000, one collector sees a country's or two.
inline constexpr std::size_t kNetworksMax = 5'000;
// Targets that are on no list: somebody checked an address by hand, or made one up.
inline constexpr std::size_t kUnlistedTargetsMax = 2'000;
inline constexpr std::size_t kMechanismsMax = 1'000;
// Probes whose presence is remembered for a day, about 100 bytes each.
inline constexpr std::size_t kPresenceMax = 200'000;

// --- read API and metrics ---------------------------------------------------------------------
// Records of one page: up to 256 kB each, read and judged on the state thread.
inline constexpr std::size_t kReadPageDefault = 50;
inline constexpr std::size_t kReadPageMax = 200;
// Series of one family by default (metrics.max_series): 50,000 of them are about 6 MB a scrape.
inline constexpr std::size_t kSeriesMax = 50'000;

}  // namespace kua::collector::limits
