// The simulated world: scheduler and clock in which time passes only when nothing is left to do, and a store that delays, fails, forgets to say that it succeeded,
// and keeps only what was durable when the core crashes. One thread; everything follows from one seed.
#pragma once

#include <algorithm>
#include <deque>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "gateway/base/clock.h"
#include "gateway/base/random.h"
#include "gateway/base/scheduler.h"
#include "gateway/store/key_value.h"
#include "gateway/store/log.h"

namespace fedgate::sim {

class World final : public Scheduler, public Clock {
 public:
  void post(Task task) override { ready_.push_back(std::move(task)); }
  TimerId after(Duration delay, Task task) override {
    TimerId id = ++timers_made_;
    due_.emplace(std::pair(now_ + std::max(delay, Duration(0)), id), std::move(task));
    return id;
  }
  bool cancel(TimerId timer) override {
    return std::erase_if(due_, [&](const auto& entry) { return entry.first.second == timer; }) > 0;
  }
  SteadyTime steady_now() const override { return now_; }
  std::int64_t wall_ms() const override { return 1700000000000 + std::chrono::duration_cast<std::chrono::milliseconds>(now_.time_since_epoch()).count(); }

  // One task; false if there is none before `until`.
  bool step(SteadyTime until) {
    if (ready_.empty()) {
      if (due_.empty() || due_.begin()->first.first > until) {
        now_ = std::max(now_, until);
        return false;
      }
      now_ = std::max(now_, due_.begin()->first.first);
      ready_.push_back(std::move(due_.begin()->second));
      due_.erase(due_.begin());
    }
    Task task = std::move(ready_.front());
    ready_.pop_front();
    task();
    return true;
  }

 private:
  std::deque<Task> ready_;
  std::map<std::pair<SteadyTime, TimerId>, Task> due_;
  SteadyTime now_{};
  TimerId timers_made_ = 0;
};

// Log and KeyValue in memory. What an operation changes is durable when its delayed task ran; crash() forgets the tasks that did not.
class FaultyStore final : public store::Log, public store::KeyValue {
 public:
  FaultyStore(World& world, Random& random) : world_(world), random_(random) {}

  bool faults = true;
  std::string broken;  // not empty: every write fails with these words
  void crash() { ++epoch_; }

  void append(std::string_view stream, std::string_view dedup_key, std::string bytes, AppendDone done) override {
    later([this, stream = std::string(stream), key = std::string(dedup_key), bytes = std::move(bytes), done = std::move(done)](bool fail, bool unknown) mutable {
      if (!broken.empty()) return answer<store::Seq>(std::move(done), make_error(ErrorKind::kUnavailable, broken));
      if (fail && !unknown) return answer<store::Seq>(std::move(done), make_error(ErrorKind::kUnavailable, "simulated failure"));
      auto& rows = streams_[stream];
      store::Seq seq = 0;
      if (auto it = keys_[stream].find(key); it != keys_[stream].end() && !key.empty()) {
        seq = it->second;
      } else {
        seq = seq_ += 1 + random_.below(3);
        rows[seq] = std::move(bytes);
        keys_[stream][key] = seq;
      }
      if (fail) return answer<store::Seq>(std::move(done), make_error(ErrorKind::kUnavailable, "simulated failure after the write"));
      answer<store::Seq>(std::move(done), seq);
    });
  }
  Result<std::vector<store::Entry>> read_after(std::string_view stream, store::Seq after, std::size_t bytes_max) override {
    std::vector<store::Entry> entries;
    std::size_t bytes = 0;
    auto& rows = streams_[std::string(stream)];
    for (auto it = rows.upper_bound(after); it != rows.end() && (entries.empty() || bytes < bytes_max); ++it) {
      entries.push_back({it->first, it->second});
      bytes += it->second.size();
    }
    return entries;
  }
  void erase(std::string_view stream, std::vector<store::Seq> seqs, Done done) override {
    later([this, stream = std::string(stream), seqs = std::move(seqs), done = std::move(done)](bool fail, bool) mutable {
      auto& rows = streams_[stream];
      // A failing erase may have done half of it.
      std::size_t count = fail ? seqs.size() / 2 : seqs.size();
      for (std::size_t i = 0; i < count; ++i) rows.erase(seqs[i]);
      if (fail) return answer<void>(std::move(done), make_error(ErrorKind::kUnavailable, "simulated failure"));
      answer<void>(std::move(done), Result<void>());
    });
  }

  Result<std::optional<store::KeyEntry>> get(std::string_view bucket, std::string_view key) override {
    auto& entries = buckets_[std::string(bucket)];
    auto it = entries.find(std::string(key));
    if (it == entries.end()) return std::optional<store::KeyEntry>();
    return std::optional<store::KeyEntry>(store::KeyEntry{it->first, it->second, 1});
  }
  void put(std::string_view bucket, std::string_view key, std::string value, std::optional<store::Revision>, PutDone done) override {
    later([this, bucket = std::string(bucket), key = std::string(key), value = std::move(value), done = std::move(done)](bool fail, bool) mutable {
      if (!broken.empty()) return answer<store::Revision>(std::move(done), make_error(ErrorKind::kUnavailable, broken));
      if (fail) return answer<store::Revision>(std::move(done), make_error(ErrorKind::kUnavailable, "simulated failure"));
      buckets_[bucket][key] = std::move(value);
      answer<store::Revision>(std::move(done), store::Revision{1});
    });
  }
  void erase(std::string_view bucket, std::string_view key, PutDone done) override {
    later([this, bucket = std::string(bucket), key = std::string(key), done = std::move(done)](bool, bool) mutable {
      buckets_[bucket].erase(key);
      answer<store::Revision>(std::move(done), store::Revision{0});
    });
  }
  Result<std::vector<store::KeyEntry>> scan(std::string_view bucket, std::string_view prefix) override {
    std::vector<store::KeyEntry> entries;
    for (const auto& [key, value] : buckets_[std::string(bucket)])
      if (key.starts_with(prefix)) entries.push_back({key, value, 1});
    return entries;
  }
  std::size_t rows(const std::string& stream) const {
    auto it = streams_.find(stream);
    return it == streams_.end() ? 0 : it->second.size();
  }

 private:
  template <class F>
  void later(F work) {
    bool fail = faults && random_.below(12) == 0;
    bool unknown = random_.below(2) == 0;
    // One after another, as a single writer does it.
    free_at_ = std::max(free_at_, world_.steady_now()) + std::chrono::microseconds(100 + random_.below(faults ? 20000 : 400));
    world_.after(free_at_ - world_.steady_now(), [this, epoch = epoch_, fail, unknown, work = std::move(work)]() mutable {
      if (epoch == epoch_) work(fail, unknown);
    });
  }
  template <class T, class F, class V>
  void answer(F done, V value) {
    world_.post([this, epoch = epoch_, done = std::move(done), value = Result<T>(std::move(value))]() mutable {
      if (epoch == epoch_) done(std::move(value));
    });
  }

  World& world_;
  Random& random_;
  std::uint64_t epoch_ = 0;
  store::Seq seq_ = 0;
  SteadyTime free_at_{};
  std::map<std::string, std::map<store::Seq, std::string>> streams_;
  std::map<std::string, std::map<std::string, store::Seq>> keys_;
  std::map<std::string, std::map<std::string, std::string>> buckets_;
};

}  // namespace fedgate::sim
