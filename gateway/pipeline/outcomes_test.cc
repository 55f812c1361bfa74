// What a verdict, a notice and a trace say exactly, limits at the limit, and how long a lane pauses.
#include <doctest/doctest.h>

#include <algorithm>

#include "tests/sim/core_lab.h"

namespace fedgate::pipeline {
namespace {

using Outcome = SubmitVerdict::Outcome;
using std::chrono::milliseconds;
using std::chrono::seconds;

std::string set_link(CoreLab& lab, const std::string& id, const std::string& state) {
  std::string out;
  lab.core->set_link(id, state, [&](Result<LinkView> result) { out = result ? result->state : "error: " + result.error().message; });
  lab.run();
  return out;
}

TEST_CASE("outcomes: each refusal has its code, the words of that code and the id of its decision, and the trace says the same code") {
  CoreLab lab;
  auto unknown_target = CoreLab::direct("$1", "x", "redaktion@presse.example");
  auto unknown_sender = CoreLab::direct("$2", "x", "anna@polizei.example", "@mallory:evil.example");
  auto confidential = CoreLab::direct("$3", "x");
  confidential.label.rank = model::Rank::kConfidential;
  confidential.label.source = model::LabelSource::kExplicit;
  auto same_network = CoreLab::direct("$4", "x");
  same_network.conversation = model::Conversation::direct({"bund", "@bob:bund.example"});
  struct Case { model::Envelope envelope; std::string code; };
  for (auto& [envelope, code] : std::vector<Case>{{unknown_target, "NOT_PERMITTED"}, {unknown_sender, "NOT_PERMITTED"}, {confidential, "LEVEL_FORBIDDEN"},
                                                  {same_network, "NOT_PERMITTED"}}) {
    CAPTURE(envelope.native_id);
    auto verdict = lab.submit(envelope);
    CHECK(verdict.outcome == Outcome::kRefused);
    REQUIRE(verdict.refusals.size() == 1);
    CHECK(verdict.refusals[0].code == code);
    CHECK(verdict.refusals[0].text == model::sender_text(code));
    auto realm = envelope.native_id != "$1" ? "de-fed" : "unknown";
    CHECK(verdict.refusals[0].decision_id == model::derive_decision_id(verdict.message, verdict.refusals[0].network, realm).text());
    auto traced = lab.core->trace(envelope.native_id);
    REQUIRE(traced.size() == 1);
    CHECK(std::any_of(traced[0].steps.begin(), traced[0].steps.end(),
                      [&](const TraceStep& step) { return step.step == "decided" && step.detail.starts_with("deny ") && step.detail.find(": " + code + " ") != std::string::npos; }));
  }
  CHECK(lab.xmpp->given.empty());
}

TEST_CASE("outcomes: in a room of three networks the allowed one gets the message, and the sender hears which did not") {
  CoreLab lab;
  auto press = *lab.settings->network("bpol");
  press.name = "press";
  press.realm = "press";
  press.domains = {{"presse.example", "press"}};
  lab.settings->networks["press"] = press;
  lab.settings->links = {{"all", {{"bund", "!r:bund.example", std::nullopt}, {"bpol", "r@rooms.polizei.example", std::nullopt}, {"press", "r@rooms.presse.example", std::nullopt}}}};
  lab.restart();
  LabPort third;
  REQUIRE(lab.attach(third, "xmpp", "press", 1));
  lab.room(*lab.matrix, "bund", "!r:bund.example", {"bund.example"});
  lab.room(*lab.xmpp, "bpol", "r@rooms.polizei.example", {"polizei.example"});
  lab.room(third, "press", "r@rooms.presse.example", {"presse.example"});
  auto verdict = lab.submit(CoreLab::in_room("bund", "!r:bund.example", "$1", "hello", "@alice:bund.example"));
  CHECK(verdict.outcome == Outcome::kPartly);
  REQUIRE(verdict.refusals.size() == 1);
  CHECK(verdict.refusals[0].network == "press");
  CHECK(lab.texts(*lab.xmpp) == std::vector<std::string>{"hello"});
  CHECK(third.given.empty());
  REQUIRE(lab.matrix->given.size() == 1);
  CHECK(lab.matrix->given[0].notice()->target_network == "press");
  lab.core->detach(third);
}

TEST_CASE("outcomes: at the limit is inside it; typing and the like are ignored and leave nothing behind") {
  CoreLab lab;
  CHECK(lab.submit(CoreLab::direct("$1", std::string(lab.settings->limits.text_bytes_max, 'x'))).outcome == Outcome::kAccepted);
  auto travelled = CoreLab::direct("$2", "x");
  travelled.hops.assign(16, "gw-x");
  CHECK(lab.submit(travelled).outcome == Outcome::kAccepted);
  auto long_id = CoreLab::direct("$3", "x");
  long_id.native_id = std::string(1023, 'i');
  CHECK(lab.submit(long_id).outcome == Outcome::kAccepted);
  auto rows = lab.store.rows("journal");
  auto typing = CoreLab::direct("$4", "");
  typing.body = model::Uncarried{model::Kind::kTyping, "typing", false};
  auto verdict = lab.submit(typing);
  CHECK(verdict.outcome == Outcome::kIgnored);
  CHECK(verdict.reason == "kind");
  CHECK(lab.store.rows("journal") == rows);
  CHECK(lab.core->stats().networks.at("bund").ignored.at("kind") == 1);
}

TEST_CASE("outcomes: pauses of a lane double from half a second, and a target's own wish goes before them") {
  CoreLab lab;
  lab.submit(CoreLab::direct("$1", "x"));
  auto again = [&](std::size_t times, Duration shortest, Duration longest) {
    lab.report(*lab.xmpp, lab.xmpp->given.back().id, DeliveryReport::Outcome::kRetry, "timeout");
    lab.core->grant_deliver_credit(*lab.xmpp, 1);
    lab.run(shortest - milliseconds(1));
    CHECK(lab.xmpp->given.size() == times);
    lab.run(longest - shortest + milliseconds(2));
    CHECK(lab.xmpp->given.size() == times + 1);
  };
  again(1, milliseconds(250), milliseconds(500));
  again(2, milliseconds(500), milliseconds(1000));
  again(3, milliseconds(1000), milliseconds(2000));
  DeliveryReport wish;
  wish.delivery = *model::DeliveryId::from_text(lab.xmpp->given.back().id);
  wish.outcome = DeliveryReport::Outcome::kRetry;
  wish.retry_after_ms = 7000;
  lab.core->report(*lab.xmpp, wish);
  lab.run(milliseconds(6990));
  CHECK(lab.xmpp->given.size() == 4);
  lab.run(milliseconds(20));
  CHECK(lab.xmpp->given.size() == 5);
  CHECK(lab.core->stats().networks.at("bpol").retries.at("timeout") == 3);
}

TEST_CASE("outcomes: an unknown end is a dead letter that may have been delivered, and goes again only when an operator says so") {
  CoreLab lab;
  lab.submit(CoreLab::direct("$1", "x"));
  auto id = lab.xmpp->given[0].id;
  lab.report(*lab.xmpp, id, DeliveryReport::Outcome::kUnknown, "connection-lost");
  lab.core->grant_deliver_credit(*lab.xmpp, 1);
  lab.run(seconds(70));
  CHECK(lab.xmpp->given.size() == 1);
  REQUIRE(lab.matrix->given.size() == 1);
  CHECK(lab.matrix->given[0].notice()->state == model::Notice::State::kUncertain);
  auto traced = lab.core->trace("$1");
  REQUIRE(traced.size() == 1);
  auto step = std::find_if(traced[0].steps.begin(), traced[0].steps.end(), [&](const TraceStep& one) { return one.delivery_id == id; });
  REQUIRE(step != traced[0].steps.end());
  CHECK(step->step == "uncertain");
  CHECK(step->network == "bpol");
  CHECK(step->at_ms >= 1700000000000);
  CHECK(step->detail == "to bpol:anna@polizei.example, 1 attempt: connection-lost");
  lab.core->dead_retry({id}, false, "", [](Result<std::uint64_t> count) { CHECK(count.value_or(0) == 1); });
  lab.run();
  REQUIRE(lab.xmpp->given.size() == 2);
  CHECK(lab.xmpp->given[1].redelivery);
}

TEST_CASE("outcomes: what waits for a network that left the configuration is a dead letter, and cannot be taken up again") {
  CoreLab lab;
  lab.core->detach(*lab.xmpp);
  lab.submit(CoreLab::direct("$1", "x"));
  lab.settings->networks.erase("bpol");
  lab.restart();
  lab.run();
  auto page = lab.core->dead_list("bpol", 10);
  REQUIRE(page.entries.size() == 1);
  CHECK(page.entries[0].reason_code == "NO_SUCH_NETWORK");
  std::uint64_t count = 99;
  lab.core->dead_retry({}, true, "", [&](Result<std::uint64_t> result) { count = result.value_or(98); });
  lab.run();
  CHECK(count == 0);
  CHECK(lab.core->dead_list("bpol", 10).entries[0].reason_code == "NO_SUCH_NETWORK");
  CHECK(lab.core->stats().networks.at("bpol").dead == 1);
  CHECK(lab.core->stats().networks.at("bpol").waiting == 0);
  lab.core->dead_drop({}, true, "bpol", [&](Result<std::uint64_t> result) { count = result.value_or(98); });
  lab.run();
  CHECK(count == 1);
  CHECK(lab.core->dead_list("", 10).total == 0);
  CHECK(lab.core->stats().conservation_difference == 0);
}

TEST_CASE("outcomes: an operator deletes what people linked, not what the configuration says, and nothing unknown") {
  CoreLab lab;
  CHECK(set_link(lab, "nothing", "active") == "error: no link has the id nothing");
  lab.settings->links = {{"incident", {{"bund", "!r:bund.example", std::nullopt}, {"bpol", "r@rooms.polizei.example", std::nullopt}}}};
  lab.restart();
  CHECK(set_link(lab, "incident", "deleted") == "error: link incident is in the configuration; remove it there, or suspend it");
  lab.core->command(*lab.matrix, {1, "bund", "!two:bund.example", {{"bund", "@a:bund.example"}, "", model::Assurance::kAccount}, true, "!link bpol two@rooms.polizei.example"});
  lab.run();
  REQUIRE(lab.core->links().size() == 2);
  auto id = lab.core->links()[1].id;
  CHECK(set_link(lab, id, "deleted") == "deleted");
  lab.restart();
  REQUIRE(lab.core->links().size() == 1);
  CHECK(lab.core->links()[0].id == "incident");
}

}  // namespace
}  // namespace fedgate::pipeline
