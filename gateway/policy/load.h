// Loads a policy file: the first part of the language of policy.md §5. Pure: text in, Policy or findings out.
//
// Strict JSON. Unknown keys, attributes, values and operators, duplicate keys and rule ids are errors with line and path. What the full language has and this version does not
// (schemes, translate, obligations, release, invariants, tests, categories) is refused as such, never ignored.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/base/json_document.h"
#include "gateway/base/result.h"
#include "gateway/policy/policy.h"

namespace fedgate::policy {

// Null when findings were added.
std::shared_ptr<const Policy> parse_policy(std::string_view json, std::string_view file_name, std::vector<Finding>& findings);

// The same, with all findings joined into one error text.
Result<std::shared_ptr<const Policy>> parse_policy(std::string_view json, std::string_view file_name);

}  // namespace fedgate::policy
