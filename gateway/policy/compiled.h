// The compiled form of a policy: per rule a disjunction of conjunctions of bit masks over finite attribute domains. Built by load.cc, read by policy.cc; immutable afterwards.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "gateway/policy/policy.h"

namespace fedgate::policy {

enum Attribute : std::size_t {
  kSrcRealm = 0, kDstRealm, kSrcConnector, kDstConnector, kKind, kRank, kLabelSource, kProtection, kRoomShape, kAssurance, kCrossesBorder, kAttributes
};

inline constexpr std::size_t kRealmsMax = 63;  // bit 0 is "unknown"
inline constexpr std::uint64_t kAll = ~std::uint64_t{0};
inline constexpr std::size_t kBorderUnknown = 2;

// The values for which an attribute counts as missing: conditions on it are then neither true nor false.
inline constexpr std::array<std::uint64_t, kAttributes> kMissing = {1, 1, 0, 0, 0, 0, 1, 1, 0, 0, std::uint64_t{1} << kBorderUnknown};

struct Conjunction {
  std::array<std::uint64_t, kAttributes> when;     // the values for which it is true
  std::array<std::uint64_t, kAttributes> perhaps;  // true or missing
  Conjunction() { when.fill(kAll), perhaps.fill(kAll); }
};

struct Rule {
  RuleInfo info;
  std::vector<Conjunction> any;
};

struct Realm {
  std::string name;
  std::string nation;  // empty = none
  model::Rank max = model::Rank::kOpen;
  model::Rank unlabelled = model::Rank::kTopSecret;
};

struct Compiled {
  std::string id;
  std::uint32_t version = 0;
  std::string sha256_hex;
  std::int64_t not_before_ms = INT64_MIN;
  std::int64_t not_after_ms = INT64_MAX;
  model::Rank accredited_max = model::Rank::kInternal;
  std::vector<Realm> realms;  // [0] is "unknown"
  std::vector<Rule> rules;
  std::vector<RuleInfo> infos;
};

}  // namespace fedgate::policy
