#include "gateway/pipeline/history.h"

#include <algorithm>

namespace fedgate::pipeline {
namespace {
constexpr Duration kChunkEvery = std::chrono::seconds(5);
constexpr std::size_t kReadBytes = 4u << 20;
}  // namespace

History::History(CoreParts& parts, Stats& stats, OnDurable on_durable)
    : parts_(parts), stats_(stats), on_durable_(std::move(on_durable)), backoff_(std::chrono::milliseconds(200), std::chrono::seconds(10)),
      run_(parts.random.next()) {}

History::~History() {
  if (timer_) parts_.scheduler.cancel(timer_);
  if (retry_timer_) parts_.scheduler.cancel(retry_timer_);
}

Result<void> History::load() {
  store::Seq after = 0;
  for (;;) {
    auto rows = parts_.log.read_after("history", after, kReadBytes);
    if (!rows) return std::unexpected(rows.error());
    if (rows->empty()) return {};
    for (const auto& row : *rows) {
      after = row.seq;
      Chunk chunk{row.seq, 0, ++numbers_};
      auto indexed = codec::index_history_chunk(row.bytes, [&](const codec::HistoryNames& names) {
        index_.add(names.id, names.native_id, chunk.number);
        chunk.newest_ms = std::max(chunk.newest_ms, names.accepted_at_ms);
        for (const auto& delivery : names.deliveries) index_.add_delivery(delivery, chunk.number);
        for (auto native_id : names.target_native_ids) index_.add_native_id(native_id, chunk.number);
        for (const auto& decision : names.refusals) index_.add_decision(decision, chunk.number);
      });
      if (!indexed) return indexed;
      chunks_.push_back(chunk);
    }
  }
}

void History::index(const std::vector<codec::HistoryEntry>& entries, store::Seq seq) {
  Chunk chunk{seq, 0, ++numbers_};
  for (const auto& entry : entries) {
    index_.add(entry.id, entry.native_id, chunk.number);
    chunk.newest_ms = std::max(chunk.newest_ms, entry.accepted_at_ms);
    for (const auto& delivery : entry.deliveries) {
      if (delivery.cls == model::LaneClass::kMessage) index_.add_delivery(delivery.id, chunk.number);
      for (const auto& native_id : delivery.native_ids) index_.add_native_id(native_id, chunk.number);
    }
    for (const auto& decision : entry.decisions)
      if (decision.verdict != model::Verdict::kAllow) index_.add_decision(decision.id, chunk.number);  // the sender was told it
  }
  chunks_.push_back(chunk);
}

void History::add(codec::HistoryEntry entry) {
  collecting_.push_back(std::move(entry));
  if (collecting_.size() >= kChunkEntries && writing_.empty()) {
    seal();
    return;
  }
  if (timer_ || !writing_.empty()) return;
  timer_ = parts_.scheduler.after(kChunkEvery, [this] {
    timer_ = 0;
    if (writing_.empty()) seal();
  });
}

void History::seal() {
  if (collecting_.empty()) return;
  if (timer_) parts_.scheduler.cancel(timer_);
  timer_ = 0;
  if (collecting_.size() > kChunkEntries) {
    auto middle = collecting_.begin() + static_cast<std::ptrdiff_t>(kChunkEntries);
    writing_.assign(std::make_move_iterator(collecting_.begin()), std::make_move_iterator(middle));
    collecting_.erase(collecting_.begin(), middle);
  } else {
    writing_.swap(collecting_);
  }
  bytes_ = codec::encode_history_chunk(writing_, parts_.clock.wall_ms());
  dedup_key_ = std::to_string(run_) + "-" + std::to_string(++count_);
  append();
}

void History::append() {
  parts_.log.append("history", dedup_key_, std::string(bytes_), [this, life = std::weak_ptr<int>(life_)](Result<store::Seq> result) {
    if (life.expired()) return;
    if (!result) {
      ++stats_.store_failures;
      retry_timer_ = parts_.scheduler.after(backoff_.next(parts_.random), [this] {
        retry_timer_ = 0;
        append();
      });
      return;
    }
    backoff_.reset();
    index(writing_, *result);
    std::vector<model::MessageId> ids;
    ids.reserve(writing_.size());
    for (const auto& entry : writing_) ids.push_back(entry.id);
    writing_.clear();
    on_durable_(ids);
    if (!collecting_.empty()) seal();
  });
}

std::vector<codec::HistoryEntry> History::find(const std::string& id) const {
  std::vector<codec::HistoryEntry> found;
  auto matches = [&](const codec::HistoryEntry& entry) {
    return entry.native_id == id || entry.id.text() == id ||
           std::any_of(entry.deliveries.begin(), entry.deliveries.end(), [&](const auto& delivery) {
             return delivery.id.text() == id || std::find(delivery.native_ids.begin(), delivery.native_ids.end(), id) != delivery.native_ids.end();
           }) ||
           std::any_of(entry.decisions.begin(), entry.decisions.end(), [&](const auto& decision) { return decision.id.text() == id; });
  };
  for (const auto* list : {&collecting_, &writing_})
    for (const auto& entry : *list)
      if (matches(entry)) found.push_back(entry);
  for (auto number : index_.find(id)) {
    auto chunk = std::find_if(chunks_.begin(), chunks_.end(), [&](const Chunk& c) { return c.number == number; });
    if (chunk == chunks_.end()) continue;
    auto rows = parts_.log.read_after("history", chunk->seq - 1, 1);
    if (!rows || rows->empty() || rows->front().seq != chunk->seq) continue;
    auto entries = codec::decode_history_chunk(rows->front().bytes);
    if (!entries) continue;
    for (auto& entry : *entries)
      if (matches(entry)) found.push_back(std::move(entry));
  }
  return found;
}

void History::forget_old() {
  std::int64_t before = parts_.clock.wall_ms() - std::int64_t{parts_.settings->limits.retention_days} * 86400000;
  std::vector<store::Seq> seqs;
  while (!chunks_.empty() && chunks_.front().newest_ms < before) {
    seqs.push_back(chunks_.front().seq);
    index_.drop(chunks_.front().number);
    chunks_.pop_front();
  }
  if (seqs.empty()) return;
  parts_.log.erase("history", std::move(seqs), [this, life = std::weak_ptr<int>(life_)](Result<void> result) {
    if (!life.expired() && !result) ++stats_.store_failures;  // read again at the next start, and erased then
  });
}

}  // namespace fedgate::pipeline
