// The counters of the pipeline in Prometheus' text format, under the names of design §14 with what they mean. Pure, apart from ProcessStats::read(). Any thread.
// Label values are names of networks, realms, kinds, reasons, limits: bounded sets, never a user or a room.
#pragma once

#include <cstdint>
#include <string>

#include "gateway/pipeline/stats.h"

namespace fedgate::admin {

struct BuildFacts {
  std::string gateway, version;
  std::string policy_id, policy_sha256;
  std::uint32_t policy_version = 0;
};

struct ProcessStats {
  double cpu_seconds = 0;
  std::uint64_t resident_bytes = 0;
  std::uint64_t open_fds = 0;
  static ProcessStats read();  // of this process, from /proc
};

std::string metrics_text(const pipeline::Stats& stats, const BuildFacts& build, const ProcessStats& process);

}  // namespace fedgate::admin
