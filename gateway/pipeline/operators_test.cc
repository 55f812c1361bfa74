// Dead letters, traces, and what an adapter stores.
#include <doctest/doctest.h>

#include <algorithm>

#include "tests/sim/core_lab.h"

namespace fedgate::pipeline {
namespace {

using Outcome = DeliveryReport::Outcome;
using std::chrono::seconds;

std::uint64_t changed(CoreLab& lab, bool drop, std::vector<std::string> ids, bool all = false) {
  std::uint64_t out = 999;
  auto done = [&](Result<std::uint64_t> result) { out = result.value_or(998); };
  if (drop) lab.core->dead_drop(std::move(ids), all, "", done);
  else lab.core->dead_retry(std::move(ids), all, "", done);
  lab.run();
  return out;
}

bool has_step(const TracedMessage& message, const std::string& step, const std::string& detail = "") {
  return std::any_of(message.steps.begin(), message.steps.end(), [&](const TraceStep& one) { return one.step == step && one.at_ms > 0 && one.detail.find(detail) != std::string::npos; });
}

// One message that the network refused for good.
std::string dead_letter(CoreLab& lab, const std::string& id) {
  lab.submit(CoreLab::direct(id, "to nobody"));
  auto delivery = lab.xmpp->given.back().id;
  lab.report(*lab.xmpp, delivery, Outcome::kRefused, "item-not-found");
  lab.core->grant_deliver_credit(*lab.xmpp, 1);
  lab.run();
  return delivery;
}

TEST_CASE("dead letters: a refused delivery is listed, its sender is told, and both survive a restart") {
  CoreLab lab;
  auto id = dead_letter(lab, "$1");
  for (int life = 0; life < 2; ++life) {
    auto page = lab.core->dead_list("", 10);
    REQUIRE(page.entries.size() == 1);
    CHECK(page.total == 1);
    CHECK(page.entries[0].delivery_id == id);
    CHECK(page.entries[0].network == "bpol");
    CHECK(page.entries[0].reason_code == "item-not-found");
    CHECK(page.entries[0].died_at_ms > 0);
    CHECK(lab.queue("bpol").dead == 1);
    CHECK(lab.queue("bpol").waiting == 0);
    CHECK(lab.core->dead_list("bund", 10).entries.empty());
    lab.run();
    REQUIRE(lab.matrix->given.size() == 1);
    CHECK(lab.matrix->given[0].notice()->state == model::Notice::State::kFailed);
    lab.restart();
  }
}

TEST_CASE("dead letters: retried ones go out again under their id, before and after a restart, and end") {
  CoreLab lab;
  auto id = dead_letter(lab, "$1");
  CHECK(changed(lab, false, {id}) == 1);
  REQUIRE(lab.xmpp->given.size() == 2);
  CHECK(lab.xmpp->given[1].id == id);
  CHECK(lab.queue("bpol").dead == 0);
  lab.restart();
  lab.run();
  REQUIRE(lab.xmpp->given.size() == 1);
  CHECK(lab.xmpp->given[0].id == id);
  lab.delivered(*lab.xmpp, 0);
  lab.run(seconds(2));
  CHECK(lab.queue("bpol").dead == 0);
  CHECK(lab.queue("bpol").waiting == 0);
  CHECK(lab.core->stats().conservation_difference == 0);
}

TEST_CASE("dead letters: dropped ones are gone for good") {
  CoreLab lab;
  dead_letter(lab, "$1");
  dead_letter(lab, "$2");
  CHECK(changed(lab, true, {}, true) == 2);
  CHECK(lab.core->dead_list("", 10).entries.empty());
  lab.delivered(*lab.matrix, 0);
  lab.restart();
  CHECK(lab.core->dead_list("", 10).entries.empty());
  CHECK(lab.xmpp->given.empty());
  CHECK(changed(lab, false, {"aaaaaaaaaaaaaaaaaaaaaaaaaa"}) == 0);
}

TEST_CASE("trace: every step of a message by each of its ids, open, ended and after a restart; no content") {
  CoreLab lab;
  auto verdict = lab.submit(CoreLab::direct("$native", "words that are nobody's business"));
  auto delivery = lab.xmpp->given[0].id;
  auto open = lab.core->trace("$native");
  REQUIRE(open.size() == 1);
  CHECK(has_step(open[0], "accepted"));
  CHECK(has_step(open[0], "decided", "by rule A1-agencies"));
  CHECK(open[0].steps.back().step == "waiting");
  lab.delivered(*lab.xmpp, 0);
  lab.run(seconds(5));
  for (int life = 0; life < 2; ++life) {
    for (const std::string& id : {std::string("$native"), verdict.message.text(), delivery, "native-" + delivery.substr(0, 4)}) {
      auto found = lab.core->trace(id);
      REQUIRE(found.size() == 1);
      CHECK(found[0].message_id == verdict.message.text());
      CHECK(found[0].sender == "@alice:bund.example");
      CHECK(has_step(found[0], "accepted"));
      CHECK(has_step(found[0], "delivered", "as native-"));
      for (const auto& step : found[0].steps) CHECK(step.detail.find("nobody's business") == std::string::npos);
    }
    lab.restart();
  }
  CHECK(lab.core->trace("$other").empty());
  CHECK(lab.core->trace("").empty());
}

TEST_CASE("trace: a refused message is found by the decision id that its sender was told, open, ended and after a restart") {
  CoreLab lab;
  auto verdict = lab.submit(CoreLab::direct("$1", "x", "redaktion@presse.example"));
  REQUIRE(verdict.refusals.size() == 1);
  auto id = verdict.refusals[0].decision_id;
  for (int life = 0; life < 3; ++life) {
    auto found = lab.core->trace(id);
    REQUIRE(found.size() == 1);
    CHECK(found[0].message_id == verdict.message.text());
    CHECK(has_step(found[0], "decided", "decision " + id));
    if (life == 0) lab.delivered(*lab.matrix, 0);  // the notice
    lab.run(seconds(6));
    if (life == 1) lab.restart();
  }
}

TEST_CASE("history: ids are forgotten after the retention, and then a repetition is a new message") {
  CoreLab lab;
  lab.settings->limits.retention_days = 1;
  lab.submit(CoreLab::direct("$1", "old"));
  lab.delivered(*lab.xmpp, 0);
  lab.run(seconds(5));
  CHECK(lab.core->trace("$1").size() == 1);
  lab.run(std::chrono::hours(27));
  CHECK(lab.core->trace("$1").empty());
  CHECK(lab.submit(CoreLab::direct("$1", "old")).outcome == SubmitVerdict::Outcome::kAccepted);
}

TEST_CASE("adapter memory: stored, handed over at the next attach, bounded, and nobody else's") {
  CoreLab lab;
  lab.core->write_state(*lab.matrix, {1, "bund", "room/!a", "anna", false});
  lab.core->write_state(*lab.matrix, {2, "bund", "too long", std::string(4097, 'x'), false});
  lab.core->write_state(*lab.matrix, {3, "bpol", "foreign", "x", false});
  lab.core->write_state(*lab.matrix, {4, "bund", "", "x", false});
  lab.run();
  REQUIRE(lab.matrix->written.size() == 4);
  for (const auto& written : lab.matrix->written) CHECK(written.ok == (written.ref == 1));
  LabPort next;
  auto welcome = lab.attach(next, "matrix", "bund", 1);
  REQUIRE(welcome);
  REQUIRE(welcome->state.size() == 1);
  CHECK(welcome->state[0].key == "room/!a");
  CHECK(welcome->state[0].value == "anna");
  lab.core->detach(next);
}

TEST_CASE("attach: only networks that the configuration gives to this kind of adapter, each once") {
  CoreLab lab;
  LabPort port;
  CHECK(lab.attach(port, "xmpp", "bund", 1).error().message == "network bund belongs to adapter matrix, not xmpp");
  CHECK(lab.attach(port, "matrix", "nowhere", 1).error().message == "network nowhere is not in the configuration");
  CHECK_FALSE(lab.core->attach(port, {"matrix", "lab", {}, {}}));
  CHECK_FALSE(lab.core->attach(port, {"matrix", "lab", {"bund", "bund"}, {}}));
  CHECK(lab.queue("bund").attached);  // the first one is still there
}

}  // namespace
}  // namespace fedgate::pipeline
