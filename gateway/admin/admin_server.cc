#include "gateway/admin/admin_server.h"

#include <grpcpp/grpcpp.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <utility>
#include <vector>

#include "fedgate/v1/admin.grpc.pb.h"

namespace fedgate::admin {
namespace {

constexpr std::size_t kDeadListMax = 10'000;
constexpr int kRequestBytesMax = 1 << 20;

grpc::Status to_status(const Error& error) {
  switch (error.kind) {
    case ErrorKind::kInvalid: return {grpc::StatusCode::INVALID_ARGUMENT, error.message};
    case ErrorKind::kNotFound: return {grpc::StatusCode::NOT_FOUND, error.message};
    case ErrorKind::kConflict: return {grpc::StatusCode::FAILED_PRECONDITION, error.message};
    case ErrorKind::kUnavailable: return {grpc::StatusCode::UNAVAILABLE, error.message};
    case ErrorKind::kForbidden: return {grpc::StatusCode::PERMISSION_DENIED, error.message};
    case ErrorKind::kLimit: return {grpc::StatusCode::RESOURCE_EXHAUSTED, error.message};
    case ErrorKind::kInternal: break;
  }
  return {grpc::StatusCode::INTERNAL, error.message};
}

void fill(const pipeline::TracedMessage& from, v1::TracedMessage& to) {
  to.set_message_id(from.message_id);
  to.set_network(from.network);
  to.set_native_id(from.native_id);
  to.set_sender(from.sender);
  to.set_conversation(from.conversation);
  to.set_kind(from.kind);
  to.set_rank(from.rank);
  for (const auto& step : from.steps) {
    auto* out = to.add_steps();
    out->set_at_ms(step.at_ms);
    out->set_step(step.step);
    out->set_network(step.network);
    out->set_detail(step.detail);
    out->set_delivery_id(step.delivery_id);
  }
}

void fill(const pipeline::QueueView& from, v1::QueueEntry& to) {
  to.set_network(from.network);
  to.set_adapter(from.adapter);
  to.set_attached(from.attached);
  to.set_up(from.up);
  to.set_problem(from.problem);
  to.set_waiting(from.waiting);
  to.set_in_flight(from.in_flight);
  to.set_retrying(from.retrying);
  to.set_dead(from.dead);
  to.set_oldest_ms(from.oldest_ms);
}

void fill(const pipeline::DeadView& from, v1::DeadEntry& to) {
  to.set_delivery_id(from.delivery_id);
  to.set_message_id(from.message_id);
  to.set_network(from.network);
  to.set_target(from.target);
  to.set_origin(from.origin);
  to.set_reason_code(from.reason_code);
  to.set_reason(from.reason);
  to.set_accepted_at_ms(from.accepted_at_ms);
  to.set_died_at_ms(from.died_at_ms);
  to.set_attempts(from.attempts);
}

void fill(const pipeline::LinkView& from, v1::LinkEntry& to) {
  to.set_id(from.id);
  to.set_state(from.state);
  to.set_note(from.note);
  to.set_from_configuration(from.from_configuration);
  for (const auto& end : from.ends) {
    auto* out = to.add_ends();
    out->set_network(end.network);
    out->set_room(end.room);
    out->set_joined(end.joined);
    out->set_problem(end.problem);
  }
}

class Service final : public v1::Admin::CallbackService {
 public:
  using Context = grpc::CallbackServerContext;
  using Reactor = grpc::ServerUnaryReactor;

  Service(AdminServer::Options options, Scheduler& scheduler, pipeline::Core& core)
      : options_(std::move(options)), scheduler_(scheduler), core_(core) {}

  Reactor* Trace(Context* context, const v1::TraceRequest* request, v1::TraceReply* reply) override {
    return answer(context, [=, this] {
      for (const auto& message : core_.trace(request->id())) fill(message, *reply->add_messages());
      return grpc::Status::OK;
    });
  }

  Reactor* Queue(Context* context, const v1::QueueRequest*, v1::QueueReply* reply) override {
    return answer(context, [=, this] {
      for (const auto& network : core_.queue()) fill(network, *reply->add_networks());
      return grpc::Status::OK;
    });
  }

  Reactor* DeadList(Context* context, const v1::DeadListRequest* request, v1::DeadListReply* reply) override {
    return answer(context, [=, this] {
      std::size_t limit = request->limit() == 0 ? kDeadListMax : std::min<std::size_t>(request->limit(), kDeadListMax);
      auto page = core_.dead_list(request->network(), limit);
      for (const auto& entry : page.entries) fill(entry, *reply->add_entries());
      reply->set_total(page.total);
      return grpc::Status::OK;
    });
  }

  Reactor* DeadRetry(Context* context, const v1::DeadRequest* request, v1::DeadReply* reply) override {
    return change_dead(context, request, reply, &pipeline::Core::dead_retry);
  }
  Reactor* DeadDrop(Context* context, const v1::DeadRequest* request, v1::DeadReply* reply) override {
    return change_dead(context, request, reply, &pipeline::Core::dead_drop);
  }

