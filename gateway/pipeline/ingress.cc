// A submission's way to the journal: limits, loops, duplicates, targets, place, decision, commit, verdict.
#include <algorithm>

#include "gateway/base/utf8.h"
#include "gateway/label/label.h"
#include "gateway/normalise/text.h"
#include "gateway/pipeline/shard.h"

namespace fedgate::pipeline {
namespace {

using Outcome = SubmitVerdict::Outcome;
constexpr std::size_t kNativeIdMax = 1023;
constexpr std::size_t kDedupKeyMax = 512;
constexpr std::size_t kHopsMax = 16;
constexpr std::uint32_t kRetryAfterMs = 1000;

bool is_transient(model::Kind kind) {
  return kind == model::Kind::kTyping || kind == model::Kind::kReceipt || kind == model::Kind::kMembership || kind == model::Kind::kRoomChange;
}

}  // namespace

// The name of the limit that the submission breaks; empty if none.
std::string Shard::check_limits(const Submission& submission) {
  const auto& envelope = submission.envelope;
  const auto& peer = envelope.conversation.peer;
  for (const std::string* id : {&envelope.native_id, &envelope.sender.address.native_id, &peer.native_id, &envelope.conversation.room}) {
    if (id->size() > kNativeIdMax) return "native_id_bytes_max";
    if (!is_valid_utf8(*id)) return "utf8";
  }
  if (envelope.dedup_key.size() > kDedupKeyMax) return "dedup_key_bytes_max";
  if (envelope.dedup_key.empty()) return "dedup_key";
  if (envelope.sender.address.native_id.empty()) return "sender";
  if (!envelope.conversation.is_room() && (peer.network.empty() || peer.native_id.empty())) return "conversation";
  if (envelope.sender.display_name.size() > kNativeIdMax || envelope.reply_to.native_id.size() > kNativeIdMax || envelope.thread.native_id.size() > kNativeIdMax)
    return "native_id_bytes_max";
  if (const auto* text = std::get_if<model::Text>(&envelope.body)) {
    if (text->plain.size() > parts_.settings->limits.text_bytes_max || text->html.size() > parts_.settings->limits.text_bytes_max * 4ull) return "text_bytes_max";
    if (!is_valid_utf8(text->plain) || !is_valid_utf8(text->html)) return "utf8";
  }
  if (!is_valid_utf8(envelope.dedup_key) || !is_valid_utf8(envelope.sender.display_name)) return "utf8";
  return {};
}

void Shard::answer(Session& session, SubmitVerdict verdict) {
  session.port->verdict(std::move(verdict));
  if (over_limit())
    ++session.withheld;
  else
    session.port->grant_submit_credit(1);
}

bool Shard::over_limit() const {
  if (journal_.failing()) return true;
  if (items_.size() < parts_.settings->limits.queue_per_network_max) return false;  // all networks together do not reach it
  for (const auto& [name, stats] : stats_.networks)
    if (stats.waiting >= parts_.settings->limits.queue_per_network_max) return true;
  return false;
}

void Shard::give_back_credit() {
  if (over_limit()) return;
  for (auto& [port, session] : courier_.sessions()) {
    if (session->withheld == 0) continue;
    port->grant_submit_credit(session->withheld);
    session->withheld = 0;
  }
}

SubmitVerdict Shard::verdict_of(const Message& message) const {
  SubmitVerdict verdict;
  verdict.message = message.id;
  bool any_allowed = false;
  for (const auto& decision : message.decisions) {
    if (decision.verdict == model::Verdict::kAllow) {
      any_allowed = true;
      continue;
    }
    verdict.refusals.push_back(
        {decision.target_network, decision.reason_code, std::string(model::sender_text(decision.reason_code)), decision.id.text()});
  }
  verdict.outcome = verdict.refusals.empty() ? Outcome::kAccepted : any_allowed ? Outcome::kPartly : Outcome::kRefused;
  return verdict;
}

bool Shard::known_before(Session& session, const model::MessageId& id, std::uint64_t ref) {
  auto it = messages_.find(id);
  if (it == messages_.end() && !history_.contains(id)) return false;
  SubmitVerdict verdict;
  if (it != messages_.end()) {
    if (!it->second->committed) {
      it->second->waiters.push_back({session.id, ref});  // told when the first one is
      return true;
    }
    verdict = verdict_of(*it->second);
  }
  verdict.ref = ref;
  verdict.message = id;
  verdict.outcome = Outcome::kDuplicate;
  answer(session, std::move(verdict));
  return true;
}

bool Shard::room_targets(const model::Envelope& envelope, std::vector<Target>& targets, SubmitVerdict& verdict) {
  const Link* link = links_.of_room(envelope.network, envelope.conversation.room);
  if (!link) {
    verdict.outcome = Outcome::kIgnored;
    verdict.reason = "not_linked";
    return false;
  }
  for (const auto& end : link->ends) {
    if (end.network == envelope.network && end.room == envelope.conversation.room) continue;
    NetworkEntry* entry = courier_.network(end.network);
    const auto* known = rooms_.find(end.network, end.room);
    if (entry && !known) {
      verdict.outcome = Outcome::kWait;
      verdict.reason = "room state unknown: " + end.network;
      verdict.retry_after_ms = kRetryAfterMs;
      return false;
    }
    Target target;
    target.network = end.network;
    target.settings = entry ? entry->settings : nullptr;
    target.capabilities = entry ? &entry->capabilities : nullptr;
    target.conversation = model::Conversation::in_room(end.room);
    target.encrypted = known && known->state.encrypted;
    target.same_network = end.network == envelope.network;
    if (known) target.realms = known->realms;
    targets.push_back(std::move(target));
  }
  return true;
}

bool Shard::find_targets(const model::Envelope& envelope, std::vector<Target>& targets, SubmitVerdict& verdict) {
  if (envelope.conversation.is_room()) return room_targets(envelope, targets, verdict);
  const auto& peer = envelope.conversation.peer;
  NetworkEntry* entry = courier_.network(peer.network);
  Target target;
  target.network = peer.network;
  target.settings = entry ? entry->settings : nullptr;
  target.capabilities = entry ? &entry->capabilities : nullptr;
  target.conversation = model::Conversation::direct(peer);
  target.same_network = peer.network == envelope.network;
  if (entry) target.realms = {realms_.of_address(*entry->settings, peer.native_id)};
  targets.push_back(std::move(target));
  return true;
}

bool Shard::has_place(const std::vector<Target>& targets, SubmitVerdict& verdict) {
  verdict.outcome = Outcome::kWait;
  verdict.retry_after_ms = kRetryAfterMs;
  if (journal_.failing()) {
    verdict.reason = "store is not writing";
    return false;
  }
  for (const auto& target : targets) {
    if (!target.settings || stats_of(target.network).waiting < parts_.settings->limits.queue_per_network_max) continue;
    ++stats_.limit_hits["queue_per_network_max"];
    verdict.reason = "queue_per_network_max: " + target.network;
    return false;
  }
  return true;
}

// normalise and label: what the adapter said becomes what is stored and decided on.
void Shard::prepare(model::Envelope& envelope, const NetworkEntry& origin) {
  envelope.accepted_at_ms = parts_.clock.wall_ms();
  envelope.hops.push_back(parts_.settings->gateway);
  envelope.sender.address.network = envelope.network;
  envelope.sender.display_name = normalise::normalise_display_name(envelope.sender.display_name);
  if (auto* text = std::get_if<model::Text>(&envelope.body)) text->plain = normalise::normalise_text(text->plain);
  std::optional<model::Rank> room;
  if (envelope.conversation.is_room())
    if (const Link* link = links_.of_room(envelope.network, envelope.conversation.room))
      for (const auto& end : link->ends)
        if (end.network == envelope.network && end.room == envelope.conversation.room) room = end.default_level;
  auto realm = realms_.of_address(*origin.settings, envelope.sender.address.native_id);
  envelope.label = label::effective_label(envelope.label, room, origin.settings->default_level, parts_.policy->unlabelled(realm));
  if (envelope.protection == model::Protection::kUnspecified) envelope.protection = origin.settings->protection;
}

void Shard::submit(AdapterPort& port, Submission submission) {
  Session* session = courier_.session(port);
  if (!session) return;
  SubmitVerdict verdict;
  verdict.ref = submission.ref;
  auto& envelope = submission.envelope;
  NetworkEntry* origin = courier_.network(envelope.network);
  if (!origin || origin->session != session) {
    verdict.reason = "network is not this adapter's";
    return answer(*session, std::move(verdict));
  }
  if (auto limit = check_limits(submission); !limit.empty()) {
    ++stats_.limit_hits[limit];
    verdict.reason = limit;
    return answer(*session, std::move(verdict));
  }
  auto ignore = [&](const char* why) {
    ++origin->stats->ignored[why];
    verdict.outcome = Outcome::kIgnored;
    verdict.reason = why;
    answer(*session, std::move(verdict));
  };
  if (envelope.hops.size() > kHopsMax || std::find(envelope.hops.begin(), envelope.hops.end(), parts_.settings->gateway) != envelope.hops.end())
    return ignore("loop");
  if (is_transient(model::kind_of(envelope.body))) return ignore("kind");
  envelope.id = model::derive_message_id(envelope.network, envelope.dedup_key);
  if (known_before(*session, envelope.id, submission.ref)) {
    ++origin->stats->duplicates;
    return;
  }
  std::vector<Target> targets;
  if (!find_targets(envelope, targets, verdict) || !has_place(targets, verdict)) {
    if (verdict.outcome == Outcome::kIgnored) ++origin->stats->ignored[verdict.reason];
    return answer(*session, std::move(verdict));
  }
  prepare(envelope, *origin);
  Origin from{origin->settings, realms_.of_address(*origin->settings, envelope.sender.address.native_id)};
  auto result = dispatch(*parts_.policy, from, envelope, targets, envelope.accepted_at_ms);
  count_decisions(parts_.policy->realm_name(from.realm), result.decisions);
  if (!origin->capabilities.refusals_in_transaction)
    for (const auto& refusal : result.refusals)
      result.deliveries.push_back(make_notice(envelope, model::Notice::State::kRefused, refusal.code, refusal.decision_id, refusal.network,
                                              "notice/refused/" + refusal.decision_id));
  commit(*session, submission.ref, std::move(envelope), std::move(result));
}

void Shard::count_decisions(const std::string& source, const std::vector<model::Decision>& decisions) {
  for (const auto& decision : decisions) {
    std::tuple<std::string_view, std::string_view, std::string_view, std::string_view> key(source, decision.target_realm, to_text(decision.verdict), decision.reason_code);
    auto counted = stats_.decisions.find(key);
    if (counted == stats_.decisions.end()) counted = stats_.decisions.emplace(std::make_from_tuple<std::tuple<std::string, std::string, std::string, std::string>>(key), 0).first;
    ++counted->second;
    if (!decision.rule.empty()) ++stats_.rule_hits[decision.rule];
  }
}

void Shard::commit(Session& session, std::uint64_t ref, model::Envelope envelope, Dispatched result) {
  auto owned = std::make_unique<Message>();
  Message& message = *owned;
  message.id = envelope.id;
  message.kind = model::kind_of(envelope.body);
  message.envelope = std::make_shared<const model::Envelope>(std::move(envelope));
  message.decisions = std::move(result.decisions);
  message.accepted = parts_.clock.steady_now();
  message.waiters.push_back({session.id, ref});
  messages_.emplace(message.id, std::move(owned));
  journal_.accepted(*message.envelope, message.decisions, result.deliveries, [this, &message](store::Seq row) { committed(message, row); });
  for (auto& delivery : result.deliveries) add_item(message, std::move(delivery));
}

void Shard::committed(Message& message, store::Seq row) {
  message.committed = true;
  message.rows.push_back(row);
  auto now = parts_.clock.steady_now();
  stats_.accept_to_commit.observe(std::chrono::duration<double>(now - message.accepted).count());
  ++stats_of(message.envelope->network).accepted[static_cast<std::size_t>(message.kind)];
  SubmitVerdict verdict = verdict_of(message);
  bool first = true;
  for (const auto& waiter : message.waiters) {
    if (Session* session = courier_.session_by_id(waiter.session)) {
      SubmitVerdict told = verdict;
      told.ref = waiter.ref;
      if (!first) told.outcome = Outcome::kDuplicate;
      answer(*session, std::move(told));
    }
    first = false;
  }
  message.waiters = {};
  for (auto& item : message.items) courier_.add(*item);
  if (message.open == 0) close(message);
}

}  // namespace fedgate::pipeline
