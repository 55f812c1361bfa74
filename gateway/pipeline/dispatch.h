// Dispatch: from a labelled envelope and its candidate targets to decisions, refusals and deliveries. A pure function: clock, rooms and policy are arguments.
//
// Owned by nobody; any thread. Decides before it makes a delivery, so that nothing is ever made for a target that policy did not allow.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/model/decision.h"
#include "gateway/model/delivery.h"
#include "gateway/model/envelope.h"
#include "gateway/pipeline/ports.h"
#include "gateway/policy/policy.h"
#include "gateway/settings/settings.h"

namespace fedgate::pipeline {

struct Target {
  std::string network;
  const settings::Network* settings = nullptr;  // null: no network of that name
  const render::Capabilities* capabilities = nullptr;
  model::Conversation conversation;             // on the target network
  std::vector<policy::RealmIndex> realms;       // every one must be allowed
  bool encrypted = false;
  bool same_network = false;
};

struct Dispatched {
  std::vector<model::Decision> decisions;
  std::vector<model::Delivery> deliveries;  // messages only; notices are the shard's
  std::vector<Refusal> refusals;
};

struct Origin {
  const settings::Network* settings = nullptr;
  policy::RealmIndex realm = policy::kUnknownRealm;
};

Dispatched dispatch(const policy::Policy& policy, const Origin& origin, const model::Envelope& envelope, const std::vector<Target>& targets, std::int64_t now_ms);

policy::Connector connector_of(std::string_view adapter);

}  // namespace fedgate::pipeline
