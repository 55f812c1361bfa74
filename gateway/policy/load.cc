#include "gateway/policy/load.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>

#include "gateway/base/hash.h"
#include "gateway/policy/compiled.h"
#include "gateway/policy/conditions.h"
#include "gateway/policy/time.h"

namespace fedgate::policy {
namespace {

using nlohmann::json;

class Loader {
 public:
  Loader(const JsonDocument& document, std::string_view file, std::vector<Finding>& findings)
      : document_(document), file_(file), findings_(findings), compiled_(std::make_unique<Compiled>()) {}

  std::unique_ptr<Compiled> load() {
    const json& root = *document_.root;
    if (!only(root, "", {"fedgate_policy", "id", "version", "mode", "not_before", "not_after", "gateway", "ranks", "realms", "rules"})) return nullptr;
    if (const json* format = need(root, "", "fedgate_policy"); format && *format != 1) say("/fedgate_policy", "must be 1, the format this fedgate reads");
    compiled_->id = need_text(root, "", "id");
    if (const json* version = need(root, "", "version"); version) {
      if (version->is_number_unsigned() && *version > 0 && *version <= 0xffffffffu) compiled_->version = version->get<std::uint32_t>();
      else say("/version", "must be a whole number from 1 on");
    }
    if (std::string mode = need_text(root, "", "mode"); !mode.empty() && mode != "enforce")
      say("/mode", "must be \"enforce\"; shadow mode is not available in this version");
    compiled_->not_before_ms = time(root, "not_before", compiled_->not_before_ms);
    compiled_->not_after_ms = time(root, "not_after", compiled_->not_after_ms);
    if (root.contains("ranks")) ranks(root["ranks"]);
    if (const json* gateway = need(root, "", "gateway"); gateway && only(*gateway, "/gateway", {"accredited_max", "on_error"})) {
      compiled_->accredited_max = rank(*gateway, "/gateway", "accredited_max");
      if (need_text(*gateway, "/gateway", "on_error") != "deny") say("/gateway/on_error", "must be \"deny\"");
    }
    compiled_->realms.push_back({"unknown", {}, model::Rank::kOpen, model::Rank::kTopSecret});
    if (const json* realms = need(root, "", "realms"); realms) load_realms(*realms);
    if (const json* rules = need(root, "", "rules"); rules) load_rules(*rules);
    return std::move(compiled_);
  }

 private:
  void say(const std::string& path, std::string problem) { findings_.push_back({std::string(file_), document_.line(path), path, std::move(problem)}); }

  bool only(const json& object, const std::string& path, std::initializer_list<std::string_view> keys) {
    if (!object.is_object()) return say(path, "must be an object"), false;
    for (const auto& [key, value] : object.items())
      if (std::find(keys.begin(), keys.end(), key) == keys.end())
        say(child_pointer(path, key), unknown_key_words(key, {keys.begin(), keys.size()}));
    return true;
  }

  const json* need(const json& object, const std::string& path, const char* key) {
    auto found = object.find(key);
    if (found != object.end()) return &*found;
    say(path, std::string("\"") + key + "\" is missing");
    return nullptr;
  }

  std::string need_text(const json& object, const std::string& path, const char* key) {
    const json* value = need(object, path, key);
    if (value == nullptr) return {};
    if (value->is_string() && !value->get_ref<const std::string&>().empty()) return value->get<std::string>();
    say(child_pointer(path, key), "must be a text that is not empty");
    return {};
  }

  model::Rank rank(const json& object, const std::string& path, const char* key) {
    std::string name = need_text(object, path, key);
    if (name.empty()) return model::Rank::kOpen;
    if (auto found = model::rank_from_text(name)) return *found;
    say(child_pointer(path, key), "\"" + name + "\" is no rank: use OPEN, INTERNAL, RESTRICTED, CONFIDENTIAL, SECRET or TOPSECRET");
    return model::Rank::kOpen;
  }

  std::int64_t time(const json& root, const char* key, std::int64_t otherwise) {
    if (!root.contains(key)) return otherwise;
    auto parsed = root[key].is_string() ? parse_utc_ms(root[key].get_ref<const std::string&>()) : std::nullopt;
    if (parsed) return *parsed;
    say(std::string("/") + key, "must be a time like \"2026-12-31T23:59:59Z\"");
    return otherwise;
  }

  void ranks(const json& list) {
    bool same = list.is_array() && list.size() == static_cast<std::size_t>(model::kRanks);
    for (int i = 0; same && i < model::kRanks; ++i) same = list[static_cast<std::size_t>(i)] == model::to_text(static_cast<model::Rank>(i));
    if (!same) say("/ranks", "must list the six ranks in order: OPEN, INTERNAL, RESTRICTED, CONFIDENTIAL, SECRET, TOPSECRET");
  }

