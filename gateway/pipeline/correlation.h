// Correlation: what memory knows of ended messages: that they existed (duplicates) and in which history chunk the rest stands (trace). Nothing else.
//
// Owned by History; its thread. At most 140 bytes of memory per entry. A lookup by name goes by a 64-bit hash: it may name a chunk in which the message is not,
// so whoever asks reads the chunk and compares; and of two names with one hash only the later one is found.
#pragma once

#include <boost/unordered/unordered_flat_map.hpp>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "gateway/model/ids.h"
#include "gateway/store/log.h"

namespace fedgate::pipeline {

class Correlation {
 public:
  using Chunk = std::uint32_t;

  void add(const model::MessageId& message, std::string_view native_id, Chunk chunk);
  void add_delivery(const model::DeliveryId& delivery, Chunk chunk);
  void add_decision(const model::DecisionId& decision, Chunk chunk);
  void add_native_id(std::string_view native_id, Chunk chunk);  // that a target network gave
  bool contains(const model::MessageId& message) const { return messages_.contains(message); }
  std::vector<Chunk> find(std::string_view text) const;  // message, delivery or decision id, or native id anywhere
  void drop(Chunk chunk);
  std::size_t size() const { return messages_.size(); }
  std::size_t bytes() const;

 private:
  struct IdHash {
    using is_avalanching = void;
    std::size_t operator()(const model::MessageId& id) const { return id.hash(); }
  };
  struct Same {
    using is_avalanching = void;
    std::size_t operator()(std::uint64_t v) const { return v; }
  };
  boost::unordered_flat_map<model::MessageId, Chunk, IdHash> messages_;
  boost::unordered_flat_map<std::uint64_t, Chunk, Same> names_;
};

}  // namespace fedgate::pipeline
