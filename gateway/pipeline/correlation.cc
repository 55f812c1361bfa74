#include "gateway/pipeline/correlation.h"

#include <algorithm>
#include <string>

namespace fedgate::pipeline {
namespace {
std::uint64_t hash_of(std::string_view text) {
  // FNV-1a with a final mix; collisions cost a chunk read, nothing else.
  std::uint64_t h = 0xcbf29ce484222325ULL;
  for (unsigned char c : text) h = (h ^ c) * 0x100000001b3ULL;
  h ^= h >> 32;
  h *= 0xd6e8feb86659fd93ULL;
  return h ^ (h >> 32);
}
}  // namespace

void Correlation::add(const model::MessageId& message, std::string_view native_id, Chunk chunk) {
  messages_.insert_or_assign(message, chunk);
  names_.insert_or_assign(hash_of(native_id), chunk);
}

void Correlation::add_delivery(const model::DeliveryId& delivery, Chunk chunk) { names_.insert_or_assign(hash_of(delivery.bytes()), chunk); }

void Correlation::add_decision(const model::DecisionId& decision, Chunk chunk) { names_.insert_or_assign(hash_of(decision.bytes()), chunk); }

void Correlation::add_native_id(std::string_view native_id, Chunk chunk) { names_.insert_or_assign(hash_of(native_id), chunk); }

std::vector<Correlation::Chunk> Correlation::find(std::string_view text) const {
  std::vector<Chunk> chunks;
  auto take = [&](Chunk chunk) {
    if (std::find(chunks.begin(), chunks.end(), chunk) == chunks.end()) chunks.push_back(chunk);
  };
  if (auto id = model::MessageId::from_text(text))
    if (auto it = messages_.find(*id); it != messages_.end()) take(it->second);
  if (auto id = model::DeliveryId::from_text(text))
    if (auto it = names_.find(hash_of(id->bytes())); it != names_.end()) take(it->second);
  if (auto it = names_.find(hash_of(text)); it != names_.end()) take(it->second);
  return chunks;
}

void Correlation::drop(Chunk chunk) {
  boost::unordered::erase_if(messages_, [&](const auto& entry) { return entry.second == chunk; });
  boost::unordered::erase_if(names_, [&](const auto& entry) { return entry.second == chunk; });
}

std::size_t Correlation::bytes() const {
  // One metadata byte per slot and 15 slots per group of 16 bytes.
  auto of = [](const auto& map) { return map.bucket_count() * sizeof(typename std::decay_t<decltype(map)>::value_type) + map.bucket_count() * 16 / 15; };
  return of(messages_) + of(names_);
}

}  // namespace fedgate::pipeline
