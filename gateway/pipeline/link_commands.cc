// What people say to the gateway in a room: !link, !unlink, !links, !help.
#include <algorithm>
#include <sstream>

#include "gateway/pipeline/links.h"

namespace fedgate::pipeline {
namespace {

constexpr std::size_t kLineMax = 1024;

std::string help() {
  return "I carry messages between this room and a room of another network.\n"
         "!link NETWORK ROOM - link this room with ROOM of NETWORK (an admin of each room has to ask)\n"
         "!unlink - stop carrying messages of this room\n"
         "!links - what this room is linked with\n"
         "!help - this text";
}

}  // namespace

void Links::command(const Command& command, std::function<void(CommandReply)> answer) {
  Reply reply = [ref = command.ref, answer = std::move(answer)](std::string text, bool ok) { answer({ref, std::move(text), ok}); };
  if (command.line.size() > kLineMax) {
    ++stats_.limit_hits["command_bytes_max"];
    return reply("That command is too long.", false);
  }
  std::istringstream words(command.line);
  std::string verb, network, room, rest;
  words >> verb >> network >> room >> rest;
  if (verb == "!help") return reply(help(), true);
  if (command.room.empty()) return reply(verb == "!links" || verb == "!link" || verb == "!unlink" ? "Please say that in the room that it is about." : help(), false);
  if (verb == "!links") return reply(list(command), true);
  if (verb != "!link" && verb != "!unlink") return reply("I do not know that command. Say !help for those that I know.", false);
  if (!command.sender_is_room_admin) return reply("Only an admin of this room may do that.", false);
  if (verb == "!unlink") return unlink(command, reply);
  if (network.empty() || room.empty() || !rest.empty()) return reply("Please say: !link NETWORK ROOM", false);
  link(command, network, room, reply);
}

std::string Links::list(const Command& command) const {
  auto it = by_room_.find(room_key(command.network, command.room));
  if (it == by_room_.end()) return "This room is not linked.";
  const Link& found = links_.at(it->second);
  std::string text;
  for (const auto& end : found.ends) {
    if (end.network == command.network && end.room == command.room) continue;
    text += (text.empty() ? "" : "\n") + end.room + " on " + end.network;
  }
  switch (found.state) {
    case Link::State::kActive: return "This room is linked with:\n" + text;
    case Link::State::kPending: return "Waiting until an admin there says !link " + command.network + " " + command.room + ":\n" + text;
    case Link::State::kSuspended: return "This link is suspended; no messages are carried:\n" + text;
  }
  return text;
}

// Marks the commanding room's end as proven; true when every end is.
bool Links::prove(Link& link, const Command& command) const {
  bool all = true;
  for (auto& end : link.ends) {
    if (end.network == command.network && end.room == command.room) {
      end.proven_by = command.sender.address.native_id.empty() ? "admin" : command.sender.address.native_id;
      end.proven_at_ms = parts_.clock.wall_ms();
    }
    all = all && !end.proven_by.empty();
  }
  return all;
}

void Links::link(const Command& command, const std::string& network, const std::string& room, Reply reply) {
  const auto* here = parts_.settings->network(command.network);
  const auto* there = parts_.settings->network(network);
  if (!there || !here) return reply("There is no network called " + network + " here.", false);
  if (network == command.network) return reply("Both rooms are on " + network + "; I link rooms of different networks.", false);
  if (room.size() > 1023) return reply("That room's name is too long.", false);
  if (parts_.policy->realm(here->realm) == policy::kUnknownRealm || parts_.policy->realm(there->realm) == policy::kUnknownRealm)
    return reply("The policy of this gateway does not allow a link with " + network + ".", false);

  auto is_other = [&](const Link::End& end) { return end.network == network && end.room == room; };
  auto is_own = [&](const Link::End& end) { return end.network == command.network && end.room == command.room; };
  Link* own = find(command.network, command.room);
  bool same = own && std::any_of(own->ends.begin(), own->ends.end(), is_other);
  if (own && !same && own->state != Link::State::kPending) return reply("This room is linked already. Say !links to see with what.", false);
  if (same && own->state == Link::State::kActive) return reply("This room is linked with " + room + " on " + network + " already.", false);
  if (same && own->from_configuration) return reply("This link is suspended by the operator of the gateway.", false);
  Link* other = find(network, room);
  bool offered = other && std::any_of(other->ends.begin(), other->ends.end(), is_own);
  if (other && !offered) return reply("That room is linked with another one already.", false);

  Link link;
  if (offered || same) {
    link = offered ? *other : *own;
    if (link.state == Link::State::kSuspended) {
      // Started anew: the consent of both rooms is asked for again.
      if (link.note.ends_with("by the operator")) return reply("This link is suspended by the operator of the gateway.", false);
      for (auto& end : link.ends) end.proven_by.clear();
    }
    link.state = Link::State::kPending;
  } else {
    auto id = hex(std::string_view(reinterpret_cast<const char*>(sha256_of_parts({command.network, command.room}).data()), 8));
    link.id = "room-" + id;  // one per room that asks: asking again for another room replaces what was only asked for
    link.ends = {{command.network, command.room, std::nullopt, {}, 0}, {network, room, std::nullopt, {}, 0}};
  }
  if (prove(link, command)) link.state = Link::State::kActive;
  link.note = "asked for in " + command.network;
  bool active = link.state == Link::State::kActive;
  std::optional<Link> replaced;
  if (own && own->id != link.id) replaced = *own;
  store(std::move(link), [this, reply, active, replaced, command, network, room](Result<void> result) {
    if (!result) return reply("I could not store that just now. Please try again in a minute.", false);
    if (replaced) {
      // What this room had only asked for is void now that it is linked with another room.
      set(replaced->id, "deleted", [](const Result<LinkView>&) {});
    }
    if (active) return reply("This room is now linked with " + room + " on " + network + ".", true);
    reply("Nearly done: an admin of " + room + " on " + network + " now has to say there: !link " + command.network + " " + command.room, true);
  });
}

void Links::unlink(const Command& command, Reply reply) {
  Link* own = find(command.network, command.room);
  if (!own) return reply("This room is not linked.", false);
  if (own->state == Link::State::kSuspended) return reply("This link is suspended already.", false);
  Link link = *own;
  link.state = Link::State::kSuspended;
  link.note = "suspended by an admin of the room in " + command.network;
  store(std::move(link), [reply](Result<void> result) {
    if (!result) return reply("I could not store that just now. Please try again in a minute.", false);
    reply("Done: messages of this room are no longer carried.", true);
  });
}

}  // namespace fedgate::pipeline
