// Records of the journal and chunks of the history: model to bytes and back (proto/fedgate/v1/record.proto).
//
// Pure; any thread, one encoder per thread. Decoding never trusts the bytes: a damaged store is an Error, not undefined behaviour. The header knows no protobuf.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "gateway/base/result.h"
#include "gateway/model/decision.h"
#include "gateway/model/delivery.h"
#include "gateway/model/envelope.h"

namespace fedgate::codec {

struct AcceptedRecord {
  model::Envelope envelope;
  std::vector<model::Decision> decisions;
  std::vector<model::Delivery> deliveries;
  friend bool operator==(const AcceptedRecord&, const AcceptedRecord&) = default;
};

struct SettledRecord {
  model::Settlement settlement;
  std::vector<model::Delivery> notices;  // told to the sender because of it
  friend bool operator==(const SettledRecord&, const SettledRecord&) = default;
};

struct RequeuedRecord {
  model::DeliveryId delivery;
  model::MessageId message;
  std::int64_t at_ms = 0;
  friend bool operator==(const RequeuedRecord&, const RequeuedRecord&) = default;
};

using Record = std::variant<AcceptedRecord, SettledRecord, RequeuedRecord>;

// Collects the records of one group commit. Encodes at once, so that the caller may change its values afterwards.
class BatchEncoder {
 public:
  BatchEncoder();
  ~BatchEncoder();
  BatchEncoder(BatchEncoder&&) noexcept;
  BatchEncoder& operator=(BatchEncoder&&) noexcept;

  // The body is left out when no delivery needs it: what was refused to everybody leaves no content behind.
  void add_accepted(const model::Envelope& envelope, std::span<const model::Decision> decisions, std::span<const model::Delivery> deliveries);
  void add_settled(const model::Settlement& settlement, std::span<const model::Delivery> notices);
  void add_requeued(const RequeuedRecord& record);

  std::size_t bytes() const { return encoded_.size(); }
  std::size_t records() const { return records_; }
  // The JournalBatch; the encoder is empty afterwards.
  std::string take();

 private:
  struct Scratch;
  template <class Message>
  void append_record(int field, const Message& message);

  std::unique_ptr<Scratch> scratch_;
  std::string encoded_;
  std::size_t records_ = 0;
};

Result<std::vector<Record>> decode_batch(std::string_view bytes);

struct HistoryDelivery {
  model::DeliveryId id;
  std::string network;
  model::Conversation conversation;
  std::uint32_t part = 0;
  model::LaneClass cls = model::LaneClass::kMessage;
  model::Outcome outcome = model::Outcome::kPending;
  std::vector<std::string> native_ids;
  std::string reason_code;
  std::string reason;
  std::int64_t settled_at_ms = 0;
  std::uint32_t attempts = 0;
  friend bool operator==(const HistoryDelivery&, const HistoryDelivery&) = default;
};

// What stays of a message after its end; never content.
struct HistoryEntry {
  model::MessageId id;
  std::string network;
  std::string native_id;
  std::string sender;
  model::Conversation conversation;
  model::Kind kind = model::Kind::kText;
  model::Rank rank = model::Rank::kTopSecret;
  std::int64_t sent_at_ms = 0;
  std::int64_t accepted_at_ms = 0;
  std::vector<model::Decision> decisions;
  std::vector<HistoryDelivery> deliveries;
  friend bool operator==(const HistoryEntry&, const HistoryEntry&) = default;
};

std::string encode_history_chunk(std::span<const HistoryEntry> entries, std::int64_t written_at_ms);
Result<std::vector<HistoryEntry>> decode_history_chunk(std::string_view bytes);

// The names by which a message of a chunk is found, for the index; the rest is not looked at.
struct HistoryNames {
  model::MessageId id;
  std::string_view native_id;
  std::int64_t accepted_at_ms = 0;
  std::vector<model::DeliveryId> deliveries;  // of messages, not of notices
  std::vector<model::DecisionId> refusals;
  std::vector<std::string_view> target_native_ids;
};
// The views are valid during the visit. On an Error some entries may have been visited.
Result<void> index_history_chunk(std::string_view bytes, const std::function<void(const HistoryNames&)>& visit);
// When the chunk was written; 0 if the bytes are no chunk. Reads nothing else.
std::int64_t history_chunk_written_at(std::string_view bytes);

}  // namespace fedgate::codec
