#include "tests/sim/simulation.h"

#include <cstdio>
#include <fstream>
#include <memory>
#include <sstream>

#include "gateway/pipeline/core.h"
#include "gateway/policy/load.h"
#include "tests/sim/world.h"

namespace fedgate::sim {
namespace {

using pipeline::Core;
using std::chrono::milliseconds;
using std::chrono::seconds;

struct Said {  // one message as its sender knows it
  std::string network, conversation, key;
  int number = 0;
  bool allowed = true;
  bool accepted = false;  // a verdict said so
  std::string id;
};

struct Target {  // what one network shows; knows each delivery id once
  std::map<std::string, std::string> seen;                // delivery id -> content
  std::map<std::string, std::vector<int>> order;          // conversation of origin -> numbers in order of first arrival
  std::set<std::string> refused;                          // delivery ids it will never take, however often they come
  std::map<std::string, int> refused_notices;             // about native id -> how many distinct ones
};

std::shared_ptr<const policy::Policy> load_policy() {
  static auto policy = [] {
    std::ifstream file("config/policies/two-agencies.json");
    std::stringstream text;
    text << file.rdbuf();
    return policy::parse_policy(text.str(), "two-agencies.json").value();
  }();
  return policy;
}

std::shared_ptr<const settings::Settings> make_settings() {
  auto made = std::make_shared<settings::Settings>();
  made->gateway = "gw";
  auto add = [&](std::string name, std::string adapter, std::string realm) {
    settings::Network network;
    network.name = name;
    network.adapter = adapter;
    network.realm = realm;
    network.domains = {{name + ".example", realm}};
    network.protection = model::Protection::kTls;
    network.default_level = model::Rank::kInternal;
    if (adapter == "matrix") {
      network.matrix.emplace();
      network.matrix->domain = name + ".example";
    } else {
      network.xmpp.emplace();
      network.xmpp->component = "fedgate." + name + ".example";
      network.xmpp->server_domain = name + ".example";
    }
    made->networks[name] = network;
  };
  add("a", "matrix", "de-fed");
  add("b", "xmpp", "de-state");
  made->links = {{"room", {{"a", "#r:a.example", std::nullopt}, {"b", "r@rooms.b.example", std::nullopt}}}};
  return made;
}

class Simulation;

class Adapter final : public pipeline::AdapterPort {
 public:
  Adapter(Simulation& sim, std::string network) : sim_(sim), network_(std::move(network)) {}
  void verdict(pipeline::SubmitVerdict verdict) override;
  void deliver(const pipeline::DeliveryRequest& request) override;
  void grant_submit_credit(std::uint32_t) override {}
  void room_wanted(const pipeline::RoomWanted&) override {}
  void state_written(pipeline::StateWritten) override {}
  void command_reply(pipeline::CommandReply) override {}

  void attach();
  void detach();
  bool attached = false;
  std::uint64_t life = 0;
  const std::string& network() const { return network_; }

 private:
  bool refuses(const pipeline::DeliveryRequest& request);
  void arrive(const pipeline::DeliveryRequest& request);
  Simulation& sim_;
  std::string network_;
  std::map<std::string, std::deque<std::string>> lanes_;  // unanswered, in order
  std::set<std::string> retried_lanes_;                   // everything still unanswered there is answered RETRY
};

class Simulation {
 public:
  Simulation(std::uint64_t seed, bool verbose) : random_(seed), store_(world_, random_), settings_(make_settings()), verbose_(verbose) {
    a_ = std::make_unique<Adapter>(*this, "a");
    b_ = std::make_unique<Adapter>(*this, "b");
  }

  Verdict run() {
    start();
    for (int i = 0; i < 4; ++i) submit_next(i);
    for (int step = 0; step < 400 && broken_.empty(); ++step) {
      world_.step(world_.steady_now() + milliseconds(50));
      if (random_.below(60) == 0) mischief();
    }
    quiet_ = true;
    store_.faults = false;
    for (Adapter* adapter : {a_.get(), b_.get()})
      if (!adapter->attached) adapter->attach();
    auto end = world_.steady_now() + seconds(240);
    while (broken_.empty() && world_.steady_now() < end && !settled()) {
      auto until = world_.steady_now() + seconds(10);
      while (world_.steady_now() < until) world_.step(until);
    }
    for (auto until = world_.steady_now() + seconds(15); world_.steady_now() < until;) world_.step(until);  // the last notices
    if (broken_.empty()) check();
    verdict_.broken = broken_;
    core_.reset();
    return verdict_;
  }

