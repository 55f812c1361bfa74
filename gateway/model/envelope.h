// Envelope: the canonical message. A value; filled stage by stage (link, normalise, label), immutable after commit.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "gateway/model/address.h"
#include "gateway/model/body.h"
#include "gateway/model/ids.h"
#include "gateway/model/label.h"

namespace fedgate::model {

enum class Assurance : std::uint8_t { kNone = 0, kAccount, kDomain, kSigned };
// Order is strength.
enum class Protection : std::uint8_t { kUnspecified = 0, kNone, kTls, kE2eToGateway, kVsApproved };

std::string_view to_text(Assurance assurance);    // "none", "account", "domain", "signed"
std::string_view to_text(Protection protection);  // "unspecified", "none", "tls", "e2e-to-gateway", "vs-approved"

struct Sender {
  Address address;
  std::string display_name;  // decoration; never identity
  Assurance assurance = Assurance::kNone;
  friend bool operator==(const Sender&, const Sender&) = default;
};

struct Reference {
  std::string native_id;
  std::string message_id;
  friend bool operator==(const Reference&, const Reference&) = default;
};

struct Envelope {
  MessageId id;
  std::string network;    // origin
  std::string native_id;  // id there
  std::string dedup_key;
  std::uint32_t revision = 0;
  Sender sender;
  Conversation conversation;  // seen from the origin network
  std::int64_t sent_at_ms = 0;
  std::int64_t accepted_at_ms = 0;
  Label label;
  std::vector<std::string> hops;  // provenance
  Protection protection = Protection::kUnspecified;
  Reference reply_to;
  Reference thread;
  Body body;
  friend bool operator==(const Envelope&, const Envelope&) = default;
};

}  // namespace fedgate::model
