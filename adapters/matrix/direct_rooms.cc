#include "adapters/matrix/direct_rooms.h"

#include <charconv>

#include "adapters/matrix/from_wire.h"
#include "gateway/base/base32.h"
#include "gateway/base/hash.h"
#include "gateway/base/logger.h"

namespace fedgate::matrix {

namespace asio = boost::asio;
namespace json = boost::json;

namespace {

std::string direct_key(const std::string& user, const Remote& remote) { return "direct/" + user + "/" + remote.network + ":" + remote.native_id; }

}  // namespace

std::optional<DirectRooms::Direct> DirectRooms::of_room(const std::string& room) const {
  auto value = link_.recall(config_.network, "room/" + room);
  if (!value) return std::nullopt;
  std::size_t line = value->find('\n');
  std::size_t colon = value->find(':', line);
  if (line == std::string::npos || colon == std::string::npos) return std::nullopt;
  return Direct{value->substr(0, line), {value->substr(line + 1, colon - line - 1), value->substr(colon + 1)}};
}

DirectRooms::Kept DirectRooms::kept(const std::string& user, const Remote& remote) const {
  Kept out;
  auto value = link_.recall(config_.network, direct_key(user, remote));
  if (!value) return out;
  std::size_t space = value->find(' ');
  std::from_chars(value->data(), value->data() + value->size(), out.generation);
  if (space != std::string::npos) out.room = value->substr(space + 1);
  return out;
}

asio::awaitable<void> DirectRooms::keep(std::string user, Remote remote, Kept value) {
  if (!value.room.empty()) {
    auto done = co_await link_.remember(config_.network, "room/" + value.room, user + "\n" + remote.network + ":" + remote.native_id);
    if (!done) log::error("matrix", "direct room not remembered", {{"network", config_.network}, {"why", done.error().message}});
  }
  auto done = co_await link_.remember(config_.network, direct_key(user, remote), std::to_string(value.generation) + " " + value.room);
  if (!done) log::error("matrix", "direct room not remembered", {{"network", config_.network}, {"why", done.error().message}});
}

asio::awaitable<Answer<std::string>> DirectRooms::ensure(std::string user, Remote remote, std::string ghost) {
  Kept now = kept(user, remote);
  if (!now.room.empty()) co_return now.room;
  // A homeserver invites people who do not exist; the message would wait for ever in a room without a reader.
  auto there = co_await homeserver_.look_up(user);
  if (!there && there.error().status == 404) co_return std::unexpected(there.error());
  Sha256 digest = sha256_of_parts({user, ghost, std::to_string(now.generation)});
  std::string alias = "_fedgate_d_" + base32_encode({reinterpret_cast<const char*>(digest.data()), 16});
  json::object body{{"preset", "trusted_private_chat"}, {"is_direct", true}, {"room_alias_name", alias}, {"invite", json::array{json::value(user)}}};
  auto created = co_await homeserver_.call("POST", "/_matrix/client/v3/createRoom", ghost, std::move(body));
  std::string room;
  if (created) {
    room = text_at(*created, "room_id");
  } else if (created.error().errcode == "M_ROOM_IN_USE") {
    auto resolved = co_await homeserver_.resolve_alias("#" + alias + ":" + config_.domain);
    if (!resolved) co_return std::unexpected(resolved.error());
    room = *resolved;
  } else {
    co_return std::unexpected(created.error());
  }
  ghosts_.joined(room, ghost);
  co_await keep(user, remote, {now.generation, room});
  co_return room;
}

asio::awaitable<void> DirectRooms::adopt(std::string room, std::string user, Remote remote) {
  Kept now = kept(user, remote);
  // The newest room that the user opened is the one to use; the older one stays readable, and what is said there still arrives.
  co_await keep(std::move(user), std::move(remote), {now.generation, std::move(room)});
}

asio::awaitable<void> DirectRooms::abandon(std::string room) {
  auto direct = of_room(room);
  if (!direct) co_return;
  auto forgotten = co_await link_.forget(config_.network, "room/" + room);
  if (!forgotten) log::error("matrix", "direct room not forgotten", {{"network", config_.network}, {"why", forgotten.error().message}});
  Kept now = kept(direct->user, direct->remote);
  if (now.room == room) co_await keep(direct->user, direct->remote, {now.generation + 1, ""});
}

}  // namespace fedgate::matrix