  void note(const std::string& what) {
    for (unsigned char c : what) verdict_.trace_hash = (verdict_.trace_hash ^ c) * 0x100000001b3ULL;
    if (verbose_) std::fprintf(stderr, "%10.3f %s\n", std::chrono::duration<double>(world_.steady_now().time_since_epoch()).count(), what.c_str());
  }
  void fail(const std::string& what) {
    note("BROKEN " + what);
    if (broken_.empty()) broken_ = what;
  }
  bool chance(unsigned one_in) { return !quiet_ && random_.below(one_in) == 0; }

  World world_;
  SeededRandom random_;
  FaultyStore store_;
  std::shared_ptr<const settings::Settings> settings_;
  std::unique_ptr<Core> core_;
  std::unique_ptr<Adapter> a_, b_;
  std::map<std::string, Target> targets_;
  std::vector<Said> said_;
  std::map<std::uint64_t, std::size_t> refs_;  // open submissions
  std::uint64_t ref_ = 0;
  int numbers_[4] = {0, 0, 0, 0};
  bool quiet_ = false;
  bool verbose_;
  std::string broken_;
  Verdict verdict_;

  // Conversation i: 0 direct a->b, 1 direct b->a, 2 room from a, 3 direct a -> somebody of unknown realm at b.
  void submit_next(int i) {
    if (quiet_ || numbers_[i] >= 7) return;
    Said said{i == 1 ? "b" : "a", std::to_string(i), {}, ++numbers_[i], i != 3, false, {}};
    said.key = said.conversation + "-" + std::to_string(said.number);
    said_.push_back(said);
    submit(said_.size() - 1);
  }
  void submit(std::size_t index) {
    const Said& said = said_[index];
    Adapter& adapter = said.network == "a" ? *a_ : *b_;
    if (!adapter.attached) return later_again(index);
    pipeline::Submission submission;
    submission.ref = ++ref_;
    refs_[submission.ref] = index;
    auto& e = submission.envelope;
    e.network = said.network;
    e.native_id = "$" + said.key;
    e.dedup_key = said.key;
    e.sender.address = {said.network, said.network == "a" ? "@x:a.example" : "x@b.example"};
    if (said.conversation == "0") e.conversation = model::Conversation::direct({"b", "y@b.example"});
    if (said.conversation == "1") e.conversation = model::Conversation::direct({"a", "@y:a.example"});
    if (said.conversation == "2") e.conversation = model::Conversation::in_room("#r:a.example");
    if (said.conversation == "3") e.conversation = model::Conversation::direct({"b", "z@elsewhere.example"});
    e.body = model::Text{.plain = said.key, .html = {}, .emote = false, .mentions = {}};
    note("submit " + said.key);
    auto copy = submission;
    core_->submit(adapter, std::move(submission));
    if (chance(6)) core_->submit(adapter, std::move(copy));  // the same twice
    // A verdict that does not come is asked for again.
    world_.after(seconds(5), [this, index, ref = ref_] {
      if (refs_.erase(ref)) submit(index);
    });
  }
  void later_again(std::size_t index) {
    world_.after(milliseconds(300), [this, index] { submit(index); });
  }

