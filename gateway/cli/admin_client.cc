#include "gateway/cli/admin_client.h"

#include <grpcpp/grpcpp.h>

#include "fedgate/v1/admin.grpc.pb.h"

namespace fedgate::cli {
namespace {

constexpr int kReplyBytesMax = 64 << 20;

std::shared_ptr<grpc::Channel> open_channel(const std::string& address) {
  grpc::ChannelArguments arguments;
  arguments.SetMaxReceiveMessageSize(kReplyBytesMax);
  // A proxy variable of the environment must not lead our own socket astray; and a core that just came up is found at once.
  arguments.SetInt(GRPC_ARG_ENABLE_HTTP_PROXY, 0);
  arguments.SetInt(GRPC_ARG_INITIAL_RECONNECT_BACKOFF_MS, 100);
  arguments.SetInt(GRPC_ARG_MIN_RECONNECT_BACKOFF_MS, 100);
  arguments.SetInt(GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, 500);
  return grpc::CreateCustomChannel(address, grpc::InsecureChannelCredentials(), arguments);
}

ErrorKind kind_of(grpc::StatusCode code) {
  switch (code) {
    case grpc::StatusCode::UNAVAILABLE:
    case grpc::StatusCode::DEADLINE_EXCEEDED:
    case grpc::StatusCode::UNIMPLEMENTED: return ErrorKind::kUnavailable;
    case grpc::StatusCode::NOT_FOUND: return ErrorKind::kNotFound;
    case grpc::StatusCode::INVALID_ARGUMENT: return ErrorKind::kInvalid;
    case grpc::StatusCode::FAILED_PRECONDITION: return ErrorKind::kConflict;
    case grpc::StatusCode::PERMISSION_DENIED: return ErrorKind::kForbidden;
    case grpc::StatusCode::RESOURCE_EXHAUSTED: return ErrorKind::kLimit;
    default: return ErrorKind::kInternal;
  }
}

}  // namespace

struct AdminClient::Parts {
  std::chrono::milliseconds deadline;
  std::unique_ptr<v1::Admin::Stub> stub;

  template <class Request, class Reply>
  Result<Reply> call(grpc::Status (v1::Admin::Stub::*method)(grpc::ClientContext*, const Request&, Reply*), const Request& request) {
    grpc::ClientContext context;
    context.set_deadline(std::chrono::system_clock::now() + deadline);
    Reply reply;
    auto status = (stub.get()->*method)(&context, request, &reply);
    if (!status.ok()) return make_error(kind_of(status.error_code()), status.error_message());
    return reply;
  }
};

AdminClient::AdminClient(const std::string& address, std::chrono::milliseconds deadline)
    : parts_(new Parts{deadline, v1::Admin::NewStub(open_channel(address))}) {}
AdminClient::~AdminClient() = default;

using Stub = v1::Admin::Stub;
Result<v1::TraceReply> AdminClient::trace(const v1::TraceRequest& request) { return parts_->call(&Stub::Trace, request); }
Result<v1::QueueReply> AdminClient::queue() { return parts_->call(&Stub::Queue, v1::QueueRequest()); }
Result<v1::DeadListReply> AdminClient::dead_list(const v1::DeadListRequest& request) { return parts_->call(&Stub::DeadList, request); }
Result<v1::DeadReply> AdminClient::dead_retry(const v1::DeadRequest& request) { return parts_->call(&Stub::DeadRetry, request); }
Result<v1::DeadReply> AdminClient::dead_drop(const v1::DeadRequest& request) { return parts_->call(&Stub::DeadDrop, request); }
Result<v1::LinksReply> AdminClient::links() { return parts_->call(&Stub::Links, v1::LinksRequest()); }
Result<v1::SetLinkReply> AdminClient::set_link(const v1::SetLinkRequest& request) { return parts_->call(&Stub::SetLink, request); }
Result<v1::StatusReply> AdminClient::status() { return parts_->call(&Stub::Status, v1::StatusRequest()); }

}  // namespace fedgate::cli
