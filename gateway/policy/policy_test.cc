#include "gateway/policy/policy.h"

#include <doctest/doctest.h>

#include <fstream>
#include <sstream>

#include "gateway/policy/load.h"

namespace fedgate::policy {
namespace {

std::string with_rules(const std::string& rules, const std::string& more = "") {
  return R"({"fedgate_policy":1,"id":"t","version":3,"mode":"enforce","gateway":{"accredited_max":"RESTRICTED","on_error":"deny"},)" + more +
         R"("realms":{"a":{"nation":"DEU","max":"RESTRICTED","unlabelled":"INTERNAL"},"b":{"nation":"CHE","max":"INTERNAL","unlabelled":"OPEN"},)"
         R"("c":{"nation":null,"max":"OPEN","unlabelled":"OPEN"}},"rules":)" + rules + "}";
}

std::shared_ptr<const Policy> must_load(const std::string& text) {
  auto policy = parse_policy(text, "p.json");
  REQUIRE_MESSAGE(policy.has_value(), (policy ? "" : policy.error().message));
  return *policy;
}

Request request(const Policy& policy, std::string_view from, std::string_view to, model::Rank rank = model::Rank::kOpen) {
  Request out;
  out.src_realm = policy.realm(from);
  out.dst_realm = policy.realm(to);
  out.kind = model::Kind::kText;
  out.rank = rank;
  out.label_source = model::LabelSource::kPeerDefault;
  out.protection = model::Protection::kTls;
  out.assurance = model::Assurance::kAccount;
  return out;
}

constexpr const char* kAllowAll = R"([{"id":"A","effect":"allow","when":{}}])";

TEST_CASE("policy: no matching rule denies") {
  auto policy = must_load(with_rules(R"([{"id":"A","effect":"allow","when":{"src.realm":{"eq":"b"}}}])"));
  Outcome outcome = policy->decide(request(*policy, "a", "b"));
  CHECK(outcome.verdict == model::Verdict::kDeny);
  CHECK(outcome.reason_code == "NO_ALLOW_RULE");
  CHECK(policy->decide(request(*policy, "b", "a")).verdict == model::Verdict::kAllow);
}

TEST_CASE("policy: invariants hold whatever the rules allow") {
  auto policy = must_load(with_rules(kAllowAll));
  auto code = [&](auto change) {
    Request r = request(*policy, "a", "a");
    change(r);
    Outcome outcome = policy->decide(r);
    return outcome.verdict == model::Verdict::kAllow ? std::string("allow") : std::string(outcome.reason_code);
  };
  CHECK(code([](Request&) {}) == "allow");
  CHECK(code([](Request& r) { r.rank = model::Rank::kRestricted; }) == "allow");
  CHECK(code([](Request& r) { r.rank = model::Rank::kConfidential; }) == "LEVEL_FORBIDDEN");
  CHECK(code([](Request& r) { r.rank = model::Rank::kTopSecret; }) == "LEVEL_FORBIDDEN");
  CHECK(code([](Request& r) { r.opaque = true; }) == "ENCRYPTED");
  CHECK(code([](Request& r) { r.label_source = model::LabelSource::kConflict; }) == "LABEL_UNKNOWN");
  CHECK(code([](Request& r) { r.src_realm = kUnknownRealm; }) == "NOT_PERMITTED");
  CHECK(code([](Request& r) { r.dst_realm = kUnknownRealm; }) == "NOT_PERMITTED");
  CHECK(code([](Request& r) { r.dst_realm = 999; }) == "NOT_PERMITTED");
}

TEST_CASE("policy: the target realm's clearance bounds the rank") {
  auto policy = must_load(with_rules(kAllowAll));
  Outcome outcome = policy->decide(request(*policy, "a", "b", model::Rank::kRestricted));
  CHECK(outcome.reason_code == "PEER_NOT_CLEARED");
  CHECK(outcome.layer == model::Layer::kLabel);
  CHECK(policy->decide(request(*policy, "a", "b", model::Rank::kInternal)).verdict == model::Verdict::kAllow);
  CHECK(policy->decide(request(*policy, "a", "c", model::Rank::kInternal)).reason_code == "PEER_NOT_CLEARED");
}

TEST_CASE("policy: deny wins over hold wins over allow, in any order of the rules") {
  const std::string allow = R"({"id":"A","effect":"allow","when":{}})";
  const std::string hold = R"({"id":"H","effect":"hold","when":{"rank":{"ge":"INTERNAL"}}})";
  const std::string deny = R"({"id":"D","effect":"deny","reason":"NOT_RELEASABLE","when":{"rank":{"eq":"RESTRICTED"}}})";
  for (const auto& order : {allow + "," + hold + "," + deny, deny + "," + hold + "," + allow, hold + "," + deny + "," + allow}) {
    auto policy = must_load(with_rules("[" + order + "]"));
    CHECK(policy->decide(request(*policy, "a", "a", model::Rank::kOpen)).verdict == model::Verdict::kAllow);
    CHECK(policy->decide(request(*policy, "a", "a", model::Rank::kInternal)).verdict == model::Verdict::kHold);
    Outcome outcome = policy->decide(request(*policy, "a", "a", model::Rank::kRestricted));
    CHECK(outcome.reason_code == "NOT_RELEASABLE");
    CHECK(policy->rules()[static_cast<std::size_t>(outcome.rule)].id == "D");
  }
  auto only_hold = must_load(with_rules("[" + hold + "]"));
  CHECK(only_hold->decide(request(*only_hold, "a", "a", model::Rank::kInternal)).verdict == model::Verdict::kDeny);
}

TEST_CASE("policy: a missing attribute makes deny rules match and allow rules not, also under negation") {
  auto denies = must_load(with_rules(
      R"([{"id":"A","effect":"allow","when":{}},{"id":"D","effect":"deny","when":{"protection":{"ne":"vs-approved"},"rank":{"ge":"INTERNAL"}}}])"));
  Request r = request(*denies, "a", "a", model::Rank::kInternal);
  r.protection = model::Protection::kVsApproved;
  CHECK(denies->decide(r).verdict == model::Verdict::kAllow);
  r.protection = model::Protection::kUnspecified;
  CHECK(denies->decide(r).verdict == model::Verdict::kDeny);
  r.rank = model::Rank::kOpen;  // false AND unknown is false
  CHECK(denies->decide(r).verdict == model::Verdict::kAllow);
  for (const char* test : {R"({"eq":"tls"})", R"({"ne":"none"})", R"({"ge":"none"})", R"({"in":["tls","none"]})"}) {
    auto allows = must_load(with_rules(std::string(R"([{"id":"A","effect":"allow","when":{"protection":)") + test + "}}]"));
    Request known = request(*allows, "a", "a");
    CHECK(allows->decide(known).verdict == model::Verdict::kAllow);
    known.protection = model::Protection::kUnspecified;
    CHECK(allows->decide(known).verdict == model::Verdict::kDeny);
  }
}

TEST_CASE("policy: any is OR, borders compare nations") {
  auto policy = must_load(with_rules(
      R"([{"id":"A","effect":"allow","when":{"any":[{"crosses_border":{"eq":false}},{"src.realm":{"eq":"c"},"kind":{"in":["text"]}}]}}])"));
  CHECK(policy->decide(request(*policy, "a", "a")).verdict == model::Verdict::kAllow);
  CHECK(policy->decide(request(*policy, "a", "b")).verdict == model::Verdict::kDeny);
  CHECK(policy->decide(request(*policy, "c", "b")).verdict == model::Verdict::kAllow);
}

TEST_CASE("policy: without a nation a deny on borders matches, whichever way it is written") {
  for (const char* test : {R"({"eq":true})", R"({"ne":false})", R"({"eq":false})"}) {
    auto policy = must_load(with_rules(std::string(R"([{"id":"A","effect":"allow","when":{}},{"id":"D","effect":"deny","when":{"crosses_border":)") + test + "}}]"));
    CHECK(policy->decide(request(*policy, "c", "c")).verdict == model::Verdict::kDeny);
    CHECK(policy->decide(request(*policy, "a", "c")).verdict == model::Verdict::kDeny);
  }
}

TEST_CASE("policy: outside its time nothing passes") {
  auto policy = must_load(with_rules(kAllowAll, R"("not_before":"2026-01-01T00:00:00Z","not_after":"2026-12-31T23:59:59Z",)"));
  Request r = request(*policy, "a", "a");
  r.now_ms = 1790000000000;  // September 2026
  CHECK(policy->decide(r).verdict == model::Verdict::kAllow);
  r.now_ms = 1700000000000;
  CHECK(policy->decide(r).reason_code == "POLICY_EXPIRED");
  r.now_ms = 1900000000000;
  CHECK(policy->decide(r).reason_code == "POLICY_EXPIRED");
}

TEST_CASE("policy: what is wrong in a file is said with line and path") {
  struct Case { std::string text, path, words; };
  for (const auto& [text, path, words] : std::initializer_list<Case>{
           {"{", "", "not valid JSON"},
           {"// no\n{}", "", "not valid JSON"},
           {"[]", "", "must be an object"},
           {R"({"id":"a","id":"b"})", "/id", "duplicate key"},
           {with_rules(kAllowAll, R"("extra":1,)"), "/extra", "unknown key"},
           {with_rules(kAllowAll, R"("not_after":"soon",)"), "/not_after", "must be a time"},
           {with_rules(kAllowAll, R"("not_after":"2026-13-01T00:00:00Z",)"), "/not_after", "must be a time"},
           {with_rules(R"({})"), "/rules", "must be a list"},
           {with_rules(R"([{"id":"A","effect":"permit","when":{}}])"), "/rules/0/effect", "no effect"},
           {with_rules(R"([{"id":"A","effect":"allow"}])"), "/rules/0", "\"when\" is missing"},
           {with_rules(R"([{"id":"A","effect":"allow","when":{}},{"id":"A","effect":"deny","when":{}}])"), "/rules/1/id", "second rule"},
           {with_rules(R"([{"id":"A","effect":"deny","reason":"BECAUSE","when":{}}])"), "/rules/0/reason", "no reason code"},
           {with_rules(R"([{"id":"A","effect":"allow","oblige":[],"when":{}}])"), "/rules/0/oblige", "unknown key"},
           {with_rules(R"([{"id":"A","effect":"allow","when":{"colour":{"eq":"red"}}}])"), "/rules/0/when/colour", "unknown key"},
           {with_rules(R"([{"id":"A","effect":"allow","when":{"rank":{"like":"OPEN"}}}])"), "/rules/0/when/rank/like", "unknown key"},
           {with_rules(R"([{"id":"A","effect":"allow","when":{"rank":{"le":"HIGH"}}}])"), "/rules/0/when/rank/le", "not known here"},
           {with_rules(R"([{"id":"A","effect":"allow","when":{"src.realm":{"ge":"a"}}}])"), "/rules/0/when/src.realm/ge", "no order"},
           {with_rules(R"([{"id":"A","effect":"allow","when":{"src.realm":{"eq":"zz"}}}])"), "/rules/0/when/src.realm/eq", "not known here"},
           {with_rules(R"([{"id":"A","effect":"allow","when":{"any":[]}}])"), "/rules/0/when/any", "at least one"},
           {with_rules(R"([{"id":"A","effect":"allow","when":{"rank":"OPEN"}}])"), "/rules/0/when/rank", "operator"}}) {
    std::vector<Finding> findings;
    CHECK(parse_policy(text, "p.json", findings) == nullptr);
    REQUIRE_FALSE(findings.empty());
    bool said = false;
    for (const auto& finding : findings) said = said || (finding.path == path && finding.problem.find(words) != std::string::npos && finding.line > 0);
    CHECK_MESSAGE(said, findings.front().text());
  }
}

TEST_CASE("policy: the line of a finding is the line of the key") {
  std::vector<Finding> findings;
  parse_policy("{\n \"fedgate_policy\": 1,\n \"id\": \"x\",\n\n \"nonsense\": 3\n}", "p.json", findings);
  bool said = false;
  for (const auto& finding : findings) said = said || finding.text().starts_with("p.json:5: /nonsense: unknown key");
  CHECK(said);
}

TEST_CASE("policy: the shipped policy loads and lets the two agencies talk") {
  std::ifstream file("config/policies/two-agencies.json");
  std::ostringstream text;
  text << file.rdbuf();
  auto policy = must_load(text.str());
  CHECK(policy->name() == "two-agencies@1");
  CHECK(policy->decide(request(*policy, "de-fed", "de-state", model::Rank::kInternal)).verdict == model::Verdict::kAllow);
  Request open = request(*policy, "de-fed", "de-fed", model::Rank::kInternal);
  open.protection = model::Protection::kNone;
  CHECK(policy->decide(open).reason_code == "PROTECTION_TOO_WEAK");
}

}  // namespace
}  // namespace fedgate::policy
