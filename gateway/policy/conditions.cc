#include "gateway/policy/conditions.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <array>
#include <optional>
#include <utility>

namespace fedgate::policy {
namespace {

using nlohmann::json;

constexpr std::array<std::string_view, kAttributes> kNames = {"src.realm", "dst.realm",  "src.connector", "dst.connector",    "kind",          "rank",
                                                              "label.source", "protection", "room.shape",    "sender.assurance", "crosses_border"};

bool is_ordered(Attribute attribute) { return attribute == kRank || attribute == kProtection || attribute == kAssurance; }

// Name of value i of an attribute; empty behind the last one.
std::string value_name(const Compiled& policy, Attribute attribute, std::size_t i) {
  static constexpr std::array<std::string_view, 4> kConnectors = {"matrix", "xmpp", "email", "threema"};
  static constexpr std::array<std::string_view, 2> kShapes = {"direct", "room"};
  switch (attribute) {
    case kSrcRealm:
    case kDstRealm: return i < policy.realms.size() ? policy.realms[i].name : "";
    case kSrcConnector:
    case kDstConnector: return std::string(i < kConnectors.size() ? kConnectors[i] : "");
    case kKind: return std::string(i < static_cast<std::size_t>(model::kKinds) ? model::to_text(static_cast<model::Kind>(i)) : "");
    case kRank: return std::string(i < static_cast<std::size_t>(model::kRanks) ? model::to_text(static_cast<model::Rank>(i)) : "");
    case kLabelSource: return std::string(i < 7 ? model::to_text(static_cast<model::LabelSource>(i)) : "");
    case kProtection: return std::string(i < 5 ? model::to_text(static_cast<model::Protection>(i)) : "");
    case kAssurance: return std::string(i < 4 ? model::to_text(static_cast<model::Assurance>(i)) : "");
    case kRoomShape: return std::string(i < kShapes.size() ? kShapes[i] : "");
    default: return "";
  }
}

}  // namespace

void ConditionReader::say(const std::string& path, std::string problem) {
  findings.push_back({std::string(file), document.line(path), path, std::move(problem)});
}

std::vector<Conjunction> ConditionReader::read(const json& when, const std::string& path) {
  std::vector<Conjunction> all(1);
  if (!when.is_object()) return say(path, "must be an object of conditions"), all;
  for (const auto& [key, test] : when.items()) {
    std::string at = child_pointer(path, key);
    if (key != "any") {
      clause(key, test, at, all);
      continue;
    }
    std::vector<Conjunction> product;
    for (const Conjunction& choice : alternatives(test, at))
      for (const Conjunction& one : all) {
        if (product.size() >= kConjunctionsMax) return say(at, "expands to more than 64 combinations: split the rule"), all;
        Conjunction both = one;
        for (std::size_t i = 0; i < kAttributes; ++i) {
          both.when[i] &= choice.when[i];
          both.perhaps[i] &= choice.perhaps[i];
        }
        product.push_back(both);
      }
    all = std::move(product);
  }
  return all;
}

std::vector<Conjunction> ConditionReader::alternatives(const json& list, const std::string& path) {
  std::vector<Conjunction> out;
  if (!list.is_array() || list.empty()) return say(path, "must be a list of at least one object"), out;
  for (std::size_t i = 0; i < list.size(); ++i)
    for (Conjunction& one : read(list[i], child_pointer(path, std::to_string(i)))) out.push_back(one);
  return out;
}

void ConditionReader::clause(std::string_view name, const json& test, const std::string& path, std::vector<Conjunction>& all) {
  std::optional<Attribute> attribute;
  for (std::size_t i = 0; i < kAttributes; ++i)
    if (kNames[i] == name) attribute = static_cast<Attribute>(i);
  if (!attribute) {
    std::vector<std::string_view> known(kNames.begin(), kNames.end());
    known.push_back("any");
    return say(path, unknown_key_words(name, known));
  }
  if (!test.is_object() || test.empty()) return say(path, "must be an object with an operator, e.g. {\"eq\": …}");
  std::uint64_t holds = kAll;
  for (const auto& [operation, operand] : test.items()) holds &= mask(*attribute, operation, operand, child_pointer(path, operation));
  std::uint64_t missing = kMissing[*attribute];
  for (Conjunction& one : all) {
    one.when[*attribute] &= holds & ~missing;
    one.perhaps[*attribute] &= holds | missing;
  }
}

std::uint64_t ConditionReader::mask(Attribute attribute, std::string_view operation, const json& operand, const std::string& path) {
  if (operation == "in") {
    if (!operand.is_array() || operand.empty()) return say(path, "must be a list of at least one value"), 0;
    std::uint64_t out = 0;
    for (std::size_t i = 0; i < operand.size(); ++i)
      if (int found = value(attribute, operand[i], child_pointer(path, std::to_string(i))); found >= 0) out |= std::uint64_t{1} << found;
    return out;
  }
  static constexpr std::array<std::string_view, 7> kOperators = {"eq", "ne", "in", "le", "lt", "ge", "gt"};
  if (std::find(kOperators.begin(), kOperators.end(), operation) == kOperators.end())
    return say(path, unknown_key_words(operation, std::span(kOperators).first(is_ordered(attribute) ? 7 : 3))), 0;
  bool compares = operation != "eq" && operation != "ne";
  if (compares && !is_ordered(attribute)) return say(path, "the values of this attribute have no order: use eq, ne or in"), 0;
  int found = value(attribute, operand, path);
  if (found < 0) return 0;
  std::uint64_t bit = std::uint64_t{1} << found;
  std::uint64_t below = bit - 1;
  if (operation == "eq") return bit;
  if (operation == "ne") return ~bit;
  if (operation == "le") return below | bit;
  if (operation == "lt") return below;
  if (operation == "ge") return ~below;
  return ~(below | bit);
}

int ConditionReader::value(Attribute attribute, const json& name, const std::string& path) {
  if (attribute == kCrossesBorder) {
    if (name.is_boolean()) return name.get<bool>() ? 1 : 0;
    return say(path, "must be true or false"), -1;
  }
  if (!name.is_string()) return say(path, "must be a text"), -1;
  std::string known;
  for (std::size_t i = 0;; ++i) {
    std::string candidate = value_name(policy, attribute, i);
    if (candidate.empty()) break;
    if (candidate == name.get_ref<const std::string&>()) return static_cast<int>(i);
    known += (known.empty() ? "" : ", ") + candidate;
  }
  return say(path, "\"" + name.get<std::string>() + "\" is not known here: use one of " + known), -1;
}

}  // namespace fedgate::policy
