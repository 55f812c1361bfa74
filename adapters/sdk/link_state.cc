#include "adapters/sdk/link_state.h"

#include <algorithm>

namespace fedgate::sdk {

void LinkState::submit(v1::Envelope envelope, VerdictDone done) {
  std::uint64_t ref = ++last_ref_;
  submissions_.emplace(ref, Submission{std::move(envelope), std::move(done)});
  unsent_.push_back(ref);
}

void LinkState::result(v1::DeliveryResult result) {
  auto found = working_.find(result.delivery_id());
  if (found == working_.end()) return;  // answered before
  // What was given in an earlier session is answered when the core gives it again; then it also costs credit again.
  bool of_this_session = found->second == session_;
  working_.erase(found);
  if (result.outcome() != v1::DeliveryResult::RETRY) remember_result(result);
  if (!of_this_session) return;
  results_.push_back(std::move(result));
  ++deliver_credit_;
}

void LinkState::remember_result(const v1::DeliveryResult& result) {
  if (!remembered_.emplace(result.delivery_id(), result).second) return;
  remembered_order_.push_back(result.delivery_id());
  if (remembered_order_.size() <= kResultsRemembered) return;
  remembered_.erase(remembered_order_.front());
  remembered_order_.pop_front();
}

void LinkState::status(v1::NetworkStatus status) {
  statuses_[status.network()] = status;
  unsent_statuses_.push_back(std::move(status));
}

void LinkState::room_state(v1::RoomState state) {
  rooms_[{state.network(), state.room()}] = state;
  unsent_rooms_.push_back(std::move(state));
}

std::uint64_t LinkState::command(v1::Command command, ReplyDone done) {
  std::uint64_t ref = ++last_ref_;
  command.set_ref(ref);
  commands_.emplace(ref, std::move(done));
  unsent_commands_.push_back(std::move(command));
  return ref;
}

void LinkState::give_up_command(std::uint64_t ref) {
  auto node = commands_.extract(ref);
  if (!node.empty()) node.mapped()(std::nullopt);
}

void LinkState::write(v1::StateEntry entry, bool erase, WriteDone done) {
  std::pair name{entry.network(), entry.key()};
  if (erase) memory_.erase(name);
  else memory_[name] = entry.value();
  writes_.emplace(++last_ref_, Write{std::move(entry), erase, std::move(done), false});
}

void LinkState::begin_session(const v1::Welcome& welcome) {
  ++session_;
  submit_credit_ = welcome.submit_credit();
  deliver_credit_ = 0;  // the whole window was granted with Hello
  unsent_.clear();
  for (const auto& [ref, submission] : submissions_) unsent_.push_back(ref);
  results_.clear();
  unsent_statuses_.clear();
  unsent_rooms_.clear();
  for (const auto& [network, status] : statuses_) unsent_statuses_.push_back(status);
  for (const auto& [name, room] : rooms_) unsent_rooms_.push_back(room);
  memory_.clear();
  for (const auto& entry : welcome.state()) memory_[{entry.network(), entry.key()}] = entry.value();
  for (auto& [ref, write] : writes_) {
    write.sent = false;
    std::pair name{write.entry.network(), write.entry.key()};
    if (write.erase) memory_.erase(name);
    else memory_[name] = write.entry.value();
  }
}

bool LinkState::fill(v1::AdapterFrame& frame) {
  bool something = false;
  std::size_t bytes = 0;
  while (!unsent_.empty() && submit_credit_ > 0 && frame.submits_size() < kEnvelopesPerFrame && bytes < kFrameBytes) {
    auto found = submissions_.find(unsent_.front());
    unsent_.pop_front();
    if (found == submissions_.end()) continue;
    auto* submit = frame.add_submits();
    submit->set_ref(found->first);
    *submit->mutable_envelope() = found->second.envelope;
    bytes += submit->ByteSizeLong();
    --submit_credit_;
    something = true;
  }
  auto move_all = [&](auto& from, auto* to) {
    something = something || !from.empty();
    for (auto& one : from) to->Add(std::move(one));
    from.clear();
  };
  move_all(results_, frame.mutable_results());
  move_all(unsent_statuses_, frame.mutable_statuses());
  move_all(unsent_rooms_, frame.mutable_rooms());
  move_all(unsent_commands_, frame.mutable_commands());
  for (auto& [ref, write] : writes_) {
    if (write.sent) continue;
    auto* out = frame.add_state_writes();
    out->set_ref(ref);
    *out->mutable_entry() = write.entry;
    out->set_erase(write.erase);
    write.sent = something = true;
  }
  frame.set_deliver_credit(deliver_credit_);
  something = something || deliver_credit_ > 0;
  deliver_credit_ = 0;
  return something;
}

bool LinkState::deliver(const v1::Deliver& delivery) {
  auto remembered = remembered_.find(delivery.delivery_id());
  if (remembered != remembered_.end()) {
    results_.push_back(remembered->second);
    ++deliver_credit_;
    return false;
  }
  auto [at, is_new] = working_.emplace(delivery.delivery_id(), session_);
  at->second = session_;
  return is_new;
}

std::optional<std::uint32_t> LinkState::verdict(v1::Verdict verdict) {
  if (verdict.outcome() == v1::Verdict::WAIT) return std::clamp<std::uint32_t>(verdict.retry_after_ms(), 20, 60000);
  auto node = submissions_.extract(verdict.ref());
  if (!node.empty()) node.mapped().done(std::move(verdict));
  return std::nullopt;
}

void LinkState::retry(std::uint64_t ref) {
  if (!submissions_.contains(ref) || std::find(unsent_.begin(), unsent_.end(), ref) != unsent_.end()) return;
  unsent_.insert(std::lower_bound(unsent_.begin(), unsent_.end(), ref), ref);
}

void LinkState::written(const v1::StateWritten& written) {
  auto node = writes_.extract(written.ref());
  if (node.empty()) return;
  if (written.ok()) node.mapped().done({});
  else node.mapped().done(make_error(ErrorKind::kInvalid, "the core did not keep " + node.mapped().entry.key() + ": " + written.error()));
}

void LinkState::reply(v1::CommandReply reply) {
  auto node = commands_.extract(reply.ref());
  if (!node.empty()) node.mapped()(std::move(reply));
}

}  // namespace fedgate::sdk
