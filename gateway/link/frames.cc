#include "gateway/link/frames.h"

#include "gateway/codec/envelope_codec.h"

namespace fedgate::link {
namespace {

model::Sender sender_from(const v1::Sender& sender) {
  auto assurance = v1::Assurance_IsValid(sender.assurance()) ? static_cast<model::Assurance>(sender.assurance()) : model::Assurance::kNone;
  return {{sender.address().network(), sender.address().native_id()}, sender.display_name(), assurance};
}

v1::Verdict::Outcome outcome_to(pipeline::SubmitVerdict::Outcome outcome) {
  using From = pipeline::SubmitVerdict::Outcome;
  switch (outcome) {
    case From::kAccepted: return v1::Verdict::ACCEPTED;
    case From::kPartly: return v1::Verdict::PARTLY;
    case From::kRefused: return v1::Verdict::REFUSED;
    case From::kDuplicate: return v1::Verdict::DUPLICATE;
    case From::kIgnored: return v1::Verdict::IGNORED;
    case From::kWait: return v1::Verdict::WAIT;
    case From::kInvalid: return v1::Verdict::INVALID;
  }
  return v1::Verdict::INVALID;
}

}  // namespace

Result<pipeline::Hello> hello_from(const v1::Hello& hello) {
  if (hello.protocol_version() != 1)
    return make_error(ErrorKind::kInvalid, "protocol_version " + std::to_string(hello.protocol_version()) + " is not spoken here: this core speaks 1");
  pipeline::Hello out{hello.adapter(), hello.software(), {hello.networks().begin(), hello.networks().end()}, {}};
  for (const auto& [network, from] : hello.capabilities()) {
    render::Capabilities to;
    for (const auto& [feature, level] : from.features())
      if (v1::Level_IsValid(level)) to.features[feature] = static_cast<render::Level>(level);
    to.max_text_bytes = from.max_text_bytes();
    to.max_file_bytes = from.max_file_bytes();
    to.lane_window = from.lane_window() == 0 ? 1 : from.lane_window();
    to.refusals_in_transaction = from.refusals_in_transaction();
    out.capabilities[network] = std::move(to);
  }
  return out;
}

void welcome_to(const pipeline::Welcome& welcome, const std::string& session, v1::Welcome& out) {
  out.set_session(session);
  out.set_gateway(welcome.gateway);
  for (const auto& peer : welcome.peers) {
    auto* to = out.add_peers();
    to->set_network(peer.network);
    to->set_adapter(peer.adapter);
    to->set_realm(peer.realm);
  }
  for (const auto& state : welcome.state) {
    auto* to = out.add_state();
    to->set_network(state.network);
    to->set_key(state.key);
    to->set_value(state.value);
  }
  for (const auto& room : welcome.rooms) room_wanted_to(room, *out.add_rooms());
  out.set_submit_credit(welcome.submit_credit);
}

void verdict_to(const pipeline::SubmitVerdict& verdict, v1::Verdict& out) {
  out.set_ref(verdict.ref);
  out.set_outcome(outcome_to(verdict.outcome));
  if (!verdict.message.empty()) out.set_message_id(verdict.message.text());
  out.set_reason(verdict.reason);
  for (const auto& refusal : verdict.refusals) {
    auto* to = out.add_refusals();
    to->set_network(refusal.network);
    to->set_code(refusal.code);
    to->set_text(refusal.text);
    to->set_decision_id(refusal.decision_id);
  }
  out.set_retry_after_ms(verdict.retry_after_ms);
}

void deliver_to(const pipeline::DeliveryRequest& request, v1::Deliver& out) {
  out.set_delivery_id(request.delivery.id.text());
  out.set_network(request.delivery.network);
  codec::to_proto(request.delivery.conversation, *out.mutable_conversation());
  codec::to_proto_without_body(request.envelope, *out.mutable_envelope());
  codec::to_proto(request.body, *out.mutable_envelope()->mutable_body());
  out.set_part(request.delivery.part);
  out.set_parts(request.delivery.parts);
  out.set_redelivery(request.redelivery);
  out.set_delayed_since_ms(request.delayed_since_ms);
  out.set_lane(request.lane);
}

void room_wanted_to(const pipeline::RoomWanted& wanted, v1::RoomWanted& out) {
  out.set_network(wanted.network);
  out.set_room(wanted.room);
  out.set_presence(wanted.presence == pipeline::Presence::kBridged     ? v1::RoomWanted::BRIDGED
                   : wanted.presence == pipeline::Presence::kListening ? v1::RoomWanted::LISTENING
                                                                       : v1::RoomWanted::GONE);
}

Result<pipeline::DeliveryReport> report_from(const v1::DeliveryResult& result) {
  auto id = model::DeliveryId::from_text(result.delivery_id());
  if (!id) return make_error(ErrorKind::kInvalid, "delivery_id is not 26 characters of base32");
  using To = pipeline::DeliveryReport::Outcome;
  To outcome;
  switch (result.outcome()) {
    case v1::DeliveryResult::DELIVERED: outcome = To::kDelivered; break;
    case v1::DeliveryResult::RETRY: outcome = To::kRetry; break;
    case v1::DeliveryResult::REFUSED: outcome = To::kRefused; break;
    case v1::DeliveryResult::UNKNOWN: outcome = To::kUnknown; break;
    default: return make_error(ErrorKind::kInvalid, "a DeliveryResult has no outcome");
  }
  return pipeline::DeliveryReport{*id, outcome, {result.native_ids().begin(), result.native_ids().end()}, result.reason_code(), result.reason(),
                                  result.retry_after_ms(), result.network_down()};
}

pipeline::RoomState room_state_from(const v1::RoomState& state) {
  return {state.network(), state.room(), state.joined(), state.encrypted(), state.members_known(), {state.domains().begin(), state.domains().end()},
          state.name(), state.problem()};
}

pipeline::Command command_from(const v1::Command& command) {
  return {command.ref(), command.network(), command.room(), sender_from(command.sender()), command.sender_is_room_admin(), command.line()};
}

}  // namespace fedgate::link
