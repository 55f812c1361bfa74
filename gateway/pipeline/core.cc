#include "gateway/pipeline/core.h"

#include "gateway/pipeline/shard.h"

namespace fedgate::pipeline {

Core::Core(CoreParts parts) : shard_(std::make_unique<Shard>(std::move(parts))) {}
Core::~Core() = default;

Result<void> Core::recover() { return shard_->recover(); }
Result<Welcome> Core::attach(AdapterPort& port, const Hello& hello) { return shard_->attach(port, hello); }
void Core::detach(AdapterPort& port) { shard_->detach(port); }
void Core::submit(AdapterPort& port, Submission submission) { shard_->submit(port, std::move(submission)); }
void Core::report(AdapterPort& port, DeliveryReport report) { shard_->report(port, std::move(report)); }
void Core::grant_deliver_credit(AdapterPort& port, std::uint32_t count) { shard_->grant_deliver_credit(port, count); }
void Core::room_state(AdapterPort& port, RoomState state) { shard_->room_state(port, std::move(state)); }
void Core::network_status(AdapterPort& port, const NetworkStatus& status) { shard_->network_status(port, status); }
void Core::write_state(AdapterPort& port, StateWrite write) { shard_->write_state(port, std::move(write)); }
void Core::command(AdapterPort& port, const Command& command) { shard_->command(port, command); }

std::vector<TracedMessage> Core::trace(const std::string& id) const { return shard_->trace(id); }
std::vector<QueueView> Core::queue() const { return shard_->queue(); }
DeadPage Core::dead_list(const std::string& network, std::size_t limit) const { return shard_->dead_list(network, limit); }
void Core::dead_retry(std::vector<std::string> ids, bool all, std::string network, std::function<void(Result<std::uint64_t>)> done) {
  shard_->dead_change(std::move(ids), all, std::move(network), true, std::move(done));
}
void Core::dead_drop(std::vector<std::string> ids, bool all, std::string network, std::function<void(Result<std::uint64_t>)> done) {
  shard_->dead_change(std::move(ids), all, std::move(network), false, std::move(done));
}
std::vector<LinkView> Core::links() const { return shard_->links().views(); }
void Core::set_link(std::string id, std::string state, std::function<void(Result<LinkView>)> done) { shard_->links().set(id, state, std::move(done)); }
const Stats& Core::stats() const { return shard_->stats(); }
std::vector<std::string> Core::problems() const { return shard_->problems(); }

}  // namespace fedgate::pipeline
