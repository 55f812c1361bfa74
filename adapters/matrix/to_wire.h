// Envelopes to Matrix event contents (matrix.md §6, §7). Pure.
#pragma once

#include <optional>
#include <string>

#include <boost/json/object.hpp>

#include "fedgate/v1/link.pb.h"

namespace fedgate::matrix {

// Content of the m.room.message for a text; nullopt if the body is nothing that Matrix gets.
std::optional<boost::json::object> message_content(const v1::Deliver& delivery, const std::string& our_gateway);

// What the sender of a message is told. The notice is absent for states that need no words.
struct NoticeContents {
  std::optional<boost::json::object> notice;  // m.room.message
  std::optional<boost::json::object> status;  // com.beeper.message_send_status
};
NoticeContents notice_contents(const v1::Deliver& delivery, const std::string& our_gateway);

boost::json::object plain_notice(const std::string& text);

}  // namespace fedgate::matrix
