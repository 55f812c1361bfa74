#include "adapters/xmpp/network.h"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "adapters/xmpp/from_wire.h"
#include "adapters/xmpp/to_wire.h"
#include "gateway/base/clock.h"
#include "gateway/base/ghost_name.h"
#include "gateway/base/hash.h"
#include "gateway/base/logger.h"
#include "gateway/base/random.h"

namespace fedgate::xmpp {

namespace asio = boost::asio;

namespace {

constexpr std::size_t kUnansweredMax = 2000;
constexpr std::size_t kOriginsMax = 100000;
constexpr std::size_t kAnsweredMax = 20000;
constexpr std::int64_t kAnswerEveryMs = 10000;
constexpr std::uint32_t kTextBytesMax = 60000;
constexpr std::uint32_t kLaneWindow = 256;
constexpr auto kTick = std::chrono::seconds(3);
constexpr int kTicksPerRoomCheck = 5;

std::int64_t now_ms() { return SystemClock().wall_ms(); }

}  // namespace

Network::Network(asio::io_context& context, Config config, sdk::LinkClient& link)
    : context_(context),
      config_(std::move(config)),
      link_(link),
      stream_(context, {config_.component, config_.server, config_.server_domain, config_.secret},
              {[this] { on_up(); }, [this](const std::string& why) { on_down(why); }, [this](Element& stanza) { on_stanza(stanza); },
               [this](const Element& head) {
                 if (head.attribute("type") != "error" && head.name != "presence") answer_error(head, "modify", "not-acceptable", "This is larger or deeper than the gateway takes.");
               },
               [this] { return link_.unanswered_submissions() < kUnansweredMax; }}),
      services_(config_, [this](const std::string& local) { return remote_at(local).has_value(); },
                [this](const std::string& typed) -> std::string {
                  std::size_t colon = typed.find(':');
                  if (colon == std::string::npos || colon + 1 >= typed.size() || !link_.is_peer(typed.substr(0, colon))) return "";
                  return ghost_jid(config_, typed.substr(0, colon), typed.substr(colon + 1));
                }),
      timer_(context) {}

v1::Capabilities Network::capabilities() {
  v1::Capabilities out;
  for (const char* feature : {"text", "emote"}) (*out.mutable_features())[feature] = v1::LEVEL_FULL;
  (*out.mutable_features())["notice/delivered"] = v1::LEVEL_PARTIAL;
  out.set_max_text_bytes(kTextBytesMax);
  out.set_lane_window(kLaneWindow);
  return out;
}

void Network::start() {
  link_.status(config_.network, false, "the XMPP server has not answered yet");
  stream_.start();
  asio::co_spawn(context_, tick(), asio::detached);
}

void Network::stop() {
  stopped_ = true;
  timer_.cancel();
  for (auto& [jid, room] : rooms_) room->leave();
  stream_.stop();
}

void Network::on_up() {
  told_down_.clear();
  link_.status(config_.network, true, "");
  for (auto& [jid, room] : rooms_) room->stream_up();
}

void Network::on_down(const std::string& why) {
  if (stopped_) return;
  for (auto& [jid, room] : rooms_) room->stream_down();
  // Tried again every second; said once until it changes.
  if (why == told_down_) return;
  told_down_ = why;
  log::warn("xmpp", "no connection to the server", {{"network", config_.network}, {"why", why}});
  link_.status(config_.network, false, why);
}

void Network::room_wanted(const v1::RoomWanted& wanted) {
  if (wanted.presence() == v1::RoomWanted::GONE) {
    auto found = rooms_.find(wanted.room());
    if (found == rooms_.end()) return;
    found->second->leave();
    rooms_.erase(found);
    return;
  }
  auto& room = rooms_[wanted.room()];
  if (!room) {
    MucRoom::Events events;
    events.on_message = [this, jid = wanted.room()](const MucRoom::Heard& heard) { on_heard(jid, heard); };
    events.on_result = [this](v1::DeliveryResult result) { link_.result(std::move(result)); };
    events.on_state = [this](v1::RoomState state) { link_.room_state(std::move(state)); };
    events.on_seen = [this, jid = wanted.room()](const std::string& stamp) {
      asio::co_spawn(context_, [](sdk::LinkClient& link, std::string network, std::string key, std::string value) -> asio::awaitable<void> {
        auto kept = co_await link.remember(std::move(network), std::move(key), std::move(value));
        if (!kept) log::warn("xmpp", "how far a room was read is not remembered", {{"why", kept.error().message}});
      }(link_, config_.network, "seen/" + jid, stamp), asio::detached);
    };
    events.gateway = [this] { return link_.gateway(); };
    events.now_ms = now_ms;
    room = std::make_unique<MucRoom>(config_, wanted.room(), stream_, std::move(events), link_.recall(config_.network, "seen/" + wanted.room()).value_or(""));
    room->presence = wanted.presence();
    room->stream_up();
  }
  room->presence = wanted.presence();
}

void Network::on_stanza(Element& stanza) {
  auto from = Jid::parse(stanza.attribute("from"));
  auto to = Jid::parse(stanza.attribute("to"));
  // What pretends to come from ourselves is nobody's.
  if (!from || !to || to->domain != config_.component || from->domain == config_.component) return;
  auto room = rooms_.find(from->bare());
  if (stanza.name == "message") return on_message(stanza, *from, *to);
  if (stanza.name == "presence") {
    if (room != rooms_.end()) return room->second->on_presence(stanza, *from, *to);
    for (const Element& answer : services_.answer_presence(stanza, *from, *to)) stream_.send(answer);
    return;
  }
  if (stanza.name != "iq") return;
  std::string_view type = stanza.attribute("type");
  if (type == "result" || type == "error") {
    if (room != rooms_.end()) room->second->on_iq(stanza);
    return;
  }
  if (type == "get" || type == "set") stream_.send(services_.answer_iq(stanza, *to));
}

void Network::on_message(Element& message, const Jid& from, const Jid& to) {
  std::string_view type = message.attribute("type");
  auto room = rooms_.find(from.bare());
  if (room != rooms_.end()) {
    if (type == "error") return room->second->on_puppet_error(message, to);
    if (to.full() == config_.own_full()) room->second->on_message(message, from);
    return;  // a puppet's copy, or a private message to one
  }
  if (type == "error") return on_bounce(message);
  if (type == "headline" || type == "groupchat") return;
  if (to.local.empty() || to.bare() == config_.own_bare()) return on_own_chat(message, from, to);
  auto remote = remote_at(to.local);
  if (!remote) {
    if (body_of(message)) answer_error(message, "cancel", "item-not-found", "Nobody of that address is reachable through this gateway.");
    return;
  }
  on_direct(message, from, to, *remote);
}

void Network::on_direct(Element& message, const Jid& from, const Jid& to, const Remote& remote) {
  auto body = body_of(message);
  if (!body) return;
  std::string id(message.attribute("id"));
  std::string fresh = id.empty() ? hex(SystemRandom::bytes(16)) : "";
  v1::Envelope envelope;
  envelope.set_network(config_.network);
  envelope.set_native_id(id.empty() ? fresh : id.size() > 1023 ? id.substr(0, 1023) : id);
  envelope.set_dedup_key(direct_dedup_key(from.bare(), message, fresh));
  auto& sender = *envelope.mutable_sender();
  sender.mutable_address()->set_network(config_.network);
  sender.mutable_address()->set_native_id(from.bare());
  sender.set_assurance(v1::ASSURANCE_ACCOUNT);
  const Element* nick = message.child("nick", "http://jabber.org/protocol/nick");
  sender.set_display_name(nick != nullptr && !nick->text.empty() ? nick->text.substr(0, 256) : from.local);
  envelope.mutable_conversation()->mutable_direct()->set_network(remote.network);
  envelope.mutable_conversation()->mutable_direct()->set_native_id(remote.native_id);
  envelope.set_sent_at_ms(now_ms());
  *envelope.mutable_body() = std::move(*body);
  if (const Element* provenance = message.child("provenance", "urn:fedgate:provenance:0"))
    for (const Element& hop : provenance->children)
      if (envelope.provenance().hops_size() < 16) envelope.mutable_provenance()->add_hops(hop.text.substr(0, 64));
  Origin origin{from.full(), wants_receipt(message) && !id.empty()};
  remember_origin(from.bare(), envelope.native_id(), origin);
  Element head = make_stanza("message", from.full(), to.full(), "chat", id);
  link_.submit(std::move(envelope), [this, origin, id, ghost = to.bare(), head](const v1::Verdict& verdict) {
    // Sent again because the receipt was missed: the gateway has it.
    if (verdict.outcome() == v1::Verdict::DUPLICATE && origin.wants_receipt && verdict.refusals_size() == 0) send_receipt(ghost, origin, id);
    if (verdict.outcome() == v1::Verdict::INVALID) answer_error(head, "modify", "not-acceptable", "The gateway cannot take this message: " + verdict.reason());
    stream_.may_read_again();
  });
}

void Network::on_own_chat(const Element& message, const Jid& from, const Jid& to) {
  const Element* body = message.child("body");
  if (body == nullptr || body->text.empty()) return;
  if (!body->text.starts_with("!")) return answer_error(message, "cancel", "service-unavailable", "This is the gateway itself. Write !help to it, or write to a person.");
  v1::Command command;
  command.set_network(config_.network);
  command.mutable_sender()->mutable_address()->set_network(config_.network);
  command.mutable_sender()->mutable_address()->set_native_id(from.bare());
  command.set_line(body->text.substr(0, 1024));
  asio::co_spawn(context_, run_command(std::move(command), "", from.full(), to.bare()), asio::detached);
}

void Network::on_heard(const std::string& jid, const MucRoom::Heard& heard) {
  auto found = rooms_.find(jid);
  if (found == rooms_.end()) return;
  auto body = body_of(heard.message);
  if (!body) return;
  std::string speaker = heard.occupant.real_jid.empty() ? jid + "/" + heard.nick : heard.occupant.real_jid;
  if (body->has_text() && body->text().plain().starts_with("!")) {
    if (!heard.live) return;  // a command of yesterday
    v1::Command command;
    command.set_network(config_.network);
    command.set_room(jid);
    command.mutable_sender()->mutable_address()->set_network(config_.network);
    command.mutable_sender()->mutable_address()->set_native_id(speaker);
    command.set_sender_is_room_admin(heard.occupant.admin);
    command.set_line(body->text().plain().substr(0, 1024));
    asio::co_spawn(context_, run_command(std::move(command), jid, "", ""), asio::detached);
    return;
  }
  if (found->second->presence != v1::RoomWanted::BRIDGED) return;
  v1::Envelope envelope;
  envelope.set_network(config_.network);
  envelope.set_native_id(heard.id.empty() ? heard.dedup_key : heard.id.substr(0, 1023));
  envelope.set_dedup_key(heard.dedup_key);
  auto& sender = *envelope.mutable_sender();
  sender.mutable_address()->set_network(config_.network);
  sender.mutable_address()->set_native_id(speaker);
  sender.set_display_name(heard.nick.substr(0, 256));
  sender.set_assurance(v1::ASSURANCE_ACCOUNT);
  envelope.mutable_conversation()->set_room(jid);
  envelope.set_sent_at_ms(heard.sent_at_ms);
  envelope.set_sender_is_listed_member(!heard.occupant.real_jid.empty());
  *envelope.mutable_body() = std::move(*body);
  if (const Element* provenance = heard.message.child("provenance", "urn:fedgate:provenance:0"))
    for (const Element& hop : provenance->children)
      if (envelope.provenance().hops_size() < 16) envelope.mutable_provenance()->add_hops(hop.text.substr(0, 64));
  link_.submit(std::move(envelope), [this, network = config_.network](const v1::Verdict& verdict) {
    if (verdict.outcome() == v1::Verdict::INVALID) log::warn("xmpp", "the core did not take a message", {{"network", network}, {"why", verdict.reason()}});
    stream_.may_read_again();
  });
}

asio::awaitable<void> Network::run_command(v1::Command command, std::string room, std::string reply_to, std::string reply_from) {
  auto answer = co_await link_.command(std::move(command));
  std::string text = answer ? answer->text() : "The gateway cannot answer just now. Please try again in a minute.";
  if (!room.empty()) {
    auto found = rooms_.find(room);
    if (found != rooms_.end()) found->second->say_to_room(text);
    co_return;
  }
  Element message = make_stanza("message", reply_from, reply_to, "chat", hex(SystemRandom::bytes(8)));
  message.add("body").with_text(text);
  stream_.send(message);
}

// An error for a message of ours. While its barrier is open it decides the delivery; later it can only be noted.
void Network::on_bounce(const Element& message) {
  std::string id(message.attribute("id"));
  const Element* error = message.child("error");
  const Element* condition = error != nullptr ? error->child_in("urn:ietf:params:xml:ns:xmpp-stanzas") : nullptr;
  std::string name = condition != nullptr ? condition->name : "undefined-condition";
  if (open_.contains(id)) bounced_[id] = name;
  else log::info("xmpp", "an error for a message that the server had taken", {{"network", config_.network}, {"delivery", id.substr(0, 64)}, {"condition", name}});
}

std::optional<Remote> Network::remote_at(const std::string& local) const {
  auto remote = remote_of(local, [this](const std::string& hashed) { return link_.recall(config_.network, "ghost/" + hashed); });
  if (!remote || remote->network == config_.network || !link_.is_peer(remote->network)) return std::nullopt;
  return remote;
}

std::string Network::ghost_of(const v1::Address& address) {
  std::string ghost = ghost_jid(config_, address.network(), address.native_id());
  auto name = parse_ghost_name(ghost.substr(0, ghost.find('@')));
  if (name && !name->hashed.empty() && !link_.recall(config_.network, "ghost/" + name->hashed))
    asio::co_spawn(context_, [](sdk::LinkClient& link, std::string network, std::string key, std::string value) -> asio::awaitable<void> {
      auto kept = co_await link.remember(std::move(network), std::move(key), std::move(value));
      if (!kept) log::warn("xmpp", "a ghost's long address is not remembered", {{"why", kept.error().message}});
    }(link_, config_.network, "ghost/" + name->hashed, address.native_id()), asio::detached);
  return ghost;
}

void Network::deliver(v1::Deliver delivery) {
  if (delivery.envelope().body().has_notice()) return deliver_notice(std::move(delivery));
  std::string ghost = ghost_of(delivery.envelope().sender().address());
  services_.name(ghost, delivery.envelope().sender().display_name());
  if (delivery.conversation().has_direct()) return deliver_direct(std::move(delivery), ghost);
  auto room = rooms_.find(delivery.conversation().room());
  if (room == rooms_.end()) return settle(delivery, v1::DeliveryResult::RETRY, "NOT_JOINED", "the gateway is not in the room yet", false);
  room->second->deliver(std::move(delivery), ghost);
}

void Network::deliver_direct(v1::Deliver delivery, const std::string& ghost) {
  auto to = Jid::parse(delivery.conversation().direct().native_id());
  if (!to || to->local.empty() || to->domain == config_.component) return settle(delivery, v1::DeliveryResult::REFUSED, "NO_SUCH_USER", "this is no address of a person", false);
  auto stanza = message_stanza(delivery, ghost + "/gw", to->bare(), false, link_.gateway());
  if (!stanza) return settle(delivery, v1::DeliveryResult::REFUSED, "UNSUPPORTED_KIND", "this kind is not written to XMPP", false);
  send_or_retry(*stanza, delivery);
}

void Network::deliver_notice(v1::Deliver delivery) {
  const v1::Notice notice = delivery.envelope().body().notice();
  if (delivery.conversation().has_room()) {
    if (notice.state() == v1::Notice::DELIVERED) return settle(delivery, v1::DeliveryResult::DELIVERED, "", "", false);
    auto room = rooms_.find(delivery.conversation().room());
    auto shared = std::make_shared<v1::Deliver>(delivery);
    auto taken = [this, shared](bool ok) {
      settle(*shared, ok ? v1::DeliveryResult::DELIVERED : v1::DeliveryResult::RETRY, ok ? "" : "link-lost", "", !ok);
    };
    const std::string& sender = delivery.envelope().sender().address().native_id();
    if (room != rooms_.end() && room->second->whisper(sender, notice_text(notice), taken)) return;
    // Not in the room any more: told in person.
    auto person = Jid::parse(sender);
    if (!person || rooms_.contains(person->bare())) return settle(delivery, v1::DeliveryResult::REFUSED, "gone", "the sender has left the room", false);
    Element message = make_stanza("message", config_.own_bare(), person->bare(), "chat", delivery.delivery_id());
    message.add("body").with_text(notice_text(notice));
    return send_or_retry(message, delivery);
  }
  std::string ghost = ghost_of(delivery.envelope().conversation().direct());
  const std::string& person = delivery.conversation().direct().native_id();
  const Origin* origin = origin_of(person, notice.about_native_id());
  if (notice.state() == v1::Notice::DELIVERED) {
    if (origin != nullptr && origin->wants_receipt) send_receipt(ghost, *origin, notice.about_native_id());
    return settle(delivery, v1::DeliveryResult::DELIVERED, "", "", false);
  }
  // An error goes to the client that sent the message; a server would drop one for a bare address.
  bool final_no = notice.state() == v1::Notice::REFUSED || notice.state() == v1::Notice::FAILED || notice.state() == v1::Notice::EXPIRED;
  if (final_no && origin != nullptr) return send_or_retry(refusal_stanza(notice, ghost, origin->full_jid), delivery);
  Element message = make_stanza("message", ghost + "/gw", person, "chat", delivery.delivery_id());
  message.add("body").with_text(notice_text(notice));
  send_or_retry(message, delivery);
}

void Network::send_or_retry(const Element& stanza, const v1::Deliver& delivery) {
  auto shared = std::make_shared<v1::Deliver>(delivery);
  open_[delivery.delivery_id()] = true;
  bool queued = stream_.send_tracked(stanza, [this, shared](bool taken) {
    open_.erase(shared->delivery_id());
    auto bounced = bounced_.extract(shared->delivery_id());
    if (!taken) return settle(*shared, v1::DeliveryResult::RETRY, "link-lost", "the connection was lost before the server had taken it", true);
    if (bounced.empty()) return settle(*shared, v1::DeliveryResult::DELIVERED, "", "", false);
    settle(*shared, v1::DeliveryResult::REFUSED, bounced.mapped(), "the XMPP server sent it back", false);
  });
  if (queued) return;
  open_.erase(delivery.delivery_id());
  if (stream_.up()) settle(delivery, v1::DeliveryResult::REFUSED, "TOO_LARGE", "larger than XMPP servers take", false);
  else settle(delivery, v1::DeliveryResult::RETRY, "link-lost", "no connection to the XMPP server", true);
}

void Network::settle(const v1::Deliver& delivery, v1::DeliveryResult::Outcome outcome, const std::string& code, const std::string& words, bool network_down) {
  v1::DeliveryResult result;
  result.set_delivery_id(delivery.delivery_id());
  result.set_outcome(outcome);
  if (outcome == v1::DeliveryResult::DELIVERED) result.add_native_ids(delivery.delivery_id());
  result.set_reason_code(code);
  result.set_reason(words);
  result.set_network_down(network_down);
  link_.result(std::move(result));
}

void Network::answer_error(const Element& stanza, std::string_view type, std::string_view condition, std::string_view text) {
  std::string pair = std::string(stanza.attribute("from")) + "\n" + std::string(stanza.attribute("to"));
  if (answered_.size() > kAnsweredMax) answered_.clear();
  std::int64_t& last = answered_[pair];
  if (now_ms() - last < kAnswerEveryMs) return;
  last = now_ms();
  stream_.send(error_reply(stanza, type, condition, text));
}

void Network::remember_origin(const std::string& bare, const std::string& id, Origin origin) {
  std::string key = bare + "\n" + id;
  if (origins_.insert_or_assign(key, std::move(origin)).second) origin_order_.push_back(key);
  if (origin_order_.size() <= kOriginsMax) return;
  origins_.erase(origin_order_.front());
  origin_order_.pop_front();
}

const Network::Origin* Network::origin_of(const std::string& bare, const std::string& id) const {
  auto found = origins_.find(bare + "\n" + id);
  return found == origins_.end() ? nullptr : &found->second;
}

void Network::send_receipt(const std::string& from, const Origin& origin, const std::string& id) {
  Element message = make_stanza("message", from, origin.full_jid, "chat", hex(SystemRandom::bytes(8)));
  message.add("received", "urn:xmpp:receipts").set("id", id);
  stream_.send(message);
}

asio::awaitable<void> Network::tick() {
  for (int count = 0; !stopped_; ++count) {
    boost::system::error_code error;
    timer_.expires_after(kTick);
    co_await timer_.async_wait(asio::redirect_error(asio::use_awaitable, error));
    if (stopped_) co_return;
    if (count % kTicksPerRoomCheck == 0)
      for (auto& [jid, room] : rooms_) room->tick();
  }
}

}  // namespace fedgate::xmpp
