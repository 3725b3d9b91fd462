// Every bound of the probe, with unit and reason. What a bound cut off is counted under the name given in
// quotes in Measurement::limits, and shown.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>

namespace kua::probe {

// --- steps and experiments ---

// Decoded body bytes looked at; OONI's figure, so that lengths compare. "body_bytes"
inline constexpr std::uint64_t kBodyBytesMax = 512 * 1024;
// Body bytes read off the wire for a check somebody asked for. "body_wire_bytes"
inline constexpr std::uint64_t kBodyWireBytesMax = 256 * 1024;
// The same for a scheduled round: a core check with one redirect stays below 40 kB over TCP; one QUIC handshake
// at the final host comes on top (kQuicHandshakeBytesReckoned at most). "body_wire_bytes"
inline constexpr std::uint64_t kRoundBodyWireBytesMax = 24 * 1024;
// The receive buffer of a scheduled round's connections: what a server may have under way when the cap is
// reached, paid for and never looked at. Five segments: a page of 24 kB takes five round trips. With
// less the kernel drops segments for want of memory, and they come twice.
inline constexpr int kRoundReceiveBufferBytes = 8 * 1024;
// Decoded bytes for one compressed byte; honest HTML stays below 30, deflate's ceiling is 1032.
// "compression_ratio"
inline constexpr std::uint64_t kCompressionRatioMax = 100;
// Bytes of a response's status line and headers together. "header_bytes"
inline constexpr std::uint32_t kHeaderBytesMax = 32 * 1024;
// Header fields and bytes of one value that are kept in a record. "header_fields", "header_value_bytes"
inline constexpr std::size_t kHeaderFieldsKept = 40;
inline constexpr std::size_t kHeaderValueBytesKept = 512;
// Decoded bytes searched for <title>, bytes of it kept, and body bytes kept where a fingerprint needs them.
inline constexpr std::size_t kTitleSearchBytes = 16 * 1024;
inline constexpr std::size_t kTitleBytesKept = 256;
inline constexpr std::size_t kBodySampleBytes = 4 * 1024;
// Redirects followed; DESIGN §4.1. "redirects"
inline constexpr std::uint32_t kRedirectsMax = 10;
// Addresses tried a family and hop; DESIGN §4.1. "addresses"
inline constexpr std::size_t kAddressesPerFamilyMax = 4;
// Certificates of a presented chain that are kept, and bytes of them. "certificates"
inline constexpr std::size_t kCertificatesMax = 10;
inline constexpr std::size_t kChainBytesMax = 24 * 1024;
inline constexpr std::size_t kCertificateNameBytesMax = 512;
// Lookups under way at once in one process; c-ares takes 75 kB each. kMeasurementsAtOnceMax measurements ask
// system and trusted resolvers with at most 12: only harnesses and long lists of `check` meet it, and wait.
inline constexpr std::size_t kLookupsOpenMax = 16;
// Files looked at where authorities are added on a machine; a company adds a handful.
inline constexpr std::size_t kAddedRootFilesMax = 1000;
// Further answers kept for one query. "late_replies"
inline constexpr std::size_t kLateRepliesMax = 4;

// Datagrams looked at in one QUIC handshake; a chain of kChainBytesMax comes in 20. "quic_datagrams"
inline constexpr std::uint32_t kQuicDatagramsMax = 64;

// Endpoints of a service that are tried. "endpoints"
inline constexpr std::size_t kServiceEndpointsMax = 16;
// Bytes of a DoH answer's body; a DNS message has 16 bits of length. "doh_bytes"
inline constexpr std::size_t kDohBodyBytesMax = 65535;
// How far behind a step's deadline its end may lie. Later than that the machine was too busy to keep time,
// and a timeout would be ours: the record is marked `instrument`.
inline constexpr std::chrono::milliseconds kStepLagMax{1000};
// Looks at the line between two that prove a control by its certificate (4.5 kB; national and
// international in turns): keeps the mean minute below 1 kB and gives a clock anchor every hour.
inline constexpr std::uint32_t kLinkCloseLookTurns = 30;
// Further controls of a side that are asked when the first was not reached.
inline constexpr std::size_t kLinkMoreControls = 2;

// --- daemon ---

// Spool. A month of the `home` profile is about 300 MB of JSON; 50 MB is what a small device can spare,
// about five days in full, and a year of minute summaries fits into 1 MB of it.
inline constexpr std::uint64_t kSpoolBytesDefault = 50'000'000;
inline constexpr std::uint64_t kSpoolBytesMin = 1'000'000;  // below this one large record evicts all
inline constexpr std::chrono::hours kSpoolAgeDefault{30 * 24};  // measurements; summaries: kSummaryAge
inline constexpr std::chrono::hours kSummaryAge{400 * 24};      // collectors take late data that long
// Records rewritten or dropped in one step of eviction: bounds the pause that an append can meet.
inline constexpr int kEvictionStepRecords = 64;
// Records held in memory while the disk is full, before they count as lost. "spool_no_space"
inline constexpr std::size_t kHeldBytesMax = 1'000'000;

// Uplink. A batch is small enough to be acknowledged within a restoration window of minutes over a
// 64 kbit/s line (256 KiB of NDJSON is about 40 kB of zstd), large enough that TLS and HTTP vanish.
inline constexpr std::size_t kBatchRecordsDefault = 200;
inline constexpr std::size_t kBatchBytesDefault = 256 * 1024;  // NDJSON, before compression
inline constexpr std::size_t kAnswerBytesMax = 4 * 1024 * 1024;  // a signed list with fingerprints fits
inline constexpr std::size_t kAnswerHeaderBytesMax = 16 * 1024;
inline constexpr std::chrono::seconds kRequestDeadline{60};
inline constexpr std::chrono::seconds kConnectDeadline{15};
// Born within it, a record is in its turn: the plan of the day keeps room for it. What is older is backlog and
// takes what the plan leaves. Longer than any mean pause between reports.
inline constexpr std::chrono::hours kFreshFor{1};
// Bytes left for the backlog below which no batch of it is begun: handshakes would outweigh records.
inline constexpr std::uint64_t kBacklogStepBytesMin = 10'000;
// NDJSON for one byte on the wire, to make a batch that fits; 6.5 is usual.
inline constexpr std::uint64_t kBatchCompressionReckoned = 4;
// Back-off of one endpoint: doubles from the first to the second, and is forgotten when the line
// returns, since a restoration window may last minutes.
inline constexpr std::chrono::seconds kBackoffFirst{15};
inline constexpr std::chrono::seconds kBackoffLast{300};
inline constexpr std::chrono::seconds kRetryAfterMax{3600};  // a longer Retry-After is cut to this
inline constexpr std::size_t kAdviceTargetsMax = 16;  // of one answer: more is a collector at fault

// Records of a wrong key where the collector should be, a process: more of the same tell nothing new.
inline constexpr std::uint64_t kWrongPinRecordsMax = 16;

// Schedule.
inline constexpr int kMeasurementsAtOnceMax = 4;  // a failure may take 25 s: others must not wait for it
inline constexpr int kFollowUpsPerHourMax = 30;
// What follows the doubts of one measurement, immediate and deferred, both directions; DESIGN §4.2. A step
// that might go over is not begun. "follow_up_bytes"
inline constexpr std::uint64_t kFollowUpBytesMax = 200'000;
// Transfers under each name, the main one included: fewer are chance, more would go over the follow-up's bytes.
inline constexpr int kThroughputRuns = 3;
// Of a transfer: beyond what a first flight brings at once whatever the speed.
inline constexpr std::uint64_t kThroughputBytesMin = 8'000;
// Of each of its transfers but the main one, so that all of them fit into a follow-up.
inline constexpr std::uint64_t kThroughputBodyWireBytesMax = 12 * 1024;
// What steps of a follow-up are taken to cost at most before they begin. A connect: five SYNs and the close.
inline constexpr std::uint64_t kConnectBytesReckoned = 1'000;
// 4.5 kB is usual; chains with many names and forged ones are seldom beyond this.
inline constexpr std::uint64_t kHandshakeBytesReckoned = 12'000;
// Beside a page up to its cap: what the receive buffer holds, and headers of all layers.
inline constexpr std::uint64_t kRoundTripBytesBeside = kRoundReceiveBufferBytes + 4'000;
// Five or six copies of a first datagram; or two of them, a chain and the close. A ping: five copies.
inline constexpr std::uint64_t kQuicHandshakeBytesReckoned = 12'000;
inline constexpr std::uint64_t kQuicPingBytesReckoned = 7'000;
inline constexpr std::uint64_t kLookupBytesReckoned = 2'000;  // two types, answers and late ones
inline constexpr std::uint64_t kDohBytesReckoned = 10'000;    // connect, handshake, two answers
inline constexpr std::chrono::seconds kRestAfterFailure{120};  // residual blocking of the address
// One thing that is said to have cost more is a fault of our reckoning: a whole day of the largest plan, or
// all of a full spool uncompressed, is less. It is not charged.
inline constexpr std::uint64_t kSpentAtOnceMax = 10'000'000'000;
// What one thing teaches about the usual cost, as a multiple of what it was: a spool that is delivered after
// an outage says nothing about the reports to come.
inline constexpr double kCostTaughtMax = 10;
inline constexpr std::uint64_t kBytesPerDayMin = 1'000'000;  // less cannot even carry link state
inline constexpr std::size_t kTargetsMax = 20'000;  // of a list; what is beyond is left out and told by `status`
inline constexpr std::size_t kTargetAddressesKept = 16;  // a target's, to keep two tests of one apart

// Local doors.
inline constexpr std::size_t kStateFileBytesMax = 8 * 1024 * 1024;  // list envelope, join, consent
inline constexpr std::size_t kStatusAnswerBytesMax = 256 * 1024;
inline constexpr std::chrono::seconds kStopWithin{2};  // from SIGTERM to exit

// A wall clock that is further off than this against anchors marks the vantage: a certificate's edge
// of validity and a minute bitmap both bear a few minutes.
inline constexpr std::chrono::minutes kClockErrorMax{10};

}  // namespace kua::probe
