// MucRoom: one room of a MUC service (XEP-0045) with our occupants in it: the listener, who alone is heard, and one puppet per speaker.
//
// One io_context's thread; owned by Network. Joins, joins again after every loss, and reads from the room's archive (XEP-0313) what was said while nobody listened; live messages wait meanwhile, so that order is kept. Deliveries go out
// one after the other in the order given: a speaker who has to join first holds the next one up. Limits: 20,000 ids of own messages remembered.
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <unordered_map>
#include <unordered_set>

#include "adapters/sdk/link_client.h"
#include "adapters/xmpp/component_stream.h"
#include "adapters/xmpp/config.h"
#include "adapters/xmpp/jid.h"

namespace fedgate::xmpp {

class MucRoom {
 public:
  struct Occupant {
    std::string real_jid;  // bare; "" if the room hides it
    bool admin = false;    // affiliation owner or admin
  };
  struct Heard {
    std::string nick;
    Occupant occupant;
    std::string id;
    std::string dedup_key;
    std::int64_t sent_at_ms = 0;
    bool live = true;
    const Element& message;
  };
  struct Events {
    std::function<void(const Heard&)> on_message;
    std::function<void(v1::DeliveryResult)> on_result;
    std::function<void(v1::RoomState)> on_state;
    std::function<void(const std::string& stamp)> on_seen;  // to be remembered
    std::function<std::string()> gateway;
    std::function<std::int64_t()> now_ms;
  };

  MucRoom(const Config& config, std::string room, ComponentStream& stream, Events events, std::string last_seen);

  const std::string& jid() const { return room_; }
  v1::RoomWanted::Presence presence = v1::RoomWanted::LISTENING;

  void stream_up();
  void stream_down();
  void leave();
  void tick();  // every 15 s: self-ping, joining again, remembering how far we have read

  void on_presence(const Element& presence, const Jid& from, const Jid& to);
  void on_message(Element& message, const Jid& from);  // to the listener
  void on_puppet_error(const Element& message, const Jid& to);
  bool on_iq(const Element& iq);  // answers to our own; false if it is none

  // ghost: bare JID of the speaker.
  void deliver(v1::Deliver delivery, std::string ghost);
  // To one occupant in private, or to the whole room.
  void say_to_room(const std::string& text);
  bool whisper(const std::string& real_jid_or_occupant, const std::string& text, ComponentStream::Taken taken);

 private:
  enum class State { kOut, kJoining, kCatchingUp, kReady };
  struct Puppet {
    std::string nick;
    bool joined = false;
    bool joining = false;
    int attempts = 0;
  };
  struct Outgoing {
    v1::Deliver delivery;
    std::string ghost;
  };

  void join();
  void joined();
  void ask_archive(const std::string& after);
  void ready();
  void hear(Element& message, const std::string& nick, const std::string& archive_id, std::int64_t sent_at_ms, bool live, const std::string& archived_jid);
  bool is_own(const Element& message, const std::string& nick) const;
  void pump();
  void join_puppet(Puppet& puppet, const Outgoing& next);
  void send_out(Outgoing next, const Puppet& puppet);
  void result(const v1::Deliver& delivery, v1::DeliveryResult::Outcome outcome, const std::string& code, const std::string& words, bool network_down);
  void occupant_changed(const Element& presence, const std::string& nick);
  void puppet_presence(const Element& presence, const Jid& from, const Jid& to);
  void tell_state(const std::string& problem);
  void remember_own(const std::string& id);

  const Config& config_;
  std::string room_;
  ComponentStream& stream_;
  Events events_;
  State state_ = State::kOut;
  std::string nick_;
  std::string query_;        // id of the archive query under way
  std::string self_ping_;    // id of the self-ping under way
  int self_pings_unanswered_ = 0;
  std::string last_seen_;    // stamp up to which the room was read
  std::string told_seen_;
  std::string told_state_;
  std::string problem_;
  std::map<std::string, Occupant> occupants_;
  std::unordered_map<std::string, Puppet> puppets_;          // by ghost
  std::unordered_map<std::string, std::string> nick_owner_;  // nick -> ghost
  std::deque<Outgoing> outgoing_;
  std::deque<Element> live_waiting_;
  std::unordered_map<std::string, std::string> failed_;      // delivery id -> condition
  std::unordered_set<std::string> own_ids_;
  std::deque<std::string> own_order_;
  std::uint64_t counter_ = 0;
};

}  // namespace fedgate::xmpp
