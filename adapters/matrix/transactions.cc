#include "adapters/matrix/transactions.h"

#include <boost/asio/async_result.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "adapters/matrix/ids.h"
#include "adapters/matrix/to_wire.h"
#include "gateway/base/logger.h"

namespace fedgate::matrix {

namespace asio = boost::asio;
namespace json = boost::json;

namespace {

constexpr std::size_t kTransactionsRemembered = 1000;
constexpr std::size_t kNamesMax = 100000;

}  // namespace

// Counts submissions without verdict; the one who waits is woken by the last.
struct Transactions::Waiting {
  std::size_t open = 0;
  std::move_only_function<void()> wake;
  void one_done() {
    if (--open == 0 && wake) std::exchange(wake, nullptr)();
  }
};

asio::awaitable<void> Transactions::take_turn() {
  if (!busy_) {
    busy_ = true;
    co_return;
  }
  co_await asio::async_initiate<decltype(asio::use_awaitable), void()>(
      [this](auto handler) { turns_.push_back([handler = std::move(handler)]() mutable { std::move(handler)(); }); }, asio::use_awaitable);
}

void Transactions::give_turn_back() {
  if (turns_.empty()) {
    busy_ = false;
    return;
  }
  asio::post(context_, [next = std::move(turns_.front())]() mutable { next(); });
  turns_.pop_front();
}

asio::awaitable<bool> Transactions::accept(std::string id, std::string identity, const json::array& events) {
  co_await take_turn();
  bool taken = co_await rooms_.known();
  if (taken) missed_.recovered();
  if (taken && !done_.contains(identity)) {
    auto waiting = std::make_shared<Waiting>();
    taken = co_await handle_all(events, missed_.gap_before(id), waiting);
    co_await verdicts(waiting);
    if (taken) {
      done_.insert(identity);
      done_order_.push_back(identity);
    }
    if (done_order_.size() > kTransactionsRemembered) {
      done_.erase(done_order_.front());
      done_order_.pop_front();
    }
  }
  give_turn_back();
  co_return taken;
}

asio::awaitable<bool> Transactions::handle_all(const json::array& events, bool gap, std::shared_ptr<Waiting> waiting) {
  std::set<std::string> looked_at;
  for (const auto& event : events) {
    if (!event.is_object()) {
      log::warn("matrix", "an event that is no object was skipped", {{"network", config_.network}});
      continue;
    }
    std::string room = text_at(event.as_object(), "room_id");
    bool look = missed_.suspects(room) || (gap && (rooms_.by_id(room) != nullptr || directs_.of_room(room)));
    if (look && looked_at.insert(room).second && !co_await handle_missed(room, waiting)) co_return false;
    co_await handle(event.as_object(), waiting);
  }
  co_return true;
}

asio::awaitable<bool> Transactions::handle_missed(std::string room, std::shared_ptr<Waiting> waiting) {
  auto events = co_await missed_.read(room);
  if (!events) co_return false;
  for (const auto& event : *events)
    if (auto head = head_of(event)) co_await handle_message(std::move(*head), event, false, waiting);
  co_return true;
}

asio::awaitable<void> Transactions::catch_up() {
  while (!missed_.suspected().empty()) {
    auto waiting = std::make_shared<Waiting>();
    co_await take_turn();
    bool answered = co_await rooms_.known();
    if (answered && !missed_.suspected().empty()) answered = co_await handle_missed(*missed_.suspected().begin(), waiting);
    co_await verdicts(waiting);
    give_turn_back();
    if (!answered) co_return;  // away again; the next outage's end looks anew
  }
}

asio::awaitable<void> Transactions::verdicts(std::shared_ptr<Waiting> waiting) {
  if (waiting->open == 0) co_return;
  co_await asio::async_initiate<decltype(asio::use_awaitable), void()>(
      [&](auto handler) { waiting->wake = [handler = std::move(handler)]() mutable { std::move(handler)(); }; }, asio::use_awaitable);
}

asio::awaitable<void> Transactions::handle(const json::object& event, std::shared_ptr<Waiting> waiting) {
  auto head = head_of(event);
  if (!head) {
    log::warn("matrix", "a malformed event was skipped", {{"network", config_.network}});
    co_return;
  }
  if (head->type == "m.room.member" && head->state_key) {
    co_await membership(*head);
    co_return;
  }
  if (head->type == "m.room.encryption" && head->state_key) {
    rooms_.set_encrypted(head->room);
    rooms_.changed(head->room);
    co_return;
  }
  co_await handle_message(std::move(*head), event, true, std::move(waiting));
}

asio::awaitable<void> Transactions::handle_message(EventHead event_head, const json::object& event, bool live, std::shared_ptr<Waiting> waiting) {
  const EventHead* head = &event_head;
  auto envelope = from_event(config_, link_.gateway(), *head, event);
  if (!envelope) co_return;
  auto direct = directs_.of_room(head->room);
  if (direct && direct->remote.network.empty()) direct.reset();  // the bot's own chat: commands only
  if (!direct && !command_line(*head).empty()) {
    if (live) co_await command(*head);
    co_return;
  }
  const BridgedRooms::Room* room = direct ? nullptr : rooms_.by_id(head->room);
  if (room != nullptr && room->presence == v1::RoomWanted::LISTENING) co_return;
  std::string reader;
  if (direct) {
    // Only the user of the chat speaks in it; a third one who was let in is a member of a room, not of this conversation.
    if (head->sender != direct->user && !live) co_return;
    if (head->sender != direct->user) co_return co_await reply(head->room, head->id, "Only " + direct->user + " can write to the other network here.");
    auto* to = envelope->mutable_conversation()->mutable_direct();
    to->set_network(direct->remote.network);
    to->set_native_id(direct->remote.native_id);
    reader = ghost_id(config_, direct->remote.network, direct->remote.native_id);
  } else {
    envelope->mutable_conversation()->set_room(room != nullptr ? room->wanted : head->room);
    envelope->set_sender_is_listed_member(true);
  }
  envelope->mutable_sender()->set_display_name(co_await display_name(head->room, head->sender, reader));
  ++waiting->open;
  link_.submit(std::move(*envelope), [waiting, network = config_.network, id = head->id](const v1::Verdict& verdict) {
    if (verdict.outcome() == v1::Verdict::INVALID)
      log::warn("matrix", "the core did not take an event", {{"network", network}, {"event", id}, {"why", verdict.reason()}});
    waiting->one_done();
  });
}

asio::awaitable<std::string> Transactions::display_name(std::string room, std::string user, std::string as_user) {
  std::string key = room + "\n" + user;
  if (auto known = names_.find(key); known != names_.end()) co_return known->second;
  if (names_.size() > kNamesMax) names_.clear();
  auto state = co_await homeserver_.state(room, "m.room.member", user, std::move(as_user));
  std::string name = state ? text_at(*state, "displayname") : std::string();
  if (name.empty()) name = local_part(user);
  if (state) names_[key] = name;
  co_return name;
}

asio::awaitable<void> Transactions::membership(EventHead head) {
  const std::string& who = *head.state_key;
  std::string membership = text_at(*head.content, "membership");
  if (!is_user_id(who)) co_return;
  if (is_ours(config_, who)) {
    if (membership == "invite" && !is_ours(config_, head.sender)) co_await invited(head);
    else if (membership == "leave" || membership == "ban") ghosts_.left(head.room, who);
    co_return;
  }
  if (membership == "join") {
    std::string name = text_at(*head.content, "displayname");
    if (names_.size() > kNamesMax) names_.clear();
    names_[head.room + "\n" + who] = name.empty() ? local_part(who) : name;
  } else if (membership == "leave" || membership == "ban") {
    auto direct = directs_.of_room(head.room);
    if (direct && direct->user == who) co_await directs_.abandon(head.room);
  }
  rooms_.changed(head.room);
}

asio::awaitable<void> Transactions::invited(EventHead head) {
  std::string who = *head.state_key;
  if (who == config_.bot_id()) {
    auto joined = co_await homeserver_.join(head.room, "");
    if (!joined) log::warn("matrix", "the bot cannot join where it was invited", {{"network", config_.network}, {"why", joined.error().words}});
    co_return;
  }
  auto remote = ghosts_.remote_of(who);
  if (!remote) co_return;
  auto ghost = co_await ghosts_.ensure(remote->network, remote->native_id, "");
  auto joined = ghost ? co_await homeserver_.join(head.room, who) : Answer<std::string>(std::unexpected(ghost.error()));
  if (!joined) {
    log::warn("matrix", "a ghost cannot join where it was invited", {{"network", config_.network}, {"why", joined.error().words}});
    co_return;
  }
  ghosts_.joined(head.room, who);
  const json::value* flag = head.content->if_contains("is_direct");
  bool direct = flag != nullptr && flag->is_bool() && flag->as_bool();
  if (!direct) {
    auto members = co_await homeserver_.joined_members(head.room, who);
    direct = members && members->size() <= 2;
  }
  if (direct) co_return co_await directs_.adopt(head.room, head.sender, *remote);
  auto told = co_await homeserver_.send(head.room, "m.room.message", "not-direct-" + head.id,
                                        plain_notice("I can only be in a chat of two. To connect this room with another network, invite " + config_.bot_id() + " and write !link NETWORK ROOM."),
                                        who, 0);
  auto left = co_await homeserver_.leave(head.room, who);
  if (!told || !left) log::warn("matrix", "a ghost could not decline a room", {{"network", config_.network}});
  ghosts_.left(head.room, who);
}

asio::awaitable<bool> Transactions::command(const EventHead& head) {
  std::string line = command_line(head);
  if (line.empty()) co_return false;
  // Commands do not hold the transaction up: a person repeats one that was lost.
  asio::co_spawn(context_, run_command(head.room, head.id, head.sender, std::move(line)), asio::detached);
  co_return true;
}

asio::awaitable<void> Transactions::run_command(std::string room, std::string id, std::string sender, std::string line) {
  if (line.starts_with("!start ")) {
    co_await reply(room, id, co_await start_chat(sender, line.substr(7)));
    co_return;
  }
  v1::Command command;
  command.set_network(config_.network);
  const BridgedRooms::Room* known = rooms_.by_id(room);
  command.set_room(known != nullptr ? known->wanted : room);
  command.mutable_sender()->mutable_address()->set_network(config_.network);
  command.mutable_sender()->mutable_address()->set_native_id(sender);
  command.set_sender_is_room_admin(co_await is_room_admin(room, sender));
  command.set_line(line);
  auto answer = co_await link_.command(std::move(command));
  std::string text = answer ? answer->text() : "The gateway cannot answer just now. Please try again in a minute.";
  if (line.starts_with("!help")) text += "\n!start NETWORK:ADDRESS – opens a chat with somebody on another network";
  co_await reply(room, id, text);
}

asio::awaitable<std::string> Transactions::start_chat(std::string user, std::string address) {
  while (address.ends_with(' ')) address.pop_back();
  while (address.starts_with(' ')) address.erase(0, 1);
  std::size_t colon = address.find(':');
  Remote remote;
  if (colon != std::string::npos && link_.is_peer(address.substr(0, colon))) {
    remote = {address.substr(0, colon), address.substr(colon + 1)};
  } else if (address.find('@') != std::string::npos && address.find(':') == std::string::npos) {
    std::vector<std::string> candidates;
    for (const auto& peer : link_.peers())
      if (peer.adapter() == "xmpp") candidates.push_back(peer.network());
    if (candidates.size() == 1) remote = {candidates.front(), address};
  }
  if (remote.native_id.empty() || remote.network == config_.network || remote.native_id.size() > 1023) {
    std::string known;
    for (const auto& peer : link_.peers())
      if (peer.network() != config_.network) known += (known.empty() ? "" : ", ") + peer.network();
    co_return "I do not know where that is. Write !start NETWORK:ADDRESS with one of these networks: " + known + ".";
  }
  if (std::string room = directs_.room_of(user, remote); !room.empty()) co_return "You have a chat with " + remote.native_id + " (" + remote.network + ") already: https://matrix.to/#/" + room;
  auto ghost = co_await ghosts_.ensure(remote.network, remote.native_id, "");
  auto room = ghost ? co_await directs_.ensure(user, remote, *ghost) : Answer<std::string>(std::unexpected(ghost.error()));
  if (!room) {
    log::warn("matrix", "!start failed", {{"network", config_.network}, {"why", room.error().words}});
    co_return "The chat could not be opened. Please try again later.";
  }
  co_return "You are invited to a chat with " + remote.native_id + " (" + remote.network + ").";
}

asio::awaitable<bool> Transactions::is_room_admin(std::string room, std::string user) {
  auto levels = co_await homeserver_.state(room, "m.room.power_levels", "", "");
  auto level_of = [](const json::value* value) -> std::int64_t { return value != nullptr && value->is_int64() ? value->as_int64() : 0; };
  if (levels) {
    const json::object* users = object_at(*levels, "users");
    const json::value* own = users != nullptr ? users->if_contains(user) : nullptr;
    if (level_of(own != nullptr ? own : levels->if_contains("users_default")) >= 100) co_return true;
  } else if (levels.error().status != 404) {
    co_return false;
  }
  // Without power levels, and in room version 12 always, the creator has all power. The sender of the create event is the creator; it is asked for as a full event.
  auto all = co_await homeserver_.call("GET", "/_matrix/client/v3/rooms/" + sdk::percent_encode(room) + "/state/m.room.create/", "", {}, "format=event");
  co_return all && text_at(*all, "sender") == user;
}

asio::awaitable<void> Transactions::reply(std::string room, std::string to_event, std::string text) {
  json::object content = plain_notice(text);
  content["m.relates_to"] = json::object{{"m.in_reply_to", json::object{{"event_id", to_event}}}};
  auto direct = directs_.of_room(room);
  if (direct && direct->remote.network.empty()) direct.reset();
  std::string speaker = direct ? ghost_id(config_, direct->remote.network, direct->remote.native_id) : "";
  auto sent = co_await homeserver_.send(room, "m.room.message", "reply-" + to_event, std::move(content), speaker, 0);
  if (!sent) log::warn("matrix", "a reply could not be sent", {{"network", config_.network}, {"why", sent.error().words}});
}

}  // namespace fedgate::matrix
