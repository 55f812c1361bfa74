#include "gateway/policy/policy.h"

#include "gateway/policy/compiled.h"

namespace fedgate::policy {
namespace {

enum class Truth { kFalse, kUnknown, kTrue };

using Values = std::array<std::uint64_t, kAttributes>;  // one bit each

Values values_of(const Request& request, const Compiled& policy) {
  auto bit = [](auto value) { return std::uint64_t{1} << static_cast<unsigned>(value); };
  std::size_t border = kBorderUnknown;
  const std::string& from = policy.realms[request.src_realm].nation;
  const std::string& to = policy.realms[request.dst_realm].nation;
  // A realm of no nation (citizens): whether a border is crossed cannot be told, so that a deny on it matches and an allow does not.
  if (!from.empty() && !to.empty()) border = from != to ? 1 : 0;
  return {bit(request.src_realm), bit(request.dst_realm), bit(request.src_connector), bit(request.dst_connector), bit(request.kind), bit(request.rank),
          bit(request.label_source), bit(request.protection), bit(request.room ? 1 : 0), bit(request.assurance), bit(border)};
}

Truth evaluate(const Conjunction& conjunction, const Values& values) {
  std::uint64_t missed = 0;
  for (std::size_t i = 0; i < kAttributes; ++i) {
    if ((conjunction.perhaps[i] & values[i]) == 0) return Truth::kFalse;
    missed |= values[i] & ~conjunction.when[i];
  }
  return missed == 0 ? Truth::kTrue : Truth::kUnknown;
}

Truth evaluate(const Rule& rule, const Values& values) {
  Truth best = Truth::kFalse;
  for (const Conjunction& conjunction : rule.any) {
    Truth truth = evaluate(conjunction, values);
    if (truth == Truth::kTrue) return truth;
    if (truth == Truth::kUnknown) best = truth;
  }
  return best;
}

constexpr Outcome deny(model::Layer layer, std::string_view code) { return {model::Verdict::kDeny, layer, code, -1}; }

}  // namespace

Policy::Policy(std::unique_ptr<const Compiled> compiled) : compiled_(std::move(compiled)) {}
Policy::~Policy() = default;

Outcome Policy::decide(const Request& request) const {
  const Compiled& policy = *compiled_;
  using model::Layer;
  if (request.now_ms < policy.not_before_ms || request.now_ms > policy.not_after_ms) return deny(Layer::kInvariant, "POLICY_EXPIRED");
  if (request.opaque) return deny(Layer::kInvariant, "ENCRYPTED");
  if (request.label_source == model::LabelSource::kConflict) return deny(Layer::kInvariant, "LABEL_UNKNOWN");
  if (request.rank >= model::Rank::kConfidential || request.rank > policy.accredited_max) return deny(Layer::kInvariant, "LEVEL_FORBIDDEN");
  if (request.src_realm == kUnknownRealm || request.dst_realm == kUnknownRealm || request.src_realm >= policy.realms.size() ||
      request.dst_realm >= policy.realms.size())
    return deny(Layer::kInvariant, "NOT_PERMITTED");
  if (request.rank > policy.realms[request.dst_realm].max) return deny(Layer::kLabel, "PEER_NOT_CLEARED");

  // Every rule is looked at: order decides only which of several denials is named.
  Values values = values_of(request, policy);
  int allow = -1;
  int hold = -1;
  for (std::size_t i = 0; i < policy.rules.size(); ++i) {
    const Rule& rule = policy.rules[i];
    Truth truth = evaluate(rule, values);
    if (truth == Truth::kFalse) continue;
    auto index = static_cast<int>(i);
    if (rule.info.effect == model::Verdict::kDeny) return {model::Verdict::kDeny, Layer::kRules, rule.info.reason_code, index};
    if (rule.info.effect == model::Verdict::kHold && hold < 0) hold = index;
    if (rule.info.effect == model::Verdict::kAllow && truth == Truth::kTrue && allow < 0) allow = index;
  }
  if (allow < 0) return deny(Layer::kRules, "NO_ALLOW_RULE");
  if (hold >= 0) return {model::Verdict::kHold, Layer::kRules, "HELD_FOR_RELEASE", hold};
  return {model::Verdict::kAllow, Layer::kRules, {}, allow};
}

RealmIndex Policy::realm(std::string_view name) const {
  for (std::size_t i = 1; i < compiled_->realms.size(); ++i)
    if (compiled_->realms[i].name == name) return static_cast<RealmIndex>(i);
  return kUnknownRealm;
}

const std::string& Policy::realm_name(RealmIndex index) const { return compiled_->realms[index < compiled_->realms.size() ? index : 0].name; }

std::optional<model::Rank> Policy::unlabelled(RealmIndex index) const {
  if (index == kUnknownRealm || index >= compiled_->realms.size()) return std::nullopt;
  return compiled_->realms[index].unlabelled;
}

const std::vector<RuleInfo>& Policy::rules() const { return compiled_->infos; }
const std::string& Policy::id() const { return compiled_->id; }
std::uint32_t Policy::version() const { return compiled_->version; }
const std::string& Policy::sha256_hex() const { return compiled_->sha256_hex; }

}  // namespace fedgate::policy
