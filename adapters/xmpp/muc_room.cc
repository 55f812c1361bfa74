#include "adapters/xmpp/muc_room.h"

#include <memory>
#include <set>

#include "adapters/xmpp/from_wire.h"
#include "adapters/xmpp/to_wire.h"
#include "gateway/base/hash.h"
#include "gateway/base/logger.h"
#include "gateway/base/utf8.h"

namespace fedgate::xmpp {

namespace {

constexpr const char* kMuc = "http://jabber.org/protocol/muc";
constexpr const char* kMucUser = "http://jabber.org/protocol/muc#user";
constexpr std::size_t kOwnIdsMax = 20000;
constexpr std::int64_t kOverlapMs = 60000;  // archives are asked for a little more than was missed; the core recognises what it has
constexpr int kNickTries = 5;

bool has_status(const Element& x, std::string_view code) {
  for (const Element& one : x.children)
    if (one.name == "status" && one.attribute("code") == code) return true;
  return false;
}

std::string nick_from(const std::string& display_name, const std::string& ghost) {
  std::string out;
  for (std::size_t at = 0; at < display_name.size() && out.size() < 60;) {
    char32_t c = next_code_point(display_name, at);
    if (c >= 0x20 && c != 0x7f && c != '/') append_code_point(out, c);
  }
  while (out.ends_with(' ')) out.pop_back();
  return out.empty() ? ghost.substr(0, ghost.find('@')).substr(0, 60) : out;
}

}  // namespace

MucRoom::MucRoom(const Config& config, std::string room, ComponentStream& stream, Events events, std::string last_seen)
    : config_(config), room_(std::move(room)), stream_(stream), events_(std::move(events)), nick_(config.nick), last_seen_(std::move(last_seen)), told_seen_(last_seen_) {}

void MucRoom::stream_up() { join(); }

void MucRoom::stream_down() {
  state_ = State::kOut;
  query_.clear();
  self_ping_.clear();
  occupants_.clear();
  puppets_.clear();
  nick_owner_.clear();
  live_waiting_.clear();
  failed_.clear();
  auto lost = std::move(outgoing_);
  outgoing_.clear();
  for (const auto& one : lost) result(one.delivery, v1::DeliveryResult::RETRY, "link-lost", "the connection to the XMPP server was lost", true);
}

void MucRoom::leave() {
  for (const auto& [ghost, puppet] : puppets_)
    if (puppet.joined) stream_.send(make_stanza("presence", ghost + "/gw", room_ + "/" + puppet.nick, "unavailable", ""));
  if (state_ != State::kOut) stream_.send(make_stanza("presence", config_.own_full(), room_ + "/" + nick_, "unavailable", ""));
  stream_down();
}

void MucRoom::join() {
  if (!stream_.up() || state_ != State::kOut) return;
  state_ = State::kJoining;
  Element presence = make_stanza("presence", config_.own_full(), room_ + "/" + nick_, "", "");
  presence.add("x", kMuc).add("history", kMuc).set("maxstanzas", "0");
  stream_.send(presence);
}

void MucRoom::joined() {
  problem_.clear();
  log::info("xmpp", "in room", {{"network", config_.network}, {"room", room_}, {"occupants", occupants_.size()}});
  state_ = State::kCatchingUp;
  if (last_seen_.empty()) {
    last_seen_ = stamp_of(events_.now_ms());
    return ready();
  }
  ask_archive("");
}

void MucRoom::ask_archive(const std::string& after) {
  query_ = "fg-mam-" + std::to_string(++counter_);
  auto since = parse_stamp(last_seen_);
  Element iq = make_stanza("iq", config_.own_full(), room_, "set", query_);
  Element& query = iq.add("query", "urn:xmpp:mam:2");
  query.set("queryid", query_);
  Element& form = query.add("x", "jabber:x:data").set("type", "submit");
  form.add("field", "jabber:x:data").set("var", "FORM_TYPE").set("type", "hidden").add("value", "jabber:x:data").with_text("urn:xmpp:mam:2");
  if (since) form.add("field", "jabber:x:data").set("var", "start").add("value", "jabber:x:data").with_text(stamp_of(*since - kOverlapMs));
  Element& set = query.add("set", "http://jabber.org/protocol/rsm");
  set.add("max", "http://jabber.org/protocol/rsm").with_text("100");
  if (!after.empty()) set.add("after", "http://jabber.org/protocol/rsm").with_text(after);
  stream_.send(iq);
}

void MucRoom::ready() {
  state_ = State::kReady;
  query_.clear();
  auto waiting = std::move(live_waiting_);
  live_waiting_.clear();
  for (Element& message : waiting)
    if (auto from = Jid::parse(message.attribute("from"))) on_message(message, *from);
  tell_state("");
  pump();
}

bool MucRoom::on_iq(const Element& iq) {
  std::string_view id = iq.attribute("id");
  bool failed = iq.attribute("type") == "error";
  if (!self_ping_.empty() && id == self_ping_) {
    self_ping_.clear();
    self_pings_unanswered_ = 0;
    const Element* error = iq.child("error");
    const Element* condition = error != nullptr ? error->child_in("urn:ietf:params:xml:ns:xmpp-stanzas") : nullptr;
    bool still_in = !failed || (condition != nullptr && (condition->name == "service-unavailable" || condition->name == "feature-not-implemented" ||
                                                         condition->name == "item-not-found" || condition->name.starts_with("remote-server")));
    if (!still_in) {
      log::warn("xmpp", "not in the room any more", {{"network", config_.network}, {"room", room_}});
      stream_down();
      join();
    }
    return true;
  }
  if (query_.empty() || id != query_ || state_ != State::kCatchingUp) return false;
  const Element* fin = iq.child("fin", "urn:xmpp:mam:2");
  if (failed || fin == nullptr) {
    log::info("xmpp", "the room has no archive to catch up from", {{"network", config_.network}, {"room", room_}});
    ready();
    return true;
  }
  const Element* set = fin->child("set", "http://jabber.org/protocol/rsm");
  const Element* last = set != nullptr ? set->child("last", "http://jabber.org/protocol/rsm") : nullptr;
  if (fin->attribute("complete") == "true" || last == nullptr || last->text.empty()) ready();
  else ask_archive(last->text);
  return true;
}

void MucRoom::on_message(Element& message, const Jid& from) {
  if (const Element* archived = message.child("result", "urn:xmpp:mam:2")) {
    // Only what we asked for, only from the room itself.
    if (query_.empty() || archived->attribute("queryid") != query_ || !from.resource.empty()) return;
    const Element* forwarded = archived->child("forwarded", "urn:xmpp:forward:0");
    const Element* inner = forwarded != nullptr ? forwarded->child("message") : nullptr;
    if (inner == nullptr) return;
    auto speaker = Jid::parse(inner->attribute("from"));
    if (!speaker || speaker->bare() != room_ || speaker->resource.empty()) return;
    const Element* delay = forwarded->child("delay", "urn:xmpp:delay");
    auto at = delay != nullptr ? parse_stamp(delay->attribute("stamp")) : std::nullopt;
    std::string archived_jid;
    if (const Element* x = inner->child("x", kMucUser))
      if (const Element* item = x->child("item", kMucUser)) archived_jid = item->attribute("jid");
    Element copy = *inner;
    hear(copy, speaker->resource, std::string(archived->attribute("id")), at.value_or(0), false, archived_jid);
    return;
  }
  if (message.attribute("type") != "groupchat" || from.resource.empty()) return;
  if (state_ != State::kReady) {
    live_waiting_.push_back(std::move(message));
    return;
  }
  std::string stanza_id;
  for (const Element& one : message.children)
    if (one.name == "stanza-id" && one.ns == "urn:xmpp:sid:0" && one.attribute("by") == room_) stanza_id = one.attribute("id");
  hear(message, from.resource, stanza_id, events_.now_ms(), true, "");
}

bool MucRoom::is_own(const Element& message, const std::string& nick) const {
  if (nick == nick_ || nick_owner_.contains(nick)) return true;
  auto occupant = occupants_.find(nick);
  if (occupant != occupants_.end() && occupant->second.real_jid.ends_with("@" + config_.component)) return true;
  if (const Element* provenance = message.child("provenance", "urn:fedgate:provenance:0"))
    for (const Element& hop : provenance->children)
      if (hop.text == events_.gateway()) return true;
  return false;
}

void MucRoom::hear(Element& message, const std::string& nick, const std::string& archive_id, std::int64_t sent_at_ms, bool live, const std::string& archived_jid) {
  std::string id(message.attribute("id"));
  bool own = is_own(message, nick);
  auto archived_real = archived_jid.empty() ? std::nullopt : Jid::parse(archived_jid);
  if (archived_real && archived_real->domain == config_.component) own = true;
  if (own) {
    remember_own(id);
    return;
  }
  Occupant occupant;
  if (auto found = occupants_.find(nick); found != occupants_.end()) occupant = found->second;
  if (archived_real) occupant.real_jid = archived_real->bare();
  std::string key = "room/" + room_ + "/";
  if (!archive_id.empty()) {
    key += archive_id;
  } else {
    const Element* body = message.child("body");
    Sha256 digest = sha256_of_parts({nick, id, body != nullptr ? std::string_view(body->text) : std::string_view()});
    key += hex({reinterpret_cast<const char*>(digest.data()), 20});
  }
  if (key.size() > 500) {
    Sha256 digest = sha256(key);
    key = "room/" + hex({reinterpret_cast<const char*>(digest.data()), 20});
  }
  if (sent_at_ms > 0) {
    std::string stamp = stamp_of(sent_at_ms);
    if (stamp > last_seen_) last_seen_ = stamp;
  }
  events_.on_message({nick, occupant, id.empty() ? archive_id : id, key, sent_at_ms, live, message});
}

void MucRoom::remember_own(const std::string& id) {
  if (id.empty() || !own_ids_.insert(id).second) return;
  own_order_.push_back(id);
  if (own_order_.size() <= kOwnIdsMax) return;
  own_ids_.erase(own_order_.front());
  own_order_.pop_front();
}

void MucRoom::deliver(v1::Deliver delivery, std::string ghost) {
  if (!stream_.up()) return result(delivery, v1::DeliveryResult::RETRY, "link-lost", "no connection to the XMPP server", true);
  outgoing_.push_back({std::move(delivery), std::move(ghost)});
  pump();
}

void MucRoom::pump() {
  while (state_ == State::kReady && !outgoing_.empty()) {
    Outgoing& next = outgoing_.front();
    if (next.delivery.redelivery() && own_ids_.contains(next.delivery.delivery_id())) {
      auto done = std::move(next);
      outgoing_.pop_front();
      result(done.delivery, v1::DeliveryResult::DELIVERED, "", "", false);
      continue;
    }
    Puppet& puppet = puppets_[next.ghost];
    if (!puppet.joined) {
      if (!puppet.joining) join_puppet(puppet, next);
      return;
    }
    auto taken = std::move(next);
    outgoing_.pop_front();
    send_out(std::move(taken), puppet);
  }
}

void MucRoom::join_puppet(Puppet& puppet, const Outgoing& next) {
  std::string wanted = nick_from(next.delivery.envelope().sender().display_name(), next.ghost);
  if (puppet.attempts == 1) wanted += " (" + next.delivery.envelope().sender().address().network() + ")";
  else if (puppet.attempts > 1) wanted += " (" + next.delivery.envelope().sender().address().network() + " " + std::to_string(puppet.attempts) + ")";
  puppet.nick = wanted;
  puppet.joining = true;
  nick_owner_[wanted] = next.ghost;
  Element presence = make_stanza("presence", next.ghost + "/gw", room_ + "/" + wanted, "", "");
  presence.add("x", kMuc).add("history", kMuc).set("maxstanzas", "0");
  stream_.send(presence);
}

void MucRoom::send_out(Outgoing next, const Puppet& puppet) {
  (void)puppet;
  auto stanza = message_stanza(next.delivery, next.ghost + "/gw", room_, true, events_.gateway());
  if (!stanza) return result(next.delivery, v1::DeliveryResult::REFUSED, "UNSUPPORTED_KIND", "this kind is not written to XMPP", false);
  remember_own(next.delivery.delivery_id());
  auto shared = std::make_shared<v1::Deliver>(std::move(next.delivery));
  bool queued = stream_.send_tracked(*stanza, [this, shared](bool taken) {
    if (!taken) {
      // Not known whether it was said: our memory of it comes from the room alone, after joining again.
      own_ids_.erase(shared->delivery_id());
      return result(*shared, v1::DeliveryResult::RETRY, "link-lost", "the connection was lost before the server had taken it", true);
    }
    auto failed = failed_.extract(shared->delivery_id());
    if (failed.empty()) return result(*shared, v1::DeliveryResult::DELIVERED, "", "", false);
    own_ids_.erase(shared->delivery_id());
    bool again = failed.mapped() == "not-acceptable" || failed.mapped() == "resource-constraint" || failed.mapped() == "policy-violation";
    result(*shared, again ? v1::DeliveryResult::RETRY : v1::DeliveryResult::REFUSED, failed.mapped(), "the room did not take it", false);
  });
  if (queued) return;
  own_ids_.erase(shared->delivery_id());
  if (stream_.up()) result(*shared, v1::DeliveryResult::REFUSED, "TOO_LARGE", "larger than XMPP servers take", false);
  else result(*shared, v1::DeliveryResult::RETRY, "link-lost", "no connection to the XMPP server", true);
}

void MucRoom::result(const v1::Deliver& delivery, v1::DeliveryResult::Outcome outcome, const std::string& code, const std::string& words, bool network_down) {
  v1::DeliveryResult out;
  out.set_delivery_id(delivery.delivery_id());
  out.set_outcome(outcome);
  if (outcome == v1::DeliveryResult::DELIVERED) out.add_native_ids(delivery.delivery_id());
  out.set_reason_code(code);
  out.set_reason(words);
  out.set_network_down(network_down);
  events_.on_result(std::move(out));
}

void MucRoom::on_puppet_error(const Element& message, const Jid& to) {
  const Element* error = message.child("error");
  const Element* condition = error != nullptr ? error->child_in("urn:ietf:params:xml:ns:xmpp-stanzas") : nullptr;
  std::string name = condition != nullptr ? condition->name : "undefined-condition";
  failed_[std::string(message.attribute("id"))] = name;
  if (name != "not-acceptable") return;
  auto puppet = puppets_.find(to.bare());
  if (puppet == puppets_.end()) return;
  nick_owner_.erase(puppet->second.nick);
  puppets_.erase(puppet);
}

void MucRoom::on_presence(const Element& presence, const Jid& from, const Jid& to) {
  if (to.full() != config_.own_full()) return puppet_presence(presence, from, to);
  const Element* x = presence.child("x", kMucUser);
  std::string_view type = presence.attribute("type");
  if (type == "error") {
    const Element* error = presence.child("error");
    const Element* condition = error != nullptr ? error->child_in("urn:ietf:params:xml:ns:xmpp-stanzas") : nullptr;
    std::string name = condition != nullptr ? condition->name : "unknown";
    state_ = State::kOut;
    if (name == "conflict") {
      nick_ = config_.nick + "-" + std::to_string(++counter_);
      return join();
    }
    return tell_state("the room does not let the gateway in (" + name + "): make " + config_.own_bare() + " a member of it");
  }
  if (from.resource.empty()) return;  // the room's own presence (ejabberd says its capabilities so)
  occupant_changed(presence, from.resource);
  if (x == nullptr || !has_status(*x, "110")) {
    if (state_ == State::kReady) tell_state("");
    return;
  }
  if (type == "unavailable") {
    bool asked_to_go = has_status(*x, "301") || has_status(*x, "307") || has_status(*x, "321");
    stream_down();
    if (asked_to_go) tell_state("the gateway was removed from the room; let it in again, or unlink the room");
    return;  // the next tick joins again
  }
  if (has_status(*x, "201")) {
    // A room that did not exist: an instant room with the service's defaults.
    Element iq = make_stanza("iq", config_.own_full(), room_, "set", "fg-create-" + std::to_string(++counter_));
    iq.add("query", "http://jabber.org/protocol/muc#owner").add("x", "jabber:x:data").set("type", "submit");
    stream_.send(iq);
  }
  nick_ = from.resource;
  if (state_ == State::kJoining) joined();
}

void MucRoom::occupant_changed(const Element& presence, const std::string& nick) {
  if (presence.attribute("type") == "unavailable") {
    occupants_.erase(nick);
    return;
  }
  Occupant& occupant = occupants_[nick];
  const Element* x = presence.child("x", kMucUser);
  const Element* item = x != nullptr ? x->child("item", kMucUser) : nullptr;
  if (item == nullptr) return;
  auto real = Jid::parse(item->attribute("jid"));
  occupant.real_jid = real ? real->bare() : "";
  occupant.admin = item->attribute("affiliation") == "owner" || item->attribute("affiliation") == "admin";
}

void MucRoom::puppet_presence(const Element& presence, const Jid& from, const Jid& to) {
  auto found = puppets_.find(to.bare());
  if (found == puppets_.end()) return;
  Puppet& puppet = found->second;
  const Element* x = presence.child("x", kMucUser);
  std::string_view type = presence.attribute("type");
  if (type == "error" && puppet.joining) {
    puppet.joining = false;
    nick_owner_.erase(puppet.nick);
    const Element* error = presence.child("error");
    const Element* condition = error != nullptr ? error->child_in("urn:ietf:params:xml:ns:xmpp-stanzas") : nullptr;
    std::string name = condition != nullptr ? condition->name : "unknown";
    if (name == "conflict" && ++puppet.attempts < kNickTries) return pump();
    auto next = std::move(outgoing_.front());
    outgoing_.pop_front();
    puppets_.erase(found);
    result(next.delivery, v1::DeliveryResult::REFUSED, name, "the room does not let the speaker in", false);
    return pump();
  }
  if (x == nullptr || !has_status(*x, "110")) return;
  if (type == "unavailable") {
    nick_owner_.erase(puppet.nick);
    puppets_.erase(found);
    return;
  }
  if (!puppet.joining) return;
  nick_owner_.erase(puppet.nick);
  puppet.nick = from.resource;
  nick_owner_[puppet.nick] = to.bare();
  puppet.joining = false;
  puppet.joined = true;
  pump();
}

void MucRoom::tell_state(const std::string& problem) {
  v1::RoomState state;
  state.set_network(config_.network);
  state.set_room(room_);
  state.set_joined(problem.empty() && state_ == State::kReady);
  bool known = true;
  std::set<std::string> domains;
  for (const auto& [nick, occupant] : occupants_) {
    if (nick == nick_ || nick_owner_.contains(nick)) continue;
    if (occupant.real_jid.empty()) {
      known = false;
    } else if (auto jid = Jid::parse(occupant.real_jid); jid && jid->domain != config_.component) {
      domains.insert(jid->domain);
    }
  }
  state.set_members_known(known && state.joined());
  for (const auto& domain : domains) state.add_domains(domain);
  state.set_problem(problem);
  if (problem.empty() && !known)
    state.set_problem("the room hides who its occupants are: make " + config_.own_bare() + " an admin of it, or let everybody see addresses");
  std::string key = state.SerializeAsString();
  if (key == told_state_) return;
  told_state_ = key;
  if (!state.problem().empty()) log::warn("xmpp", "room with a problem", {{"network", config_.network}, {"room", room_}, {"why", state.problem()}});
  events_.on_state(std::move(state));
}

void MucRoom::tick() {
  if (last_seen_ != told_seen_) {
    told_seen_ = last_seen_;
    events_.on_seen(last_seen_);
  }
  if (!stream_.up()) return;
  if (state_ == State::kOut) return join();
  if (state_ != State::kReady) return;
  if (!self_ping_.empty() && ++self_pings_unanswered_ < 3) return;
  self_ping_ = "fg-self-" + std::to_string(++counter_);
  Element iq = make_stanza("iq", config_.own_full(), room_ + "/" + nick_, "get", self_ping_);
  iq.add("ping", "urn:xmpp:ping");
  stream_.send(iq);
}

void MucRoom::say_to_room(const std::string& text) {
  Element message = make_stanza("message", config_.own_full(), room_, "groupchat", "fg-say-" + std::to_string(++counter_));
  message.add("body").with_text(text);
  stream_.send(message);
}

bool MucRoom::whisper(const std::string& who, const std::string& text, ComponentStream::Taken taken) {
  std::string to;
  if (who.starts_with(room_ + "/")) to = who;
  for (const auto& [nick, occupant] : occupants_)
    if (occupant.real_jid == who) to = room_ + "/" + nick;
  if (to.empty()) return false;
  Element message = make_stanza("message", config_.own_full(), to, "chat", "fg-whisper-" + std::to_string(++counter_));
  message.add("body").with_text(text);
  message.add("x", kMucUser);
  return stream_.send_tracked(message, std::move(taken));
}

}  // namespace fedgate::xmpp
