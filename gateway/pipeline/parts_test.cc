// Texts in several parts, and what the sender is told of them; what stands on its way when a process or an adapter ends.
#include <doctest/doctest.h>

#include "tests/sim/core_lab.h"

namespace fedgate::pipeline {
namespace {

using Outcome = DeliveryReport::Outcome;
using State = model::Notice::State;
using std::chrono::seconds;

// Both adapters anew: the Matrix side shows "delivered", the XMPP side takes 10 bytes at a time.
struct PartsLab : CoreLab {
  LabPort sender, target;
  PartsLab() { reattach(); }
  ~PartsLab() {
    core->detach(sender);
    core->detach(target);
  }
  void reattach() {
    Hello hello{"matrix", "lab", {"bund"}, {{"bund", {{{"text", render::Level::kFull}, {"notice/delivered", render::Level::kFull}}, 0, 0, 8, false}}}};
    REQUIRE(core->attach(sender, hello));
    core->network_status(sender, {"bund", true, {}});
    core->grant_deliver_credit(sender, 100);
    REQUIRE(attach(target, "xmpp", "bpol", 1, 10));
    run();
  }
  std::vector<State> told() const {
    std::vector<State> states;
    for (const auto& one : sender.given)
      if (const auto* notice = one.notice()) states.push_back(notice->state);
    return states;
  }
  void say() { REQUIRE(submit_by(sender, direct("$1", "aaaa bbbb cccc dddd eeee")).outcome == SubmitVerdict::Outcome::kAccepted); }
};

TEST_CASE("parts: they go in order, one at a time, and the sender hears once that all have arrived") {
  PartsLab lab;
  lab.say();
  REQUIRE(lab.target.given.size() == 1);
  CHECK(lab.target.given[0].parts == 3);
  for (std::size_t i = 0; i < 3; ++i) {
    REQUIRE(lab.target.given.size() == i + 1);
    CHECK(lab.target.given[i].part == i);
    CHECK(lab.told().empty());
    lab.delivered(lab.target, i);
  }
  CHECK(lab.texts(lab.target) == std::vector<std::string>{"aaaa bbbb ", "cccc dddd ", "eeee"});
  CHECK(lab.told() == std::vector<State>{State::kDelivered});
}

TEST_CASE("parts: when one is refused the sender hears that it failed, and never that the message was delivered") {
  PartsLab lab;
  lab.say();
  lab.report(lab.target, lab.target.given[0].id, Outcome::kRefused, "NO_SUCH_USER");
  lab.run();
  REQUIRE(lab.target.given.size() == 2);
  lab.delivered(lab.target, 1);
  lab.delivered(lab.target, 2);
  CHECK(lab.told() == std::vector<State>{State::kFailed});
  CHECK(lab.sender.given[0].notice()->text == "There is no such user on the other network.");
}

TEST_CASE("parts: after a restart the ones that arrived do not come again") {
  PartsLab lab;
  lab.say();
  auto first = lab.target.given[0].id;
  lab.delivered(lab.target, 0);
  auto second = lab.target.given[1].id;
  lab.run(seconds(1));
  lab.core->detach(lab.sender);
  lab.core->detach(lab.target);
  lab.target.given.clear();
  lab.restart();
  lab.reattach();
  REQUIRE_FALSE(lab.target.given.empty());
  CHECK(lab.target.given[0].id == second);
  CHECK(lab.target.given[0].redelivery);
  CHECK(lab.target.given[0].text == "cccc dddd ");
  CHECK(first != second);
}

}  // namespace
}  // namespace fedgate::pipeline
