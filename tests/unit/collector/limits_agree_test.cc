// Probe and collector never include each other; what one may send the other must take. A limit that moves
// on one side only does not compile.
#include <gtest/gtest.h>

#include "collector/limits.h"
#include "probe/limits.h"
#include "protocol/record_limits.h"
#include "protocol/target_list.h"

namespace kua {
namespace {

namespace limits = collector::limits;

// A batch, and one record that fills it alone.
static_assert(probe::kBatchRecordsDefault <= limits::kBatchRecordsMax);
static_assert(probe::kBatchBytesDefault <= limits::kBatchDecompressedBytesMax);
static_assert(protocol::kRecordBytesMax <= limits::kBatchBytesMax, "a record that zstd cannot shrink travels too");
static_assert(probe::kBatchBytesDefault + protocol::kRecordBytesMax <= limits::kBatchDecompressedBytesMax);
// What waits in a spool may be so old.
static_assert(probe::kSummaryAge <= limits::kRecordAgeMax);
static_assert(probe::kSpoolAgeDefault <= limits::kRecordAgeMax);
// What a measurement keeps is what the grammar allows.
static_assert(probe::kHeaderFieldsKept <= protocol::kHeadersMax);
static_assert(probe::kHeaderValueBytesKept <= protocol::kHeaderValueBytesMax);
static_assert(probe::kTitleBytesKept <= protocol::kTitleBytesMax);
static_assert(probe::kBodySampleBytes <= protocol::kBodySampleBytesMax);
static_assert(probe::kCertificatesMax <= protocol::kCertificatesMax);
static_assert(probe::kChainBytesMax <= protocol::kCertificateBytesMax, "the chain as a whole, so each of it");
static_assert(probe::kCertificateNameBytesMax <= protocol::kDistinguishedNameBytesMax);
static_assert(probe::kLateRepliesMax <= protocol::kLateRepliesMax);
static_assert(probe::kDohBodyBytesMax <= protocol::kDnsMessageBytesMax);
// A signed list: what may be signed, a collector hands on and a probe reads and keeps.
static_assert(protocol::kTargetListEnvelopeBytesMax <= limits::kListBytesMax);
static_assert(protocol::kTargetListEnvelopeBytesMax <= probe::kAnswerBytesMax);
static_assert(protocol::kTargetListEnvelopeBytesMax <= probe::kStateFileBytesMax);

TEST(Limits, AgreeBetweenProbeAndCollector) { SUCCEED() << "held by the compiler"; }

}  // namespace
}  // namespace kua
