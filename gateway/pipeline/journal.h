// Journal: group commit by natural batching. While one append is in flight, records collect in the next batch; when it is durable, all of it proceeds in order.
//
// What somebody waits for (an acceptance, a notice) is written at once; an end that only has to be remembered rides with it, or alone after 3 ms. A crash in between repeats
// a delivery under its id, as one between the network's answer and any commit would.
// Owned by Shard; its thread. A failed append is kept and tried again with the same dedup key until it succeeds: nothing that was handed in is lost while the
// process lives. Also counts, per stored row, the records whose message has not ended, and erases rows without any.
// Limits: a batch closes at 512 KiB or 4,096 records. Does not read; recovery does.
#pragma once

#include <boost/unordered/unordered_flat_map.hpp>
#include <deque>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "gateway/base/backoff.h"
#include "gateway/codec/record_codec.h"
#include "gateway/pipeline/core.h"

namespace fedgate::pipeline {

class Journal {
 public:
  using Committed = std::move_only_function<void(store::Seq)>;
  static constexpr std::size_t kBatchBytes = 512u << 10;
  static constexpr std::size_t kBatchRecords = 4096;

  Journal(CoreParts& parts, Stats& stats);
  ~Journal();

  void accepted(const model::Envelope& envelope, std::span<const model::Decision> decisions, std::span<const model::Delivery> deliveries, Committed done);
  void settled(const model::Settlement& settlement, std::span<const model::Delivery> notices, Committed done);
  void requeued(const model::DeliveryId& delivery, const model::MessageId& message, std::int64_t at_ms, Committed done);

  bool failing() const { return !failure_.empty(); }
  const std::string& failure() const { return failure_; }

  // Recovery: this row holds so many records that are still needed.
  void add_row(store::Seq seq, std::uint32_t records);
  // One record of the row is needed no longer.
  void finish_record(store::Seq seq);
  // Erases what became free since the last call.
  void erase_finished();

 private:
  struct Batch {
    std::string bytes;
    std::string dedup_key;
    std::vector<Committed> done;
  };
  void added(Committed done, bool urgent);
  void seal();
  void start_soon();
  void start();
  void append();
  void appended(Result<store::Seq> result);

  CoreParts& parts_;
  Stats& stats_;
  codec::BatchEncoder encoder_;
  std::vector<Committed> collecting_;
  std::deque<Batch> sealed_;   // front is in flight when busy_
  boost::unordered_flat_map<store::Seq, std::uint32_t> rows_;
  std::vector<store::Seq> erasable_;
  Backoff backoff_;
  SteadyTime started_{};
  Scheduler::TimerId timer_ = 0;       // the next attempt of a failed append
  Scheduler::TimerId lazy_timer_ = 0;  // nothing urgent is collected
  std::uint64_t run_ = 0;      // distinguishes the dedup keys of this run
  std::uint64_t count_ = 0;
  bool busy_ = false;
  bool posted_ = false;
  bool urgent_ = false;        // among what is collected
  std::string failure_;
  std::shared_ptr<int> life_ = std::make_shared<int>(0);  // callbacks that outlive us do nothing
};

}  // namespace fedgate::pipeline
