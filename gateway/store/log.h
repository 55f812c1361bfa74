// Log: append-only streams of opaque entries, in the words of the weakest implementation (JetStream).
//
// Promises: an entry whose Done got a Seq is durable and will be read back, in order, until erased. An append that failed left nothing behind, or says
// kUnavailable when that cannot be known; appending again with the same dedup_key is then safe: within the last 1,024 entries of a stream the same non-empty key yields
// the first Seq and no second entry. Seqs of one stream grow, with gaps.
// Threads: append, erase and sync reads are called from the owner's scheduler thread; Done is posted to that scheduler, never called inline.
// Limits: an entry is at most 8 MiB. Does not interpret entries, does not batch across calls from outside (the journal does).
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/base/result.h"

namespace fedgate::store {

using Seq = std::uint64_t;  // 0 is before the first

struct Entry {
  Seq seq = 0;
  std::string bytes;
};

class Log {
 public:
  using AppendDone = std::move_only_function<void(Result<Seq>)>;
  using Done = std::move_only_function<void(Result<void>)>;

  static constexpr std::size_t kEntryBytesMax = 8u << 20;
  static constexpr std::size_t kDedupWindow = 1024;

  virtual ~Log() = default;

  virtual void append(std::string_view stream, std::string_view dedup_key, std::string bytes, AppendDone done) = 0;

  // Blocking; for recovery and the operator's questions. Entries with seq > after, oldest first, at least one if there is any, about bytes_max in all.
  virtual Result<std::vector<Entry>> read_after(std::string_view stream, Seq after, std::size_t bytes_max) = 0;

  // Erases these entries; unknown ones are ignored. May be carried out lazily, but never comes undone.
  virtual void erase(std::string_view stream, std::vector<Seq> seqs, Done done) = 0;
};

}  // namespace fedgate::store