  void on_verdict(const pipeline::SubmitVerdict& v) {
    using Outcome = pipeline::SubmitVerdict::Outcome;
    auto it = refs_.find(v.ref);
    if (it == refs_.end() || chance(8)) return;  // lost on the way
    std::size_t index = it->second;
    refs_.erase(it);
    Said& said = said_[index];
    note("verdict " + said.key + " " + std::to_string(static_cast<int>(v.outcome)));
    if (v.outcome == Outcome::kWait) return later_again(index);
    if (v.outcome == Outcome::kInvalid || v.outcome == Outcome::kIgnored) return fail(said.key + ": " + v.reason);
    if (v.outcome == Outcome::kAccepted && !said.allowed) fail(said.key + " is forbidden and was accepted");
    if (v.outcome == Outcome::kRefused && said.allowed) fail(said.key + " is allowed and was refused");
    said.accepted = true;
    said.id = v.message.text();
    ++verdict_.messages;
    world_.after(milliseconds(random_.below(400)), [this, i = std::stoi(said.conversation)] { submit_next(i); });
  }

  void start() {
    core_ = std::make_unique<Core>(pipeline::CoreParts{world_, world_, random_, store_, store_, settings_, load_policy()});
    if (auto result = core_->recover(); !result) return fail("recovery: " + result.error().message);
    a_->attach();
    b_->attach();
  }
  void crash() {
    note("crash");
    ++verdict_.crashes;
    core_.reset();
    store_.crash();
    for (Adapter* adapter : {a_.get(), b_.get()}) {
      adapter->attached = false;
      ++adapter->life;
    }
    start();
  }
  void mischief() {
    Adapter& adapter = random_.below(2) ? *a_ : *b_;
    switch (random_.below(3)) {
      case 0: return crash();
      case 1:
        if (adapter.attached) adapter.detach();
        world_.after(milliseconds(random_.below(3000)), [this, &adapter] {
          if (!adapter.attached && core_) adapter.attach();
        });
        return;
      default:
        if (!adapter.attached) return;
        note("status " + adapter.network());
        core_->network_status(adapter, {adapter.network(), random_.below(2) == 0, "simulated"});
    }
  }

