// The envelope that is measured everywhere: a text of `body_bytes` from a Matrix user to an XMPP user, about 1 KiB as a record with 600 bytes of body.
#pragma once

#include <string>

#include "gateway/model/decision.h"
#include "gateway/model/delivery.h"
#include "gateway/model/envelope.h"

namespace fedgate::bench {

inline model::Envelope sample_envelope(std::uint64_t number, std::size_t body_bytes) {
  model::Envelope envelope;
  envelope.network = "bund";
  envelope.native_id = "$" + std::string(31, 'e') + std::to_string(1000000000000 + number);
  envelope.dedup_key = envelope.native_id;
  envelope.id = model::derive_message_id(envelope.network, envelope.dedup_key);
  envelope.sender = {{"bund", "@alice" + std::to_string(number % 1000) + ":bund.example"}, "Alice Beispiel", model::Assurance::kAccount};
  envelope.conversation = model::Conversation::direct({"bpol", "anna" + std::to_string(number % 1000) + "@polizei.example"});
  envelope.sent_at_ms = 1795407000000;
  envelope.label.rank = model::Rank::kInternal;
  envelope.label.source = model::LabelSource::kPeerDefault;
  envelope.protection = model::Protection::kTls;
  envelope.body = model::Text{std::string(body_bytes, 'x'), {}, false, {}};
  return envelope;
}

inline model::Decision sample_decision(const model::Envelope& envelope) {
  return {model::derive_decision_id(envelope.id, "bpol", "de-fed"), "bpol", "de-fed", model::Verdict::kAllow, model::Layer::kRules, {}, "A1-agencies",
          "two-agencies@1"};
}

inline model::Delivery sample_delivery(const model::Envelope& envelope) {
  model::Delivery delivery;
  delivery.network = "bpol";
  delivery.conversation = model::Conversation::direct(envelope.conversation.peer);
  delivery.id = model::derive_delivery_id(envelope.id, delivery.network, delivery.conversation.key(), 0, "message");
  return delivery;
}

}  // namespace fedgate::bench
