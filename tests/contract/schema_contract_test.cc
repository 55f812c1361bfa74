// The published schemas and the loaders say the same: each key, each enumeration, each bound of a schema is tried against the loader, and the loader's own list of keys against the schema.
#include <doctest/doctest.h>
#include <sys/stat.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <nlohmann/json.hpp>
#include <set>
#include <sstream>

#include "gateway/base/json_document.h"
#include "gateway/policy/load.h"
#include "gateway/settings/load.h"

namespace fedgate {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using Check = std::function<std::vector<Finding>(const json& document)>;

std::string read(const fs::path& file) {
  std::ifstream stream(file);
  std::ostringstream text;
  text << stream.rdbuf();
  REQUIRE_MESSAGE(stream, file.string());
  return text.str();
}

// Goes through schema and a document that fits it, side by side; changes one thing at a time and asks the loader.
class Comparison {
 public:
  Comparison(json schema, json document, Check check) : schema_(std::move(schema)), document_(std::move(document)), check_(std::move(check)) {}

  void run() {
    for (const Finding& finding : check_(document_)) FAIL_CHECK("the unchanged document: " << finding.text());
    walk(schema_, "");
    collect(schema_, "#");
    for (const auto& place : places_) CHECK_MESSAGE(seen_.contains(place), place << " is in the schema; the document that is tried does not have it");
  }

 private:
  const json& resolved(const json& schema) const {
    if (!schema.contains("$ref")) return schema;
    return schema_.at(json::json_pointer(schema["$ref"].get<std::string>().substr(1)));
  }

  // Every property of the schema by its place in the schema itself.
  void collect(const json& schema, const std::string& place) {
    if (schema.contains("properties"))
      for (const auto& [key, child] : schema["properties"].items()) {
        places_.insert(place + "/" + key);
        collect(child, place + "/" + key);
      }
    for (const char* nested : {"additionalProperties", "items"})
      if (schema.contains(nested) && schema[nested].is_object()) collect(schema[nested], place + "/*");
    if (schema.contains("$defs"))
      for (const auto& [name, child] : schema["$defs"].items()) collect(child, "#/$defs/" + name);
  }

  std::vector<Finding> with(const std::string& pointer, const json& value) const {
    json changed = document_;
    changed[json::json_pointer(pointer)] = value;
    return check_(changed);
  }
  bool refused(const std::string& pointer, const json& value) const {
    for (const Finding& finding : with(pointer, value))
      if (finding.path == pointer || finding.path.starts_with(pointer + "/")) return true;
    return false;
  }
  void must_refuse(const std::string& pointer, const json& value) { CHECK_MESSAGE(refused(pointer, value), pointer << " = " << value.dump() << " is taken, which the schema forbids"); }
  void must_take(const std::string& pointer, const json& value) { CHECK_MESSAGE(!refused(pointer, value), pointer << " = " << value.dump() << " is refused, which the schema allows"); }

  void walk(const json& given, const std::string& pointer, const std::string& given_place = "#") {
    const json& schema = resolved(given);
    std::string place = given.contains("$ref") ? given["$ref"].get<std::string>() : given_place;
    const json& here = document_.at(json::json_pointer(pointer));
    if (schema.contains("const")) return must_refuse(pointer, json("zz"));
    if (schema.contains("enum")) return walk_enum(schema, pointer);
    json type = schema.value("type", json("object"));
    if (type == "integer") return walk_integer(schema, pointer);
    if (type == "boolean") return must_refuse(pointer, json(7));
    if (type == "array") return walk_array(schema, pointer, place, here);
    if (type == "object") return walk_object(schema, pointer, place, here);
    must_refuse(pointer, json(7));  // texts
    if (schema.contains("pattern") || schema.contains("format")) must_refuse(pointer, json("?"));
    if (schema.contains("minLength")) must_refuse(pointer, json(""));
  }

  void walk_enum(const json& schema, const std::string& pointer) {
    for (const json& value : schema["enum"]) must_take(pointer, value);
    must_refuse(pointer, json("zz"));
    must_refuse(pointer, json(7));
  }

  void walk_integer(const json& schema, const std::string& pointer) {
    std::int64_t least = schema.at("minimum"), most = schema.at("maximum");
    must_take(pointer, json(static_cast<std::uint64_t>(least)));
    must_take(pointer, json(static_cast<std::uint64_t>(most)));
    must_refuse(pointer, json(least - 1));
    must_refuse(pointer, json(static_cast<std::uint64_t>(most) + 1));
    must_refuse(pointer, json("zz"));
    must_refuse(pointer, json(least + 0.5));
  }

  void walk_array(const json& schema, const std::string& pointer, const std::string& place, const json& here) {
    must_refuse(pointer, json(7));
    for (int less = schema.value("minItems", 0); less > 0; --less) {
      json shorter = json::array();
      for (int i = 0; i + 1 < less; ++i) shorter.push_back(here.at(static_cast<std::size_t>(i)));
      must_refuse(pointer, shorter);
    }
    for (std::size_t i = 0; i < here.size(); ++i) walk(schema["items"], pointer + "/" + std::to_string(i), place + "/*");
  }

