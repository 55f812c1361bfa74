// Policy: the compiled form of a policy file (policy.md §5), and the one function that decides.
//
// Immutable after load; any number of threads may decide() at once. decide() is total, allocates nothing, reads no clock: `now_ms` is in the request.
// Layers: L0 invariants in code (rank ≥ CONFIDENTIAL, rank > accredited_max, label conflict, unknown realm, policy not in force, opaque content), L1 clearance of the target realm,
// L2 the rules: deny over hold over allow, default deny, Kleene logic (deny and hold match on true or unknown, allow only on true).
// Hit counters are not here: decide() names the rule, the pipeline counts.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/base/result.h"
#include "gateway/model/body.h"
#include "gateway/model/decision.h"
#include "gateway/model/envelope.h"
#include "gateway/model/label.h"

namespace fedgate::policy {

using RealmIndex = std::uint16_t;
inline constexpr RealmIndex kUnknownRealm = 0;  // "unknown": never allowed anything

enum class Connector : std::uint8_t { kMatrix = 0, kXmpp, kEmail, kThreema };

struct Request {
  RealmIndex src_realm = kUnknownRealm;
  RealmIndex dst_realm = kUnknownRealm;
  Connector src_connector = Connector::kMatrix;
  Connector dst_connector = Connector::kMatrix;
  model::Kind kind = model::Kind::kUnsupported;
  model::Rank rank = model::Rank::kTopSecret;
  model::LabelSource label_source = model::LabelSource::kNone;
  model::Protection protection = model::Protection::kUnspecified;  // the weaker one of both ways
  model::Assurance assurance = model::Assurance::kNone;
  bool room = false;
  bool opaque = false;
  std::int64_t now_ms = 0;
};

struct Outcome {
  model::Verdict verdict = model::Verdict::kDeny;
  model::Layer layer = model::Layer::kInvariant;
  std::string_view reason_code;  // lives as long as the policy; empty when allowed
  int rule = -1;                 // index into rules(); -1: no rule decided
};

struct RuleInfo {
  std::string id;
  model::Verdict effect = model::Verdict::kDeny;
  std::string reason_code;
};

struct Compiled;  // the masks; policy.cc

class Policy {
 public:
  explicit Policy(std::unique_ptr<const Compiled> compiled);
  ~Policy();
  Policy(const Policy&) = delete;
  Policy& operator=(const Policy&) = delete;

  Outcome decide(const Request& request) const;

  // kUnknownRealm if the policy does not know the name.
  RealmIndex realm(std::string_view name) const;
  const std::string& realm_name(RealmIndex index) const;
  // Level of an unlabelled message from this realm; nullopt for unknown realms.
  std::optional<model::Rank> unlabelled(RealmIndex index) const;

  const std::vector<RuleInfo>& rules() const;
  const std::string& id() const;
  std::uint32_t version() const;
  const std::string& sha256_hex() const;  // of the file's bytes
  std::string name() const { return id() + "@" + std::to_string(version()); }

 private:
  std::unique_ptr<const Compiled> compiled_;
};

}  // namespace fedgate::policy