  bool settled() {
    for (const Said& said : said_)
      if (!said.accepted || (!said.allowed && !targets_[said.network].refused_notices.contains("$" + said.key))) return false;
    for (const auto& [name, stats] : core_->stats().networks)
      if (stats.waiting) return false;
    return true;
  }
  void check() {
    for (const Said& said : said_) {
      if (!said.accepted) {
        fail(said.key + " got no verdict");
        return;
      }
      auto found = core_->trace(said.id);
      if (found.size() != 1) return fail(said.key + " is traced " + std::to_string(found.size()) + " times");
      int ends = 0;
      for (const auto& step : found[0].steps) {
        bool end = step.step == "delivered" || step.step == "dead" || step.step == "uncertain" || step.step == "expired" || step.step == "dropped";
        if (step.step == "waiting") fail(said.key + " still waits");
        if (end && !step.detail.starts_with("notice")) ++ends;
      }
      if (ends != (said.allowed ? 1 : 0)) fail(said.key + " has " + std::to_string(ends) + " ends");
      int told = targets_[said.network].refused_notices["$" + said.key];
      if (told != (said.allowed ? 0 : 1)) fail(said.key + ": the sender was told of a refusal " + std::to_string(told) + " times");
    }
    if (core_->stats().conservation_difference != 0) fail("conservation: " + std::to_string(core_->stats().conservation_difference));
    std::uint64_t waiting = 0;
    for (const auto& [name, stats] : core_->stats().networks) waiting += stats.waiting;
    if (waiting) fail("waiting: " + std::to_string(waiting));
  }
};

void Adapter::attach() {
  attached = true;
  ++life;
  lanes_.clear();
  retried_lanes_.clear();
  sim_.note("attach " + network_);
  pipeline::Hello hello;
  hello.adapter = network_ == "a" ? "matrix" : "xmpp";
  hello.networks = {network_};
  hello.capabilities[network_].lane_window = 1 + static_cast<std::uint32_t>(sim_.random_.below(4));
  if (auto welcome = sim_.core_->attach(*this, hello); !welcome) return sim_.fail("attach: " + welcome.error().message);
  for (std::string room : {network_ == "a" ? "#r:a.example" : "r@rooms.b.example"}) {
    pipeline::RoomState state{.network = network_, .room = room, .joined = true, .encrypted = false, .members_known = true};
    state.domains = {network_ + ".example"};
    sim_.core_->room_state(*this, state);
  }
  sim_.core_->grant_deliver_credit(*this, 8);
}

void Adapter::detach() {
  sim_.note("detach " + network_);
  attached = false;
  ++life;
  sim_.core_->detach(*this);
}

void Adapter::verdict(pipeline::SubmitVerdict verdict) { sim_.on_verdict(verdict); }

void Adapter::arrive(const pipeline::DeliveryRequest& request) {
  auto& target = sim_.targets_[network_];
  std::string content;
  if (const auto* text = std::get_if<model::Text>(&request.body)) content = text->plain;
  if (const auto* notice = std::get_if<model::Notice>(&request.body)) content = "notice " + notice->reason_code + " " + notice->about_native_id;
  auto [it, fresh] = target.seen.emplace(request.delivery.id.text(), content);
  if (!fresh && it->second != content) sim_.fail("one delivery id with two contents: " + content + " and " + it->second);
  if (!fresh) return;
  sim_.note("arrives " + content);
  ++sim_.verdict_.deliveries;
  if (const auto* notice = std::get_if<model::Notice>(&request.body)) {
    if (notice->state == model::Notice::State::kRefused) ++target.refused_notices[notice->about_native_id];
    return;
  }
  auto dash = content.find('-');
  if (dash == std::string::npos) return sim_.fail("a message without its text");
  std::string conversation = content.substr(0, dash);
  if (conversation == "3") return sim_.fail("delivered although forbidden: " + content);
  int number = std::stoi(content.substr(dash + 1));
  auto& order = target.order[conversation];
  if (!order.empty() && order.back() >= number) sim_.fail("order: " + content + " after " + std::to_string(order.back()));
  order.push_back(number);
}

// For good: a target that said no once says no again, also after a crash that forgot its answer.
bool Adapter::refuses(const pipeline::DeliveryRequest& request) {
  auto& target = sim_.targets_[network_];
  std::string id = request.delivery.id.text();
  if (target.refused.contains(id)) return true;
  if (target.seen.contains(id) || request.delivery.cls != model::LaneClass::kMessage || !sim_.chance(15)) return false;
  target.refused.insert(id);
  return true;
}

void Adapter::deliver(const pipeline::DeliveryRequest& request) {
  using Outcome = pipeline::DeliveryReport::Outcome;
  if (!attached) return sim_.fail("delivered to an adapter that is not attached");
  pipeline::DeliveryReport report;
  report.delivery = request.delivery.id;
  std::string lane = request.lane;
  bool retry = retried_lanes_.contains(lane);
  if (!retry && sim_.chance(7)) retry = true;
  bool down = retry && sim_.chance(3);
  if (retry) {
    retried_lanes_.insert(lane);
    report.outcome = Outcome::kRetry;
    report.network_down = down;
    report.reason_code = "simulated";
  } else if (refuses(request)) {
    report.outcome = sim_.chance(2) ? Outcome::kRefused : Outcome::kUnknown;
  } else {
    arrive(request);
    report.outcome = Outcome::kDelivered;
    report.native_ids = {"n" + report.delivery.text()};
  }
  bool lost = sim_.chance(20);
  lanes_[lane].push_back(report.delivery.text());
  auto delay = std::chrono::microseconds(sim_.random_.below(50000));
  sim_.world_.after(delay, [this, mine = life, report, lane, lost] {
    if (life != mine || !attached) return;
    std::erase(lanes_[lane], report.delivery.text());
    if (lanes_[lane].empty()) retried_lanes_.erase(lane);
    if (lost) {  // an adapter that forgets an answer has lost its stream
      detach();
      sim_.world_.after(milliseconds(100), [this] {
        if (!attached && sim_.core_) attach();
      });
      return;
    }
    sim_.core_->report(*this, report);
    if (sim_.chance(10)) sim_.core_->report(*this, report);
    sim_.core_->grant_deliver_credit(*this, 1);
  });
}

}  // namespace

Verdict simulate(std::uint64_t seed, bool verbose) { return Simulation(seed, verbose).run(); }

}  // namespace fedgate::sim
