// What an operator asks and does: trace, queue, dead letters.
#include <algorithm>

#include "gateway/pipeline/shard.h"

namespace fedgate::pipeline {
namespace {

std::string text_of(const model::Conversation& conversation) { return conversation.is_room() ? conversation.room : conversation.peer.text(); }

TracedMessage traced(const codec::HistoryEntry& entry) {
  TracedMessage message{entry.id.text(), entry.network, entry.native_id, entry.sender, text_of(entry.conversation), std::string(to_text(entry.kind)),
                        static_cast<std::uint32_t>(entry.rank), {}};
  message.steps.push_back({entry.accepted_at_ms, "accepted", entry.network, {}, {}});
  for (const auto& decision : entry.decisions) {
    std::string detail = std::string(to_text(decision.verdict)) + " towards realm " + decision.target_realm;
    if (!decision.rule.empty()) detail += " by rule " + decision.rule;
    if (!decision.reason_code.empty()) detail += ": " + decision.reason_code;
    detail += " (" + std::string(to_text(decision.layer)) + ", " + decision.policy + ", decision " + decision.id.text() + ")";
    message.steps.push_back({entry.accepted_at_ms, "decided", decision.target_network, std::move(detail), {}});
  }
  for (const auto& delivery : entry.deliveries) {
    bool notice = delivery.cls == model::LaneClass::kNotice;
    std::string detail = (notice ? "notice to " : "to ") + text_of(delivery.conversation);
    if (delivery.attempts) detail += ", " + std::to_string(delivery.attempts) + (delivery.attempts == 1 ? " attempt" : " attempts");
    for (const auto& id : delivery.native_ids) detail += ", as " + id;
    if (!delivery.reason_code.empty()) detail += ": " + delivery.reason_code;
    if (!delivery.reason.empty()) detail += " (" + delivery.reason + ")";
    std::string step = delivery.outcome == model::Outcome::kPending ? "waiting" : std::string(to_text(delivery.outcome));
    message.steps.push_back({delivery.settled_at_ms, std::move(step), delivery.network, std::move(detail), delivery.id.text()});
  }
  return message;
}

}  // namespace

std::vector<TracedMessage> Shard::trace(const std::string& id) const {
  std::vector<TracedMessage> found;
  // Open messages are found by walking: they are few compared with history, and an operator asks seldom.
  for (const auto& [key, message] : messages_) {
    if (message->ended) continue;
    bool matches = message->id.text() == id || message->envelope->native_id == id ||
                   std::any_of(message->items.begin(), message->items.end(), [&](const auto& item) { return item->delivery.id.text() == id; }) ||
                   std::any_of(message->decisions.begin(), message->decisions.end(), [&](const auto& decision) { return decision.id.text() == id; });
    if (!matches) continue;
    auto entry = entry_of(*message);
    for (std::size_t i = 0; i < message->items.size(); ++i) entry.deliveries[i].attempts = message->items[i]->attempts;
    found.push_back(traced(entry));
  }
  for (const auto& entry : history_.find(id)) found.push_back(traced(entry));
  return found;
}

std::vector<QueueView> Shard::queue() const {
  std::vector<QueueView> views;
  for (const auto& [name, entry] : courier_.networks()) {
    QueueView view;
    view.network = name;
    view.adapter = entry.settings->adapter;
    view.attached = entry.session != nullptr;
    view.up = view.attached && entry.up;
    view.problem = view.attached ? entry.problem : "adapter is not attached";
    view.in_flight = entry.in_flight;
    view.waiting = entry.stats->waiting;
    view.dead = entry.stats->dead;
    view.retrying = courier_.paused_items(entry);
    views.push_back(std::move(view));
  }
  for (const auto& [id, item] : items_) {
    if (!item->is_message() || item->state == Item::State::kDead || item->state == Item::State::kEnded) continue;
    auto view = std::find_if(views.begin(), views.end(), [&](const QueueView& v) { return v.network == item->delivery.network; });
    if (view == views.end()) continue;
    auto at = item->envelope->accepted_at_ms;
    if (view->oldest_ms == 0 || at < view->oldest_ms) view->oldest_ms = at;
  }
  return views;
}

DeadPage Shard::dead_list(const std::string& network, std::size_t limit) const {
  DeadPage page;
  for (const auto& [id, item] : items_) {
    if (item->state != Item::State::kDead || (!network.empty() && item->delivery.network != network)) continue;
    ++page.total;
    const auto& end = item->settlement;
    page.entries.push_back({id.text(), item->message->id.text(), item->delivery.network, text_of(item->delivery.conversation), item->envelope->network,
                            end.reason_code, end.reason, item->envelope->accepted_at_ms, end.at_ms, end.attempts});
  }
  std::sort(page.entries.begin(), page.entries.end(),
            [](const DeadView& a, const DeadView& b) { return std::tie(a.died_at_ms, a.delivery_id) < std::tie(b.died_at_ms, b.delivery_id); });
  if (page.entries.size() > limit) page.entries.resize(limit);
  return page;
}

void Shard::dead_change(std::vector<std::string> ids, bool all, std::string network, bool retry, std::function<void(Result<std::uint64_t>)> done) {
  std::vector<Item*> chosen;
  auto take = [&](Item* item) {
    if (item->state != Item::State::kDead || item->changing) return;
    // Nobody can take up what a network that left the configuration should have got; it stays dead until it is dropped or the network is back.
    if (retry && !courier_.network(item->delivery.network)) return;
    chosen.push_back(item);
  };
  if (all && ids.empty()) {
    for (const auto& [id, item] : items_)
      if (network.empty() || item->delivery.network == network) take(item);
  }
  for (const auto& text : ids) {
    auto id = model::DeliveryId::from_text(text);
    if (!id) return done(make_error(ErrorKind::kInvalid, text + " is not a delivery id"));
    if (auto it = items_.find(*id); it != items_.end() && std::find(chosen.begin(), chosen.end(), it->second) == chosen.end()) take(it->second);
  }
  // In the order of acceptance, so that a conversation taken up again reads as it was written.
  std::sort(chosen.begin(), chosen.end(), [](const Item* a, const Item* b) {
    return std::tuple(a->envelope->accepted_at_ms, a->delivery.part, a->delivery.id) < std::tuple(b->envelope->accepted_at_ms, b->delivery.part, b->delivery.id);
  });
  if (chosen.empty()) return done(std::uint64_t{0});
  auto left = std::make_shared<std::uint64_t>(chosen.size());
  auto told = std::make_shared<std::function<void(Result<std::uint64_t>)>>(std::move(done));
  for (Item* item : chosen) {
    item->changing = true;
    auto finish = [left, told, count = chosen.size()] {
      if (--*left == 0) (*told)(static_cast<std::uint64_t>(count));
    };
    auto& stats = stats_of(item->delivery.network);
    auto now = parts_.clock.wall_ms();
    if (retry) {
      journal_.requeued(item->delivery.id, item->message->id, now, [this, item, finish, &stats](store::Seq row) {
        item->message->rows.push_back(row);
        item->changing = false;
        item->since = parts_.clock.steady_now();
        item->redelivery = item->settlement.outcome == model::Outcome::kUncertain;
        item->settlement = {};
        --stats.dead;
        ++stats.waiting;
        ++stats.deliveries[static_cast<std::size_t>(model::Outcome::kRequeued)];
        courier_.add(*item);
        finish();
      });
      continue;
    }
    auto settlement = item->settlement;
    settlement.outcome = model::Outcome::kDropped;
    settlement.at_ms = now;
    journal_.settled(settlement, {}, [this, item, settlement, finish, &stats](store::Seq row) {
      Message& message = *item->message;
      message.rows.push_back(row);
      item->settlement = settlement;
      item->state = Item::State::kEnded;
      --stats.dead;
      ++stats.deliveries[static_cast<std::size_t>(model::Outcome::kDropped)];
      finish();
      if (--message.open == 0) close(message);
    });
  }
}

}  // namespace fedgate::pipeline
