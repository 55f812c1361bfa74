// LinkServer: the gRPC service Link on a unix socket: sessions between adapters and the core.
//
// Owned by app/. gRPC's threads only move frames; all logic runs on the shard's Scheduler. The socket has mode 0600: who may open it is who may speak for a network (the file
// system is the access control). Blobs are not carried yet: both RPCs say so. stop() blocks, may come from any thread, and needs the scheduler still running.
#pragma once

#include <memory>
#include <string>

#include "gateway/base/result.h"
#include "gateway/base/scheduler.h"
#include "gateway/pipeline/core.h"
#include "gateway/settings/settings.h"

namespace fedgate::link {

struct Options {
  std::string address;  // "unix:PATH", absolute
  std::shared_ptr<const settings::Settings> settings;
};

class LinkServer {
 public:
  static Result<std::unique_ptr<LinkServer>> start(Options options, Scheduler& scheduler, pipeline::Core& core);
  ~LinkServer();
  void stop();

 private:
  class Running;
  explicit LinkServer(std::unique_ptr<Running> running);
  std::unique_ptr<Running> running_;
};

}  // namespace fedgate::link
