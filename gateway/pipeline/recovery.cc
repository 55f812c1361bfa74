// From the store back to memory: history first (what ended), then the journal rows that are left. Whatever crash happened between, reading gives the same result:
// a record of an ended message is finished, a repeated one changes nothing.
#include "gateway/pipeline/shard.h"

namespace fedgate::pipeline {
namespace {
constexpr std::size_t kReadBytes = 8u << 20;
}

Result<void> Shard::recover() {
  if (auto result = rooms_.load(); !result) return result;
  if (auto result = links_.load(); !result) return result;
  if (auto result = history_.load(); !result) return result;
  if (auto result = replay(); !result) return result;
  auto messages = std::move(replayed_);
  replayed_.clear();
  for (Message* message : messages) {
    for (auto& item : message->items) {
      if (item->state != Item::State::kUncommitted) continue;
      if (!courier_.network(item->delivery.network)) {
        // The network left the configuration: nobody can deliver this. It ends where an operator sees it.
        settle(*item, model::Outcome::kDead, {.delivery = item->delivery.id, .reason_code = "NO_SUCH_NETWORK"});
        continue;
      }
      courier_.add(*item);
    }
    if (message->open == 0) close(*message);
  }
  journal_.erase_finished();
  recovered_ = true;
  tick();
  return {};
}

Result<void> Shard::replay() {
  store::Seq after = 0;
  for (;;) {
    auto rows = parts_.log.read_after("journal", after, kReadBytes);
    if (!rows) return std::unexpected(rows.error());
    if (rows->empty()) return {};
    for (const auto& row : *rows) {
      after = row.seq;
      auto records = codec::decode_batch(row.bytes);
      if (!records) return make_error(ErrorKind::kInternal, "journal row " + std::to_string(row.seq) + ": " + records.error().message);
      std::uint32_t needed = 0;
      for (auto& record : *records) needed += replay_record(record, row.seq) ? 1 : 0;
      journal_.add_row(row.seq, needed);
    }
  }
}

// True if the row has to stay for this record.
bool Shard::replay_record(codec::Record& record, store::Seq row) {
  if (auto* accepted = std::get_if<codec::AcceptedRecord>(&record)) {
    auto id = accepted->envelope.id;
    if (history_.contains(id) || messages_.contains(id)) return false;
    auto owned = std::make_unique<Message>();
    Message& message = *owned;
    message.id = id;
    message.kind = model::kind_of(accepted->envelope.body);
    auto age = std::chrono::milliseconds(std::max<std::int64_t>(0, parts_.clock.wall_ms() - accepted->envelope.accepted_at_ms));
    message.accepted = parts_.clock.steady_now() - age;
    message.envelope = std::make_shared<const model::Envelope>(std::move(accepted->envelope));
    message.decisions = std::move(accepted->decisions);
    message.committed = true;
    message.rows.push_back(row);
    messages_.emplace(id, std::move(owned));
    for (auto& delivery : accepted->deliveries) add_item(message, std::move(delivery)).redelivery = true;
    replayed_.push_back(&message);
    return true;
  }
  if (auto* settled = std::get_if<codec::SettledRecord>(&record)) {
    auto it = messages_.find(settled->settlement.message);
    if (it == messages_.end()) return false;
    Message& message = *it->second;
    message.rows.push_back(row);
    for (auto& notice : settled->notices)
      if (!items_.contains(notice.id)) add_item(message, std::move(notice)).redelivery = true;
    auto found = items_.find(settled->settlement.delivery);
    if (found == items_.end() || found->second->state == Item::State::kEnded) return true;
    Item& item = *found->second;
    bool was_dead = item.state == Item::State::kDead;
    item.settlement = std::move(settled->settlement);
    auto outcome = item.settlement.outcome;
    bool dead = outcome == model::Outcome::kDead || outcome == model::Outcome::kUncertain;
    item.state = dead ? Item::State::kDead : Item::State::kEnded;
    if (!dead) --message.open;
    if (!item.is_message()) return true;
    // Counters run since start: what ended before is not counted, only what is still here.
    auto& stats = stats_of(item.delivery.network);
    if (!was_dead) {
      --stats.targets;
      --stats.waiting;
    }
    if (dead && !was_dead) ++stats.dead;
    if (!dead && was_dead) --stats.dead;
    return true;
  }
  auto& requeued = std::get<codec::RequeuedRecord>(record);
  auto it = messages_.find(requeued.message);
  if (it == messages_.end()) return false;
  it->second->rows.push_back(row);
  auto found = items_.find(requeued.delivery);
  if (found == items_.end() || found->second->state != Item::State::kDead) return true;
  Item& item = *found->second;
  item.state = Item::State::kUncommitted;
  item.settlement = {};
  auto age = std::chrono::milliseconds(std::max<std::int64_t>(0, parts_.clock.wall_ms() - requeued.at_ms));
  item.since = parts_.clock.steady_now() - age;
  auto& stats = stats_of(item.delivery.network);
  --stats.dead;
  ++stats.targets;
  ++stats.waiting;
  return true;
}

}  // namespace fedgate::pipeline
