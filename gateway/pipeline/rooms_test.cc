// Bridged rooms: who hears what, what members and encryption mean, and links made by people.
#include <doctest/doctest.h>

#include "tests/sim/core_lab.h"

namespace fedgate::pipeline {
namespace {

using Outcome = SubmitVerdict::Outcome;
const std::string kRoom = "!r:bund.example";
const std::string kMuc = "r@rooms.polizei.example";

struct RoomLab : CoreLab {
  explicit RoomLab(bool configured = true) {
    if (!configured) return;
    settings->links = {{"incident", {{"bund", kRoom, std::nullopt}, {"bpol", kMuc, std::nullopt}}}};
    restart();
    join();
  }
  void join() {
    room(*matrix, "bund", kRoom, {"bund.example"});
    room(*xmpp, "bpol", kMuc, {"polizei.example"});
  }
  SubmitVerdict say(const std::string& id, const std::string& text) { return submit(in_room("bund", kRoom, id, text, "@alice:bund.example")); }
  CommandReply command(LabPort& port, const std::string& network, const std::string& where, const std::string& line, bool admin = true) {
    Command given;
    given.ref = ++ref;
    given.network = network;
    given.room = where;
    given.sender = {{network, "someone"}, "", model::Assurance::kAccount};
    given.sender_is_room_admin = admin;
    given.line = line;
    std::size_t before = port.replies.size();
    core->command(port, given);
    run();
    REQUIRE(port.replies.size() == before + 1);
    return port.replies.back();
  }
  std::string link_state() const { return core->links().empty() ? "none" : core->links()[0].state; }
};

TEST_CASE("rooms: a message in one end goes to the other, not back") {
  RoomLab lab;
  CHECK(lab.say("$1", "hello room").outcome == Outcome::kAccepted);
  REQUIRE(lab.xmpp->given.size() == 1);
  CHECK(lab.xmpp->given[0].target == kMuc);
  CHECK(lab.matrix->given.empty());
}

TEST_CASE("rooms: a room that is not linked is nobody's") {
  RoomLab lab;
  auto verdict = lab.submit(CoreLab::in_room("bund", "!other:bund.example", "$1", "x", "@alice:bund.example"));
  CHECK(verdict.outcome == Outcome::kIgnored);
  CHECK(verdict.reason == "not_linked");
}

TEST_CASE("rooms: while the other end's members are not known, the message waits; nothing is guessed") {
  RoomLab lab(false);
  lab.settings->links = {{"incident", {{"bund", kRoom, std::nullopt}, {"bpol", kMuc, std::nullopt}}}};
  lab.restart();
  lab.room(*lab.matrix, "bund", kRoom, {"bund.example"});
  CHECK(lab.say("$1", "early").outcome == Outcome::kWait);
  lab.room(*lab.xmpp, "bpol", kMuc, {"polizei.example"});
  CHECK(lab.say("$1", "early").outcome == Outcome::kAccepted);
}

TEST_CASE("rooms: one member of a realm that is not allowed, or members that are not known, and nothing goes there") {
  RoomLab lab;
  lab.room(*lab.xmpp, "bpol", kMuc, {"polizei.example", "presse.example"});
  CHECK(lab.say("$1", "not for the press").outcome == Outcome::kRefused);
  lab.core->room_state(*lab.xmpp, {"bpol", kMuc, true, false, false, {}, kMuc, ""});
  CHECK(lab.say("$2", "who is there?").outcome == Outcome::kRefused);
  lab.room(*lab.xmpp, "bpol", kMuc, {"polizei.example"});
  CHECK(lab.say("$3", "now").outcome == Outcome::kAccepted);
  CHECK(lab.texts(*lab.xmpp) == std::vector<std::string>{"now"});
}

TEST_CASE("rooms: plain text never goes into an encrypted room") {
  RoomLab lab;
  lab.room(*lab.xmpp, "bpol", kMuc, {"polizei.example"}, true);
  auto verdict = lab.say("$1", "plain");
  CHECK(verdict.outcome == Outcome::kRefused);
  REQUIRE(verdict.refusals.size() == 1);
  CHECK(verdict.refusals[0].code == "ENCRYPTED_ROOM");
  CHECK(lab.xmpp->given.empty());
}

TEST_CASE("rooms: the room's own default level goes before the network's") {
  RoomLab lab;
  lab.settings->links[0].rooms[0].default_level = model::Rank::kConfidential;
  lab.restart();
  lab.join();
  CHECK(lab.say("$1", "classified by its room").outcome == Outcome::kRefused);
}

TEST_CASE("links: both rooms' admins have to ask; then messages are carried, also after a restart") {
  RoomLab lab(false);
  CHECK_FALSE(lab.command(*lab.matrix, "bund", kRoom, "!link bpol " + kMuc, false).ok);
  CHECK(lab.link_state() == "none");
  CHECK(lab.command(*lab.matrix, "bund", kRoom, "!link bpol " + kMuc).ok);
  CHECK(lab.link_state() == "pending");
  lab.join();
  CHECK(lab.say("$1", "too early").outcome == Outcome::kIgnored);
  CHECK_FALSE(lab.command(*lab.xmpp, "bpol", kMuc, "!link bund " + kRoom, false).ok);
  CHECK(lab.command(*lab.xmpp, "bpol", kMuc, "!link bund " + kRoom).ok);
  CHECK(lab.link_state() == "active");
  lab.join();
  CHECK(lab.say("$2", "linked").outcome == Outcome::kAccepted);
  lab.restart();
  lab.join();
  CHECK(lab.link_state() == "active");
  CHECK(lab.say("$3", "still").outcome == Outcome::kAccepted);
}

TEST_CASE("links: an admin's !unlink suspends; linking anew asks both rooms again") {
  RoomLab lab(false);
  lab.command(*lab.matrix, "bund", kRoom, "!link bpol " + kMuc);
  lab.command(*lab.xmpp, "bpol", kMuc, "!link bund " + kRoom);
  CHECK_FALSE(lab.command(*lab.xmpp, "bpol", kMuc, "!unlink", false).ok);
  CHECK(lab.command(*lab.xmpp, "bpol", kMuc, "!unlink").ok);
  CHECK(lab.link_state() == "suspended");
  lab.join();
  CHECK(lab.say("$1", "nobody carries this").outcome == Outcome::kIgnored);
  lab.restart();
  CHECK(lab.link_state() == "suspended");
  CHECK(lab.command(*lab.matrix, "bund", kRoom, "!link bpol " + kMuc).ok);
  CHECK(lab.link_state() == "pending");
  CHECK(lab.command(*lab.xmpp, "bpol", kMuc, "!link bund " + kRoom).ok);
  CHECK(lab.link_state() == "active");
}

TEST_CASE("links: a third room cannot take over a linked one, and unknown networks and verbs are answered") {
  RoomLab lab;
  CHECK_FALSE(lab.command(*lab.matrix, "bund", "!third:bund.example", "!link bpol " + kMuc).ok);
  CHECK_FALSE(lab.command(*lab.matrix, "bund", kRoom, "!link bpol other@rooms.polizei.example").ok);
  CHECK(lab.command(*lab.matrix, "bund", "!x:bund.example", "!link mars x").text == "There is no network called mars here.");
  CHECK_FALSE(lab.command(*lab.matrix, "bund", kRoom, "!link").ok);
  CHECK_FALSE(lab.command(*lab.matrix, "bund", kRoom, "!dance").ok);
  CHECK_FALSE(lab.command(*lab.matrix, "bund", kRoom, "!help " + std::string(1024, 'x')).ok);
  CHECK(lab.command(*lab.matrix, "bund", kRoom, "!links").text.find(kMuc) != std::string::npos);
}

TEST_CASE("links: the operator suspends, resumes and deletes; the rooms' admins cannot undo a suspension") {
  RoomLab lab;
  auto set = [&](const std::string& state) {
    std::string out;
    lab.core->set_link("incident", state, [&](Result<LinkView> result) { out = result ? result->state : "error: " + result.error().message; });
    lab.run();
    return out;
  };
  CHECK(set("suspended") == "suspended");
  CHECK(lab.say("$1", "x").outcome == Outcome::kIgnored);
  CHECK_FALSE(lab.command(*lab.matrix, "bund", kRoom, "!link bpol " + kMuc).ok);
  lab.restart();
  CHECK(lab.link_state() == "suspended");
  CHECK(set("active") == "active");
  lab.join();
  CHECK(lab.say("$2", "x").outcome == Outcome::kAccepted);
  CHECK(set("dancing").starts_with("error: "));
}

}  // namespace
}  // namespace fedgate::pipeline
