// History: what stays of ended messages. Collects entries, writes a chunk every 5 s or 1,024 entries (so that ids of the longest kind still fit one store entry), and knows afterwards only Correlation's rows.
//
// Owned by Shard; its thread. on_durable is called for every message of a chunk once the chunk cannot be lost; only then may journal rows go. Chunks older than
// retention are erased. Reading back (trace) is blocking.
#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "gateway/base/backoff.h"
#include "gateway/codec/record_codec.h"
#include "gateway/pipeline/core.h"
#include "gateway/pipeline/correlation.h"

namespace fedgate::pipeline {

class History {
 public:
  using OnDurable = std::function<void(const std::vector<model::MessageId>&)>;
  static constexpr std::size_t kChunkEntries = 1024;

  History(CoreParts& parts, Stats& stats, OnDurable on_durable);
  ~History();

  Result<void> load();
  void add(codec::HistoryEntry entry);
  bool contains(const model::MessageId& message) const { return index_.contains(message); }
  std::vector<codec::HistoryEntry> find(const std::string& id) const;
  void forget_old();

 private:
  struct Chunk {
    store::Seq seq = 0;
    std::int64_t newest_ms = 0;
    Correlation::Chunk number = 0;
  };
  void index(const std::vector<codec::HistoryEntry>& entries, store::Seq seq);
  void seal();
  void append();

  CoreParts& parts_;
  Stats& stats_;
  OnDurable on_durable_;
  Correlation index_;
  std::deque<Chunk> chunks_;
  std::vector<codec::HistoryEntry> collecting_;
  std::vector<codec::HistoryEntry> writing_;
  std::string bytes_;
  std::string dedup_key_;
  Backoff backoff_;
  Scheduler::TimerId timer_ = 0;
  Scheduler::TimerId retry_timer_ = 0;
  std::uint64_t run_ = 0;
  std::uint64_t count_ = 0;
  Correlation::Chunk numbers_ = 0;
  std::shared_ptr<int> life_ = std::make_shared<int>(0);
};

}  // namespace fedgate::pipeline
