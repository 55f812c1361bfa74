#include "gateway/link/session.h"

#include <utility>

#include "gateway/base/hash.h"
#include "gateway/base/logger.h"
#include "gateway/base/random.h"
#include "gateway/codec/envelope_codec.h"
#include "gateway/link/frames.h"

namespace fedgate::link {
namespace {

// About what an entry of a frame takes beside its text; for the limit on what waits.
constexpr std::size_t kSmall = 512;

}  // namespace

Session* Session::start(Scheduler& scheduler, pipeline::Core& core) {
  auto session = std::shared_ptr<Session>(new Session(scheduler, core));
  session->self_ = session;
  session->StartRead(&*session->reading_);
  return session.get();
}

void Session::OnReadDone(bool ok) {
  if (!ok) return finish(grpc::StatusCode::OK, "");  // the adapter has left
  scheduler_.post([session = self_] {
    session->handle(*session->reading_);
    session->reading_.reset();
    std::lock_guard lock(session->mutex_);
    if (!session->finished_) session->StartRead(&*session->reading_);
  });
}

void Session::OnWriteDone(bool ok) {
  std::lock_guard lock(mutex_);
  write_in_flight_ = false;
  if (!ok || pending_.empty() || std::exchange(flush_posted_, true)) return;
  scheduler_.post([session = self_] { session->flush(); });
}

void Session::OnDone() {
  scheduler_.post([this, session = std::move(self_)] {
    if (attached_) core_.detach(*this);
    attached_ = false;
  });
}

void Session::finish(grpc::StatusCode code, const std::string& words) {
  std::lock_guard lock(mutex_);
  if (std::exchange(finished_, true)) return;
  if (code != grpc::StatusCode::OK) log::warn("link", "session ended by the core", {{"why", words}});
  Finish(grpc::Status(code, words));
}

template <class Add>
void Session::send(Add add) {
  bool flooded = false;
  bool flush_is_due = false;
  {
    std::lock_guard lock(mutex_);
    if (finished_) return;
    pending_bytes_ += add(open_frame());
    flooded = pending_bytes_ > kPendingBytesMax;
    flush_is_due = !std::exchange(flush_posted_, true);
  }
  if (flush_is_due) scheduler_.post([session = self_] { session->flush(); });
  if (flooded) finish(grpc::StatusCode::RESOURCE_EXHAUSTED, "more than 64 MiB wait for this adapter to read them: it reads too slowly");
}

void Session::flush() {
  std::lock_guard lock(mutex_);
  auto since_last = std::chrono::steady_clock::now() - last_write_;
  if (since_last < kFramesApart) {
    // Still "posted": what is added until then rides in this frame.
    scheduler_.after(kFramesApart - since_last, [session = self_] { session->flush(); });
    return;
  }
  flush_posted_ = false;
  write_locked();
}

v1::GatewayFrame& Session::open_frame() {
  bool closed = pending_.empty() || (*pending_.back())->deliveries_size() >= kEnvelopesPerFrame || (*pending_.back())->has_welcome();
  if (closed) pending_.push_back(spare_ ? std::move(spare_) : std::make_unique<OutFrame>());
  return **pending_.back();
}

void Session::write_locked() {
  if (write_in_flight_ || finished_ || pending_.empty()) return;
  if (writing_) {
    writing_->reset();
    spare_ = std::move(writing_);
  }
  writing_ = std::move(pending_.front());
  pending_.pop_front();
  if (pending_.empty()) pending_bytes_ = 0;
  write_in_flight_ = true;
  last_write_ = std::chrono::steady_clock::now();
  StartWrite(&**writing_);
}

void Session::handle(v1::AdapterFrame& frame) {
  if (!attached_ && !open(frame)) return;
  handle_submits(frame);
  handle_rest(frame);
}

bool Session::open(const v1::AdapterFrame& frame) {
  if (!frame.has_hello()) return finish(grpc::StatusCode::FAILED_PRECONDITION, "the first frame must carry Hello"), false;
  auto hello = hello_from(frame.hello());
  auto welcome = hello ? core_.attach(*this, *hello) : Result<pipeline::Welcome>(std::unexpected(hello.error()));
  if (!welcome) return finish(grpc::StatusCode::FAILED_PRECONDITION, welcome.error().message), false;
  attached_ = true;
  submit_credit_ = welcome->submit_credit;
  std::string name = hex(SystemRandom::bytes(8));
  log::info("link", "adapter attached", {{"adapter", frame.hello().adapter()}, {"session", name}});
  send([&](v1::GatewayFrame& out) {
    welcome_to(*welcome, name, *out.mutable_welcome());
    return out.welcome().ByteSizeLong() + 1;
  });
  return true;
}

void Session::handle_submits(v1::AdapterFrame& frame) {
  for (auto& submit : *frame.mutable_submits()) {
    if (--submit_credit_ < 0)
      return finish(grpc::StatusCode::RESOURCE_EXHAUSTED, "more submissions than credit was granted for: wait for submit_credit");
    auto envelope = codec::from_proto(submit.envelope());
    if (envelope) {
      core_.submit(*this, {submit.ref(), std::move(*envelope)});
      continue;
    }
    pipeline::SubmitVerdict refused;
    refused.ref = submit.ref();
    refused.outcome = pipeline::SubmitVerdict::Outcome::kInvalid;
    refused.reason = envelope.error().message;
    verdict(std::move(refused));
    grant_submit_credit(1);
  }
}

void Session::handle_rest(v1::AdapterFrame& frame) {
  if (frame.deliver_credit() != 0) core_.grant_deliver_credit(*this, frame.deliver_credit());
  for (const auto& status : frame.statuses()) core_.network_status(*this, {status.network(), status.up(), status.reason()});
  for (const auto& room : frame.rooms()) core_.room_state(*this, room_state_from(room));
  for (const auto& result : frame.results()) {
    auto report = report_from(result);
    if (!report) return finish(grpc::StatusCode::INVALID_ARGUMENT, report.error().message);
    core_.report(*this, std::move(*report));
  }
  for (const auto& write : frame.state_writes())
    core_.write_state(*this, {write.ref(), write.entry().network(), write.entry().key(), write.entry().value(), write.erase()});
  for (const auto& command : frame.commands()) core_.command(*this, command_from(command));
}

void Session::verdict(pipeline::SubmitVerdict verdict) {
  send([&](v1::GatewayFrame& out) {
    verdict_to(verdict, *out.add_verdicts());
    return kSmall;
  });
}

void Session::deliver(const pipeline::DeliveryRequest& request) {
  send([&](v1::GatewayFrame& out) {
    deliver_to(request, *out.add_deliveries());
    const auto* text = std::get_if<model::Text>(&request.body);
    return kSmall + (text != nullptr ? text->plain.size() + text->html.size() : 0);
  });
}

void Session::grant_submit_credit(std::uint32_t count) {
  submit_credit_ += count;
  send([&](v1::GatewayFrame& out) {
    out.set_submit_credit(out.submit_credit() + count);
    return std::size_t{1};
  });
}

void Session::room_wanted(const pipeline::RoomWanted& wanted) {
  send([&](v1::GatewayFrame& out) {
    room_wanted_to(wanted, *out.add_rooms_wanted());
    return std::size_t{64};
  });
}

void Session::state_written(pipeline::StateWritten written) {
  send([&](v1::GatewayFrame& out) {
    auto* added = out.add_states_written();
    added->set_ref(written.ref);
    added->set_ok(written.ok);
    added->set_error(written.error);
    return added->ByteSizeLong() + 1;
  });
}

void Session::command_reply(pipeline::CommandReply reply) {
  send([&](v1::GatewayFrame& out) {
    auto* added = out.add_command_replies();
    added->set_ref(reply.ref);
    added->set_text(reply.text);
    added->set_ok(reply.ok);
    return added->ByteSizeLong() + 1;
  });
}

}  // namespace fedgate::link
