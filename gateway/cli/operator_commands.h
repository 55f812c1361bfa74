// The commands that ask a running core: trace, queue, dead, links. Each prints to `out` and returns the exit code; messages for people go to standard error.
// With json the reply is printed as the JSON form of its message in admin.proto.
#pragma once

#include <ostream>
#include <string>
#include <vector>

#include "fedgate/v1/admin.pb.h"
#include "gateway/cli/admin_client.h"

namespace fedgate::cli {

inline constexpr int kExitFailed = 1;
inline constexpr int kExitUsage = 2;
inline constexpr int kExitUnreachable = 69;

struct Asking {
  AdminClient& core;
  std::string address;  // for the message when it is not there
  bool json = false;
  std::ostream& out;
};

int trace(const Asking& asking, const std::string& id);
int queue(const Asking& asking);
int dead_list(const Asking& asking, const std::string& network, unsigned limit);
// ids empty: all of `network`, or of every network if that is empty.
int dead_retry(const Asking& asking, const std::vector<std::string>& ids, const std::string& network);
int dead_drop(const Asking& asking, const std::vector<std::string>& ids, const std::string& network);
int links(const Asking& asking);
int set_link(const Asking& asking, const std::string& id, const std::string& state);

// The texts, pure.
std::string trace_text(const v1::TraceReply& reply);
std::string queue_text(const v1::QueueReply& reply);
std::string dead_text(const v1::DeadListReply& reply);
std::string links_text(const v1::LinksReply& reply);

}  // namespace fedgate::cli
