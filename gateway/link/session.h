// Session: one attached adapter: a gRPC stream on one side, the pipeline's AdapterPort on the other.
//
// Lives from the call's start until gRPC is done with it and the pipeline has let go of it; keeps itself alive for that. gRPC's threads enter only OnReadDone, OnWriteDone and OnDone. The
// next frame is read when the shard has worked on the last one: an adapter cannot flood the core. One write is in flight; what comes meanwhile, and what one turn of the shard
// produces, rides in one frame.
#pragma once

#include <grpcpp/grpcpp.h>

#include <chrono>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <string>

#include "fedgate/v1/link.grpc.pb.h"
#include "gateway/base/scheduler.h"
#include "gateway/link/arena_frame.h"
#include "gateway/pipeline/core.h"

namespace fedgate::link {

class Session final : public grpc::ServerBidiReactor<v1::AdapterFrame, v1::GatewayFrame>, public pipeline::AdapterPort {
 public:
  static constexpr int kEnvelopesPerFrame = 128;
  // Under load a frame waits this long after the one before it. A frame costs each side about 100 us of waking threads, whatever is in it.
  static constexpr std::chrono::microseconds kFramesApart{500};
  static constexpr std::size_t kPendingBytesMax = 64u << 20;  // an adapter that does not read is let go

  // The reactor that gRPC drives; owns itself.
  static Session* start(Scheduler& scheduler, pipeline::Core& core);

  void OnReadDone(bool ok) override;
  void OnWriteDone(bool ok) override;
  void OnDone() override;

  void verdict(pipeline::SubmitVerdict verdict) override;
  void deliver(const pipeline::DeliveryRequest& request) override;
  void grant_submit_credit(std::uint32_t count) override;
  void room_wanted(const pipeline::RoomWanted& wanted) override;
  void state_written(pipeline::StateWritten written) override;
  void command_reply(pipeline::CommandReply reply) override;

 private:
  Session(Scheduler& scheduler, pipeline::Core& core) : scheduler_(scheduler), core_(core) {}

  void handle(v1::AdapterFrame& frame);
  bool open(const v1::AdapterFrame& frame);
  void handle_submits(v1::AdapterFrame& frame);
  void handle_rest(v1::AdapterFrame& frame);
  // Adds to the pending frame, which is written when the shard's turn is over.
  template <class Add>
  void send(Add add);
  void flush();
  void write_locked();
  void finish(grpc::StatusCode code, const std::string& words);

  Scheduler& scheduler_;
  pipeline::Core& core_;
  std::shared_ptr<Session> self_;

  // Shard's thread.
  bool attached_ = false;
  std::int64_t submit_credit_ = 0;

  ArenaFrame<v1::AdapterFrame> reading_;

  using OutFrame = ArenaFrame<v1::GatewayFrame>;
  // The frame that is being filled: the last of pending_, or a new one when that is full.
  v1::GatewayFrame& open_frame();

  std::mutex mutex_;
  std::deque<std::unique_ptr<OutFrame>> pending_;
  std::unique_ptr<OutFrame> writing_;
  std::unique_ptr<OutFrame> spare_;
  std::size_t pending_bytes_ = 0;
  std::chrono::steady_clock::time_point last_write_{};
  bool flush_posted_ = false;
  bool write_in_flight_ = false;
  bool finished_ = false;
};

}  // namespace fedgate::link
