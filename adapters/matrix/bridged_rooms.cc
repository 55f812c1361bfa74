#include "adapters/matrix/bridged_rooms.h"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <algorithm>

#include "adapters/matrix/ids.h"
#include "gateway/base/backoff.h"
#include "gateway/base/logger.h"
#include "gateway/base/random.h"

namespace fedgate::matrix {

namespace asio = boost::asio;

namespace {

constexpr auto kKnownLimit = std::chrono::seconds(20);
constexpr auto kKnownEvery = std::chrono::milliseconds(20);

std::string id_key(const std::string& wanted) { return "room-id/" + wanted; }

}  // namespace

bool BridgedRooms::all_known() const {
  if (link_.gateway().empty()) return false;
  return std::all_of(rooms_.begin(), rooms_.end(), [](const auto& entry) { return entry.second.asked; });
}

asio::awaitable<bool> BridgedRooms::known() {
  auto self = shared_from_this();
  asio::steady_timer timer(context_);
  for (auto until = std::chrono::steady_clock::now() + kKnownLimit; !all_known();) {
    if (stopped_ || std::chrono::steady_clock::now() > until) co_return false;
    boost::system::error_code error;
    timer.expires_after(kKnownEvery);
    co_await timer.async_wait(asio::redirect_error(asio::use_awaitable, error));
  }
  co_return true;
}

void BridgedRooms::wanted(const v1::RoomWanted& given) {
  if (given.network() != config_.network) return;
  if (given.presence() == v1::RoomWanted::GONE) {
    auto found = rooms_.find(given.room());
    if (found == rooms_.end()) return;
    std::erase_if(by_id_, [&](const auto& entry) { return entry.second == given.room(); });
    rooms_.erase(found);
    return;
  }
  Room& room = rooms_[given.room()];
  room.wanted = given.room();
  room.presence = given.presence();
  if (!room.id.empty()) return changed(room.id);
  auto kept = given.room().starts_with('!') ? given.room() : link_.recall(config_.network, id_key(given.room())).value_or("");
  if (!kept.empty()) {
    by_id_[kept] = given.room();
    room.asked = true;
  }
  if (joining_.insert(given.room()).second) asio::co_spawn(context_, join(given.room()), asio::detached);
}

const BridgedRooms::Room* BridgedRooms::by_id(const std::string& room_id) const {
  auto found = by_id_.find(room_id);
  return found == by_id_.end() ? nullptr : by_wanted(found->second);
}

const BridgedRooms::Room* BridgedRooms::by_wanted(const std::string& name) const {
  auto found = rooms_.find(name);
  return found == rooms_.end() ? nullptr : &found->second;
}

std::vector<std::string> BridgedRooms::bridged_ids() const {
  std::vector<std::string> out;
  for (const auto& [id, wanted] : by_id_)
    if (const Room* room = by_wanted(wanted); room != nullptr && room->presence == v1::RoomWanted::BRIDGED) out.push_back(id);
  return out;
}

asio::awaitable<void> BridgedRooms::join(std::string wanted) {
  auto self = shared_from_this();
  SystemRandom random;
  Backoff backoff(std::chrono::milliseconds(500), std::chrono::seconds(10));
  asio::steady_timer timer(context_);
  std::string last_words;
  while (!stopped_ && rooms_.contains(wanted)) {
    auto id = co_await homeserver_.join(wanted, "");
    auto room = rooms_.find(wanted);
    if (room == rooms_.end()) break;
    room->second.asked = room->second.asked || id || id.error().status != 0;
    if (id) {
      room->second.id = *id;
      std::erase_if(by_id_, [&](const auto& entry) { return entry.second == wanted; });
      by_id_[*id] = wanted;
      log::info("matrix", "in bridged room", {{"network", config_.network}, {"room", wanted}});
      changed(*id);
      co_await keep_id(wanted, *id);
      break;
    }
    std::string words = "the bot " + config_.bot_id() + " cannot join: " + id.error().words + "; invite it, or make the room public";
    if (words != last_words) problem(wanted, words);
    last_words = words;
    boost::system::error_code error;
    timer.expires_after(std::chrono::duration_cast<asio::steady_timer::duration>(backoff.next(random)));
    co_await timer.async_wait(asio::redirect_error(asio::use_awaitable, error));
  }
  joining_.erase(wanted);
}

// An alias is resolved by the homeserver, which may be away when its events of an hour ago come.
asio::awaitable<void> BridgedRooms::keep_id(std::string wanted, std::string id) {
  if (wanted == id || link_.recall(config_.network, id_key(wanted)) == id) co_return;
  auto kept = co_await link_.remember(config_.network, id_key(wanted), std::move(id));
  if (!kept) log::warn("matrix", "the id of a bridged room is not remembered", {{"network", config_.network}, {"why", kept.error().message}});
}

void BridgedRooms::problem(const std::string& wanted, const std::string& words) {
  log::warn("matrix", "not in bridged room", {{"network", config_.network}, {"room", wanted}, {"why", words}});
  v1::RoomState state;
  state.set_network(config_.network);
  state.set_room(wanted);
  state.set_problem(words);
  link_.room_state(std::move(state));
}

void BridgedRooms::changed(const std::string& room_id) {
  auto found = by_id_.find(room_id);
  if (found == by_id_.end()) return;
  if (!telling_.insert(found->second).second) {
    tell_again_.insert(found->second);
    return;
  }
  asio::co_spawn(context_, tell(found->second), asio::detached);
}

asio::awaitable<void> BridgedRooms::tell(std::string wanted) {
  auto self = shared_from_this();
  asio::steady_timer timer(context_);
  do {
    tell_again_.erase(wanted);
    const Room* room = by_wanted(wanted);
    if (room == nullptr) break;
    std::string id = room->id;
    auto members = co_await homeserver_.joined_members(id, "");
    auto encrypted = co_await check_encrypted(id, "");
    v1::RoomState state;
    state.set_network(config_.network);
    state.set_room(wanted);
    if (members && encrypted) {
      state.set_joined(true);
      state.set_members_known(true);
      state.set_encrypted(*encrypted);
      std::set<std::string> domains;
      for (const auto& member : *members)
        if (!is_ours(config_, member)) domains.insert(std::string(domain_of(member)));
      for (const auto& domain : domains) state.add_domains(domain);
      link_.room_state(std::move(state));
      continue;
    }
    const Failure& failure = members ? encrypted.error() : members.error();
    if (failure.may_pass()) {
      boost::system::error_code error;
      timer.expires_after(std::chrono::seconds(1));
      co_await timer.async_wait(asio::redirect_error(asio::use_awaitable, error));
      tell_again_.insert(wanted);
      continue;
    }
    problem(wanted, "cannot see the members: " + failure.words);
    // Thrown out: come back when asked to.
    if (failure.status == 403 && rooms_.contains(wanted)) {
      by_id_.erase(id);
      rooms_[wanted].id.clear();
      if (joining_.insert(wanted).second) asio::co_spawn(context_, join(wanted), asio::detached);
    }
  } while (!stopped_ && tell_again_.contains(wanted));
  telling_.erase(wanted);
}

asio::awaitable<Answer<bool>> BridgedRooms::check_encrypted(std::string room_id, std::string as_user) {
  // Once encrypted, always encrypted: the flag is never taken back.
  if (encrypted_.contains(room_id)) co_return true;
  if (encryption_known_.contains(room_id)) co_return false;
  auto state = co_await homeserver_.state(room_id, "m.room.encryption", "", std::move(as_user));
  if (!state && state.error().status != 404) co_return std::unexpected(state.error());
  encryption_known_.insert(room_id);
  if (state) encrypted_.insert(room_id);
  co_return encrypted_.contains(room_id);
}

}  // namespace fedgate::matrix
