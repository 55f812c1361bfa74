#include <doctest/doctest.h>

#include "tests/sim/core_lab.h"

namespace fedgate::pipeline {
namespace {

using Outcome = SubmitVerdict::Outcome;

TEST_CASE("ingress: an allowed message is accepted when it is durable, and delivered after") {
  CoreLab lab;
  lab.core->submit(*lab.matrix, {1, CoreLab::direct("$1", "hello")});
  CHECK(lab.matrix->verdicts.empty());
  CHECK(lab.xmpp->given.empty());
  lab.run();
  REQUIRE(lab.matrix->verdicts.size() == 1);
  CHECK(lab.matrix->verdicts[0].outcome == Outcome::kAccepted);
  REQUIRE(lab.xmpp->given.size() == 1);
  CHECK(lab.xmpp->given[0].text == "hello");
  CHECK(lab.xmpp->given[0].target == "anna@polizei.example");
  CHECK_FALSE(lab.xmpp->given[0].redelivery);
  CHECK(lab.matrix->credit == 1);
}

TEST_CASE("ingress: the same dedup key is one message, now, while it is being written, after its end and after a restart") {
  CoreLab lab;
  lab.core->submit(*lab.matrix, {1, CoreLab::direct("$1", "once")});
  lab.core->submit(*lab.matrix, {2, CoreLab::direct("$1", "once")});
  lab.run();
  REQUIRE(lab.matrix->verdicts.size() == 2);
  CHECK(lab.matrix->verdicts[0].outcome == Outcome::kAccepted);
  CHECK(lab.matrix->verdicts[1].outcome == Outcome::kDuplicate);
  CHECK(lab.matrix->verdicts[1].message == lab.matrix->verdicts[0].message);
  CHECK(lab.submit(CoreLab::direct("$1", "once")).outcome == Outcome::kDuplicate);
  lab.delivered(*lab.xmpp);
  lab.run(std::chrono::seconds(5));
  CHECK(lab.submit(CoreLab::direct("$1", "once")).outcome == Outcome::kDuplicate);
  lab.restart();
  CHECK(lab.submit(CoreLab::direct("$1", "once")).outcome == Outcome::kDuplicate);
  CHECK(lab.xmpp->given.empty());
}

TEST_CASE("ingress: what the policy forbids is refused with code, words and decision id, is delivered nowhere, and its sender is told") {
  CoreLab lab;
  auto verdict = lab.submit(CoreLab::direct("$1", "secret plan", "redaktion@presse.example"));
  CHECK(verdict.outcome == Outcome::kRefused);
  REQUIRE(verdict.refusals.size() == 1);
  CHECK(verdict.refusals[0].network == "bpol");
  CHECK(verdict.refusals[0].code == "NOT_PERMITTED");
  CHECK_FALSE(verdict.refusals[0].text.empty());
  CHECK(verdict.refusals[0].text.find("secret plan") == std::string::npos);
  CHECK(verdict.refusals[0].decision_id.size() == 26);
  CHECK(lab.xmpp->given.empty());
  REQUIRE(lab.matrix->given.size() == 1);
  const model::Notice* notice = lab.matrix->given[0].notice();
  REQUIRE(notice != nullptr);
  CHECK(notice->state == model::Notice::State::kRefused);
  CHECK(notice->reason_code == verdict.refusals[0].code);
  CHECK(notice->decision_id == verdict.refusals[0].decision_id);
  CHECK(notice->about_native_id == "$1");
}

TEST_CASE("ingress: a sender of a foreign domain is of no realm, whatever network carries it") {
  CoreLab lab;
  auto verdict = lab.submit(CoreLab::direct("$1", "hello", "anna@polizei.example", "@mallory:evil.example"));
  CHECK(verdict.outcome == Outcome::kRefused);
  CHECK(lab.xmpp->given.empty());
}

TEST_CASE("ingress: refusals that need no policy") {
  CoreLab lab;
  auto to_nowhere = CoreLab::direct("$1", "hello");
  to_nowhere.conversation = model::Conversation::direct({"nowhere", "x@y.example"});
  auto uncarried = CoreLab::direct("$2", "");
  uncarried.body = model::Uncarried{};
  auto opaque = CoreLab::direct("$3", "");
  model::Uncarried ciphertext;
  ciphertext.opaque = true;
  opaque.body = ciphertext;
  struct Case { model::Envelope envelope; const char* code; };
  for (auto& [envelope, code] : std::vector<Case>{{to_nowhere, "NO_SUCH_NETWORK"}, {uncarried, "UNSUPPORTED_KIND"}, {opaque, "ENCRYPTED"}}) {
    auto verdict = lab.submit(envelope);
    CHECK(verdict.outcome == Outcome::kRefused);
    REQUIRE(verdict.refusals.size() == 1);
    CHECK(verdict.refusals[0].code == code);
  }
  CHECK(lab.xmpp->given.empty());
}

TEST_CASE("ingress: malformed and oversize submissions are invalid, leave nothing behind and cost one credit each") {
  CoreLab lab;
  auto long_text = CoreLab::direct("$1", std::string(lab.settings->limits.text_bytes_max + 1, 'x'));
  auto bad_utf8 = CoreLab::direct("$2", "\xc3\x28");
  auto no_key = CoreLab::direct("$3", "x");
  no_key.dedup_key.clear();
  auto no_sender = CoreLab::direct("$4", "x");
  no_sender.sender.address.native_id.clear();
  auto long_id = CoreLab::direct("$5", "x");
  long_id.native_id = std::string(1024, 'i');
  auto foreign = CoreLab::direct("$6", "x");
  foreign.network = "bpol";
  struct Case { model::Envelope envelope; const char* reason; };
  for (auto& [envelope, reason] : std::vector<Case>{{long_text, "text_bytes_max"}, {bad_utf8, "utf8"}, {no_key, "dedup_key"}, {no_sender, "sender"},
                                                   {long_id, "native_id_bytes_max"}, {foreign, "network is not this adapter's"}}) {
    auto before = lab.matrix->credit;
    auto verdict = lab.submit(envelope);
    CHECK_MESSAGE(verdict.outcome == Outcome::kInvalid, reason);
    CHECK(verdict.reason == reason);
    CHECK(lab.matrix->credit == before + 1);
  }
  CHECK(lab.store.rows("journal") == 0);
  CHECK(lab.xmpp->given.empty());
  CHECK(lab.matrix->given.empty());
}

TEST_CASE("ingress: a network speaks for nobody else's, and both stay unharmed") {
  CoreLab lab;
  auto forged = CoreLab::direct("$1", "forged");
  CHECK(lab.submit_by(*lab.xmpp, forged).reason == "network is not this adapter's");
  CHECK(lab.core->trace("$1").empty());
  CHECK(lab.submit(forged).outcome == Outcome::kAccepted);  // the forged one has not used up the id
}

TEST_CASE("ingress: a refused message that comes again after its end is a duplicate, also after a restart, and is told once") {
  CoreLab lab;
  auto refused = CoreLab::direct("$1", "x", "redaktion@presse.example");
  CHECK(lab.submit(refused).outcome == Outcome::kRefused);
  lab.delivered(*lab.matrix, 0);
  lab.run(std::chrono::seconds(6));
  lab.restart();
  CHECK(lab.submit(refused).outcome == Outcome::kDuplicate);
  lab.run();
  CHECK(lab.matrix->given.empty());
}

TEST_CASE("ingress: a message that has passed this gateway before is a loop and ignored") {
  CoreLab lab;
  auto own = CoreLab::direct("$1", "again");
  own.hops = {"gw-other", "gw-lab"};
  auto verdict = lab.submit(own);
  CHECK(verdict.outcome == Outcome::kIgnored);
  CHECK(verdict.reason == "loop");
  auto others = CoreLab::direct("$2", "of another gateway");
  others.hops = {"gw-other"};
  CHECK(lab.submit(others).outcome == Outcome::kAccepted);
  auto endless = CoreLab::direct("$3", "far travelled");
  endless.hops.assign(17, "gw-x");
  CHECK(lab.submit(endless).outcome == Outcome::kIgnored);
}

TEST_CASE("ingress: a full queue makes the origin wait, loses nothing and takes again when there is room") {
  CoreLab lab;
  lab.settings->limits.queue_per_network_max = 2;
  lab.restart();
  CHECK(lab.submit(CoreLab::direct("$1", "one")).outcome == Outcome::kAccepted);
  auto credit = lab.matrix->credit;
  CHECK(lab.submit(CoreLab::direct("$2", "two")).outcome == Outcome::kAccepted);
  CHECK(lab.matrix->credit == credit);  // withheld while the queue is full
  auto verdict = lab.submit(CoreLab::direct("$3", "three"));
  CHECK(verdict.outcome == Outcome::kWait);
  CHECK(verdict.reason == "queue_per_network_max: bpol");
  CHECK(verdict.retry_after_ms > 0);
  lab.delivered(*lab.xmpp, 0);
  lab.delivered(*lab.xmpp, 1);
  lab.run(std::chrono::seconds(2));
  CHECK(lab.matrix->credit > credit);
  CHECK(lab.submit(CoreLab::direct("$3", "three")).outcome == Outcome::kAccepted);
  CHECK(lab.texts(*lab.xmpp) == std::vector<std::string>{"one", "two", "three"});
}

TEST_CASE("ingress: while the store fails, what was handed in waits, new submissions are told to, and the operator sees why") {
  CoreLab lab;
  lab.store.broken = "disk full";
  lab.core->submit(*lab.matrix, {1, CoreLab::direct("$1", "held")});
  lab.run();
  CHECK(lab.matrix->verdicts.empty());
  auto problems = lab.core->problems();
  REQUIRE(problems.size() == 1);
  CHECK(problems[0] == "store is not writing: disk full");
  CHECK(lab.core->stats().store_failures > 0);
  auto verdict = lab.submit(CoreLab::direct("$2", "later"));
  CHECK(verdict.outcome == Outcome::kWait);
  CHECK(verdict.reason == "store is not writing");
  lab.store.broken.clear();
  lab.run(std::chrono::seconds(30));
  CHECK(lab.core->problems().empty());
  REQUIRE(lab.matrix->verdicts.size() == 2);
  CHECK(lab.matrix->verdicts[1].outcome == Outcome::kAccepted);
  CHECK(lab.submit(CoreLab::direct("$2", "later")).outcome == Outcome::kAccepted);
  CHECK(lab.texts(*lab.xmpp) == std::vector<std::string>{"held", "later"});
}

}  // namespace
}  // namespace fedgate::pipeline
