// Strict JSON with positions, for files that people write: configuration and policy.
//
// A duplicate key, a depth above 64, a number that is no 64-bit integer where parsing would round, or trailing text is an error with its line. The header shows no nlohmann beyond the
// forward declaration. Not for the message path.
#pragma once

#include <cstddef>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json_fwd.hpp>

namespace fedgate {

// One thing that is wrong in a file, in words for the person who wrote it.
struct Finding {
  std::string file;
  std::size_t line = 0;  // 0 = the file as a whole
  std::string path;      // JSON pointer, "" = the document
  std::string problem;   // what is wrong and what to do

  std::string text() const;  // file:line: path: problem
};

inline std::string to_text(const Finding& finding) { return finding.text(); }

struct JsonDocument {
  std::shared_ptr<const nlohmann::json> root;
  std::map<std::string, std::size_t> lines;  // by JSON pointer

  std::size_t line(const std::string& pointer) const {
    auto found = lines.find(pointer);
    return found == lines.end() ? 0 : found->second;
  }
};

enum class JsonComments { kForbidden, kAllowed };

// Root is null when there are findings.
JsonDocument parse_json_document(std::string_view text, std::string_view file, JsonComments comments, std::vector<Finding>& findings);

// What is wrong with a key that is not among those that may stand there, with the one that was probably meant.
std::string unknown_key_words(std::string_view key, std::span<const std::string_view> known);

// `key` with "~" and "/" escaped (RFC 6901), appended to a pointer.
std::string child_pointer(const std::string& pointer, std::string_view key);

}  // namespace fedgate
