// Message and Item: one committed (or committing) message and each delivery of it, while any of them is open.
//
// Owned by Shard; its thread. An Item stands in at most one lane, in the order of acceptance (intrusive list). The envelope is shared because a volatile notice
// may outlive its message. Does nothing by itself: courier moves items, settle ends them.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "gateway/base/clock.h"
#include "gateway/model/decision.h"
#include "gateway/model/delivery.h"
#include "gateway/model/envelope.h"
#include "gateway/pipeline/ports.h"
#include "gateway/store/log.h"

namespace fedgate::pipeline {

struct Lane;
struct Message;

struct Item {
  enum class State : std::uint8_t { kUncommitted, kWaiting, kInFlight, kSettling, kDead, kEnded };

  model::Delivery delivery;
  std::shared_ptr<const model::Envelope> envelope;
  Message* message = nullptr;  // null: volatile, nothing about it is stored
  Lane* lane = nullptr;
  Item* previous = nullptr;
  Item* next = nullptr;
  SteadyTime since{};          // of acceptance or of being requeued: what expiry counts from
  std::uint32_t attempts = 0;
  State state = State::kUncommitted;
  bool redelivery = false;
  bool changing = false;       // an operator's retry or drop is being written
  model::Settlement settlement;  // once settled

  bool is_message() const { return delivery.cls == model::LaneClass::kMessage; }
};

struct Waiter {
  std::uint64_t session = 0;
  std::uint64_t ref = 0;
};

struct Message {
  model::MessageId id;
  std::shared_ptr<const model::Envelope> envelope;
  model::Kind kind = model::Kind::kUnsupported;
  std::vector<model::Decision> decisions;
  std::vector<std::unique_ptr<Item>> items;
  std::vector<store::Seq> rows;   // journal rows that hold records of it
  std::vector<Waiter> waiters;    // who hears a verdict when it is durable; the first is the original submission
  SteadyTime accepted{};
  std::uint32_t open = 0;         // items not ended; dead ones count as open
  bool committed = false;
  bool ended = false;             // handed to history
  bool delayed_told = false;
};

}  // namespace fedgate::pipeline
