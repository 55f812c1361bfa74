// AdminServer: the gRPC service Admin (proto/fedgate/v1/admin.proto) on a unix socket of mode 0600: who can open the socket may do everything it offers.
//
// Owned by app/. gRPC's own threads take a call, the answer is made on the shard's scheduler, which must run until stop() has returned. start() and stop() from any other
// thread. Limits: requests of at most 1 MiB, dead lists of at most 10,000 entries.
#pragma once

#include <memory>
#include <string>

#include "gateway/base/result.h"
#include "gateway/base/scheduler.h"
#include "gateway/pipeline/core.h"

namespace fedgate::admin {

class AdminServer {
 public:
  struct Options {
    std::string address;  // "unix:PATH"
    std::string gateway;
    std::string policy;   // id@version
  };

  static Result<std::unique_ptr<AdminServer>> start(Options options, Scheduler& scheduler, pipeline::Core& core);
  ~AdminServer();

  // Ends calls in flight and waits for them.
  void stop();

 private:
  struct Running;
  explicit AdminServer(std::unique_ptr<Running> running);
  std::unique_ptr<Running> running_;
};

}  // namespace fedgate::admin
