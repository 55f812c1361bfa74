#include "gateway/link/link_server.h"

#include <grpcpp/grpcpp.h>
#include <sys/stat.h>
#include <unistd.h>

#include <chrono>

#include "fedgate/v1/link.grpc.pb.h"
#include "gateway/link/session.h"

namespace fedgate::link {
namespace {

class Service final : public v1::Link::CallbackService {
 public:
  Service(Scheduler& scheduler, pipeline::Core& core) : scheduler_(scheduler), core_(core) {}
  grpc::ServerBidiReactor<v1::AdapterFrame, v1::GatewayFrame>* Attach(grpc::CallbackServerContext*) override {
    return Session::start(scheduler_, core_);
  }

 private:
  Scheduler& scheduler_;
  pipeline::Core& core_;
};

}  // namespace

class LinkServer::Running {
 public:
  Running(Scheduler& scheduler, pipeline::Core& core) : service(scheduler, core) {}
  Service service;
  std::unique_ptr<grpc::Server> server;
};

LinkServer::LinkServer(std::unique_ptr<Running> running) : running_(std::move(running)) {}
LinkServer::~LinkServer() { stop(); }

Result<std::unique_ptr<LinkServer>> LinkServer::start(Options options, Scheduler& scheduler, pipeline::Core& core) {
  if (!options.address.starts_with("unix:")) return make_error(ErrorKind::kInvalid, "link: " + options.address + " is no unix socket");
  std::string path = options.address.substr(5);
  ::unlink(path.c_str());  // of an earlier run; the store's lock keeps a second core away
  auto running = std::make_unique<Running>(scheduler, core);
  grpc::ServerBuilder builder;
  builder.AddListeningPort(options.address, grpc::InsecureServerCredentials());
  builder.RegisterService(&running->service);
  builder.SetMaxReceiveMessageSize(32 << 20);
  mode_t before = ::umask(0177);
  running->server = builder.BuildAndStart();
  ::umask(before);
  if (!running->server) return make_error(ErrorKind::kUnavailable, "link: cannot listen on " + path + ": does its folder exist, and is the path short enough?");
  return std::unique_ptr<LinkServer>(new LinkServer(std::move(running)));
}

void LinkServer::stop() {
  if (!running_ || !running_->server) return;
  running_->server->Shutdown(std::chrono::system_clock::now() + std::chrono::seconds(1));
  running_->server->Wait();
  running_->server.reset();
}

}  // namespace fedgate::link
