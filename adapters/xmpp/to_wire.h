// Envelopes to message stanzas. Pure.
#pragma once

#include <optional>
#include <string>

#include "adapters/xmpp/config.h"
#include "adapters/xmpp/element.h"
#include "fedgate/v1/link.pb.h"

namespace fedgate::xmpp {

// A text to a person or a room; nullopt for bodies that XMPP does not get. from: full JID of the ghost.
std::optional<Element> message_stanza(const v1::Deliver& delivery, const std::string& from, const std::string& to, bool groupchat,
                                     const std::string& our_gateway);

// What the sender of a message is told in words, prefixed so that nobody takes it for the other person's.
std::string notice_text(const v1::Notice& notice);

// Answer to a message that was refused, failed or expired (xmpp.md §1.17).
Element refusal_stanza(const v1::Notice& notice, const std::string& from, const std::string& to);

Element error_reply(const Element& stanza, std::string_view type, std::string_view condition, std::string_view text);

}  // namespace fedgate::xmpp
