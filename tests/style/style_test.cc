#include <doctest/doctest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>
#include <set>
#include <string>
#include <vector>

namespace {

namespace fs = std::filesystem;

struct File {
  std::string path;  // relative to the root
  std::vector<std::string> lines;
};

const std::vector<File>& sources() {
  static const std::vector<File> all = [] {
    std::vector<File> out;
    for (const char* top : {"gateway", "adapters", "tests"})
      for (const auto& entry : fs::recursive_directory_iterator(top)) {
        std::string extension = entry.path().extension();
        if (extension != ".cc" && extension != ".h") continue;
        File file{entry.path().string(), {}};
        std::ifstream stream(entry.path());
        for (std::string line; std::getline(stream, line);) file.lines.push_back(line);
        out.push_back(std::move(file));
      }
    return out;
  }();
  return all;
}

std::string folder_of(const std::string& path) {
  std::size_t first = path.find('/');
  std::size_t second = path.find('/', first + 1);
  return path.substr(0, second);
}

bool is_test(const std::string& path) { return path.starts_with("tests/") || path.ends_with("_test.cc"); }

std::string included(const std::string& line) {
  if (!line.starts_with("#include \"")) return {};
  return line.substr(10, line.find('"', 10) - 10);
}

// Folder -> what it may include beside itself. "proto" stands for generated headers.
const std::map<std::string, std::set<std::string>>& allowed() {
  static const std::set<std::string> pure = {"gateway/model", "gateway/base"};
  static const std::map<std::string, std::set<std::string>> out = {
      {"gateway/base", {}},
      {"gateway/model", {"gateway/base"}},
      {"gateway/label", pure},
      {"gateway/policy", pure},
      {"gateway/normalise", {"gateway/model", "gateway/base", "gateway/render"}},
      {"gateway/route", pure},
      {"gateway/render", pure},
      {"gateway/codec", {"gateway/model", "gateway/base", "proto"}},
      {"gateway/store", {"gateway/base"}},
      {"gateway/settings", {"gateway/model", "gateway/base", "gateway/policy"}},
      {"gateway/pipeline", {"gateway/model", "gateway/base", "gateway/label", "gateway/policy", "gateway/normalise", "gateway/route", "gateway/render", "gateway/codec", "gateway/store", "gateway/settings"}},
      {"gateway/link", {"gateway/model", "gateway/base", "gateway/codec", "gateway/pipeline", "gateway/settings", "proto"}},
      {"gateway/admin", {"gateway/model", "gateway/base", "gateway/pipeline", "gateway/settings", "proto"}},
      {"gateway/app", {"*"}},
      {"gateway/cli", {"*"}},
      {"adapters/sdk", {"gateway/base", "proto"}},
      {"adapters/matrix", {"adapters/sdk", "gateway/base", "proto"}},
      {"adapters/xmpp", {"adapters/sdk", "gateway/base", "proto"}},
  };
  return out;
}

TEST_CASE("style: includes go in the direction that the design says") {
  for (const File& file : sources()) {
    std::string folder = folder_of(file.path);
    if (is_test(file.path)) continue;
    auto rule = allowed().find(folder);
    REQUIRE_MESSAGE(rule != allowed().end(), (file.path + ": a folder that the style test does not know"));
    if (rule->second.contains("*")) continue;
    for (const std::string& line : file.lines) {
      std::string target = included(line);
      if (target.empty()) continue;
      std::string from = target.starts_with("fedgate/v1/") ? "proto" : folder_of(target);
      CHECK_MESSAGE((from == folder || rule->second.contains(from)), (file.path + " may not include " + target));
    }
  }
}

TEST_CASE("style: files stay short enough to be one concept") {
  for (const File& file : sources()) {
    std::size_t most = file.path.ends_with(".h") ? 250 : is_test(file.path) ? 700 : 500;
    CHECK_MESSAGE(file.lines.size() <= most, (file.path + " has " + std::to_string(file.lines.size()) + " lines"));
  }
}

TEST_CASE("style: time, chance, output and waiting are arguments, never calls") {
  struct Ban { const char* call; const char* why; };
  const Ban bans[] = {{"std::rand(", "use Random&"}, {" rand()", "use Random&"}, {"std::cout", "libraries do not print"}, {"sleep_for(", "wait for a condition"}, {"usleep(", "wait for a condition"},
                      {"system_clock::now()", "use Clock&"}, {"::time(nullptr)", "use Clock&"}, {"strcpy(", "use std::string"}, {"sprintf(", "use snprintf or std::string"}};
  for (const File& file : sources()) {
    bool prints = file.path.starts_with("gateway/cli/") || file.path.starts_with("gateway/app/") || file.path.ends_with("main.cc") || file.path.starts_with("tests/");
    for (const std::string& line : file.lines)
      for (const Ban& ban : bans) {
        if (line.find(ban.call) == std::string::npos || line.find("snprintf(") != std::string::npos || file.path == "tests/style/style_test.cc") continue;
        bool fine = (prints && std::string(ban.call) == "std::cout") ||
                    ((file.path.starts_with("gateway/base/") || is_test(file.path) || file.path.starts_with("gateway/cli/") || file.path.starts_with("gateway/link/") || file.path.starts_with("gateway/admin/")) &&
                     std::string(ban.call) == "system_clock::now()");
        CHECK_MESSAGE(fine, (file.path + ": " + ban.call + ": " + ban.why));
      }
  }
}

TEST_CASE("style: headers open with a comment and keep their namespaces to themselves") {
  for (const File& file : sources()) {
    if (!file.path.ends_with(".h")) continue;
    REQUIRE_FALSE(file.lines.empty());
    CHECK_MESSAGE(file.lines.front().starts_with("// "), (file.path + " does not say what it is"));
    for (const std::string& line : file.lines) CHECK_MESSAGE(!line.starts_with("using namespace"), file.path);
  }
}

TEST_CASE("style: every folder says what belongs in it") {
  std::vector<fs::path> folders = {"cmake", "proto", "config", "deploy", "gateway", "adapters", "tests", "docs"};
  for (const char* top : {"gateway", "adapters", "tests"})
    for (const auto& entry : fs::directory_iterator(top))
      if (entry.is_directory() && entry.path().filename() != "__pycache__" && !fs::is_empty(entry.path())) folders.push_back(entry.path());
  for (const auto& folder : folders) CHECK_MESSAGE(fs::exists(folder / "README.md"), (folder.string() + " has no README.md"));
}

TEST_CASE("style: no work is left in comments") {
  for (const File& file : sources()) {
    if (file.path == "tests/style/style_test.cc") continue;
    for (const std::string& line : file.lines)
      for (const char* word : {"TODO", "FIXME", "HACK"}) CHECK_MESSAGE(line.find(word) == std::string::npos, (file.path + ": " + line));
  }
}

}  // namespace
