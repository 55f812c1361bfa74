// AdminClient: asks a running core over its admin socket. One call at a time, each with a deadline; blocking. For the command line only.
#pragma once

#include <chrono>
#include <memory>
#include <string>

#include "fedgate/v1/admin.pb.h"
#include "gateway/base/result.h"

namespace fedgate::cli {

class AdminClient {
 public:
  explicit AdminClient(const std::string& address, std::chrono::milliseconds deadline = std::chrono::seconds(5));
  ~AdminClient();

  // kUnavailable: no core there or it does not answer; everything else is the core's own answer.
  Result<v1::TraceReply> trace(const v1::TraceRequest& request);
  Result<v1::QueueReply> queue();
  Result<v1::DeadListReply> dead_list(const v1::DeadListRequest& request);
  Result<v1::DeadReply> dead_retry(const v1::DeadRequest& request);
  Result<v1::DeadReply> dead_drop(const v1::DeadRequest& request);
  Result<v1::LinksReply> links();
  Result<v1::SetLinkReply> set_link(const v1::SetLinkRequest& request);
  Result<v1::StatusReply> status();

 private:
  struct Parts;
  std::unique_ptr<Parts> parts_;
};

}  // namespace fedgate::cli
