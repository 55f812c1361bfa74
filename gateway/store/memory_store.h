// MemoryStore: Log and KeyValue in memory, for tests and measurements. Same contract as the durable ones (tests/contract), but nothing survives the process.
//
// One thread: the scheduler's. Done is posted, never called inline, so that callers meet the same order of events as with a real disk.
#pragma once

#include <deque>
#include <map>
#include <string>
#include <utility>

#include "gateway/base/scheduler.h"
#include "gateway/store/key_value.h"
#include "gateway/store/log.h"

namespace fedgate::store {

class MemoryStore final : public Log, public KeyValue {
 public:
  explicit MemoryStore(Scheduler& scheduler) : scheduler_(scheduler) {}

  void append(std::string_view stream, std::string_view dedup_key, std::string bytes, AppendDone done) override;
  Result<std::vector<Entry>> read_after(std::string_view stream, Seq after, std::size_t bytes_max) override;
  void erase(std::string_view stream, std::vector<Seq> seqs, Done done) override;

  Result<std::optional<KeyEntry>> get(std::string_view bucket, std::string_view key) override;
  void put(std::string_view bucket, std::string_view key, std::string value, std::optional<Revision> expected, PutDone done) override;
  void erase(std::string_view bucket, std::string_view key, PutDone done) override;
  Result<std::vector<KeyEntry>> scan(std::string_view bucket, std::string_view prefix) override;

 private:
  struct Stream {
    Seq last = 0;
    std::map<Seq, std::string> entries;
    std::deque<std::pair<std::string, Seq>> dedup;  // the last kDedupWindow keys, oldest first
  };
  using BucketKey = std::pair<std::string, std::string>;

  Scheduler& scheduler_;
  std::map<std::string, Stream, std::less<>> streams_;
  std::map<BucketKey, KeyEntry> keys_;
  Revision last_revision_ = 0;
};

}  // namespace fedgate::store