  Reactor* Links(Context* context, const v1::LinksRequest*, v1::LinksReply* reply) override {
    return answer(context, [=, this] {
      for (const auto& link : core_.links()) fill(link, *reply->add_links());
      return grpc::Status::OK;
    });
  }

  Reactor* SetLink(Context* context, const v1::SetLinkRequest* request, v1::SetLinkReply* reply) override {
    auto* reactor = context->DefaultReactor();
    const std::string& state = request->state();
    if (request->id().empty() || (state != "active" && state != "suspended" && state != "deleted")) {
      reactor->Finish({grpc::StatusCode::INVALID_ARGUMENT, "a link has an id, and its state is active, suspended or deleted"});
      return reactor;
    }
    scheduler_.post([=, this] {
      core_.set_link(request->id(), request->state(), [=](Result<pipeline::LinkView> done) {
        if (done) fill(*done, *reply->mutable_link());
        reactor->Finish(done ? grpc::Status::OK : to_status(done.error()));
      });
    });
    return reactor;
  }

  Reactor* Status(Context* context, const v1::StatusRequest*, v1::StatusReply* reply) override {
    return answer(context, [=, this] {
      auto problems = core_.problems();
      reply->set_gateway(options_.gateway);
      reply->set_policy(options_.policy);
      reply->set_ready(problems.empty());
      for (const auto& problem : problems) reply->add_problems(problem);
      std::uint64_t accepted = 0;
      for (const auto& [name, network] : core_.stats().networks)
        for (auto count : network.accepted) accepted += count;
      reply->set_accepted(accepted);
      return grpc::Status::OK;
    });
  }

 private:
  using DeadChange = void (pipeline::Core::*)(std::vector<std::string>, bool, std::string, std::function<void(Result<std::uint64_t>)>);

  // `work` runs on the shard's thread. Request and reply live until Finish.
  template <class Work>
  Reactor* answer(Context* context, Work work) {
    auto* reactor = context->DefaultReactor();
    scheduler_.post([reactor, work = std::move(work)]() mutable { reactor->Finish(work()); });
    return reactor;
  }

  Reactor* change_dead(Context* context, const v1::DeadRequest* request, v1::DeadReply* reply, DeadChange change) {
    auto* reactor = context->DefaultReactor();
    if (request->all() == (request->delivery_ids_size() > 0)) {
      reactor->Finish({grpc::StatusCode::INVALID_ARGUMENT, "either delivery ids or all"});
      return reactor;
    }
    scheduler_.post([=, this] {
      std::vector<std::string> ids(request->delivery_ids().begin(), request->delivery_ids().end());
      (core_.*change)(std::move(ids), request->all(), request->network(), [=](Result<std::uint64_t> done) {
        if (done) reply->set_changed(*done);
        reactor->Finish(done ? grpc::Status::OK : to_status(done.error()));
      });
    });
    return reactor;
  }

  AdminServer::Options options_;
  Scheduler& scheduler_;
  pipeline::Core& core_;
};

}  // namespace

struct AdminServer::Running {
  Service service;
  std::unique_ptr<grpc::Server> server;
  Running(Options options, Scheduler& scheduler, pipeline::Core& core) : service(std::move(options), scheduler, core) {}
};

AdminServer::AdminServer(std::unique_ptr<Running> running) : running_(std::move(running)) {}
AdminServer::~AdminServer() { stop(); }

Result<std::unique_ptr<AdminServer>> AdminServer::start(Options options, Scheduler& scheduler, pipeline::Core& core) {
  std::string address = options.address;
  if (!address.starts_with("unix:/")) return make_error(ErrorKind::kInvalid, "gateway.admin: expected unix:/PATH, found " + address);
  std::string path = address.substr(5);
  if (path.size() > 107) return make_error(ErrorKind::kInvalid, "gateway.admin: a socket path has at most 107 bytes: " + path);
  ::unlink(path.c_str());  // of a previous run; the lock on data_dir says that it is over
  auto running = std::make_unique<Running>(std::move(options), scheduler, core);
  grpc::ServerBuilder builder;
  builder.SetMaxReceiveMessageSize(kRequestBytesMax);
  builder.AddListeningPort(address, grpc::InsecureServerCredentials());
  builder.RegisterService(&running->service);
  running->server = builder.BuildAndStart();
  if (!running->server) return make_error(ErrorKind::kUnavailable, "gateway.admin: cannot listen on " + address);
  if (::chmod(path.c_str(), 0600) != 0) return make_error(ErrorKind::kUnavailable, "gateway.admin: chmod 0600 " + path + ": " + std::strerror(errno));
  return std::unique_ptr<AdminServer>(new AdminServer(std::move(running)));
}

void AdminServer::stop() {
  if (!running_ || !running_->server) return;
  running_->server->Shutdown(std::chrono::system_clock::now() + std::chrono::seconds(2));
  running_->server->Wait();
  running_->server.reset();
}

}  // namespace fedgate::admin
