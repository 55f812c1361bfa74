// Message stanzas to envelopes (xmpp.md §1.11, §1.12, §1.18). Pure: who is meant and who speaks is decided by the caller from what the server says.
#pragma once

#include <optional>
#include <string>

#include "adapters/xmpp/element.h"
#include "fedgate/v1/envelope.pb.h"

namespace fedgate::xmpp {

// The body of a message, kinds recognised before bodies are read; nullopt if there is nothing to carry (chat states, receipts, markers, empty).
std::optional<v1::Body> body_of(const Element& message);

bool wants_receipt(const Element& message);

// Unix milliseconds of an XEP-0203 stamp ("2026-11-23T10:00:00Z", fractions allowed); nullopt if malformed.
std::optional<std::int64_t> parse_stamp(std::string_view stamp);
std::string stamp_of(std::int64_t unix_ms);

// What identifies a one-to-one message for ever: who, which id, which content. `fresh` stands in where there is no id.
std::string direct_dedup_key(const std::string& bare_from, const Element& message, const std::string& fresh);

}  // namespace fedgate::xmpp
