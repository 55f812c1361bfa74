// What happens between commit and settlement: order, credit, windows, retries, outages, age.
#include <doctest/doctest.h>

#include "tests/sim/core_lab.h"

namespace fedgate::pipeline {
namespace {

using Outcome = DeliveryReport::Outcome;
using Texts = std::vector<std::string>;
using std::chrono::seconds;

model::Envelope back(const std::string& id, const std::string& text, const std::string& to = "@alice:bund.example") {
  auto envelope = CoreLab::direct(id, text);
  envelope.network = "bpol";
  envelope.sender.address = {"bpol", "anna@polizei.example"};
  envelope.conversation = model::Conversation::direct({"bund", to});
  return envelope;
}

TEST_CASE("lanes: a window of one hands out one delivery of a conversation at a time, conversations do not wait for each other") {
  CoreLab lab;
  for (const char* id : {"1", "2"}) lab.submit_by(*lab.xmpp, back(id, std::string("alice ") + id));
  lab.submit_by(*lab.xmpp, back("3", "bob 3", "@bob:bund.example"));
  CHECK(lab.texts(*lab.matrix) == Texts{"alice 1", "bob 3"});
  lab.delivered(*lab.matrix, 0);
  CHECK(lab.texts(*lab.matrix) == Texts{"alice 1", "bob 3", "alice 2"});
  CHECK(lab.queue("bund").in_flight == 2);
}

TEST_CASE("lanes: no more deliveries than credit") {
  CoreLab lab;
  LabPort port;
  lab.core->detach(*lab.xmpp);
  REQUIRE(lab.attach(port, "xmpp", "bpol", 64, 0, 2));
  for (int i = 0; i < 5; ++i) lab.submit(CoreLab::direct("$" + std::to_string(i), std::to_string(i)));
  CHECK(lab.texts(port) == Texts{"0", "1"});
  lab.core->grant_deliver_credit(port, 2);
  lab.run();
  CHECK(lab.texts(port) == Texts{"0", "1", "2", "3"});
  lab.core->detach(port);
}

TEST_CASE("lanes: a retry holds its lane and goes first again, marked as a redelivery; others go on") {
  CoreLab lab;
  lab.submit(CoreLab::direct("$1", "first"));
  lab.submit(CoreLab::direct("$2", "second"));
  lab.submit(CoreLab::direct("$3", "to ben", "ben@polizei.example"));
  REQUIRE(lab.xmpp->given.size() == 3);
  lab.report(*lab.xmpp, lab.xmpp->given[0].id, Outcome::kRetry, "timeout");
  lab.core->grant_deliver_credit(*lab.xmpp, 1);
  lab.report(*lab.xmpp, lab.xmpp->given[1].id, Outcome::kRetry, "timeout");
  lab.core->grant_deliver_credit(*lab.xmpp, 1);
  lab.run(std::chrono::milliseconds(10));
  CHECK(lab.xmpp->given.size() == 3);
  CHECK(lab.queue("bpol").retrying == 2);
  lab.run(seconds(2));
  REQUIRE(lab.xmpp->given.size() == 5);
  CHECK(lab.xmpp->given[3].text == "first");
  CHECK(lab.xmpp->given[3].id == lab.xmpp->given[0].id);
  CHECK(lab.xmpp->given[3].redelivery);
  CHECK(lab.xmpp->given[4].text == "second");
}

TEST_CASE("lanes: a network that is down is probed by one delivery, and wakes whole when that arrives") {
  CoreLab lab;
  for (const char* who : {"a", "b", "c"}) lab.submit(CoreLab::direct(std::string("$") + who, who, std::string(who) + "@polizei.example"));
  REQUIRE(lab.xmpp->given.size() == 3);
  for (int i = 0; i < 3; ++i) lab.report(*lab.xmpp, lab.xmpp->given[static_cast<std::size_t>(i)].id, Outcome::kRetry, "unreachable", true);
  lab.core->grant_deliver_credit(*lab.xmpp, 3);
  lab.run(std::chrono::milliseconds(10));
  CHECK_FALSE(lab.queue("bpol").up);
  CHECK(lab.core->problems() == Texts{"network bpol: unreachable"});
  lab.run(seconds(3));
  REQUIRE(lab.xmpp->given.size() == 4);  // the probe alone
  lab.report(*lab.xmpp, lab.xmpp->given[3].id, Outcome::kDelivered);
  lab.run();
  CHECK(lab.xmpp->given.size() == 6);
  CHECK(lab.queue("bpol").up);
}

TEST_CASE("lanes: what an adapter had in hand when it left comes again to the next one, in order, marked as a redelivery") {
  CoreLab lab;
  for (int i = 0; i < 3; ++i) lab.submit(CoreLab::direct("$" + std::to_string(i), std::to_string(i)));
  lab.delivered(*lab.xmpp, 0);
  lab.core->detach(*lab.xmpp);
  CHECK_FALSE(lab.queue("bpol").attached);
  lab.submit(CoreLab::direct("$3", "3"));
  LabPort next;
  REQUIRE(lab.attach(next, "xmpp", "bpol", 64));
  lab.run();
  CHECK(lab.texts(next) == Texts{"1", "2", "3"});
  CHECK(next.given[0].redelivery);
  CHECK(next.given[1].redelivery);
  CHECK_FALSE(next.given[2].redelivery);
  lab.core->detach(next);
}

TEST_CASE("lanes: after a crash everything that was accepted and not settled goes out, once, in order") {
  CoreLab lab;
  for (int i = 0; i < 4; ++i) lab.submit(CoreLab::direct("$" + std::to_string(i), std::to_string(i)));
  lab.delivered(*lab.xmpp, 0);
  lab.run(seconds(1));
  lab.restart();
  lab.run();
  CHECK(lab.texts(*lab.xmpp) == Texts{"1", "2", "3"});
  for (std::size_t i = 0; i < 3; ++i) lab.delivered(*lab.xmpp, i);
  lab.run(seconds(5));
  CHECK(lab.store.rows("journal") == 0);
  CHECK(lab.core->stats().conservation_difference == 0);
}

TEST_CASE("lanes: a late answer for a delivery that was given to somebody else changes nothing") {
  CoreLab lab;
  lab.submit(CoreLab::direct("$1", "x"));
  std::string id = lab.xmpp->given[0].id;
  LabPort next;
  REQUIRE(lab.attach(next, "xmpp", "bpol", 64));  // replaces the first
  lab.run();
  REQUIRE(next.given.size() == 1);
  lab.report(*lab.xmpp, id, Outcome::kRefused, "gone");
  lab.run();
  CHECK(lab.queue("bpol").dead == 0);
  lab.report(next, id, Outcome::kDelivered);
  lab.run(seconds(1));
  CHECK(lab.queue("bpol").waiting == 0);
  lab.core->detach(next);
}

TEST_CASE("lanes: a long text leaves in parts that together are the text, and is ended by the last") {
  CoreLab lab;
  LabPort port;
  lab.core->detach(*lab.xmpp);
  REQUIRE(lab.attach(port, "xmpp", "bpol", 64, 100));
  std::string text;
  for (int i = 0; i < 60; ++i) text += "ä👍🏽 ";
  lab.submit(CoreLab::direct("$1", text));
  REQUIRE(port.given.size() > 1);
  std::string joined;
  for (const auto& part : port.given) {
    CHECK(part.text.size() <= 100);
    CHECK(part.parts == port.given.size());
    joined += part.text;
  }
  CHECK(joined == text);
  std::size_t parts = port.given.size();
  for (std::size_t i = 0; i < parts; ++i) {
    CHECK(lab.queue("bpol").waiting > 0);
    lab.delivered(port, i);
  }
  lab.run(seconds(1));
  CHECK(lab.queue("bpol").waiting == 0);
  lab.core->detach(port);
}

TEST_CASE("lanes: the sender hears after a minute that the message is delayed, once, and at the end that it expired") {
  CoreLab lab;
  lab.settings->limits.delivery_ttl_s = 300;
  lab.core->detach(*lab.xmpp);
  lab.submit(CoreLab::direct("$1", "slow"));
  lab.run(seconds(55));
  CHECK(lab.matrix->given.empty());
  lab.run(seconds(10));
  REQUIRE(lab.matrix->given.size() == 1);
  CHECK(lab.matrix->given[0].notice()->state == model::Notice::State::kDelayed);
  CHECK(lab.matrix->given[0].notice()->about_native_id == "$1");
  lab.delivered(*lab.matrix, 0);
  lab.run(seconds(200));
  CHECK(lab.matrix->given.size() == 1);
  lab.run(seconds(60));
  REQUIRE(lab.matrix->given.size() == 2);
  CHECK(lab.matrix->given[1].notice()->state == model::Notice::State::kExpired);
  lab.delivered(*lab.matrix, 1);
  LabPort late;
  REQUIRE(lab.attach(late, "xmpp", "bpol", 64));
  lab.run(seconds(2));
  CHECK(late.given.empty());
  CHECK(lab.core->stats().networks.at("bpol").deliveries[static_cast<std::size_t>(model::Outcome::kExpired)] == 1);
  lab.core->detach(late);
}

TEST_CASE("lanes: what may have arrived is never called not delivered") {
  CoreLab lab;
  lab.settings->limits.delivery_ttl_s = 60;
  lab.submit(CoreLab::direct("$1", "perhaps"));
  REQUIRE(lab.xmpp->given.size() == 1);
  lab.core->detach(*lab.xmpp);  // with the delivery in its hands
  lab.run(seconds(70));
  REQUIRE_FALSE(lab.matrix->given.empty());
  lab.delivered(*lab.matrix, 0);  // that it is delayed
  CHECK(lab.matrix->given.back().notice()->state == model::Notice::State::kUncertain);
  CHECK(lab.matrix->given.back().notice()->reason_code == "NO_CONFIRMATION");
}

}  // namespace
}  // namespace fedgate::pipeline
