#include <doctest/doctest.h>

#include <array>

#include "fedgate/v1/envelope.pb.h"
#include "gateway/codec/envelope_codec.h"
#include "gateway/codec/link_codec.h"
#include "gateway/codec/record_codec.h"

namespace fedgate::codec {
namespace {

model::Envelope full_envelope() {
  model::Envelope envelope;
  envelope.network = "bund";
  envelope.native_id = "$event";
  envelope.dedup_key = "$event";
  envelope.id = model::derive_message_id("bund", "$event");
  envelope.revision = 2;
  envelope.sender = {{"bund", "@alice:bund.example"}, "Alice 🙂", model::Assurance::kAccount};
  envelope.conversation = model::Conversation::in_room("!room");
  envelope.sent_at_ms = 5;
  envelope.accepted_at_ms = 6;
  envelope.label = {"de", "VS-NfD", model::Rank::kRestricted, {{"rel", model::CategoryType::kPermissive, {"DEU"}}}, model::LabelSource::kExplicit,
                    "alice", 1, 2, "VS-NUR", std::string("\0\xff", 2), "ess", {}};
  envelope.label.equivalents.push_back({});
  envelope.hops = {"gw-a", "gw-b"};
  envelope.protection = model::Protection::kTls;
  envelope.reply_to = {"$a", "b"};
  envelope.thread = {"$c", "d"};
  envelope.body = model::Text{"hello", "<b>hello</b>", true, {{{"bpol", "anna@x"}, 1, 2}}};
  return envelope;
}

model::Delivery delivery_of(const model::Envelope& envelope, bool own_body) {
  model::Delivery delivery;
  delivery.network = "bpol";
  delivery.conversation = model::Conversation::direct({"bpol", "anna@x"});
  delivery.part = 1;
  delivery.parts = 3;
  delivery.cls = own_body ? model::LaneClass::kNotice : model::LaneClass::kMessage;
  delivery.id = model::derive_delivery_id(envelope.id, "bpol", delivery.conversation.key(), 1, "message");
  if (own_body) delivery.body = model::Notice{model::Notice::State::kRefused, "$event", "NO_ALLOW_RULE", "d", "words", "bpol"};
  return delivery;
}

TEST_CASE("codec: every field of an envelope survives the way to protobuf and back") {
  model::Envelope envelope = full_envelope();
  v1::Envelope wire;
  to_proto(envelope, wire);
  auto back = from_proto(wire);
  REQUIRE(back.has_value());
  CHECK(*back == envelope);
}

TEST_CASE("codec: a batch gives back its records in order") {
  model::Envelope envelope = full_envelope();
  std::array decisions = {model::Decision{model::derive_decision_id(envelope.id, "bpol", "de-fed"), "bpol", "de-fed", model::Verdict::kAllow,
                                          model::Layer::kRules, {}, "A1", "p@1"}};
  std::array deliveries = {delivery_of(envelope, false)};
  std::array notices = {delivery_of(envelope, true)};
  model::Settlement settlement{deliveries[0].id, envelope.id, model::Outcome::kDead, {"x", "y"}, "CODE", "words", 77, 3};
  BatchEncoder encoder;
  encoder.add_accepted(envelope, decisions, deliveries);
  encoder.add_settled(settlement, notices);
  encoder.add_requeued({deliveries[0].id, envelope.id, 9});
  CHECK(encoder.records() == 3);
  auto records = decode_batch(encoder.take());
  CHECK(encoder.bytes() == 0);
  REQUIRE(records.has_value());
  REQUIRE(records->size() == 3);
  CHECK(std::get<AcceptedRecord>((*records)[0]) == AcceptedRecord{envelope, {decisions[0]}, {deliveries[0]}});
  CHECK(std::get<SettledRecord>((*records)[1]) == SettledRecord{settlement, {notices[0]}});
  CHECK(std::get<RequeuedRecord>((*records)[2]) == RequeuedRecord{deliveries[0].id, envelope.id, 9});
}

TEST_CASE("codec: a message that was refused to everybody is stored without its body") {
  model::Envelope envelope = full_envelope();
  std::array notices = {delivery_of(envelope, true)};
  BatchEncoder encoder;
  encoder.add_accepted(envelope, {}, notices);
  std::string bytes = encoder.take();
  CHECK(bytes.find("hello") == std::string::npos);
  auto records = decode_batch(bytes);
  REQUIRE(records.has_value());
  CHECK(model::kind_of(std::get<AcceptedRecord>((*records)[0]).envelope.body) == model::Kind::kText);
}

TEST_CASE("codec: damaged bytes are an error, whatever was cut or changed") {
  model::Envelope envelope = full_envelope();
  std::array deliveries = {delivery_of(envelope, false)};
  BatchEncoder encoder;
  encoder.add_accepted(envelope, {}, deliveries);
  std::string bytes = encoder.take();
  for (std::size_t length = 1; length < bytes.size(); ++length) CHECK_FALSE(decode_batch(std::string_view(bytes).substr(0, length)).has_value());
  for (std::size_t at = 0; at < bytes.size(); ++at) {
    std::string changed = bytes;
    changed[at] = static_cast<char>(changed[at] ^ 0x5a);
    (void)decode_batch(changed);  // must not crash; a changed letter may still decode
  }
}

TEST_CASE("codec: what a peer may not send is refused with the field's name") {
  auto refused = [](auto change, const char* word) {
    v1::Envelope wire;
    to_proto(full_envelope(), wire);
    change(wire);
    auto result = from_proto(wire);
    REQUIRE_FALSE(result.has_value());
    CHECK(result.error().message.find(word) != std::string::npos);
  };
  refused([](v1::Envelope& e) { e.set_native_id(std::string(2000, 'x')); }, "native_id");
  refused([](v1::Envelope& e) { e.set_dedup_key(std::string(513, 'x')); }, "dedup_key");
  refused([](v1::Envelope& e) { e.clear_conversation(); }, "conversation");
  refused([](v1::Envelope& e) { e.mutable_body()->Clear(); }, "body");
  refused([](v1::Envelope& e) { e.mutable_label()->set_rank(6); }, "label.rank");
  refused([](v1::Envelope& e) { e.set_id("short"); }, "id");
  refused([](v1::Envelope& e) { e.set_native_id(std::string("a\0b", 3)); }, "native_id");
  refused([](v1::Envelope& e) { for (int i = 0; i < 20; ++i) e.mutable_provenance()->add_hops("h"); }, "hops");
}

TEST_CASE("codec: kinds that are not carried keep their kind") {
  v1::Body wire;
  wire.mutable_reaction()->add_emoji("👍");
  auto body = from_proto(wire);
  REQUIRE(body.has_value());
  CHECK(model::kind_of(*body) == model::Kind::kReaction);
  v1::Body again;
  to_proto(*body, again);
  CHECK(model::kind_of(*from_proto(again)) == model::Kind::kReaction);
}

TEST_CASE("codec: history and links give back what was put in") {
  model::Envelope envelope = full_envelope();
  HistoryEntry entry{envelope.id, "bund", "$event", "@alice:bund.example", envelope.conversation, model::Kind::kText, model::Rank::kInternal, 1, 2, {},
                     {{model::derive_delivery_id(envelope.id, "n", "c", 0, "message"), "bpol", model::Conversation::in_room("r"), 0, model::LaneClass::kMessage,
                       model::Outcome::kDelivered, {"id"}, "", "", 3, 1}}};
  std::array entries = {entry};
  std::string bytes = encode_history_chunk(entries, 42);
  auto back = decode_history_chunk(bytes);
  REQUIRE(back.has_value());
  CHECK(back->front() == entry);
  CHECK(history_chunk_written_at(bytes) == 42);
  StoredLink link{"id", StoredLink::State::kSuspended, {{"bund", "!r", "who", 3}}, true, "note", 4};
  CHECK(*decode_link(encode_link(link)) == link);
  CHECK_FALSE(decode_link("\xff\xff").has_value());
}

}  // namespace
}  // namespace fedgate::codec
