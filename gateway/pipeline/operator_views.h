// What an operator sees of the pipeline: values for admin/ and the command line. The fields are those of proto/fedgate/v1/admin.proto; none holds content.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace fedgate::pipeline {

struct TraceStep {
  std::int64_t at_ms = 0;  // 0 = not known
  std::string step;
  std::string network;
  std::string detail;
  std::string delivery_id;
};

struct TracedMessage {
  std::string message_id, network, native_id, sender, conversation, kind;
  std::uint32_t rank = 0;
  std::vector<TraceStep> steps;
};

struct QueueView {
  std::string network, adapter, problem;
  bool attached = false;
  bool up = false;
  std::uint64_t waiting = 0, in_flight = 0, retrying = 0, dead = 0;
  std::int64_t oldest_ms = 0;
};

struct DeadView {
  std::string delivery_id, message_id, network, target, origin, reason_code, reason;
  std::int64_t accepted_at_ms = 0, died_at_ms = 0;
  std::uint32_t attempts = 0;
};

struct DeadPage {
  std::vector<DeadView> entries;
  std::uint64_t total = 0;
};

struct LinkEndView {
  std::string network, room, problem;
  bool joined = false;
};

struct LinkView {
  std::string id, state, note;
  std::vector<LinkEndView> ends;
  bool from_configuration = false;
};

}  // namespace fedgate::pipeline
