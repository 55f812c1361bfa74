#include "gateway/pipeline/journal.h"

#include <algorithm>
#include <utility>

namespace fedgate::pipeline {
namespace {
constexpr Duration kRetryBase = std::chrono::milliseconds(100);
constexpr Duration kRetryLongest = std::chrono::seconds(10);
constexpr Duration kLazy = std::chrono::milliseconds(3);
}  // namespace

Journal::Journal(CoreParts& parts, Stats& stats) : parts_(parts), stats_(stats), backoff_(kRetryBase, kRetryLongest), run_(parts.random.next()) {}

Journal::~Journal() {
  if (timer_) parts_.scheduler.cancel(timer_);
  if (lazy_timer_) parts_.scheduler.cancel(lazy_timer_);
}

void Journal::accepted(const model::Envelope& envelope, std::span<const model::Decision> decisions, std::span<const model::Delivery> deliveries,
                       Committed done) {
  encoder_.add_accepted(envelope, decisions, deliveries);
  added(std::move(done), true);
}

void Journal::settled(const model::Settlement& settlement, std::span<const model::Delivery> notices, Committed done) {
  encoder_.add_settled(settlement, notices);
  added(std::move(done), !notices.empty());
}

void Journal::requeued(const model::DeliveryId& delivery, const model::MessageId& message, std::int64_t at_ms, Committed done) {
  encoder_.add_requeued({delivery, message, at_ms});
  added(std::move(done), true);
}

void Journal::added(Committed done, bool urgent) {
  collecting_.push_back(std::move(done));
  urgent_ = urgent_ || urgent;
  if (encoder_.bytes() >= kBatchBytes || encoder_.records() >= kBatchRecords) seal();
  if (!busy_) start_soon();
}

void Journal::start_soon() {
  if (urgent_ || !sealed_.empty()) {
    if (std::exchange(posted_, true)) return;
    // Posted, not called: whatever the current turn still adds rides in the same commit.
    parts_.scheduler.post([this, life = std::weak_ptr<int>(life_)] {
      if (life.expired()) return;
      posted_ = false;
      start();
    });
  } else if (!collecting_.empty() && lazy_timer_ == 0) {
    lazy_timer_ = parts_.scheduler.after(kLazy, [this] {
      lazy_timer_ = 0;
      start();
    });
  }
}

void Journal::seal() {
  if (collecting_.empty()) return;
  urgent_ = false;
  sealed_.push_back({encoder_.take(), std::to_string(run_) + "-" + std::to_string(++count_), std::move(collecting_)});
  collecting_.clear();
}

void Journal::start() {
  if (busy_) return;
  if (sealed_.empty()) seal();
  if (sealed_.empty()) return;
  if (lazy_timer_) parts_.scheduler.cancel(std::exchange(lazy_timer_, 0));
  busy_ = true;
  started_ = parts_.clock.steady_now();
  append();
}

void Journal::append() {
  // The bytes stay here until they are known to be durable.
  parts_.log.append("journal", sealed_.front().dedup_key, std::string(sealed_.front().bytes),
                    [this, life = std::weak_ptr<int>(life_)](Result<store::Seq> result) {
                      if (!life.expired()) appended(std::move(result));
                    });
}

void Journal::appended(Result<store::Seq> result) {
  if (!result) {
    ++stats_.store_failures;
    failure_ = result.error().message.empty() ? "append failed" : result.error().message;
    timer_ = parts_.scheduler.after(backoff_.next(parts_.random), [this] {
      timer_ = 0;
      append();
    });
    return;
  }
  failure_.clear();
  backoff_.reset();
  Batch batch = std::move(sealed_.front());
  sealed_.pop_front();
  ++stats_.commits;
  stats_.commit_records += batch.done.size();
  stats_.commit_seconds.observe(std::chrono::duration<double>(parts_.clock.steady_now() - started_).count());
  add_row(*result, static_cast<std::uint32_t>(batch.done.size()));
  busy_ = false;
  if (urgent_ || !sealed_.empty()) start();
  else start_soon();
  for (auto& done : batch.done) done(*result);
}

void Journal::add_row(store::Seq seq, std::uint32_t records) {
  if (records == 0)
    erasable_.push_back(seq);
  else
    rows_[seq] += records;
}

void Journal::finish_record(store::Seq seq) {
  auto it = rows_.find(seq);
  if (it == rows_.end() || --it->second > 0) return;
  rows_.erase(it);
  erasable_.push_back(seq);
}

void Journal::erase_finished() {
  if (erasable_.empty()) return;
  std::vector<store::Seq> seqs;
  seqs.swap(erasable_);
  parts_.log.erase("journal", seqs, [this, seqs, life = std::weak_ptr<int>(life_)](Result<void> result) {
    if (life.expired() || result) return;
    ++stats_.store_failures;
    erasable_.insert(erasable_.end(), seqs.begin(), seqs.end());  // with the next ones
  });
}

}  // namespace fedgate::pipeline
