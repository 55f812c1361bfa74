// Shard: the wiring of one core shard: which concept hears what when. The rules themselves are in the concepts (journal, courier, history, links, room_states, dispatch).
//
// Owned by Core; its scheduler's thread. Sources: ingress.cc (submissions), settle.cc (reports, ends, notices), recovery.cc, operators.cc, shard.cc (the rest).
#pragma once

#include <boost/unordered/unordered_flat_map.hpp>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "gateway/pipeline/core.h"
#include "gateway/pipeline/courier.h"
#include "gateway/pipeline/dispatch.h"
#include "gateway/pipeline/history.h"
#include "gateway/pipeline/journal.h"
#include "gateway/pipeline/links.h"
#include "gateway/pipeline/messages.h"
#include "gateway/pipeline/realms.h"
#include "gateway/pipeline/room_states.h"

namespace fedgate::pipeline {

template <class Id>
struct IdHash {
  using is_avalanching = void;  // ids are digests
  std::size_t operator()(const Id& id) const { return id.hash(); }
};

class Shard {
 public:
  explicit Shard(CoreParts parts);
  ~Shard();

  Result<void> recover();
  Result<Welcome> attach(AdapterPort& port, const Hello& hello);
  void detach(AdapterPort& port) { courier_.detach(port); }
  void submit(AdapterPort& port, Submission submission);
  void report(AdapterPort& port, DeliveryReport report);
  void grant_deliver_credit(AdapterPort& port, std::uint32_t count);
  void room_state(AdapterPort& port, RoomState state);
  void network_status(AdapterPort& port, const NetworkStatus& status);
  void write_state(AdapterPort& port, StateWrite write);
  void command(AdapterPort& port, const Command& command);

  std::vector<TracedMessage> trace(const std::string& id) const;
  std::vector<QueueView> queue() const;
  DeadPage dead_list(const std::string& network, std::size_t limit) const;
  void dead_change(std::vector<std::string> ids, bool all, std::string network, bool retry, std::function<void(Result<std::uint64_t>)> done);
  Links& links() { return links_; }
  const Stats& stats();
  std::vector<std::string> problems() const;

 private:
  using MessageMap = boost::unordered_flat_map<model::MessageId, std::unique_ptr<Message>, IdHash<model::MessageId>>;
  using ItemMap = boost::unordered_flat_map<model::DeliveryId, Item*, IdHash<model::DeliveryId>>;

  // ingress
  std::string check_limits(const Submission& submission);
  bool known_before(Session& session, const model::MessageId& id, std::uint64_t ref);
  bool find_targets(const model::Envelope& envelope, std::vector<Target>& targets, SubmitVerdict& verdict);
  bool room_targets(const model::Envelope& envelope, std::vector<Target>& targets, SubmitVerdict& verdict);
  bool has_place(const std::vector<Target>& targets, SubmitVerdict& verdict);
  void prepare(model::Envelope& envelope, const NetworkEntry& origin);
  void count_decisions(const std::string& source, const std::vector<model::Decision>& decisions);
  void commit(Session& session, std::uint64_t ref, model::Envelope envelope, Dispatched result);
  void committed(Message& message, store::Seq row);
  SubmitVerdict verdict_of(const Message& message) const;
  void answer(Session& session, SubmitVerdict verdict);
  bool over_limit() const;
  void give_back_credit();

  // settle
  Item& add_item(Message& message, model::Delivery delivery);
  void settle(Item& item, model::Outcome outcome, DeliveryReport report);
  void settled(Item& item, store::Seq row, std::vector<model::Delivery> notices);
  void close(Message& message);
  void count_end(const Item& item);
  void gone_to_history(const std::vector<model::MessageId>& ids);
  model::Delivery make_notice(const model::Envelope& envelope, model::Notice::State state, std::string_view code, const std::string& decision,
                              const std::string& target, std::string_view purpose) const;
  void tell_volatile(const std::shared_ptr<const model::Envelope>& envelope, model::Delivery notice);
  void tick();
  void look_at_ages(Lane& lane);
  codec::HistoryEntry entry_of(const Message& message) const;

  // recovery
  Result<void> replay();
  bool replay_record(codec::Record& record, store::Seq row);

  NetworkStats& stats_of(const std::string& network) { return stats_.networks[network]; }

  CoreParts parts_;
  Stats stats_;
  Realms realms_;
  RoomStates rooms_;
  Courier courier_;
  Journal journal_;
  History history_;
  Links links_;
  MessageMap messages_;
  ItemMap items_;
  boost::unordered_flat_map<model::DeliveryId, std::unique_ptr<Item>, IdHash<model::DeliveryId>> volatile_;
  std::vector<Message*> replayed_;  // during recovery, in order of acceptance
  Scheduler::TimerId timer_ = 0;
  std::uint64_t ticks_ = 0;
  bool recovered_ = false;
  std::shared_ptr<int> life_ = std::make_shared<int>(0);
};

}  // namespace fedgate::pipeline
