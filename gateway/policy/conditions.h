// Reads a rule's `when` into masks. object = AND, "any": [objects] = OR; operators eq ne in le lt ge gt. Lives only while a policy is loaded.
// Limit: a rule may expand to at most 64 conjunctions.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "gateway/base/json_document.h"
#include "gateway/policy/compiled.h"

namespace fedgate::policy {

struct ConditionReader {
  const JsonDocument& document;
  std::string_view file;
  const Compiled& policy;  // realms are read already
  std::vector<Finding>& findings;

  static constexpr std::size_t kConjunctionsMax = 64;

  std::vector<Conjunction> read(const nlohmann::json& when, const std::string& path);

 private:
  void say(const std::string& path, std::string problem);
  std::vector<Conjunction> alternatives(const nlohmann::json& list, const std::string& path);
  void clause(std::string_view attribute, const nlohmann::json& test, const std::string& path, std::vector<Conjunction>& all);
  // The values for which the operator holds; 0 after a finding.
  std::uint64_t mask(Attribute attribute, std::string_view operation, const nlohmann::json& operand, const std::string& path);
  int value(Attribute attribute, const nlohmann::json& name, const std::string& path);
};

}  // namespace fedgate::policy
