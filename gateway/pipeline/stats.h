// Stats: everything the pipeline counts, as plain numbers of the shard's thread; admin/ copies the struct at scrape and names it in Prometheus' words (design §14).
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <string>
#include <tuple>

#include "gateway/model/body.h"
#include "gateway/model/delivery.h"

namespace fedgate::pipeline {

// Fixed buckets in seconds; the last count is +Inf. Same shape as a Prometheus histogram, not cumulative.
struct Histogram {
  static constexpr std::array<double, 12> kBounds = {0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.5, 2.5};
  std::array<std::uint64_t, 13> counts{};
  double sum = 0;

  void observe(double seconds) {
    std::size_t i = 0;
    while (i < kBounds.size() && seconds > kBounds[i]) ++i;
    ++counts[i];
    sum += seconds;
  }
};

struct NetworkStats {
  std::array<std::uint64_t, model::kKinds> accepted{};        // by kind, envelopes submitted by this network and committed
  std::array<std::uint64_t, model::kOutcomes> deliveries{};   // by outcome, message lanes towards this network
  std::uint64_t notices_delivered = 0;
  std::uint64_t targets = 0;                                  // message deliveries ever queued towards this network (since start, recovered ones included)
  std::uint64_t waiting = 0;
  std::uint64_t dead = 0;
  std::uint64_t duplicates = 0;
  std::map<std::string, std::uint64_t> ignored;               // by reason
  std::map<std::string, std::uint64_t> retries;               // by reason code
  double oldest_seconds = 0;
  bool link_up = false;
  std::uint32_t deliver_credit = 0;
};

struct Stats {
  std::map<std::string, NetworkStats> networks;
  // (source realm, target realm, verdict, reason); looked up by views
  std::map<std::tuple<std::string, std::string, std::string, std::string>, std::uint64_t, std::less<>> decisions;
  std::map<std::string, std::uint64_t, std::less<>> rule_hits;    // by rule id
  std::map<std::string, std::uint64_t> limit_hits;   // by the limit's name in the configuration
  Histogram accept_to_commit;
  Histogram commit_to_settle;
  Histogram commit_seconds;
  std::uint64_t commits = 0;
  std::uint64_t commit_records = 0;
  std::uint64_t store_failures = 0;
  std::int64_t conservation_difference = 0;          // design §14; always 0
};

}  // namespace fedgate::pipeline
