// Frames of link.proto to the pipeline's values and back. Pure; the sessions' vocabulary.
#pragma once

#include "fedgate/v1/link.pb.h"
#include "gateway/base/result.h"
#include "gateway/pipeline/ports.h"

namespace fedgate::link {

Result<pipeline::Hello> hello_from(const v1::Hello& hello);
void welcome_to(const pipeline::Welcome& welcome, const std::string& session, v1::Welcome& out);
void verdict_to(const pipeline::SubmitVerdict& verdict, v1::Verdict& out);
void deliver_to(const pipeline::DeliveryRequest& request, v1::Deliver& out);
void room_wanted_to(const pipeline::RoomWanted& wanted, v1::RoomWanted& out);
Result<pipeline::DeliveryReport> report_from(const v1::DeliveryResult& result);
pipeline::RoomState room_state_from(const v1::RoomState& state);
pipeline::Command command_from(const v1::Command& command);

}  // namespace fedgate::link
