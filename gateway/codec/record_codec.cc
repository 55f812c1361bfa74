#include "gateway/codec/record_codec.h"

#include <google/protobuf/arena.h>

#include <google/protobuf/io/coded_stream.h>

#include <algorithm>
#include <utility>

#include "fedgate/v1/record.pb.h"
#include "gateway/codec/envelope_codec.h"

namespace fedgate::codec {
namespace {

std::unexpected<Error> damaged(const char* what) { return make_error(ErrorKind::kInternal, std::string("stored record is damaged: ") + what); }

std::string raw(std::string_view bytes) { return std::string(bytes); }

void decision_to(const model::Decision& decision, v1::StoredDecision& out) {
  out.set_decision_id(decision.id.text());
  out.set_target_network(decision.target_network);
  out.set_target_realm(decision.target_realm);
  out.set_verdict(static_cast<std::uint32_t>(decision.verdict));
  out.set_reason_code(decision.reason_code);
  out.set_rule(decision.rule);
  out.set_layer(std::string(model::to_text(decision.layer)));
  out.set_policy(decision.policy);
}

Result<model::Decision> decision_from(const v1::StoredDecision& stored) {
  auto id = model::DecisionId::from_text(stored.decision_id());
  if (!id || stored.verdict() > static_cast<std::uint32_t>(model::Verdict::kAllow)) return damaged("decision");
  model::Layer layer = stored.layer() == "L0" ? model::Layer::kInvariant : stored.layer() == "L1" ? model::Layer::kLabel : model::Layer::kRules;
  return model::Decision{*id, stored.target_network(), stored.target_realm(), static_cast<model::Verdict>(stored.verdict()), layer,
                         stored.reason_code(), stored.rule(), stored.policy()};
}

void delivery_to(const model::Delivery& delivery, v1::StoredDelivery& out) {
  out.set_delivery_id(raw(delivery.id.bytes()));
  out.set_network(delivery.network);
  to_proto(delivery.conversation, *out.mutable_conversation());
  out.set_part(delivery.part);
  out.set_parts(delivery.parts);
  out.set_cls(static_cast<std::uint32_t>(delivery.cls));
  if (delivery.body) to_proto(*delivery.body, *out.mutable_body());
}

Result<model::Delivery> delivery_from(const v1::StoredDelivery& stored) {
  auto id = model::DeliveryId::from_bytes(stored.delivery_id());
  auto conversation = from_proto(stored.conversation());
  if (!id || !conversation || stored.cls() > 1) return damaged("delivery");
  model::Delivery out{*id, stored.network(), std::move(*conversation), stored.part(), stored.parts(), static_cast<model::LaneClass>(stored.cls()), {}};
  if (stored.has_body()) {
    auto body = from_proto(stored.body());
    if (!body) return damaged("body of a delivery");
    out.body = std::move(*body);
  }
  return out;
}

template <class Out, class In, class Convert>
Result<std::vector<Out>> all_from(const In& stored, Convert convert) {
  std::vector<Out> out;
  out.reserve(static_cast<std::size_t>(stored.size()));
  for (const auto& one : stored) {
    auto converted = convert(one);
    if (!converted) return std::unexpected(converted.error());
    out.push_back(std::move(*converted));
  }
  return out;
}

Result<Record> accepted_from(const v1::Accepted& stored) {
  auto id = model::MessageId::from_bytes(stored.message_id());
  auto envelope = from_proto(stored.envelope());
  auto decisions = all_from<model::Decision>(stored.decisions(), decision_from);
  auto deliveries = all_from<model::Delivery>(stored.deliveries(), delivery_from);
  if (!id) return damaged("message id");
  if (!envelope) return damaged(envelope.error().message.c_str());
  if (!decisions) return std::unexpected(decisions.error());
  if (!deliveries) return std::unexpected(deliveries.error());
  envelope->id = *id;
  return AcceptedRecord{std::move(*envelope), std::move(*decisions), std::move(*deliveries)};
}

Result<Record> settled_from(const v1::Settled& stored) {
  auto delivery = model::DeliveryId::from_bytes(stored.delivery_id());
  auto message = model::MessageId::from_bytes(stored.message_id());
  auto notices = all_from<model::Delivery>(stored.notices(), delivery_from);
  if (!delivery || !message || stored.outcome() >= static_cast<std::uint32_t>(model::kOutcomes)) return damaged("settlement");
  if (!notices) return std::unexpected(notices.error());
  return SettledRecord{{*delivery, *message, static_cast<model::Outcome>(stored.outcome()), {stored.native_ids().begin(), stored.native_ids().end()},
                        stored.reason_code(), stored.reason(), stored.at_ms(), stored.attempts()},
                       std::move(*notices)};
}

Result<Record> record_from(const v1::Record& record) {
  switch (record.kind_case()) {
    case v1::Record::kAccepted: return accepted_from(record.accepted());
    case v1::Record::kSettled: return settled_from(record.settled());
    case v1::Record::kRequeued: {
      auto delivery = model::DeliveryId::from_bytes(record.requeued().delivery_id());
      auto message = model::MessageId::from_bytes(record.requeued().message_id());
      if (!delivery || !message) return damaged("requeued");
      return RequeuedRecord{*delivery, *message, record.requeued().at_ms()};
    }
    default: return damaged("unknown kind of record");
  }
}

bool needs_envelope_body(std::span<const model::Delivery> deliveries) {
  return std::any_of(deliveries.begin(), deliveries.end(), [](const model::Delivery& delivery) { return !delivery.body; });
}

}  // namespace

// One message of each kind, cleared and filled again: its parts and strings keep their memory. Within a Record, a oneof, they would be made anew each time.
struct BatchEncoder::Scratch {
  v1::Accepted accepted;
  v1::Settled settled;
  v1::Requeued requeued;
};

BatchEncoder::BatchEncoder() : scratch_(std::make_unique<Scratch>()) {}
BatchEncoder::~BatchEncoder() = default;
BatchEncoder::BatchEncoder(BatchEncoder&&) noexcept = default;
BatchEncoder& BatchEncoder::operator=(BatchEncoder&&) noexcept = default;

template <class Message>
void BatchEncoder::append_record(int field, const Message& message) {
  // JournalBatch is `repeated Record records = 1`, and a Record has the message in one of its fields: tag, length, tag, length, bytes. A batch is never built as a tree.
  using google::protobuf::io::CodedOutputStream;
  constexpr std::uint8_t kLengthDelimited = 2;
  std::size_t size = message.ByteSizeLong();
  std::size_t record_size = 1 + CodedOutputStream::VarintSize64(size) + size;
  std::size_t before = encoded_.size();
  encoded_.resize(before + 1 + CodedOutputStream::VarintSize64(record_size) + record_size);
  auto* at = reinterpret_cast<std::uint8_t*>(encoded_.data() + before);
  *at++ = v1::JournalBatch::kRecordsFieldNumber << 3 | kLengthDelimited;
  at = CodedOutputStream::WriteVarint64ToArray(record_size, at);
  *at++ = static_cast<std::uint8_t>(field << 3 | kLengthDelimited);
  at = CodedOutputStream::WriteVarint64ToArray(size, at);
  message.SerializeWithCachedSizesToArray(at);
  ++records_;
}

void BatchEncoder::add_accepted(const model::Envelope& envelope, std::span<const model::Decision> decisions,
                                std::span<const model::Delivery> deliveries) {
  auto& accepted = scratch_->accepted;
  accepted.Clear();
  accepted.set_message_id(raw(envelope.id.bytes()));
  to_proto_without_body(envelope, *accepted.mutable_envelope());
  accepted.mutable_envelope()->clear_id();
  if (needs_envelope_body(deliveries)) {
    to_proto(envelope.body, *accepted.mutable_envelope()->mutable_body());
  } else {
    // The kind stays, for trace and policy; the content goes.
    model::Kind kind = model::kind_of(envelope.body);
    to_proto(model::Body(model::Uncarried{kind, {}, false}), *accepted.mutable_envelope()->mutable_body());
  }
  for (const auto& decision : decisions) decision_to(decision, *accepted.add_decisions());
  for (const auto& delivery : deliveries) delivery_to(delivery, *accepted.add_deliveries());
  append_record(v1::Record::kAcceptedFieldNumber, accepted);
}

void BatchEncoder::add_settled(const model::Settlement& settlement, std::span<const model::Delivery> notices) {
  auto& settled = scratch_->settled;
  settled.Clear();
  settled.set_delivery_id(raw(settlement.delivery.bytes()));
  settled.set_message_id(raw(settlement.message.bytes()));
  settled.set_outcome(static_cast<std::uint32_t>(settlement.outcome));
  for (const auto& id : settlement.native_ids) settled.add_native_ids(id);
  settled.set_reason_code(settlement.reason_code);
  settled.set_reason(settlement.reason);
  settled.set_at_ms(settlement.at_ms);
  settled.set_attempts(settlement.attempts);
  for (const auto& notice : notices) delivery_to(notice, *settled.add_notices());
  append_record(v1::Record::kSettledFieldNumber, settled);
}

void BatchEncoder::add_requeued(const RequeuedRecord& record) {
  auto& requeued = scratch_->requeued;
  requeued.Clear();
  requeued.set_delivery_id(raw(record.delivery.bytes()));
  requeued.set_message_id(raw(record.message.bytes()));
  requeued.set_at_ms(record.at_ms);
  append_record(v1::Record::kRequeuedFieldNumber, requeued);
}

std::string BatchEncoder::take() {
  records_ = 0;
  return std::exchange(encoded_, {});
}

Result<std::vector<Record>> decode_batch(std::string_view bytes) {
  google::protobuf::Arena arena;
  auto* batch = google::protobuf::Arena::CreateMessage<v1::JournalBatch>(&arena);
  if (!batch->ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) return damaged("journal batch");
  return all_from<Record>(batch->records(), record_from);
}

std::string encode_history_chunk(std::span<const HistoryEntry> entries, std::int64_t written_at_ms) {
  google::protobuf::Arena arena;
  auto* chunk = google::protobuf::Arena::CreateMessage<v1::HistoryChunk>(&arena);
  chunk->set_written_at_ms(written_at_ms);
  for (const auto& entry : entries) {
    auto& out = *chunk->add_entries();
    out.set_message_id(raw(entry.id.bytes()));
    out.set_network(entry.network);
    out.set_native_id(entry.native_id);
    out.set_sender(entry.sender);
    to_proto(entry.conversation, *out.mutable_conversation());
    out.set_kind(static_cast<std::uint32_t>(entry.kind));
    out.set_rank(static_cast<std::uint32_t>(entry.rank));
    out.set_sent_at_ms(entry.sent_at_ms);
    out.set_accepted_at_ms(entry.accepted_at_ms);
    for (const auto& decision : entry.decisions) decision_to(decision, *out.add_decisions());
    for (const auto& delivery : entry.deliveries) {
      auto& to = *out.add_deliveries();
      to.set_delivery_id(raw(delivery.id.bytes()));
      to.set_network(delivery.network);
      to_proto(delivery.conversation, *to.mutable_conversation());
      to.set_part(delivery.part);
      to.set_cls(static_cast<std::uint32_t>(delivery.cls));
      to.set_outcome(static_cast<std::uint32_t>(delivery.outcome));
      for (const auto& id : delivery.native_ids) to.add_native_ids(id);
      to.set_reason_code(delivery.reason_code);
      to.set_reason(delivery.reason);
      to.set_settled_at_ms(delivery.settled_at_ms);
      to.set_attempts(delivery.attempts);
    }
  }
  return chunk->SerializeAsString();
}

namespace {

Result<HistoryDelivery> history_delivery_from(const v1::HistoryDelivery& stored) {
  auto id = model::DeliveryId::from_bytes(stored.delivery_id());
  auto conversation = from_proto(stored.conversation());
  if (!id || !conversation || stored.cls() > 1 || stored.outcome() >= static_cast<std::uint32_t>(model::kOutcomes))
    return damaged("delivery of a history entry");
  return HistoryDelivery{*id, stored.network(), std::move(*conversation), stored.part(), static_cast<model::LaneClass>(stored.cls()),
                         static_cast<model::Outcome>(stored.outcome()), {stored.native_ids().begin(), stored.native_ids().end()},
                         stored.reason_code(), stored.reason(), stored.settled_at_ms(), stored.attempts()};
}

Result<HistoryEntry> history_entry_from(const v1::HistoryEntry& stored) {
  auto id = model::MessageId::from_bytes(stored.message_id());
  auto conversation = from_proto(stored.conversation());
  auto decisions = all_from<model::Decision>(stored.decisions(), decision_from);
  auto deliveries = all_from<HistoryDelivery>(stored.deliveries(), history_delivery_from);
  if (!id || !conversation || stored.kind() >= static_cast<std::uint32_t>(model::kKinds) || stored.rank() >= static_cast<std::uint32_t>(model::kRanks))
    return damaged("history entry");
  if (!decisions) return std::unexpected(decisions.error());
  if (!deliveries) return std::unexpected(deliveries.error());
  return HistoryEntry{*id, stored.network(), stored.native_id(), stored.sender(), std::move(*conversation), static_cast<model::Kind>(stored.kind()),
                      static_cast<model::Rank>(stored.rank()), stored.sent_at_ms(), stored.accepted_at_ms(), std::move(*decisions), std::move(*deliveries)};
}

}  // namespace

Result<std::vector<HistoryEntry>> decode_history_chunk(std::string_view bytes) {
  google::protobuf::Arena arena;
  auto* chunk = google::protobuf::Arena::CreateMessage<v1::HistoryChunk>(&arena);
  if (!chunk->ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) return damaged("history chunk");
  return all_from<HistoryEntry>(chunk->entries(), history_entry_from);
}

Result<void> index_history_chunk(std::string_view bytes, const std::function<void(const HistoryNames&)>& visit) {
  google::protobuf::Arena arena;
  auto* chunk = google::protobuf::Arena::CreateMessage<v1::HistoryChunk>(&arena);
  if (!chunk->ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) return damaged("history chunk");
  HistoryNames names;
  for (const auto& entry : chunk->entries()) {
    auto id = model::MessageId::from_bytes(entry.message_id());
    if (!id) return damaged("history entry");
    names.id = *id;
    names.native_id = entry.native_id();
    names.accepted_at_ms = entry.accepted_at_ms();
    names.deliveries.clear();
    names.target_native_ids.clear();
    for (const auto& delivery : entry.deliveries()) {
      auto delivery_id = model::DeliveryId::from_bytes(delivery.delivery_id());
      if (!delivery_id) return damaged("delivery of a history entry");
      if (delivery.cls() == static_cast<std::uint32_t>(model::LaneClass::kMessage)) names.deliveries.push_back(*delivery_id);
      for (const auto& native_id : delivery.native_ids()) names.target_native_ids.push_back(native_id);
    }
    names.refusals.clear();
    for (const auto& decision : entry.decisions()) {
      auto decision_id = model::DecisionId::from_text(decision.decision_id());
      if (!decision_id) return damaged("decision of a history entry");
      if (decision.verdict() != static_cast<std::uint32_t>(model::Verdict::kAllow)) names.refusals.push_back(*decision_id);
    }
    visit(names);
  }
  return {};
}

std::int64_t history_chunk_written_at(std::string_view bytes) {
  v1::HistoryChunk chunk;
  return chunk.ParseFromArray(bytes.data(), static_cast<int>(bytes.size())) ? chunk.written_at_ms() : 0;
}

}  // namespace fedgate::codec
