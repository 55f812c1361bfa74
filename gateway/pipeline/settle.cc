// How deliveries and messages end, what the sender is told about it, and what age does to them.
#include <algorithm>

#include "gateway/pipeline/shard.h"

namespace fedgate::pipeline {
namespace {
using State = model::Notice::State;
constexpr Duration kTick = std::chrono::seconds(1);
constexpr std::size_t kReasonMax = 512;
constexpr std::size_t kNativeIdsMax = 64;

bool all_parts_delivered(const Message& message, const Item& of) {
  return of.delivery.parts == 1 || std::all_of(message.items.begin(), message.items.end(), [&](const auto& item) {
    return !item->is_message() || item->delivery.network != of.delivery.network || item->delivery.conversation != of.delivery.conversation ||
           (item->state == Item::State::kEnded && item->settlement.outcome == model::Outcome::kDelivered);
  });
}
}  // namespace

Item& Shard::add_item(Message& message, model::Delivery delivery) {
  auto owned = std::make_unique<Item>();
  Item& item = *owned;
  item.delivery = std::move(delivery);
  item.envelope = message.envelope;
  item.message = &message;
  item.since = message.accepted;
  ++message.open;
  if (item.is_message()) {
    auto& stats = stats_of(item.delivery.network);
    ++stats.targets;
    ++stats.waiting;
  }
  items_[item.delivery.id] = &item;
  message.items.push_back(std::move(owned));
  return item;
}

model::Delivery Shard::make_notice(const model::Envelope& envelope, State state, std::string_view code, const std::string& decision, const std::string& target,
                                   std::string_view purpose) const {
  model::Delivery notice;
  notice.network = envelope.network;
  // In a direct chat the recipient of the notice is the sender; the envelope says which chat.
  notice.conversation = envelope.conversation.is_room() ? envelope.conversation : model::Conversation::direct(envelope.sender.address);
  notice.cls = model::LaneClass::kNotice;
  notice.id = model::derive_delivery_id(envelope.id, envelope.network, notice.conversation.key(), 0, purpose);
  model::Notice body;
  body.state = state;
  body.about_native_id = envelope.native_id;
  body.reason_code = std::string(code);
  body.decision_id = decision;
  body.target_network = target;
  switch (state) {
    case State::kRefused: body.text = std::string(model::sender_text(code)); break;
    case State::kDelayed: body.text = "The other side cannot be reached just now. The message is kept and sent as soon as possible."; break;
    // That it was, or may not have been, delivered is said by the state, in the words of each network.
    case State::kFailed: body.text = std::string(model::sender_text(code)); break;
    case State::kUncertain: body.text = "The connection broke while it was being handed over."; break;
    case State::kExpired: body.text = std::string(model::sender_text("EXPIRED")); break;
    default: break;
  }
  notice.body = std::move(body);
  return notice;
}

void Shard::tell_volatile(const std::shared_ptr<const model::Envelope>& envelope, model::Delivery notice) {
  if (items_.contains(notice.id) || !courier_.network(notice.network)) return;
  auto owned = std::make_unique<Item>();
  Item& item = *owned;
  item.delivery = std::move(notice);
  item.envelope = envelope;
  item.since = parts_.clock.steady_now();
  items_[item.delivery.id] = &item;
  volatile_[item.delivery.id] = std::move(owned);
  courier_.add(item);
}

void Shard::report(AdapterPort& port, DeliveryReport report) {
  Session* session = courier_.session(port);
  auto it = items_.find(report.delivery);
  if (!session || it == items_.end()) {
    ++stats_.limit_hits["report_unknown"];
    return;
  }
  Item& item = *it->second;
  NetworkEntry* network = courier_.network(item.delivery.network);
  bool open = item.state == Item::State::kInFlight || (item.state == Item::State::kWaiting && item.attempts > 0);
  if (!network || network->session != session || !open) {
    ++stats_.limit_hits["report_unknown"];
    return;
  }
  switch (report.outcome) {
    case DeliveryReport::Outcome::kRetry:
      ++network->stats->retries[report.reason_code.substr(0, 64)];
      courier_.retry(item, report);
      return;
    case DeliveryReport::Outcome::kDelivered: settle(item, model::Outcome::kDelivered, std::move(report)); return;
    case DeliveryReport::Outcome::kRefused: settle(item, model::Outcome::kDead, std::move(report)); return;
    case DeliveryReport::Outcome::kUnknown: settle(item, model::Outcome::kUncertain, std::move(report)); return;
  }
}

// The lane goes on at once; the end itself counts when it is durable. A crash before that repeats the delivery with the same id.
void Shard::settle(Item& item, model::Outcome outcome, DeliveryReport report) {
  if (Lane* lane = item.lane) {
    lane->backoff.reset();
    // Any answer counts: the one delivery that probes must never end without either waking the network or making the next probe due.
    if (item.state == Item::State::kInFlight || outcome == model::Outcome::kDelivered) courier_.alive(*lane->network);
  }
  // A notice that its network does not take has nobody left to be told; it is not kept for an operator.
  if (!item.is_message() && (outcome == model::Outcome::kDead || outcome == model::Outcome::kUncertain)) outcome = model::Outcome::kDropped;
  if (!item.message) {
    auto id = item.delivery.id;
    if (outcome == model::Outcome::kDelivered) ++stats_of(item.delivery.network).notices_delivered;
    items_.erase(id);
    courier_.remove(item);
    volatile_.erase(id);
    return;
  }
  if (report.native_ids.size() > kNativeIdsMax) report.native_ids.resize(kNativeIdsMax);
  if (report.reason.size() > kReasonMax) report.reason.resize(kReasonMax);
  item.settlement = {item.delivery.id, item.message->id, outcome, std::move(report.native_ids), report.reason_code.substr(0, 64), std::move(report.reason),
                     parts_.clock.wall_ms(), item.attempts};
  std::vector<model::Delivery> notices;
  if (item.is_message()) {
    std::optional<State> state;
    std::string_view code = "REFUSED_BY_NETWORK";
    if (outcome == model::Outcome::kDead) {
      state = State::kFailed;
      // The adapter's own word, if it is one that we have words for.
      if (model::has_sender_text(item.settlement.reason_code)) code = item.settlement.reason_code;
    }
    if (outcome == model::Outcome::kUncertain) {
      state = State::kUncertain;
      code = "NO_CONFIRMATION";
    }
    if (outcome == model::Outcome::kExpired) {
      state = State::kExpired;
      code = "EXPIRED";
    }
    if (state) {
      auto purpose = std::string("notice/") + std::string(to_text(outcome)) + "/" + item.delivery.id.text();
      auto notice = make_notice(*item.envelope, *state, code, {}, item.delivery.network, purpose);
      if (!items_.contains(notice.id) && courier_.network(notice.network)) notices.push_back(std::move(notice));
    }
  }
  courier_.remove(item);
  item.state = Item::State::kSettling;
  journal_.settled(item.settlement, notices, [this, &item, notices](store::Seq row) mutable { settled(item, row, std::move(notices)); });
}

void Shard::count_end(const Item& item) {
  auto& stats = stats_of(item.delivery.network);
  auto outcome = item.settlement.outcome;
  if (!item.is_message()) {
    if (outcome == model::Outcome::kDelivered) ++stats.notices_delivered;
    return;
  }
  --stats.waiting;
  ++stats.deliveries[static_cast<std::size_t>(outcome)];
  if (outcome == model::Outcome::kDead || outcome == model::Outcome::kUncertain) ++stats.dead;
  stats_.commit_to_settle.observe(std::chrono::duration<double>(parts_.clock.steady_now() - item.since).count());
}

void Shard::settled(Item& item, store::Seq row, std::vector<model::Delivery> notices) {
  Message& message = *item.message;
  message.rows.push_back(row);
  count_end(item);
  auto outcome = item.settlement.outcome;
  bool dead = outcome == model::Outcome::kDead || outcome == model::Outcome::kUncertain;
  item.state = dead ? Item::State::kDead : Item::State::kEnded;
  for (auto& notice : notices) courier_.add(add_item(message, std::move(notice)));
  if (outcome == model::Outcome::kDelivered && item.is_message() && all_parts_delivered(message, item)) {
    NetworkEntry* origin = courier_.network(message.envelope->network);
    if (origin && origin->session && origin->session->deliver_credit > 0 && origin->capabilities.level("notice/delivered") >= render::Level::kPartial)
      tell_volatile(message.envelope, make_notice(*message.envelope, State::kDelivered, {}, {}, item.delivery.network,
                                                  "notice/delivered/" + item.delivery.network));
  }
  if (!dead && --message.open == 0) close(message);
}

codec::HistoryEntry Shard::entry_of(const Message& message) const {
  codec::HistoryEntry entry;
  const auto& envelope = *message.envelope;
  entry.id = message.id;
  entry.network = envelope.network;
  entry.native_id = envelope.native_id;
  entry.sender = envelope.sender.address.native_id;
  entry.conversation = envelope.conversation;
  entry.kind = message.kind;
  entry.rank = envelope.label.rank;
  entry.sent_at_ms = envelope.sent_at_ms;
  entry.accepted_at_ms = envelope.accepted_at_ms;
  entry.decisions = message.decisions;
  for (const auto& item : message.items) {
    const auto& end = item->settlement;
    entry.deliveries.push_back({item->delivery.id, item->delivery.network, item->delivery.conversation, item->delivery.part, item->delivery.cls, end.outcome,
                                end.native_ids, end.reason_code, end.reason, end.at_ms, end.attempts});
  }
  return entry;
}

void Shard::close(Message& message) {
  message.ended = true;
  auto entry = entry_of(message);
  for (auto& item : message.items) items_.erase(item->delivery.id);
  message.items.clear();
  // The body leaves memory here; network and id stay until the chunk is durable.
  message.envelope.reset();
  history_.add(std::move(entry));
}

void Shard::gone_to_history(const std::vector<model::MessageId>& ids) {
  for (const auto& id : ids) {
    auto it = messages_.find(id);
    if (it == messages_.end()) continue;
    for (auto row : it->second->rows) journal_.finish_record(row);
    messages_.erase(it);
  }
  journal_.erase_finished();
}

void Shard::tick() {
  timer_ = parts_.scheduler.after(kTick, [this] {
    timer_ = 0;
    tick();
  });
  courier_.each_lane([this](Lane& lane) { look_at_ages(lane); });
  give_back_credit();
  if (++ticks_ % 3600 == 1) history_.forget_old();
}

// Items of a lane stand in order of age (a requeued one is younger), so looking stops at the first young one.
void Shard::look_at_ages(Lane& lane) {
  const auto& limits = parts_.settings->limits;
  auto now = parts_.clock.steady_now();
  std::string network = lane.network->name;
  for (Item* item = lane.first_untold; item && now - item->since >= std::chrono::seconds(limits.delayed_notice_s); item = lane.first_untold) {
    lane.first_untold = item->next;
    if (!item->message || !item->is_message() || item->message->delayed_told) continue;
    item->message->delayed_told = true;
    tell_volatile(item->envelope, make_notice(*item->envelope, State::kDelayed, "TEMPORARY", {}, network, "notice/delayed"));
  }
  std::vector<Item*> expired;
  for (Item* item = lane.head; item && now - item->since >= std::chrono::seconds(limits.delivery_ttl_s); item = item->next)
    if (item->state == Item::State::kWaiting) expired.push_back(item);
  for (Item* item : expired) {
    if (item->state != Item::State::kWaiting) continue;  // taken while its predecessor was ended
    DeliveryReport report;
    report.delivery = item->delivery.id;
    // Handed over once and never answered: it may have arrived, and "was not delivered" would be untrue.
    report.reason_code = item->redelivery ? "NO_CONFIRMATION" : "EXPIRED";
    settle(*item, item->redelivery ? model::Outcome::kUncertain : model::Outcome::kExpired, std::move(report));
  }
}

}  // namespace fedgate::pipeline
