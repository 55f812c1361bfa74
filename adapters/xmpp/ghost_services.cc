#include "adapters/xmpp/ghost_services.h"

#include "adapters/xmpp/to_wire.h"

namespace fedgate::xmpp {

namespace {

constexpr const char* kDiscoInfo = "http://jabber.org/protocol/disco#info";
constexpr const char* kDiscoItems = "http://jabber.org/protocol/disco#items";
constexpr const char* kGateway = "jabber:iq:gateway";

Element result_of(const Element& iq) { return make_stanza("iq", iq.attribute("to"), iq.attribute("from"), "result", iq.attribute("id")); }

}  // namespace

void GhostServices::name(const std::string& ghost_bare, const std::string& display_name) {
  if (display_name.empty()) return;
  if (names_.size() > kNamesMax) names_.clear();
  names_[ghost_bare] = display_name;
}

Element GhostServices::disco_info(const Element& iq, const Jid& to) const {
  Element out = result_of(iq);
  Element& query = out.add("query", kDiscoInfo);
  std::vector<const char*> features = {kDiscoInfo, "urn:xmpp:ping", "vcard-temp"};
  if (to.local.empty()) {
    query.add("identity", kDiscoInfo).set("category", "gateway").set("type", "matrix").set("name", "fedgate");
    features.insert(features.end(), {kDiscoItems, kGateway, "jid\\20escaping"});
  } else {
    query.add("identity", kDiscoInfo).set("category", "client").set("type", "pc").set("name", "fedgate");
    features.push_back("urn:xmpp:receipts");
  }
  for (const char* feature : features) query.add("feature", kDiscoInfo).set("var", feature);
  return out;
}

Element GhostServices::answer_iq(const Element& iq, const Jid& to) const {
  bool own = to.local.empty() || to.bare() == config_.own_bare();
  if (!own && !exists_(to.local)) return error_reply(iq, "cancel", "item-not-found", "");
  bool get = iq.attribute("type") == "get";
  if (iq.child("ping", "urn:xmpp:ping") != nullptr && get) return result_of(iq);
  if (iq.child("query", kDiscoInfo) != nullptr && get) return disco_info(iq, to);
  if (iq.child("query", kDiscoItems) != nullptr && get) {
    Element out = result_of(iq);
    out.add("query", kDiscoItems);
    return out;
  }
  if (iq.child("vCard", "vcard-temp") != nullptr && get) {
    Element out = result_of(iq);
    auto known = names_.find(to.bare());
    Element& card = out.add("vCard", "vcard-temp");
    card.add("FN", "vcard-temp").with_text(own ? "fedgate" : known != names_.end() ? known->second : to.local);
    return out;
  }
  if (const Element* query = iq.child("query", kGateway); query != nullptr && to.local.empty()) {
    Element out = result_of(iq);
    Element& answer = out.add("query", kGateway);
    if (get) {
      answer.add("desc", kGateway).with_text("Write the address of somebody on another network as NETWORK:ADDRESS.");
      answer.add("prompt", kGateway).with_text("NETWORK:ADDRESS");
      return out;
    }
    const Element* prompt = query->child("prompt", kGateway);
    std::string jid = prompt != nullptr ? jid_of_typed_(prompt->text) : "";
    if (jid.empty()) return error_reply(iq, "modify", "not-acceptable", "Write NETWORK:ADDRESS.");
    answer.add("jid", kGateway).with_text(jid);
    return out;
  }
  return error_reply(iq, "cancel", "service-unavailable", "");
}

std::vector<Element> GhostServices::answer_presence(const Element& presence, const Jid& from, const Jid& to) const {
  std::string_view type = presence.attribute("type");
  bool own = to.local.empty() || to.bare() == config_.own_bare();
  if (!own && !exists_(to.local)) {
    if (type == "subscribe") return {make_stanza("presence", to.bare(), from.bare(), "unsubscribed", "")};
    return {};
  }
  std::string full = to.bare() + "/gw";
  if (type == "subscribe") return {make_stanza("presence", to.bare(), from.bare(), "subscribed", ""), make_stanza("presence", full, from.bare(), "", "")};
  if (type == "probe") return {make_stanza("presence", full, from.full(), "", "")};
  if (type == "unsubscribe") return {make_stanza("presence", to.bare(), from.bare(), "unsubscribed", "")};
  return {};
}

}  // namespace fedgate::xmpp
