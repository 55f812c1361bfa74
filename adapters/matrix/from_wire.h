// Matrix events to envelopes (matrix.md §6). Pure: what a room is and how its sender is called is given.
//
// Foreign JSON is hostile: every key is checked for its type, nothing is believed that the homeserver did not say itself (sender, room_id, event_id).
#pragma once

#include <optional>
#include <string>

#include <boost/json/object.hpp>

#include "adapters/matrix/config.h"
#include "fedgate/v1/envelope.pb.h"

namespace fedgate::matrix {

// What every event must have; nullopt if it is no proper event.
struct EventHead {
  std::string type;
  std::string room;
  std::string sender;
  std::string id;
  std::optional<std::string> state_key;
  std::int64_t at_ms = 0;
  const boost::json::object* content = nullptr;
};

std::optional<EventHead> head_of(const boost::json::object& event);

// The envelope without conversation and display name; nullopt for kinds that are nobody's message.
// our_gateway: events that carry a delivery of ours are an echo and give nullopt.
std::optional<v1::Envelope> from_event(const Config& config, const std::string& our_gateway, const EventHead& head, const boost::json::object& event);

// Text of a plain m.text message, for commands; "" for everything else.
std::string command_line(const EventHead& head);

std::string text_at(const boost::json::object& object, std::string_view key);  // "" if it is no text
const boost::json::object* object_at(const boost::json::object& object, std::string_view key);

}  // namespace fedgate::matrix
