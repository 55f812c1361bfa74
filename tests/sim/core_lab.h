// CoreLab: the real Core with two adapters that the test plays, on simulated time and a store that survives a restart. For the tests of gateway/pipeline.
#pragma once

#include <doctest/doctest.h>

#include <fstream>
#include <memory>
#include <sstream>
#include <string>
#include <vector>

#include "gateway/pipeline/core.h"
#include "gateway/policy/load.h"
#include "tests/sim/world.h"

namespace fedgate::pipeline {

// Records what the core says to an adapter.
class LabPort final : public AdapterPort {
 public:
  struct Given {
    std::string id, network, lane, target, text;
    model::Body body;
    std::uint32_t part = 0, parts = 0;
    bool redelivery = false;
    const model::Notice* notice() const { return std::get_if<model::Notice>(&body); }
  };
  std::vector<SubmitVerdict> verdicts;
  std::vector<Given> given;
  std::vector<RoomWanted> wanted;
  std::vector<StateWritten> written;
  std::vector<CommandReply> replies;
  std::uint64_t credit = 0;

  void verdict(SubmitVerdict verdict) override { verdicts.push_back(std::move(verdict)); }
  void deliver(const DeliveryRequest& request) override {
    const auto* text = std::get_if<model::Text>(&request.body);
    const auto& to = request.delivery.conversation;
    given.push_back({request.delivery.id.text(), request.delivery.network, request.lane, to.is_room() ? to.room : to.peer.native_id, text ? text->plain : "", request.body,
                     request.delivery.part, request.delivery.parts, request.redelivery});
  }
  void grant_submit_credit(std::uint32_t count) override { credit += count; }
  void room_wanted(const RoomWanted& room) override { wanted.push_back(room); }
  void state_written(StateWritten state) override { written.push_back(std::move(state)); }
  void command_reply(CommandReply reply) override { replies.push_back(std::move(reply)); }
};

struct CoreLab {
  sim::World world;
  SeededRandom random{7};
  sim::FaultyStore store{world, random};
  std::shared_ptr<settings::Settings> settings = make_settings();
  std::unique_ptr<Core> core;
  std::unique_ptr<LabPort> matrix, xmpp;
  std::uint64_t ref = 0;

  CoreLab() {
    store.faults = false;
    restart();
  }
  ~CoreLab() { core.reset(); }

  static std::shared_ptr<settings::Settings> make_settings() {
    auto made = std::make_shared<settings::Settings>();
    made->gateway = "gw-lab";
    settings::Network bund{.name = "bund", .adapter = "matrix", .realm = "de-fed", .domains = {{"bund.example", "de-fed"}, {"land.example", "de-state"}},
                           .protection = model::Protection::kTls, .default_level = model::Rank::kInternal};
    settings::Network bpol{.name = "bpol", .adapter = "xmpp", .realm = "de-fed", .domains = {{"polizei.example", "de-fed"}},
                           .protection = model::Protection::kTls, .default_level = model::Rank::kInternal};
    made->networks = {{"bund", bund}, {"bpol", bpol}};
    return made;
  }

  // A new process on the same store; what was on its way to the store is lost, as in a crash. Both adapters attach.
  void restart() {
    core.reset();
    store.crash();
    std::ifstream file("config/policies/two-agencies.json");
    std::ostringstream text;
    text << file.rdbuf();
    auto policy = policy::parse_policy(text.str(), "two-agencies.json");
    REQUIRE(policy);
    core = std::make_unique<Core>(CoreParts{world, world, random, store, store, settings, *policy});
    REQUIRE(core->recover());
    matrix = std::make_unique<LabPort>();
    xmpp = std::make_unique<LabPort>();
    attach(*matrix, "matrix", "bund", 1);
    attach(*xmpp, "xmpp", "bpol", 64);
  }

  Result<Welcome> attach(LabPort& port, const std::string& adapter, const std::string& network, std::uint32_t window, std::uint32_t text_max = 0, std::uint32_t credit = 1000) {
    Hello hello{adapter, "lab", {network}, {{network, {{{"text", render::Level::kFull}, {"emote", render::Level::kFull}}, text_max, 0, window, false}}}};
    auto welcome = core->attach(port, hello);
    if (welcome) {
      core->network_status(port, {network, true, {}});
      core->grant_deliver_credit(port, credit);
    }
    return welcome;
  }

  // Lets everything happen that needs no more than this much time.
  void run(Duration time = std::chrono::milliseconds(200)) {
    auto until = world.steady_now() + time;
    while (world.step(until)) {}
  }

  static model::Envelope direct(const std::string& id, const std::string& text, const std::string& to = "anna@polizei.example", const std::string& from = "@alice:bund.example") {
    model::Envelope envelope;
    envelope.network = "bund";
    envelope.native_id = envelope.dedup_key = id;
    envelope.sender = {{"bund", from}, "Alice", model::Assurance::kAccount};
    envelope.conversation = model::Conversation::direct({"bpol", to});
    envelope.body = model::Text{text, {}, false, {}};
    return envelope;
  }
  static model::Envelope in_room(const std::string& network, const std::string& room, const std::string& id, const std::string& text, const std::string& from) {
    model::Envelope envelope;
    envelope.network = network;
    envelope.native_id = envelope.dedup_key = id;
    envelope.sender = {{network, from}, "Somebody", model::Assurance::kAccount};
    envelope.conversation = model::Conversation::in_room(room);
    envelope.body = model::Text{text, {}, false, {}};
    return envelope;
  }

  // Submits and waits for the verdict.
  SubmitVerdict submit(model::Envelope envelope) { return submit_by(*matrix, std::move(envelope)); }
  SubmitVerdict submit_by(LabPort& port, model::Envelope envelope) {
    std::size_t before = port.verdicts.size();
    core->submit(port, {++ref, std::move(envelope)});
    run();
    REQUIRE(port.verdicts.size() == before + 1);
    CHECK(port.verdicts.back().ref == ref);
    return port.verdicts.back();
  }

  void report(LabPort& port, const std::string& id, DeliveryReport::Outcome outcome, const std::string& code = "", bool network_down = false) {
    DeliveryReport report;
    report.delivery = *model::DeliveryId::from_text(id);
    report.outcome = outcome;
    report.reason_code = code;
    report.network_down = network_down;
    if (outcome == DeliveryReport::Outcome::kDelivered) report.native_ids = {"native-" + id.substr(0, 4)};
    core->report(port, std::move(report));
  }
  void delivered(LabPort& port, std::size_t index = 0) {
    REQUIRE(port.given.size() > index);
    report(port, port.given[index].id, DeliveryReport::Outcome::kDelivered);
    core->grant_deliver_credit(port, 1);
    run();
  }

  QueueView queue(const std::string& network) const {
    for (auto& view : core->queue())
      if (view.network == network) return view;
    return {};
  }
  std::vector<std::string> texts(const LabPort& port) const {
    std::vector<std::string> out;
    for (const auto& one : port.given) out.push_back(one.text);
    return out;
  }
  void room(LabPort& port, const std::string& network, const std::string& name, std::vector<std::string> domains, bool encrypted = false) {
    core->room_state(port, {network, name, true, encrypted, true, std::move(domains), name, ""});
    run();
  }
};

}  // namespace fedgate::pipeline
