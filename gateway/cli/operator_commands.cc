#include "gateway/cli/operator_commands.h"

#include <google/protobuf/util/json_util.h>

#include <iostream>

#include "gateway/cli/output.h"

namespace fedgate::cli {
namespace {

void print_json(std::ostream& out, const google::protobuf::Message& message) {
  google::protobuf::util::JsonPrintOptions options;
  options.add_whitespace = true;
  options.always_print_primitive_fields = true;
  options.preserve_proto_field_names = true;
  std::string text;
  if (google::protobuf::util::MessageToJsonString(message, &text, options).ok()) out << text;
}

int failed(const Asking& asking, const Error& error) {
  if (error.kind == ErrorKind::kUnavailable) {
    std::cerr << "fedgate: the core does not answer at " << asking.address << " (" << printable(error.message) << ")\n"
              << "Is it running? `fedgate up -c FILE` or `systemctl start fedgate.target` starts it; gateway.admin in the configuration names the socket;\n"
              << "its owner and root may open it.\n";
    return kExitUnreachable;
  }
  std::cerr << "fedgate: " << printable(error.message) << "\n";
  return error.kind == ErrorKind::kInvalid ? kExitUsage : kExitFailed;
}

template <class Reply>
int show(const Asking& asking, const Result<Reply>& reply, std::string (*text)(const Reply&)) {
  if (!reply) return failed(asking, reply.error());
  if (asking.json) print_json(asking.out, *reply);
  else asking.out << text(*reply);
  return 0;
}

int changed(const Asking& asking, const Result<v1::DeadReply>& reply, bool all, std::size_t asked, const char* verb) {
  if (!reply) return failed(asking, reply.error());
  if (asking.json) print_json(asking.out, *reply);
  else asking.out << reply->changed() << " " << verb << "\n";
  if (!all && reply->changed() < asked) {
    std::cerr << "fedgate: " << asked - reply->changed() << " of these ids are no dead deliveries; `fedgate dead list` shows them\n";
    return kExitFailed;
  }
  return 0;
}

v1::DeadRequest dead_request(const std::vector<std::string>& ids, const std::string& network) {
  v1::DeadRequest request;
  for (const auto& id : ids) request.add_delivery_ids(id);
  request.set_all(ids.empty());
  request.set_network(network);
  return request;
}

}  // namespace

int trace(const Asking& asking, const std::string& id) {
  v1::TraceRequest request;
  request.set_id(id);
  auto reply = asking.core.trace(request);
  int code = show(asking, reply, trace_text);
  if (code == 0 && reply->messages().empty()) {
    std::cerr << "fedgate: nothing known of " << printable(id) << ": it never arrived here, or is older than limits.retention_days\n";
    return kExitFailed;
  }
  return code;
}

int queue(const Asking& asking) { return show(asking, asking.core.queue(), queue_text); }

int dead_list(const Asking& asking, const std::string& network, unsigned limit) {
  v1::DeadListRequest request;
  request.set_network(network);
  request.set_limit(limit);
  return show(asking, asking.core.dead_list(request), dead_text);
}

int dead_retry(const Asking& asking, const std::vector<std::string>& ids, const std::string& network) {
  return changed(asking, asking.core.dead_retry(dead_request(ids, network)), ids.empty(), ids.size(), "queued again");
}
int dead_drop(const Asking& asking, const std::vector<std::string>& ids, const std::string& network) {
  return changed(asking, asking.core.dead_drop(dead_request(ids, network)), ids.empty(), ids.size(), "dropped");
}

int links(const Asking& asking) { return show(asking, asking.core.links(), links_text); }

int set_link(const Asking& asking, const std::string& id, const std::string& state) {
  v1::SetLinkRequest request;
  request.set_id(id);
  request.set_state(state);
  auto reply = asking.core.set_link(request);
  if (!reply) return failed(asking, reply.error());
  if (asking.json) {
    print_json(asking.out, *reply);
  } else {
    v1::LinksReply one;
    *one.add_links() = reply->link();
    asking.out << links_text(one);
  }
  return 0;
}

}  // namespace fedgate::cli
