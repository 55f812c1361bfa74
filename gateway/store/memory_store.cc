#include "gateway/store/memory_store.h"

#include "gateway/store/limits.h"

namespace fedgate::store {

void MemoryStore::append(std::string_view stream, std::string_view dedup_key, std::string bytes, AppendDone done) {
  auto answer = [&](Result<Seq> result) {
    scheduler_.post([done = std::move(done), result = std::move(result)]() mutable { done(std::move(result)); });
  };
  if (auto ok = check_entry(bytes.size()); !ok) return answer(std::unexpected(ok.error()));
  Stream& target = streams_[std::string(stream)];
  if (!dedup_key.empty())
    for (const auto& [key, seq] : target.dedup)
      if (key == dedup_key) return answer(seq);
  Seq seq = ++target.last;
  target.entries.emplace(seq, std::move(bytes));
  target.dedup.emplace_back(dedup_key, seq);
  if (target.dedup.size() > kDedupWindow) target.dedup.pop_front();
  answer(seq);
}

Result<std::vector<Entry>> MemoryStore::read_after(std::string_view stream, Seq after, std::size_t bytes_max) {
  std::vector<Entry> out;
  auto found = streams_.find(stream);
  if (found == streams_.end()) return out;
  std::size_t bytes = 0;
  for (auto it = found->second.entries.upper_bound(after); it != found->second.entries.end(); ++it) {
    if (!out.empty() && bytes + it->second.size() > bytes_max) break;
    bytes += it->second.size();
    out.push_back({it->first, it->second});
  }
  return out;
}

void MemoryStore::erase(std::string_view stream, std::vector<Seq> seqs, Done done) {
  if (auto found = streams_.find(stream); found != streams_.end())
    for (Seq seq : seqs) found->second.entries.erase(seq);
  scheduler_.post([done = std::move(done)]() mutable { done({}); });
}

Result<std::optional<KeyEntry>> MemoryStore::get(std::string_view bucket, std::string_view key) {
  auto found = keys_.find({std::string(bucket), std::string(key)});
  if (found == keys_.end()) return std::nullopt;
  return found->second;
}

void MemoryStore::put(std::string_view bucket, std::string_view key, std::string value, std::optional<Revision> expected, PutDone done) {
  Result<Revision> result = [&]() -> Result<Revision> {
    if (auto ok = check_key_value(key.size(), value.size()); !ok) return std::unexpected(ok.error());
    BucketKey name{bucket, key};
    auto found = keys_.find(name);
    Revision current = found == keys_.end() ? 0 : found->second.revision;
    if (expected && *expected != current) return conflict(key, current);
    keys_[name] = KeyEntry{std::string(key), std::move(value), ++last_revision_};
    return last_revision_;
  }();
  scheduler_.post([done = std::move(done), result = std::move(result)]() mutable { done(std::move(result)); });
}

void MemoryStore::erase(std::string_view bucket, std::string_view key, PutDone done) {
  keys_.erase({std::string(bucket), std::string(key)});
  scheduler_.post([done = std::move(done)]() mutable { done(Revision{0}); });
}

Result<std::vector<KeyEntry>> MemoryStore::scan(std::string_view bucket, std::string_view prefix) {
  std::vector<KeyEntry> out;
  for (auto it = keys_.lower_bound({std::string(bucket), std::string(prefix)}); it != keys_.end(); ++it) {
    if (it->first.first != bucket || !it->first.second.starts_with(prefix)) break;
    out.push_back(it->second);
  }
  return out;
}

}  // namespace fedgate::store
