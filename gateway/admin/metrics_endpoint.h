// MetricsEndpoint: HTTP/1.1 GET and HEAD of /metrics, /healthz and /readyz, for a monitoring system on the same machine.
//
// Owned by app/; one thread of its own, so that a slow reader never holds up the shard; answers come from `ask`. Binds loopback addresses only: there is no authentication.
// Limits: 16 connections, 8 KiB of request header, no body, 5 s per request, 3 s for the shard's answer (then 503).
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "gateway/base/result.h"

namespace fedgate::admin {

class MetricsEndpoint {
 public:
  struct Snapshot {
    std::function<std::string()> metrics;  // text format; made on the endpoint's thread, and only when asked for
    std::vector<std::string> problems;     // empty: ready
  };
  using Answer = std::function<void(Snapshot)>;
  // Called on the endpoint's thread; calls back once, from any thread.
  using Ask = std::function<void(Answer)>;

  static Result<std::unique_ptr<MetricsEndpoint>> start(const std::string& listen, Ask ask);
  ~MetricsEndpoint();
  void stop();
  std::uint16_t port() const;

 private:
  struct Running;
  explicit MetricsEndpoint(std::shared_ptr<Running> running);
  std::shared_ptr<Running> running_;
};

}  // namespace fedgate::admin
