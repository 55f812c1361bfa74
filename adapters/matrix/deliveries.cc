#include "adapters/matrix/deliveries.h"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>

#include "adapters/matrix/from_wire.h"
#include "adapters/matrix/ids.h"
#include "adapters/matrix/to_wire.h"
#include "gateway/base/logger.h"

namespace fedgate::matrix {

namespace asio = boost::asio;
namespace json = boost::json;

namespace {

constexpr int kSearchPages = 3;
constexpr std::size_t kRoomsRemembered = 500;
constexpr std::size_t kIdsPerRoom = 5000;

Failure refusal(std::string code, std::string words) { return {false, 400, std::move(code), std::move(words), 0}; }

}  // namespace

void Deliveries::deliver(v1::Deliver delivery) { asio::co_spawn(context_, run(std::move(delivery)), asio::detached); }

asio::awaitable<void> Deliveries::run(v1::Deliver delivery) {
  auto self = shared_from_this();
  auto answer = co_await (delivery.envelope().body().has_notice() ? tell(delivery) : bring(delivery));
  settle(delivery, answer);
}

void Deliveries::settle(const v1::Deliver& delivery, const Answer<std::string>& answer) {
  v1::DeliveryResult result;
  result.set_delivery_id(delivery.delivery_id());
  if (answer) {
    result.set_outcome(v1::DeliveryResult::DELIVERED);
    if (!answer->empty()) result.add_native_ids(*answer);
  } else {
    const Failure& failure = answer.error();
    bool token = failure.errcode == "M_UNKNOWN_TOKEN" || failure.errcode == "M_MISSING_TOKEN";
    bool again = failure.may_pass() || token || failure.errcode == "NOT_JOINED";
    result.set_outcome(again ? v1::DeliveryResult::RETRY : v1::DeliveryResult::REFUSED);
    result.set_reason_code(failure.errcode.empty() ? (failure.unreachable ? "unreachable" : std::to_string(failure.status)) : failure.errcode);
    if (failure.status == 413) result.set_reason_code("TOO_LARGE");
    result.set_reason(failure.words);
    result.set_retry_after_ms(failure.retry_after_ms);
    result.set_network_down(failure.unreachable || token);
    if (result.network_down()) on_unreachable_(failure.words);
    log::info("matrix", again ? "delivery later" : "delivery refused",
              {{"network", config_.network}, {"delivery", delivery.delivery_id()}, {"code", result.reason_code()}, {"why", failure.words}});
  }
  link_.result(std::move(result));
}

asio::awaitable<Answer<Deliveries::Place>> Deliveries::place_of(const v1::Deliver& delivery) {
  const v1::Sender& sender = delivery.envelope().sender();
  auto ghost = co_await ghosts_.ensure(sender.address().network(), sender.address().native_id(), sender.display_name());
  if (!ghost) co_return std::unexpected(ghost.error());
  if (delivery.conversation().has_direct()) {
    const std::string& user = delivery.conversation().direct().native_id();
    if (!is_user_id(user) || is_ours(config_, user)) co_return std::unexpected(refusal("NO_SUCH_USER", "not a Matrix user id"));
    auto room = co_await directs_.ensure(user, {sender.address().network(), sender.address().native_id()}, *ghost);
    if (!room) {
      bool unknown = room.error().status == 404 || (room.error().status == 403 && !room.error().may_pass());
      co_return std::unexpected(unknown ? refusal("NO_SUCH_USER", room.error().words) : room.error());
    }
    co_return Place{*room, *ghost};
  }
  const BridgedRooms::Room* room = rooms_.by_wanted(delivery.conversation().room());
  if (room == nullptr || room->id.empty()) co_return std::unexpected(refusal("NOT_JOINED", "the bot is not in the room yet"));
  std::string id = room->id;
  auto joined = co_await ghosts_.ensure_joined(id, *ghost, "");
  if (!joined) co_return std::unexpected(joined.error());
  co_return Place{id, *ghost};
}

asio::awaitable<Answer<std::string>> Deliveries::bring(const v1::Deliver& delivery) {
  auto content = message_content(delivery, link_.gateway());
  if (!content) co_return std::unexpected(refusal("UNSUPPORTED_KIND", "this kind is not written to Matrix"));
  auto place = co_await place_of(delivery);
  if (!place) co_return std::unexpected(place.error());
  auto encrypted = co_await rooms_.check_encrypted(place->room, place->speaker);
  if (!encrypted) co_return std::unexpected(encrypted.error());
  if (*encrypted) co_return std::unexpected(refusal("ENCRYPTED_ROOM", "the room is encrypted; plain text is never written into it"));
  if (delivery.redelivery()) {
    auto sent = co_await find_sent(delivery, *place);
    if (!sent) co_return std::unexpected(sent.error());
    if (!sent->empty()) co_return *sent;
  }
  auto event = co_await write(delivery, *place, *content, delivery.delayed_since_ms());
  if (event || event.error().status != 403) co_return event;
  // Thrown out, or the room's memory of ours is old: enter once more, then it is a refusal.
  ghosts_.left(place->room, place->speaker);
  auto joined = co_await ghosts_.ensure_joined(place->room, place->speaker, "");
  if (!joined) co_return std::unexpected(joined.error());
  co_return co_await write(delivery, *place, *content, delivery.delayed_since_ms());
}

// The homeserver forgets transaction ids when it restarts, so that a repetition would be a second message: look for it before.
asio::awaitable<Answer<std::string>> Deliveries::find_sent(const v1::Deliver& delivery, const Place& place) {
  if (!sent_.contains(place.room)) {
    auto loaded = co_await load_sent(place);
    if (!loaded) co_return std::unexpected(loaded.error());
  }
  const auto& ids = sent_[place.room];
  auto found = ids.find(delivery.delivery_id());
  co_return found == ids.end() ? std::string() : found->second;
}

asio::awaitable<Answer<void>> Deliveries::load_sent(const Place& place) {
  std::unordered_map<std::string, std::string> ids;
  std::string from;
  for (int page = 0; page < kSearchPages; ++page) {
    std::string query = "dir=b&limit=100" + (from.empty() ? "" : "&from=" + sdk::percent_encode(from));
    auto answer = co_await homeserver_.call("GET", "/_matrix/client/v3/rooms/" + sdk::percent_encode(place.room) + "/messages", place.speaker, {}, query);
    if (!answer) co_return std::unexpected(answer.error());
    const json::value* chunk = answer->if_contains("chunk");
    if (chunk == nullptr || !chunk->is_array() || chunk->as_array().empty()) break;
    for (const auto& event : chunk->as_array()) {
      if (!event.is_object()) continue;
      const json::object* content = object_at(event.as_object(), "content");
      const json::object* marker = content != nullptr ? object_at(*content, "org.fedgate.delivery") : nullptr;
      if (marker != nullptr) ids.emplace(text_at(*marker, "id"), text_at(event.as_object(), "event_id"));
    }
    from = text_at(*answer, "end");
    if (from.empty()) break;
  }
  if (sent_.size() >= kRoomsRemembered) sent_.clear();
  sent_[place.room] = std::move(ids);
  co_return Answer<void>{};
}

asio::awaitable<Answer<std::string>> Deliveries::write(const v1::Deliver& delivery, const Place& place, json::object content, std::int64_t at_ms) {
  auto event = co_await homeserver_.send(place.room, "m.room.message", delivery.delivery_id(), std::move(content), place.speaker, at_ms);
  auto found = sent_.find(place.room);
  if (found == sent_.end()) co_return event;
  // Without an answer it may be there or not: what was read of the room is no longer the truth.
  bool uncertain = !event && (event.error().unreachable || event.error().status == 0 || event.error().status >= 500);
  if (uncertain || found->second.size() >= kIdsPerRoom) sent_.erase(found);
  else if (event) found->second.emplace(delivery.delivery_id(), *event);
  co_return event;
}

asio::awaitable<Answer<std::string>> Deliveries::tell(const v1::Deliver& delivery) {
  NoticeContents contents = notice_contents(delivery, link_.gateway());
  Place place;
  if (delivery.conversation().has_direct()) {
    // The sender's direct chat with whom the message was for.
    const v1::Envelope& about = delivery.envelope();
    const std::string& user = delivery.conversation().direct().native_id();
    const v1::Address& peer = about.conversation().direct();
    auto ghost = co_await ghosts_.ensure(peer.network(), peer.native_id(), "");
    if (!ghost) co_return std::unexpected(ghost.error());
    auto room = co_await directs_.ensure(user, {peer.network(), peer.native_id()}, *ghost);
    if (!room) co_return std::unexpected(room.error());
    place = {*room, *ghost};
  } else {
    const BridgedRooms::Room* room = rooms_.by_wanted(delivery.conversation().room());
    place = {room != nullptr && !room->id.empty() ? room->id : delivery.conversation().room(), ""};
  }
  std::string event_id;
  if (contents.notice) {
    auto told = co_await say(delivery, place, *contents.notice);
    if (!told) co_return told;
    event_id = *told;
  }
  if (contents.status) {
    auto event = co_await homeserver_.send(place.room, "com.beeper.message_send_status", delivery.delivery_id() + ".status", *contents.status, place.speaker, 0);
    if (!event) co_return event;
    if (event_id.empty()) event_id = *event;
  }
  co_return event_id;
}

// The words of a notice: where the message was written, or, if that room is encrypted, in the bot's own chat with the sender.
asio::awaitable<Answer<std::string>> Deliveries::say(const v1::Deliver& delivery, Place place, json::object content) {
  auto encrypted = co_await rooms_.check_encrypted(place.room, place.speaker);
  if (!encrypted) co_return std::unexpected(encrypted.error());
  if (*encrypted) {
    const std::string& user = delivery.envelope().sender().address().native_id();
    auto room = co_await directs_.ensure(user, kOfTheGateway, config_.bot_id());
    if (!room) co_return std::unexpected(room.error());
    place = {*room, ""};
    content.erase("m.relates_to");
  }
  if (delivery.redelivery()) {
    auto sent = co_await find_sent(delivery, place);
    if (!sent || !sent->empty()) co_return sent;
  }
  co_return co_await write(delivery, place, std::move(content), 0);
}

}  // namespace fedgate::matrix