  void load_realms(const json& realms) {
    if (!realms.is_object()) return say("/realms", "must be an object of realms");
    if (realms.size() > kRealmsMax) return say("/realms", "more than 63 realms: join some");
    for (const auto& [name, body] : realms.items()) {
      std::string path = child_pointer("/realms", name);
      if (name == "unknown") say(path, "the name \"unknown\" is taken: it is what matches nothing, and nothing is allowed for it");
      if (!only(body, path, {"nation", "max", "unlabelled"})) continue;
      Realm realm{name, {}, rank(body, path, "max"), rank(body, path, "unlabelled")};
      if (const json* nation = need(body, path, "nation"); nation && !nation->is_null()) {
        if (nation->is_string() && nation->get_ref<const std::string&>().size() == 3) realm.nation = nation->get<std::string>();
        else say(child_pointer(path, "nation"), "must be null or an ISO 3166 code of three letters like \"DEU\"");
      }
      compiled_->realms.push_back(std::move(realm));
    }
  }

  void load_rules(const json& rules) {
    if (!rules.is_array()) return say("/rules", "must be a list of rules");
    std::set<std::string> ids;
    for (std::size_t i = 0; i < rules.size(); ++i) {
      std::string path = child_pointer("/rules", std::to_string(i));
      const json& body = rules[i];
      if (!only(body, path, {"id", "effect", "reason", "when"})) continue;
      Rule rule;
      rule.info.id = need_text(body, path, "id");
      if (!ids.insert(rule.info.id).second) say(child_pointer(path, "id"), "a second rule with the id \"" + rule.info.id + "\"");
      effect(body, path, rule);
      if (const json* when = need(body, path, "when"); when) {
        ConditionReader reader{document_, file_, *compiled_, findings_};
        rule.any = reader.read(*when, child_pointer(path, "when"));
      }
      compiled_->infos.push_back(rule.info);
      compiled_->rules.push_back(std::move(rule));
    }
  }

  void effect(const json& body, const std::string& path, Rule& rule) {
    std::string name = need_text(body, path, "effect");
    if (name == "allow") rule.info.effect = model::Verdict::kAllow;
    else if (name == "hold") rule.info.effect = model::Verdict::kHold;
    else if (!name.empty() && name != "deny") say(child_pointer(path, "effect"), "\"" + name + "\" is no effect: use allow, hold or deny");
    rule.info.reason_code = rule.info.effect == model::Verdict::kDeny ? "NOT_PERMITTED" : "";
    if (!body.contains("reason")) return;
    if (rule.info.effect != model::Verdict::kDeny) return say(child_pointer(path, "reason"), "only a deny rule has a reason");
    static constexpr std::string_view kCodes[] = {"NOT_PERMITTED", "NOT_RELEASABLE", "PROTECTION_TOO_WEAK", "LABEL_REQUIRED", "LABEL_UNKNOWN",
                                                  "LEVEL_FORBIDDEN", "PEER_NOT_CLEARED", "NO_EQUIVALENCE", "CONTENT_REJECTED", "RATE_LIMITED"};
    std::string code = need_text(body, path, "reason");
    if (std::find(std::begin(kCodes), std::end(kCodes), code) == std::end(kCodes))
      return say(child_pointer(path, "reason"), "\"" + code + "\" is no reason code: use one of the table, e.g. NOT_PERMITTED or PROTECTION_TOO_WEAK");
    rule.info.reason_code = code;
  }

  const JsonDocument& document_;
  std::string_view file_;
  std::vector<Finding>& findings_;
  std::unique_ptr<Compiled> compiled_;
};

}  // namespace

std::shared_ptr<const Policy> parse_policy(std::string_view text, std::string_view file_name, std::vector<Finding>& findings) {
  std::size_t before = findings.size();
  JsonDocument document = parse_json_document(text, file_name, JsonComments::kForbidden, findings);
  if (!document.root) return nullptr;
  auto compiled = Loader(document, file_name, findings).load();
  if (!compiled || findings.size() != before) return nullptr;
  Sha256 digest = sha256(text);
  compiled->sha256_hex = hex({reinterpret_cast<const char*>(digest.data()), digest.size()});
  return std::make_shared<const Policy>(std::move(compiled));
}

Result<std::shared_ptr<const Policy>> parse_policy(std::string_view json_text, std::string_view file_name) {
  std::vector<Finding> findings;
  auto policy = parse_policy(json_text, file_name, findings);
  if (policy) return policy;
  std::string all;
  for (const Finding& finding : findings) all += (all.empty() ? "" : "\n") + finding.text();
  return make_error(ErrorKind::kInvalid, all);
}

}  // namespace fedgate::policy
