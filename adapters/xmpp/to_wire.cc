#include "adapters/xmpp/to_wire.h"

#include "adapters/xmpp/from_wire.h"

namespace fedgate::xmpp {

namespace {

constexpr const char* kStanzas = "urn:ietf:params:xml:ns:xmpp-stanzas";

struct Condition {
  std::string_view type;
  std::string_view name;
};

Condition condition_of(std::string_view code) {
  if (code == "NO_SUCH_USER" || code == "NO_SUCH_NETWORK") return {"cancel", "item-not-found"};
  if (code == "UNSUPPORTED_KIND" || code == "ENCRYPTED" || code == "ENCRYPTED_ROOM" || code == "TOO_LARGE") return {"modify", "not-acceptable"};
  if (code == "RATE_LIMITED" || code == "TEMPORARY") return {"wait", "resource-constraint"};
  if (code == "NOT_PERMITTED" || code == "NO_ALLOW_RULE") return {"auth", "forbidden"};
  if (code == "EXPIRED") return {"wait", "remote-server-timeout"};
  return {"modify", "policy-violation"};
}

void add_error(Element& reply, Condition condition, std::string_view text) {
  Element& error = reply.add("error");
  error.set("type", condition.type);
  error.add(std::string(condition.name), kStanzas);
  if (!text.empty()) error.add("text", kStanzas).with_text(text);
}

}  // namespace

std::optional<Element> message_stanza(const v1::Deliver& delivery, const std::string& from, const std::string& to, bool groupchat,
                                     const std::string& our_gateway) {
  const v1::Envelope& envelope = delivery.envelope();
  if (!envelope.body().has_text()) return std::nullopt;
  const v1::Text& text = envelope.body().text();
  Element message = make_stanza("message", from, to, groupchat ? "groupchat" : "chat", delivery.delivery_id());
  message.add("body").with_text(text.emote() ? "/me " + text.plain() : text.plain());
  message.add("origin-id", "urn:xmpp:sid:0").set("id", delivery.delivery_id());
  if (delivery.delayed_since_ms() > 0) message.add("delay", "urn:xmpp:delay").set("stamp", stamp_of(delivery.delayed_since_ms()));
  if (!groupchat) {
    message.add("request", "urn:xmpp:receipts");
    if (!envelope.sender().display_name().empty()) message.add("nick", "http://jabber.org/protocol/nick").with_text(envelope.sender().display_name());
  }
  Element& provenance = message.add("provenance", "urn:fedgate:provenance:0");
  for (const auto& hop : envelope.provenance().hops()) provenance.add("hop", "urn:fedgate:provenance:0").with_text(hop);
  provenance.add("hop", "urn:fedgate:provenance:0").with_text(our_gateway);
  return message;
}

std::string notice_text(const v1::Notice& notice) {
  std::string out = "fedgate: ";
  if (notice.state() == v1::Notice::REFUSED || notice.state() == v1::Notice::FAILED || notice.state() == v1::Notice::EXPIRED) out += "Your message was not delivered. ";
  if (notice.state() == v1::Notice::UNCERTAIN) out += "Your message may not have been delivered. ";
  if (notice.state() == v1::Notice::DELAYED) out += "Your message is delayed. ";
  out += notice.text();
  if (notice.state() == v1::Notice::INFORMATION) return out;
  std::string details = notice.reason_code();
  if (!notice.decision_id().empty()) details += (details.empty() ? "" : ", ") + notice.decision_id();
  return details.empty() ? out : out + " (" + details + ")";
}

Element refusal_stanza(const v1::Notice& notice, const std::string& from, const std::string& to) {
  Element reply = make_stanza("message", from, to, "error", notice.about_native_id());
  std::string text = notice.text();
  text += " (" + notice.reason_code() + (notice.decision_id().empty() ? "" : ", " + notice.decision_id()) + ")";
  add_error(reply, condition_of(notice.reason_code()), text);
  return reply;
}

Element error_reply(const Element& stanza, std::string_view type, std::string_view condition, std::string_view text) {
  Element reply = make_stanza(stanza.name, stanza.attribute("to"), stanza.attribute("from"), "error", stanza.attribute("id"));
  add_error(reply, {type, condition}, text);
  return reply;
}

}  // namespace fedgate::xmpp