  void walk_object(const json& schema, const std::string& pointer, const std::string& place, const json& here) {
    if (!pointer.empty()) must_refuse(pointer, json(7));
    if (schema.contains("properties")) {
      compare_keys(schema, pointer);
      for (const auto& [key, child] : schema["properties"].items()) {
        if (!here.contains(key)) continue;
        seen_.insert(place + "/" + key);
        compare_need(schema, pointer, key);
        walk(child, child_pointer(pointer, key), place + "/" + key);
      }
    } else if (schema["additionalProperties"].is_object()) {
      for (const auto& [key, value] : here.items()) walk(schema["additionalProperties"], child_pointer(pointer, key), place + "/*");
    }
  }

  // The loader itself says which keys may stand here.
  void compare_keys(const json& schema, const std::string& pointer) {
    std::set<std::string> of_schema, of_loader;
    for (const auto& [key, child] : schema["properties"].items()) of_schema.insert(key);
    for (const Finding& finding : with(pointer + "/zz-unknown", json(1))) {
      constexpr std::string_view kList = "here may stand: ";
      std::size_t at = finding.problem.find(kList);
      if (finding.path != pointer + "/zz-unknown" || at == std::string::npos) continue;
      std::string list = finding.problem.substr(at + kList.size());
      list.resize(list.find(')'));
      std::istringstream words(list);
      for (std::string word; std::getline(words >> std::ws, word, ',');) of_loader.insert(word);
    }
    CHECK_MESSAGE(of_schema == of_loader, "the keys at " << (pointer.empty() ? "the top" : pointer) << ": schema " << json(of_schema).dump() << ", loader " << json(of_loader).dump());
  }

  void compare_need(const json& schema, const std::string& pointer, const std::string& key) {
    if (key == "matrix" || key == "xmpp") return;  // needed by their adapter; the schema says it in words
    json changed = document_;
    changed.at(json::json_pointer(pointer)).erase(key);
    bool missed = false;
    for (const Finding& finding : check_(changed)) missed = missed || (finding.path == pointer && finding.problem == "\"" + key + "\" is missing");
    json required = schema.value("required", json::array());
    CHECK_MESSAGE(missed == (std::find(required.begin(), required.end(), key) != required.end()), pointer << "/" << key << ": schema and loader differ on whether it is needed");
  }

  json schema_, document_;
  Check check_;
  std::set<std::string> places_, seen_;
};

json parsed(const std::string& file, JsonComments comments) {
  std::vector<Finding> findings;
  JsonDocument document = parse_json_document(read(file), file, comments, findings);
  REQUIRE_MESSAGE(findings.empty(), file);
  return *document.root;
}

// A folder with everything that the configuration names.
struct Folder {
  fs::path path;
  Folder() {
    std::string pattern = (fs::temp_directory_path() / "fedgate-schema-XXXXXX").string();
    REQUIRE(::mkdtemp(pattern.data()) != nullptr);
    path = pattern;
    fs::create_directories(path / "secrets");
    fs::create_directories(path / "policies");
    fs::copy_file("config/policies/two-agencies.json", path / "policies/two-agencies.json");
    for (const char* name : {"bund.as_token", "bund.hs_token", "bpol.secret"}) {
      std::ofstream(path / "secrets" / name) << "secret";
      REQUIRE(::chmod((path / "secrets" / name).c_str(), 0600) == 0);
    }
  }
  ~Folder() { fs::remove_all(path); }
};

TEST_CASE("schema: fedgate.schema.json and the loader of the configuration agree") {
  Folder folder;
  Comparison(parsed("config/schema/fedgate.schema.json", JsonComments::kForbidden), parsed("config/fedgate.example.json", JsonComments::kAllowed), [&](const json& document) {
    std::ofstream(folder.path / "fedgate.json") << document.dump();
    return settings::load(folder.path / "fedgate.json").findings;
  }).run();
}

TEST_CASE("schema: policy.schema.json and the loader of policies agree") {
  json document = parsed("config/policies/two-agencies.json", JsonComments::kForbidden);
  document["not_before"] = document["not_after"] = "2026-01-01T00:00:00Z";
  auto values = [](const char* value) { return json{{"eq", value}, {"ne", value}, {"in", {value}}}; };
  auto ordered = [&](const char* value) {
    json out = values(value);
    for (const char* operation : {"le", "lt", "ge", "gt"}) out[operation] = value;
    return out;
  };
  document["rules"].push_back({{"id", "all"}, {"effect", "deny"}, {"reason", "NOT_PERMITTED"},
                               {"when", {{"src.realm", values("de-fed")}, {"dst.realm", values("de-fed")}, {"src.connector", values("matrix")}, {"dst.connector", values("xmpp")},
                                         {"kind", values("text")}, {"rank", ordered("OPEN")}, {"label.source", values("room")}, {"protection", ordered("tls")},
                                         {"room.shape", values("room")}, {"sender.assurance", ordered("account")}, {"crosses_border", {{"eq", true}, {"ne", true}, {"in", {true}}}},
                                         {"any", {{{"rank", values("OPEN")}}}}}}});
  Comparison(parsed("config/schema/policy.schema.json", JsonComments::kForbidden), document, [](const json& changed) {
    std::vector<Finding> findings;
    policy::parse_policy(changed.dump(), "policy.json", findings);
    return findings;
  }).run();
}

TEST_CASE("schema: docs/configuration.md is what config/schema/reference prints") { CHECK(std::system("python3 config/schema/reference --check") == 0); }

}  // namespace
}  // namespace fedgate
