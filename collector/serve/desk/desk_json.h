// Answers of the desk's read API as JSON (docs/protocol.md).
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "collector/judge/second_look.h"
#include "collector/serve/overview.h"

namespace kua::collector {

// {"record": …, "received": …, "verdicts": […]}; the record's bytes are those that were sent.
[[nodiscard]] std::string write_judged_record(const JudgedRecord& record);
// {"records": […], "next": id or null}
[[nodiscard]] std::string write_judged_records(const std::vector<JudgedRecord>& records,
                                               const std::optional<RecordId>& next);

struct CellFilter {
  std::optional<CountryCode> country;
  std::optional<Asn> network;
  std::optional<TargetId> target;
};
// {"time": …, "targets": […], "cells": […]}: the whole of each target, and each of its layers.
[[nodiscard]] std::string write_cells(const Overview& overview, const CellFilter& filter);

}  // namespace kua::collector
