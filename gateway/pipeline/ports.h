// What the pipeline exchanges with adapters, as values, and the port through which it reaches one. link/ implements the port over gRPC, tests/sim with faulty
// adapters in one thread. The meaning of each field is that of the message of the same name in proto/fedgate/v1/link.proto.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "gateway/model/decision.h"
#include "gateway/model/delivery.h"
#include "gateway/model/envelope.h"
#include "gateway/render/capabilities.h"

namespace fedgate::pipeline {

struct Submission {
  std::uint64_t ref = 0;
  model::Envelope envelope;  // network, native_id, dedup_key, sender, conversation, body filled in; the rest is the core's
};

struct Refusal {
  std::string network;
  std::string code;
  std::string text;
  std::string decision_id;
};

struct SubmitVerdict {
  enum class Outcome { kAccepted, kPartly, kRefused, kDuplicate, kIgnored, kWait, kInvalid };
  std::uint64_t ref = 0;
  Outcome outcome = Outcome::kInvalid;
  model::MessageId message;
  std::string reason;
  std::vector<Refusal> refusals;
  std::uint32_t retry_after_ms = 0;
};

struct DeliveryRequest {
  const model::Delivery& delivery;
  const model::Envelope& envelope;
  const model::Body& body;       // what to send: the delivery's own or the envelope's
  bool redelivery = false;
  std::int64_t delayed_since_ms = 0;
  const std::string& lane;
};

struct DeliveryReport {
  enum class Outcome { kDelivered, kRetry, kRefused, kUnknown };
  model::DeliveryId delivery;
  Outcome outcome = Outcome::kUnknown;
  std::vector<std::string> native_ids;
  std::string reason_code;
  std::string reason;
  std::uint32_t retry_after_ms = 0;
  bool network_down = false;
};

struct RoomState {
  std::string network;
  std::string room;
  bool joined = false;
  bool encrypted = false;
  bool members_known = false;
  std::vector<std::string> domains;
  std::string name;
  std::string problem;
};

enum class Presence { kGone, kListening, kBridged };
struct RoomWanted {
  std::string network;
  std::string room;
  Presence presence = Presence::kGone;
};

struct StateWrite {
  std::uint64_t ref = 0;
  std::string network;
  std::string key;
  std::string value;
  bool erase = false;
};
struct StateWritten {
  std::uint64_t ref = 0;
  bool ok = false;
  std::string error;
};

struct Command {
  std::uint64_t ref = 0;
  std::string network;
  std::string room;
  model::Sender sender;
  bool sender_is_room_admin = false;
  std::string line;
};
struct CommandReply {
  std::uint64_t ref = 0;
  std::string text;
  bool ok = false;
};

struct NetworkStatus {
  std::string network;
  bool up = false;
  std::string reason;
};

// One attached adapter, seen from the pipeline. Called on the shard's thread only; calls never come back into the pipeline before returning.
class AdapterPort {
 public:
  virtual ~AdapterPort() = default;
  virtual void verdict(SubmitVerdict verdict) = 0;
  // Called at most as often as deliver credit was granted. The references are valid during the call.
  virtual void deliver(const DeliveryRequest& request) = 0;
  virtual void grant_submit_credit(std::uint32_t count) = 0;
  virtual void room_wanted(const RoomWanted& wanted) = 0;
  virtual void state_written(StateWritten written) = 0;
  virtual void command_reply(CommandReply reply) = 0;
};

struct Hello {
  std::string adapter;
  std::string software;
  std::vector<std::string> networks;
  std::map<std::string, render::Capabilities> capabilities;
};

struct Welcome {
  struct Peer { std::string network, adapter, realm; };
  struct State { std::string network, key, value; };
  std::string gateway;
  std::vector<Peer> peers;
  std::vector<State> state;
  std::vector<RoomWanted> rooms;
  std::uint32_t submit_credit = 0;
};

}  // namespace fedgate::pipeline
