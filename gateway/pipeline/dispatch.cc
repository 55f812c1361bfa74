#include "gateway/pipeline/dispatch.h"

#include <algorithm>

#include "gateway/render/split.h"

namespace fedgate::pipeline {
namespace {

using model::Decision;
using model::Verdict;

Decision invariant(const policy::Policy& policy, const model::Envelope& envelope, const Target& target, std::string_view realm, std::string_view code) {
  Decision decision;
  decision.id = model::derive_decision_id(envelope.id, target.network, realm);
  decision.target_network = target.network;
  decision.target_realm = std::string(realm);
  decision.reason_code = std::string(code);
  decision.policy = policy.name();
  return decision;
}

// Why a target is refused before policy is asked; empty if it is not.
std::string_view obstacle(const model::Envelope& envelope, const Target& target) {
  if (!target.settings) return "NO_SUCH_NETWORK";
  if (target.same_network) return "NOT_PERMITTED";
  if (const auto* uncarried = std::get_if<model::Uncarried>(&envelope.body)) return uncarried->opaque ? "ENCRYPTED" : "UNSUPPORTED_KIND";
  if (!std::holds_alternative<model::Text>(envelope.body)) return "UNSUPPORTED_KIND";
  if (target.encrypted) return "ENCRYPTED_ROOM";
  return {};
}

policy::Request request_of(const Origin& origin, const model::Envelope& envelope, const Target& target, std::int64_t now_ms) {
  policy::Request request;
  request.src_realm = origin.realm;
  request.src_connector = connector_of(origin.settings->adapter);
  request.dst_connector = connector_of(target.settings->adapter);
  request.kind = model::kind_of(envelope.body);
  request.rank = envelope.label.rank;
  request.label_source = envelope.label.source;
  request.protection = std::min(origin.settings->protection, target.settings->protection);
  request.assurance = envelope.sender.assurance;
  request.room = envelope.conversation.is_room();
  request.now_ms = now_ms;
  return request;
}

// The first realm that is not allowed decides; all allowed: the first one.
Decision decide(const policy::Policy& policy, const Origin& origin, const model::Envelope& envelope, const Target& target, std::int64_t now_ms) {
  if (auto code = obstacle(envelope, target); !code.empty()) {
    auto realm = target.realms.empty() ? policy::kUnknownRealm : target.realms.front();
    return invariant(policy, envelope, target, policy.realm_name(realm), code);
  }
  auto request = request_of(origin, envelope, target, now_ms);
  policy::RealmIndex deciding = target.realms.empty() ? policy::kUnknownRealm : target.realms.front();
  request.dst_realm = deciding;
  policy::Outcome outcome = policy.decide(request);
  for (std::size_t i = 1; i < target.realms.size() && outcome.verdict == Verdict::kAllow; ++i) {
    request.dst_realm = target.realms[i];
    if (auto other = policy.decide(request); other.verdict != Verdict::kAllow) {
      outcome = other;
      deciding = target.realms[i];
    }
  }
  Decision decision = invariant(policy, envelope, target, policy.realm_name(deciding), outcome.reason_code);
  decision.verdict = outcome.verdict;
  decision.layer = outcome.layer;
  if (outcome.rule >= 0) decision.rule = policy.rules()[static_cast<std::size_t>(outcome.rule)].id;
  if (outcome.verdict == Verdict::kHold) {  // nothing is held yet: held means not delivered, and the sender is told
    decision.verdict = Verdict::kDeny;
    decision.reason_code = "HELD_FOR_RELEASE";
  }
  return decision;
}

void render(const model::Envelope& envelope, const Target& target, std::vector<model::Delivery>& out) {
  model::Delivery delivery;
  delivery.network = target.network;
  delivery.conversation = target.conversation;
  std::string key = target.conversation.key();
  const auto& text = std::get<model::Text>(envelope.body);
  std::size_t most = target.capabilities ? target.capabilities->max_text_bytes : 0;
  if (most == 0 || text.plain.size() <= most) {
    delivery.id = model::derive_delivery_id(envelope.id, target.network, key, 0, "message");
    out.push_back(std::move(delivery));
    return;
  }
  auto parts = render::split_text(text.plain, most);
  delivery.parts = static_cast<std::uint32_t>(parts.size());
  for (std::uint32_t part = 0; part < delivery.parts; ++part) {
    delivery.part = part;
    delivery.id = model::derive_delivery_id(envelope.id, target.network, key, part, "message");
    delivery.body = model::Text{.plain = std::move(parts[part]), .html = {}, .emote = text.emote, .mentions = {}};
    out.push_back(delivery);
  }
}

}  // namespace

policy::Connector connector_of(std::string_view adapter) {
  if (adapter == "xmpp") return policy::Connector::kXmpp;
  if (adapter == "email") return policy::Connector::kEmail;
  if (adapter == "threema") return policy::Connector::kThreema;
  return policy::Connector::kMatrix;
}

Dispatched dispatch(const policy::Policy& policy, const Origin& origin, const model::Envelope& envelope, const std::vector<Target>& targets,
                    std::int64_t now_ms) {
  Dispatched result;
  for (const Target& target : targets) {
    Decision decision = decide(policy, origin, envelope, target, now_ms);
    if (decision.verdict == Verdict::kAllow)
      render(envelope, target, result.deliveries);
    else
      result.refusals.push_back({target.network, decision.reason_code, std::string(model::sender_text(decision.reason_code)), decision.id.text()});
    result.decisions.push_back(std::move(decision));
  }
  return result;
}

}  // namespace fedgate::pipeline
